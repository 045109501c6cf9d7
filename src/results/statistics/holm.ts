/**
 * Holm's correction for several tests.
 *
 * Source: Holm, S., "A simple sequentially rejective multiple test procedure",
 * Scand. J. Statist. 6 (1979).
 *
 * @module
 */

/**
 * Corrects p values so that the chance of any false positive among them stays
 * below the level they are compared with.
 *
 * @param p The p values; NaN for a test that could not be made, which is not counted.
 * @returns The corrected values, in the same order; NaN where p is.
 *
 * @example
 * ```ts
 * import { holmCorrection } from "./src/results/statistics/holm.ts";
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
