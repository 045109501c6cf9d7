import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { gridMean, testEquivalence } from "../../src/analysis/means.ts";
import type { RunSummary } from "../../src/analysis/summary.ts";

import { assertClose, SCIPY, STRATA } from "./scipy_values.ts";

/** Runs of combinations, a list of losses each; NaN diverged. */
function runsOf(combinations: readonly (readonly number[])[]): RunSummary[] {
  return combinations.flatMap((losses, combination) =>
    losses.map((minLoss, iteration): RunSummary => ({
      combination,
      iteration,
      ...(Number.isNaN(minLoss) ? {} : { minLoss }),
      finalAccuracy: undefined,
      network: undefined,
    }))
  );
}

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} ${expected}`);
}

describe("gridMean()", () => {
  it("is Student's interval of a single combination", () => {
    // scipy.stats.t.interval(0.95, 4, np.mean(x), scipy.stats.sem(x)) with x = [1, 2, 3, 4, 6]
    const { estimate, low, high } = gridMean(
      runsOf([[1, 2, 3, 4, 6]]),
      "minLoss",
    );
    close(estimate, 3.2);
    close(low, 0.8116116119000201);
    close(high, 5.588388388099981);
  });

  it("takes what combinations differ in for no spread of runs", () => {
    const near = gridMean(runsOf([[1, 2, 3], [2, 3, 4]]), "minLoss");
    const far = gridMean(runsOf([[1, 2, 3], [102, 103, 104]]), "minLoss");
    close(far.high - far.low, near.high - near.low);
    close(far.estimate, 52.5);
  });

  it("is geometric on request, and leaves out runs that diverged", () => {
    const { estimate, low, high } = gridMean(
      runsOf([[1, 100, NaN], [10, 10]]),
      "minLoss",
      true,
    );
    close(estimate, 10);
    assert.ok(low < 10 && high > 10 && Math.abs(low * high - 100) < 1e-9);
  });

  it("has no interval where a combination has a single run, and no mean of none", () => {
    const one = gridMean(runsOf([[1], [2, 3]]), "minLoss");
    close(one.estimate, 1.75);
    assert.ok(Number.isNaN(one.low));
    assert.ok(Number.isNaN(gridMean([], "minLoss").estimate));
  });

  it("is a point where all runs are equal", () => {
    assert.deepEqual(gridMean(runsOf([[2, 2], [4, 4]]), "minLoss"), {
      estimate: 3,
      low: 3,
      high: 3,
    });
  });
});

describe("testEquivalence()", () => {
  it("equals SciPy's pairs of one-sided t tests", () => {
    for (const [x, y, margin, paired, p] of SCIPY.equivalence) {
      assertClose(testEquivalence([[x, y]], { margin, paired }).p, p);
    }
  });

  it("finds more equivalence the wider the margin", () => {
    const groups = [[1, 2, 3, 4], [1.5, 2, 2.5, 4.5]] as const;
    const p = [0.5, 1, 2, 4].map((margin) =>
      testEquivalence([groups], { margin, paired: false }).p
    );
    assert.deepEqual(p, p.toSorted((a, b) => b - a));
  });

  it("tells on which side the margin is kept", () => {
    const [low, high] = [[1, 1.1, 0.9, 1.05], [5, 5.2, 4.9, 5.1]] as const;
    const options = { margin: 0.5, paired: false };
    const test = testEquivalence([[low, high]], options);
    assert.ok(test.notHigherP < 1e-6);
    assert.ok(test.notLowerP > 1 - 1e-6);
    assert.equal(test.p, test.notLowerP);
    const back = testEquivalence([[high, low]], options);
    assert.equal(back.notLowerP, test.notHigherP);
  });

  it("equals the definition for several strata, its interval too", () => {
    for (
      const [strata, paired, p, low, high] of STRATA.stratified_equivalence
    ) {
      const found = testEquivalence(strata, {
        margin: 0.5,
        paired,
      });
      assertClose(found.p, p);
      assertClose(found.interval[0], low);
      assertClose(found.interval[1], high);
    }
  });

  it("has an interval inside the margin where p is below 0.05, and only there", () => {
    const value = fc.double({ min: -1, max: 1, noNaN: true });
    const group = fc.array(value, { minLength: 2, maxLength: 9 });
    fc.assert(fc.property(group, group, (x, y) => {
      const test = testEquivalence([[x, y]], { margin: 0.7, paired: false });
      const inside = test.interval[0] > -0.7 && test.interval[1] < 0.7;
      assert.equal(test.p < 0.05, inside);
    }));
  });

  it("has no p where nothing varies or a group is a single number", () => {
    const of = (x: number[], y: number[]) =>
      testEquivalence([[x, y]], { margin: 1, paired: false }).p;
    assert.ok(Number.isNaN(of([1, 1], [1, 1])));
    assert.ok(Number.isNaN(of([1], [1, 2])));
    assert.ok(Number.isNaN(of([1, NaN], [1, 2])));
  });
});
