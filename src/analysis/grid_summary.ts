/**
 * An experiment in the numbers of a paper's table: means over the grid, with
 * intervals.
 *
 * @module
 */

import type { RunSummary } from "./summary.ts";
import { describeNumbers } from "./effect_sizes.ts";
import { studentQuantile } from "./special_functions.ts";

/** A mean and its 95 % interval; NaN where there are too few runs. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** What lies above a 95 % interval. */
const OUTSIDE = 0.025;

/**
 * The mean of the combinations' means, with an interval from how runs vary
 * within combinations; runs without a value, which diverged, are left out.
 *
 * @param runs Of one experiment.
 * @param options `log`: the geometric mean, of numbers that span decades.
 */
export function gridMean(
  runs: readonly RunSummary[],
  { valueOf, log = false }: {
    readonly valueOf: (run: RunSummary) => number | undefined;
    readonly log?: boolean;
  },
): Interval {
  const [place, back] = log
    ? [Math.log, Math.exp]
    : [(x: number) => x, (x: number) => x];
  const strata = [...Map.groupBy(runs, ({ combination }) => combination)].map((
    [, own],
  ) =>
    describeNumbers(own.flatMap((run) => {
      const value = valueOf(run);
      return value === undefined ? [] : [place(value)];
    }))
  ).filter(({ n }) => n > 0);
  const mean = strata.reduce((sum, { mean }) => sum + mean, 0) / strata.length;
  // Where a combination has a single run, nobody knows how its runs vary.
  const variances = strata.map(({ n, sd }) => sd ** 2 / n);
  const total = variances.reduce((sum, variance) => sum + variance, 0);
  // Welch and Satterthwaite.
  const freedom = total ** 2 /
    strata.reduce((sum, { n }, i) => sum + variances[i]! ** 2 / (n - 1), 0);
  const reach = total === 0
    ? 0
    : studentQuantile(OUTSIDE, freedom) * Math.sqrt(total) / strata.length;
  return {
    estimate: back(mean),
    low: back(mean - reach),
    high: back(mean + reach),
  };
}
