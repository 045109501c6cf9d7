import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { countBlocks, forEachBlockRow } from "../../src/graph/blocks.ts";
import { listConnections } from "../../src/graph/connections.ts";

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
