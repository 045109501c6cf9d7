import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { createStream } from "../../src/random/stream.ts";
import { seqMem } from "../../src/tasks/seq_mem.ts";
import { splitTrials } from "../../src/tasks/trial_set.ts";

const trialsOf = (count: number) =>
  seqMem.generate({ pattern_length: 1, nr_of_trials: count }, {
    stream: createStream({ seed: 1, purpose: "trials" }),
  });
const split = (
  count: number,
  { trainSize = 0.8, batchSize = 128, seed = 1, iteration = 0 } = {},
) =>
  splitTrials(trialsOf(count), {
    trainSize,
    batchSize,
    stream: createStream({ seed, purpose: "split", iteration }),
  });

describe("splitTrials()", () => {
  it("puts every trial into one batch, and fills all batches but the last", () => {
    fc.assert(fc.property(
      fc.integer({ min: 2, max: 300 }),
      fc.double({ min: 0.5, max: 0.99, noNaN: true }),
      fc.integer({ min: 1, max: 150 }),
      fc.nat(1e9),
      (count, trainSize, batchSize, seed) => {
        const set = split(count, { trainSize, batchSize, seed });
        const numbers = (batches: readonly Uint32Array[]) => {
          for (const [i, batch] of batches.entries()) {
            if (i < batches.length - 1) assert.equal(batch.length, batchSize);
            else assert.ok(batch.length >= 1 && batch.length <= batchSize);
          }
          return batches.flatMap((batch) => [...batch]);
        };
        const train = numbers(set.trainBatches);
        const validate = numbers(set.validateBatches);
        assert.equal(train.length, Math.floor(trainSize * count));
        assert.ok(validate.length >= 1);
        assert.deepEqual(
          [...train, ...validate].sort((a, b) => a - b),
          Array.from({ length: count }, (_, i) => i),
        );
        assert.equal(set.inputs.length, count * 3 * 2);
      },
    ));
  });

  it("takes as many training trials as scikit-learn's GroupShuffleSplit", () => {
    // n, train_size, and floor(train_size * n) in double precision, which it takes.
    for (
      const [count, trainSize, expected] of [
        [1000, 0.8, 800],
        [100, 0.29, 28],
        [10, 0.7, 7],
        [7, 0.5, 3],
        [1000, 0.333, 333],
      ] as const
    ) {
      const { trainBatches } = split(count, { trainSize });
      const size = trainBatches.reduce((sum, batch) => sum + batch.length, 0);
      assert.equal(size, expected);
    }
  });

  it("gives the same order for a seed and another for another iteration", () => {
    assert.deepEqual(split(200), split(200));
    const first = split(200).trainBatches;
    assert.notDeepEqual(first, split(200, { iteration: 1 }).trainBatches);
    const order = first.flatMap((batch) => [...batch]);
    assert.notDeepEqual(order, order.toSorted((a, b) => a - b));
  });

  it("tells where nothing is left to train on", () => {
    assert.throws(
      () => split(3, { trainSize: 0.3 }),
      (error) =>
        error instanceof InputError &&
        /^Cannot split 3 trials with train_size 0.3: none/.test(error.message),
    );
    assert.throws(() => split(3, { trainSize: 1 }), RangeError);
    assert.throws(() => split(3, { batchSize: 0 }), RangeError);
  });
});
