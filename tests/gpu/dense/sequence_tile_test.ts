import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../../src/compat/testing.ts";
import { makeLayout } from "../../../src/gpu/dense/layout.ts";
import { chooseSequenceTile } from "../../../src/gpu/dense/sequence_tile.ts";

const LIMITS = {
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
};

function layoutOf(hiddenSize: number, batchRows = 128) {
  return makeLayout({ hiddenSize, inputSize: 2, outputSize: 1, batchRows });
}

describe("chooseSequenceTile()", () => {
  it("follows the rule: a GPU where the states fit, else steps", () => {
    const gpu = { software: false, limits: LIMITS };
    assert.deepEqual(chooseSequenceTile(layoutOf(220), gpu), {
      lanes: 128,
      rows: 8,
      tileRows: 16,
    });
    assert.equal(chooseSequenceTile(layoutOf(1000), gpu), undefined);
    assert.equal(
      chooseSequenceTile(layoutOf(220), { ...gpu, software: true }),
      undefined,
    );
    assert.equal(
      chooseSequenceTile(layoutOf(220), { ...gpu, variant: "steps" }),
      undefined,
    );
  });

  it("keeps to the limits, with work for all rows of the tile", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1100 }),
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom(16384, 32768, 49152),
        (hiddenSize, batchRows, memory) => {
          const layout = layoutOf(hiddenSize, batchRows);
          const tile = chooseSequenceTile(layout, {
            software: false,
            limits: { ...LIMITS, maxComputeWorkgroupStorageSize: memory },
          });
          if (tile === undefined) return;
          const { lanes, rows, tileRows } = tile;
          assert.equal(tileRows % rows, 0);
          assert.ok(tileRows >= 1 && lanes <= 256);
          assert.ok(tileRows * layout.width * 4 <= memory);
          assert.ok(lanes * rows >= tileRows * layout.hidden / 4);
        },
      ),
      { numRuns: 300 },
    );
  });
});
