import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  cliffsDelta,
  cliffsDeltaInterval,
  describeNumbers,
} from "../../src/analysis/effect_sizes.ts";
import { testEquivalence } from "../../src/analysis/equivalence.ts";
import { holmCorrection, mannWhitneyU } from "../../src/analysis/rank_tests.ts";
import { assertClose, SCIPY } from "./scipy_values.ts";

const numbers = fc.array(fc.integer({ min: -20, max: 20 }), {
  minLength: 1,
  maxLength: 30,
});
const bootstrap = () => createStream({ seed: 1, purpose: "bootstrap" });

describe("cliffsDelta()", () => {
  it("is 1 or -1 where groups do not overlap, 0 where they are the same", () => {
    assert.equal(cliffsDelta({ x: [5, 6], y: [1, 2, 3] }), 1);
    assert.equal(cliffsDelta({ x: [1], y: [2, 3] }), -1);
    assert.equal(cliffsDelta({ x: [1, 2], y: [1, 2] }), 0);
    assert.equal(cliffsDelta({ x: [1, 2, 3], y: [2, 3, 4] }), -5 / 9);
    assert.ok(Number.isNaN(cliffsDelta({ x: [], y: [1] })));
  });

  it("is antisymmetric and tells the same as Mann-Whitney's U", () => {
    fc.assert(fc.property(numbers, numbers, (x, y) => {
      const delta = cliffsDelta({ x, y });
      assert.equal(delta + cliffsDelta({ x: y, y: x }), 0);
      const { statistic } = mannWhitneyU({ x, y });
      const ofU = 2 * statistic / (x.length * y.length) - 1;
      assert.ok(Math.abs(delta - ofU) < 1e-12);
    }));
  });
});

describe("cliffsDeltaInterval()", () => {
  it("agrees with SciPy's percentile bootstrap within the noise of resampling", () => {
    for (const [x, y, delta, low, high] of SCIPY.delta_interval) {
      assertClose(cliffsDelta({ x, y }), delta);
      const interval = cliffsDeltaInterval({ x, y }, {
        stream: bootstrap(),
        resamples: 20000,
      });
      assert.ok(Math.abs(interval[0] - low) < 0.02, `${interval[0]} ${low}`);
      assert.ok(Math.abs(interval[1] - high) < 0.02, `${interval[1]} ${high}`);
    }
  });

  it("gives the same interval for the same seed", () => {
    const groups = { x: [1, 4, 2, 8], y: [5, 7, 1, 2, 3] };
    assert.deepEqual(
      cliffsDeltaInterval(groups, { stream: bootstrap() }),
      cliffsDeltaInterval(groups, { stream: bootstrap() }),
    );
  });

  it("draws pairs together: with the same value in both groups there is no spread between them", () => {
    const x = [1, 2, 3, 4, 5, 6];
    const options = { stream: bootstrap(), paired: true };
    assert.deepEqual(cliffsDeltaInterval({ x, y: x }, options), [0, 0]);
  });

  it("lies around the estimate", () => {
    fc.assert(
      fc.property(numbers, numbers, (x, y) => {
        const [low, high] = cliffsDeltaInterval({ x, y }, {
          stream: bootstrap(),
          resamples: 200,
        });
        if (x.length < 2 || y.length < 2) {
          assert.ok(Number.isNaN(low) && Number.isNaN(high));
        } else assert.ok(-1 <= low && low <= high && high <= 1);
      }),
      { numRuns: 30 },
    );
  });

  it("refuses pairs of groups that differ in size", () => {
    assert.throws(
      () =>
        cliffsDeltaInterval({ x: [1, 2], y: [1] }, {
          stream: bootstrap(),
          paired: true,
        }),
      RangeError,
    );
  });
});

describe("testEquivalence()", () => {
  it("equals SciPy's pairs of one-sided t tests", () => {
    for (const [x, y, margin, paired, p] of SCIPY.equivalence) {
      assertClose(testEquivalence({ x, y }, { margin, paired }).p, p);
    }
  });

  it("finds more equivalence the wider the margin", () => {
    const groups = { x: [1, 2, 3, 4], y: [1.5, 2, 2.5, 4.5] };
    const p = [0.5, 1, 2, 4].map((margin) =>
      testEquivalence(groups, { margin, paired: false }).p
    );
    assert.deepEqual(p, p.toSorted((a, b) => b - a));
  });

  it("tells on which side the margin is kept", () => {
    const low = { x: [1, 1.1, 0.9, 1.05], y: [5, 5.2, 4.9, 5.1] };
    const test = testEquivalence(low, { margin: 0.5, paired: false });
    assert.ok(test.notHigherP < 1e-6);
    assert.ok(test.notLowerP > 1 - 1e-6);
    assert.equal(test.p, test.notLowerP);
    const back = testEquivalence({ x: low.y, y: low.x }, {
      margin: 0.5,
      paired: false,
    });
    assert.equal(back.notLowerP, test.notHigherP);
  });

  it("has no p where nothing varies or a group is a single number", () => {
    const options = { margin: 1, paired: false };
    for (const groups of [{ x: [1, 1], y: [1, 1] }, { x: [1], y: [1, 2] }]) {
      assert.ok(Number.isNaN(testEquivalence(groups, options).p));
    }
  });

  it("refuses a margin that is not above 0", () => {
    for (const margin of [0, -1, NaN]) {
      assert.throws(
        () =>
          testEquivalence({ x: [1, 2], y: [1, 2] }, { margin, paired: true }),
        RangeError,
      );
    }
  });
});

describe("holmCorrection()", () => {
  it("equals the definition", () => {
    for (const [p, corrected] of SCIPY.holm) {
      for (const [i, value] of holmCorrection(p).entries()) {
        assertClose(value, corrected[i] as number);
      }
    }
  });

  it("keeps the order, never lowers a p and leaves out what was not tested", () => {
    const p = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constant(NaN),
    );
    fc.assert(fc.property(fc.array(p), (values) => {
      const corrected = holmCorrection(values);
      const tested = values.filter((value) => !Number.isNaN(value));
      for (const [i, value] of values.entries()) {
        const after = corrected[i] as number;
        assert.equal(Number.isNaN(after), Number.isNaN(value));
        if (Number.isNaN(value)) continue;
        assert.ok(after >= value && after <= 1);
        for (const [j, other] of values.entries()) {
          if (value <= other) assert.ok(after <= (corrected[j] as number));
        }
      }
      assert.deepEqual(
        holmCorrection(tested),
        corrected.filter((value) => !Number.isNaN(value)),
      );
    }));
  });
});

describe("describeNumbers()", () => {
  it("gives mean, sd with n - 1, and the median of odd and even counts", () => {
    assert.deepEqual(describeNumbers([6, 1, 2]), {
      n: 3,
      mean: 3,
      sd: Math.sqrt(7),
      median: 2,
    });
    assert.equal(describeNumbers([10, 1, 3, 2]).median, 2.5);
  });

  it("has no sd for one number and nothing for none", () => {
    assert.deepEqual(describeNumbers([4]), {
      n: 1,
      mean: 4,
      sd: NaN,
      median: 4,
    });
    assert.deepEqual(describeNumbers([]), {
      n: 0,
      mean: NaN,
      sd: NaN,
      median: NaN,
    });
  });
});
