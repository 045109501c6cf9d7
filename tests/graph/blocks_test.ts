import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  countBlocks,
  expectedBlocks,
  forEachBlockRow,
} from "../../src/graph/blocks.ts";
import { listConnections } from "../../src/graph/connections.ts";
import { randomConnections } from "../gpu/random_connections.ts";

/** A mask and its size. */
const MASKS = fc.integer({ min: 1, max: 23 }).chain((receivers) =>
  fc.integer({ min: 1, max: 23 }).chain((senders) =>
    fc.record({
      receivers: fc.constant(receivers),
      senders: fc.constant(senders),
      mask: fc.array(fc.constantFrom(0, 0, 0, 0, 1), {
        minLength: receivers * senders,
        maxLength: receivers * senders,
      }),
    })
  )
);

describe("forEachBlockRow() and countBlocks()", () => {
  it("find the blocks that a search through the mask finds", () => {
    fc.assert(
      fc.property(
        MASKS,
        fc.constantFrom(1, 2, 4),
        ({ receivers, senders, mask }, side) => {
          const expected: number[][] = [];
          for (let i = 0; i < receivers; i++) {
            const row = expected[Math.floor(i / side)] ??= [];
            for (let j = 0; j < senders; j++) {
              const column = Math.floor(j / side);
              if (mask[i * senders + j] !== 0 && !row.includes(column)) {
                row.push(column);
              }
            }
          }
          for (const row of expected) row.sort((a, b) => a - b);
          const connections = listConnections({ receivers, senders }, mask);
          const found: number[][] = [];
          forEachBlockRow(connections, side, (columns, row) => {
            assert.equal(row, found.length);
            found.push([...columns]);
          });
          assert.deepEqual(found, expected);
          assert.equal(countBlocks(connections, side), expected.flat().length);
        },
      ),
      { seed: 13, numRuns: 300 },
    );
  });
});

describe("expectedBlocks()", () => {
  it("is within half a percent of the mean of random topologies", () => {
    for (
      const [units, count] of [
        [228, 8200],
        [220, 1000],
        [61, 250],
        [61, 1200],
        [7, 12],
      ] as const
    ) {
      const draws = 300;
      let sum = 0;
      for (let seed = 0; seed < draws; seed++) {
        sum += countBlocks(randomConnections(units, { count, seed }), 4);
      }
      const mean = sum / draws;
      const expected = expectedBlocks(count, { units, side: 4 });
      // Rounding on top.
      const limit = 0.005 * mean + 0.5;
      assert.ok(Math.abs(expected - mean) <= limit, `${expected}, ${mean}`);
    }
  });

  it("is exact where nothing, or everything off the diagonal, is connected", () => {
    for (let units = 1; units <= 30; units++) {
      const mask = Uint8Array.from(
        { length: units ** 2 },
        (_, i) => i % (units + 1) === 0 ? 0 : 1,
      );
      const all = listConnections({ receivers: units, senders: units }, mask);
      for (const side of [1, 2, 4]) {
        assert.equal(expectedBlocks(0, { units, side }), 0);
        assert.equal(
          expectedBlocks(units * (units - 1), { units, side }),
          countBlocks(all, side),
        );
      }
    }
  });
});
