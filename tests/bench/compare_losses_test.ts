import assert from "node:assert/strict";
import {
  EXACT_EPOCHS,
  lossDifference,
  lossesOf,
} from "../../bench/contestant.ts";
import { describe, it } from "../../src/compat/testing.ts";

const losses = (trainLoss: number[][], validateLoss = trainLoss) => ({
  trainLoss,
  validateLoss,
});

describe("lossesOf()", () => {
  it("turns a history, model by model, into rows of epochs", () => {
    const { trainLoss, validateLoss } = lossesOf({
      models: 2,
      epochs: 3,
      trainLoss: Float64Array.of(1, 2, 3, 4, 5, 6),
      validateLoss: Float64Array.of(10, 20, 30, 40, 50, 60),
      trainBatchLoss: new Float64Array(),
      validateBatchLoss: new Float64Array(),
    });
    assert.deepEqual(trainLoss, [[1, 4], [2, 5], [3, 6]]);
    assert.deepEqual(validateLoss, [[10, 40], [20, 50], [30, 60]]);
  });
});

describe("lossDifference()", () => {
  it("is relative to the larger loss", () => {
    assert.equal(lossDifference(losses([[1, 2]]), losses([[1, 1]])).first, 0.5);
  });

  it("sees a validation loss that differs", () => {
    assert.equal(
      lossDifference(losses([[1]], [[4]]), losses([[1]], [[3]])).first,
      0.25,
    );
  });

  it("compares the epochs that both have", () => {
    assert.deepEqual(lossDifference(losses([[1], [2]]), losses([[1]])), {
      first: 0,
      last: 0,
    });
  });

  it("takes the worst model of the first epochs, and the middle one of the last", () => {
    const ours = Array.from({ length: EXACT_EPOCHS + 1 }, () => [8, 8, 8]);
    const theirs = ours.map((row) => [...row]);
    theirs[1] = [8, 8, 4];
    theirs[EXACT_EPOCHS] = [8, 6, 1];
    assert.deepEqual(lossDifference(losses(ours), losses(theirs)), {
      first: 0.5,
      last: 0.25,
    });
  });

  it("is infinite where a loss is no number", () => {
    assert.equal(
      lossDifference(losses([[NaN]]), losses([[1]])).first,
      Infinity,
    );
  });

  it("refuses to compare nothing", () => {
    assert.throws(() => lossDifference(losses([]), losses([[1]])), RangeError);
  });
});
