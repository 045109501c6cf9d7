import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../../src/compat/testing.ts";
import { makeLayout } from "../../../src/gpu/dense/layout.ts";
import {
  packBiases,
  packMatrix,
  packTrained,
  unpackMatrix,
} from "../../../src/gpu/dense/pack_parameters.ts";
import { countConnections, denseMask } from "../../../src/graph/connections.ts";
import { exampleSpec } from "../example_runs.ts";

const SIZES = {
  hiddenSize: fc.integer({ min: 1, max: 40 }),
  inputSize: fc.integer({ min: 1, max: 60 }),
  loss: fc.constantFrom("mse" as const, "nll" as const),
};

function pack(size: Parameters<typeof exampleSpec>[0]) {
  const spec = exampleSpec(size);
  const layout = makeLayout({ ...spec, batchRows: 6 });
  const run = spec.runs[0]!;
  return { run, layout, places: { layout, connections: run.connections } };
}

describe("packMatrix()", () => {
  it("is undone by unpackMatrix() with the two biases", () => {
    fc.assert(
      fc.property(fc.record(SIZES), (size) => {
        const { run, layout, places } = pack(size);
        const matrix = packMatrix(run.initial, places);
        const biases = packBiases(run.initial, layout);
        assert.deepEqual(
          unpackMatrix(matrix, { ...places, biases }),
          run.initial,
        );
      }),
      { numRuns: 50 },
    );
  });

  it("leaves padding, and what no connection is, zero", () => {
    fc.assert(
      fc.property(fc.record(SIZES), (size) => {
        const { run, layout, places } = pack(size);
        const { hidden, width, units, hiddenSize, used } = layout;
        const matrix = packMatrix(run.initial, places);
        const mask = denseMask(run.connections);
        for (let r = 0; r < units; r++) {
          for (let c = 0; c < width; c++) {
            const value = matrix[r * width + c];
            const padding = (r >= hiddenSize && r < hidden) || c >= used ||
              (c >= hiddenSize && c < hidden);
            const absent = r < hiddenSize && c < hiddenSize &&
              mask[r * hiddenSize + c] === 0;
            if (padding || absent) assert.equal(value, 0);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("packTrained()", () => {
  it("marks the mask's entries and the other parameters, and no padding", () => {
    fc.assert(
      fc.property(
        fc.record({
          ...SIZES,
          density: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        fc.boolean(),
        (size, trainRecurrent) => {
          const { run, layout, places } = pack(size);
          const bits = packTrained({ ...places, trainRecurrent });
          const mask = denseMask(run.connections);
          const h = layout.hiddenSize;
          let count = 0;
          for (const word of bits) {
            for (let rest = word; rest !== 0; rest &= rest - 1) count++;
          }
          const ones = countConnections(run.connections);
          assert.equal(
            count,
            (trainRecurrent ? ones : 0) + h * (layout.inputSize + 1) +
              layout.outputSize * (h + 1),
          );
          if (!trainRecurrent) return;
          for (let i = 0; i < h * h; i++) {
            const row = Math.floor(i / h);
            const column = i % h;
            const word =
              bits[row * layout.maskWords + (column >>> 5)] as number;
            assert.equal((word >>> (column & 31)) & 1, mask[i]);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
