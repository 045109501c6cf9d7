import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../../src/compat/testing.ts";
import {
  chunkBlocks,
  makeBlockLayout,
} from "../../../src/gpu/blocks/block_layout.ts";
import { makeBlockLists } from "../../../src/gpu/blocks/block_lists.ts";
import {
  packBlocks,
  pairBiases,
  unpackBlocks,
} from "../../../src/gpu/blocks/pack_blocks.ts";
import { countConnections } from "../../../src/graph/connections.ts";
import { exampleSpec } from "../example_runs.ts";

const SIZES = fc.record({
  hiddenSize: fc.constantFrom(1, 3, 4, 5, 21, 37),
  inputSize: fc.constantFrom(1, 2, 3, 51),
  loss: fc.constantFrom("mse" as const, "nll" as const),
  classes: fc.constantFrom(2, 3, 4),
  density: fc.constantFrom(0, 0.1, 0.6, 1),
});

function check(
  body: (
    example: ReturnType<typeof pack>,
    side: 1 | 4,
  ) => void,
): void {
  fc.assert(
    fc.property(
      SIZES,
      fc.constantFrom(1 as const, 4 as const),
      (size, side) => body(pack(size, side), side),
    ),
    { seed: 12, numRuns: 150 },
  );
}

function pack(size: Parameters<typeof exampleSpec>[0], side: 1 | 4) {
  const spec = exampleSpec(size);
  const layout = makeBlockLayout({ ...spec, batchRows: 6 }, side);
  const run = spec.runs[0]!;
  const lists = makeBlockLists(run.connections, {
    layout,
    chunk: chunkBlocks(side, { software: true }),
  });
  return { run, layout, lists };
}

describe("packBlocks()", () => {
  it("is undone by unpackBlocks() with the two biases, bit for bit", () => {
    check(({ run, layout, lists }) => {
      const entries = packBlocks(run.initial, { layout, lists });
      const biases = pairBiases(run.initial, layout);
      assert.deepEqual(
        unpackBlocks(entries, { layout, lists, biases }),
        run.initial,
      );
    });
  });

  it("puts the sum of both biases, rounded once, in the blocks", () => {
    check(({ run, layout, lists }) => {
      const entries = packBlocks(run.initial, { layout, lists });
      const { biasIh, biasHh } = unpackBlocks(entries, { layout, lists });
      const sums = run.initial.biasIh.map((bias, i) =>
        Math.fround(bias + run.initial.biasHh[i]!)
      );
      assert.deepEqual(biasIh, sums);
      assert.deepEqual(biasHh, sums);
    });
  });

  it("leaves +0 where there is no weight", () => {
    check(({ run, layout, lists }, side) => {
      const { hiddenSize: h, inputSize, outputSize } = layout;
      const entries = packBlocks(run.initial, { layout, lists });
      assert.equal(entries.length, lists.blocks * side ** 2);
      const empty = entries.filter((value) => Object.is(value, 0)).length;
      const weights = countConnections(run.connections) + h * (inputSize + 1) +
        outputSize * (h + 1);
      // No weight of the example is 0.
      assert.equal(entries.length - empty, weights);
    });
  });
});
