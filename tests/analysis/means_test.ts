import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { gridMean } from "../../src/analysis/means.ts";
import type { RunSummary } from "../../src/analysis/summary.ts";

/** Runs of combinations, a list of losses each; NaN diverged. */
function runsOf(combinations: readonly (readonly number[])[]): RunSummary[] {
  return combinations.flatMap((losses, combination) =>
    losses.map((minLoss, iteration): RunSummary => ({
      combination,
      iteration,
      loss: Number.isNaN(minLoss) ? undefined : {
        minLoss,
        minLossEpoch: 1,
        epoch99: 1,
        stillFalling: false,
      },
      finalAccuracy: undefined,
      network: undefined,
    }))
  );
}

const valueOf = ({ loss }: RunSummary) => loss?.minLoss;

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} ${expected}`);
}

describe("gridMean()", () => {
  it("is Student's interval of a single combination", () => {
    // scipy.stats.t.interval(0.95, 4, np.mean(x), scipy.stats.sem(x)) with x = [1, 2, 3, 4, 6]
    const { estimate, low, high } = gridMean(runsOf([[1, 2, 3, 4, 6]]), {
      valueOf,
    });
    close(estimate, 3.2);
    close(low, 0.8116116119000201);
    close(high, 5.588388388099981);
  });

  it("takes what combinations differ in for no spread of runs", () => {
    const near = gridMean(runsOf([[1, 2, 3], [2, 3, 4]]), { valueOf });
    const far = gridMean(runsOf([[1, 2, 3], [102, 103, 104]]), { valueOf });
    close(far.high - far.low, near.high - near.low);
    close(far.estimate, 52.5);
  });

  it("is geometric on request, and leaves out runs that diverged", () => {
    const { estimate, low, high } = gridMean(
      runsOf([[1, 100, NaN], [10, 10]]),
      { valueOf, log: true },
    );
    close(estimate, 10);
    assert.ok(low < 10 && high > 10 && Math.abs(low * high - 100) < 1e-9);
  });

  it("has no interval where a combination has a single run, and no mean of none", () => {
    const one = gridMean(runsOf([[1], [2, 3]]), { valueOf });
    close(one.estimate, 1.75);
    assert.ok(Number.isNaN(one.low));
    assert.ok(Number.isNaN(gridMean([], { valueOf }).estimate));
  });

  it("is a point where all runs are equal", () => {
    assert.deepEqual(gridMean(runsOf([[2, 2], [4, 4]]), { valueOf }), {
      estimate: 3,
      low: 3,
      high: 3,
    });
  });
});
