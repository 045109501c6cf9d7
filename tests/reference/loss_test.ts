import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { logSoftmaxRows, scoreBatch } from "../../src/reference/batch.ts";

describe("scoreBatch()", () => {
  it("takes the mean squared error over the scored rows alone", () => {
    const { loss, accuracy, gradient } = scoreBatch({
      loss: "mse",
      outputSize: 1,
      output: Float64Array.of(9, 1, 2),
      targets: Float64Array.of(0, 0.5, 4),
    });
    assert.equal(loss, (0.25 + 4) / 2);
    assert.equal(accuracy, undefined);
    assert.deepEqual([...gradient], [0, 0.5, -2]);
  });

  it("takes the mean of minus the log-probabilities, and counts right answers", () => {
    const { loss, accuracy } = scoreBatch({
      loss: "nll",
      outputSize: 3,
      output: Float64Array.of(-3, -1, -2, -3, -2, -1, -1, -4, -5),
      targets: Float64Array.of(1, 1, 0),
    });
    assert.equal(loss, (1 + 2) / 2);
    assert.equal(accuracy, 50);
  });

  it("takes the first of equal largest outputs as the answer", () => {
    const accuracyOf = (target: number) =>
      scoreBatch({
        loss: "nll",
        outputSize: 3,
        output: Float64Array.of(-2, -1, -1),
        targets: Float64Array.of(target),
      }).accuracy;
    assert.equal(accuracyOf(1), 100);
    assert.equal(accuracyOf(2), 0);
  });

  it("gives NaN and no gradient where no row is scored", () => {
    const { loss, gradient } = scoreBatch({
      loss: "mse",
      outputSize: 1,
      output: Float64Array.of(1, 2),
      targets: new Float64Array(2),
    });
    assert.equal(loss, NaN);
    assert.deepEqual([...gradient], [0, 0]);
  });
});

describe("logSoftmaxRows()", () => {
  it("gives log-probabilities, of huge numbers too", () => {
    const output = Float64Array.of(0, 0, 1000, 0);
    logSoftmaxRows(output, 2);
    assert.deepEqual(
      [...output],
      [-Math.LN2, -Math.LN2, 0, -1000],
    );
  });
});
