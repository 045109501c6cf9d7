import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../../src/compat/testing.ts";
import { makeLayout } from "../../../src/gpu/dense/layout.ts";
import { chooseTiles, tileGrid } from "../../../src/gpu/dense/tiles.ts";

describe("chooseTiles()", () => {
  it("covers every product with tiles that fit the registers", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1200 }),
        fc.integer({ min: 1, max: 800 }),
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        (hiddenSize, inputSize, batchRows, software) => {
          const layout = makeLayout({
            hiddenSize,
            inputSize,
            outputSize: 1,
            batchRows,
          });
          const batches = [
            { size: batchRows, training: true },
            { size: Math.ceil(batchRows / 3), training: false },
          ];
          const tiles = chooseTiles(layout, { software, batches });
          const sizes = {
            forwardStep: { rows: batchRows, columns: layout.hidden / 4 },
            backwardStep: { rows: batchRows, columns: layout.hidden / 4 },
            gradient: {
              rows: Math.ceil(layout.panelUnits / 4),
              columns: layout.width / 4,
            },
          };
          for (const [name, size] of Object.entries(sizes)) {
            const tile = tiles[name as keyof typeof tiles];
            const [x, y] = tileGrid(tile, size);
            assert.ok(x * tile.columnLanes * tile.vecs >= size.columns);
            assert.ok(
              y * tile.lanes / tile.columnLanes * tile.rows >= size.rows,
            );
            const vectors = tile.rows * tile.vecs *
              (name === "gradient" ? 4 : 1);
            const most = name === "gradient" ? 112 : 84;
            assert.ok(vectors <= (software ? most : 16));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
