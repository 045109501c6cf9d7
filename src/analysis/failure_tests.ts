/**
 * Exact tests of whether one label fails more often than another, and Holm's
 * correction for several tests.
 *
 * Sources: Fisher, R. A., "Statistical Methods for Research Workers" (1934);
 * McNemar, Q., "Note on the sampling error of the difference between correlated
 * proportions or percentages", Psychometrika 12 (1947); Holm, S., "A simple
 * sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979).
 *
 * @module
 */

import { logGamma } from "./special_functions.ts";

/** Runs of two labels and how many of them failed, in one stratum. */
export interface FailureCounts {
  readonly runs: readonly [x: number, y: number];
  readonly failed: readonly [x: number, y: number];
}

/**
 * Fisher's exact test of whether one label fails more often than the other,
 * over the tables of several strata with their margins fixed.
 *
 * @returns A two-sided p: the share of all tables that are no more likely than the one observed; 1 where none or all failed.
 *
 * @example
 * ```ts
 * import { failureTest } from "./src/analysis/failure_tests.ts";
 *
 * failureTest([{ runs: [10, 10], failed: [0, 6] }]); // 0.0108
 * ```
 */
export function failureTest(strata: readonly FailureCounts[]): number {
  let all: number[] = [1];
  let observed = 0;
  for (const { runs: [m, n], failed: [a, b] } of strata) {
    const failures = a + b;
    const least = Math.max(0, failures - n);
    const most = Math.min(failures, m);
    const own = Array.from({ length: most - least + 1 }, (_, i) => {
      const k = least + i;
      return Math.exp(
        logChoose(m, k) + logChoose(n, failures - k) -
          logChoose(m + n, failures),
      );
    });
    const next = new Array<number>(all.length + own.length - 1).fill(0);
    for (const [i, before] of all.entries()) {
      for (const [j, share] of own.entries()) next[i + j]! += before * share;
    }
    all = next;
    observed += a - least;
  }
  const limit = all[observed]! * (1 + 1e-7);
  return Math.min(1, all.reduce((p, one) => one <= limit ? p + one : p, 0));
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/**
 * McNemar's exact test of pairs of which one run failed: whether it was more
 * often one label's than the other's.
 *
 * @returns A two-sided p; 1 where there is no such pair.
 *
 * @example
 * ```ts
 * import { pairedFailureTest } from "./src/analysis/failure_tests.ts";
 *
 * pairedFailureTest(0, 6); // 0.03125
 * ```
 */
export function pairedFailureTest(onlyX: number, onlyY: number): number {
  const n = onlyX + onlyY;
  let tail = 0;
  for (let k = 0; k <= Math.min(onlyX, onlyY); k++) {
    tail += Math.exp(logChoose(n, k) - n * Math.LN2);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Corrects p values so that the chance of any false positive among them stays
 * below the level they are compared with.
 *
 * @param p The p values; NaN for a test that could not be made, which is not counted.
 * @returns The corrected values, in the same order; NaN where p is.
 *
 * @example
 * ```ts
 * import { holmCorrection } from "./src/analysis/failure_tests.ts";
 *
 * holmCorrection([0.01, 0.04, 0.03]); // [0.03, 0.06, 0.06]
 * ```
 */
export function holmCorrection(p: readonly number[]): number[] {
  const corrected = p.map(() => NaN);
  const tests = p.map((value, i) => ({ value, i })).filter(({ value }) =>
    !Number.isNaN(value)
  );
  tests.sort((a, b) => a.value - b.value);
  let least = 0;
  for (const [rank, { value, i }] of tests.entries()) {
    least = Math.max(least, Math.min(1, value * (tests.length - rank)));
    corrected[i] = least;
  }
  return corrected;
}
