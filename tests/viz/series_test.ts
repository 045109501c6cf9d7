import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { chooseScale, middleCurve, middleRows } from "../../src/viz/series.ts";

const curve = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), {
  minLength: 1,
  maxLength: 300,
});

/** Epochs that are drawn of a curve, of so many at most. */
function thin(values: readonly number[], points: number): number[] {
  const middle = Float64Array.from(values);
  const curve = { n: 1, start: 0, runs: [], middle, low: middle, high: middle };
  return middleRows([{ tags: {}, ...curve }], points).map((row) =>
    (row as { epoch: number }).epoch
  );
}

describe("middleRows()", () => {
  it("keeps all of a curve that is short enough", () => {
    assert.deepEqual(thin([3, 1, 2], 3), [0, 1, 2]);
  });

  it("keeps ends, lowest and highest, in order, and no more than allowed", () => {
    fc.assert(
      fc.property(curve, fc.integer({ min: 4, max: 60 }), (values, most) => {
        const kept = thin(values, most);
        assert.ok(kept.length <= Math.max(most, 4));
        assert.deepEqual(kept, [...new Set(kept)].sort((a, b) => a - b));
        assert.equal(kept[0], 0);
        assert.equal(kept.at(-1), values.length - 1);
        const numbers = kept.map((i) => values[i] as number);
        assert.equal(Math.min(...numbers), Math.min(...values));
        assert.equal(Math.max(...numbers), Math.max(...values));
      }),
    );
  });
});

describe("middleCurve()", () => {
  const runs = [1, 2, 4, 100].map((value) => Float64Array.of(value));
  const of = (kind: "mean" | "median", ...some: Float64Array[]) => {
    const { middle, low, high } = middleCurve(some, { of: kind });
    return [low[0], middle[0], high[0]];
  };

  it("gives mean ± sample standard deviation", () => {
    assert.deepEqual(of("mean", ...runs.slice(0, 2)), [
      1.5 - Math.SQRT1_2,
      1.5,
      1.5 + Math.SQRT1_2,
    ]);
    assert.deepEqual(of("mean", runs[0]!), [1, 1, 1]);
  });

  it("gives median and quartiles, as NumPy does, which never leave the runs", () => {
    // numpy.percentile([1, 2, 4, 100], [25, 50, 75])
    assert.deepEqual(of("median", ...runs), [1.75, 3, 28]);
  });

  it("keeps accuracies between 0 and 100", () => {
    const { low, high } = middleCurve(
      [Float64Array.of(0, 100), Float64Array.of(90, 60)],
      { of: "mean", quantity: "accuracy" },
    );
    assert.equal(low[0], 0);
    assert.equal(high[1], 100);
  });
});

describe("chooseScale()", () => {
  it("is logarithmic beyond a range of 30", () => {
    assert.equal(chooseScale([0.01, 0.3]).log, false);
    assert.equal(chooseScale([0.01, 0.301]).log, true);
  });

  it("is linear where a value is 0 or below", () => {
    assert.equal(chooseScale([0, 1, 1000]).log, false);
    assert.equal(chooseScale([-1, 1000]).log, false);
  });

  it("passes over what is not finite", () => {
    assert.deepEqual(chooseScale([NaN, 2, Infinity, 3]), {
      log: false,
      low: 2,
      high: 3,
    });
  });
});
