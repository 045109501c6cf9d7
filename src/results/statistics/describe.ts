/**
 * Mean, standard deviation and median.
 *
 * @module
 */

/** Some numbers in short. */
export interface Description {
  readonly n: number;
  readonly mean: number;
  /** With n − 1; NaN for a single number. */
  readonly sd: number;
  readonly median: number;
}

/**
 * Describes numbers; without any, all but n is NaN.
 *
 * @example
 * ```ts
 * import { describeNumbers } from "./src/results/statistics/describe.ts";
 *
 * describeNumbers([1, 2, 6]); // { n: 3, mean: 3, sd: 2.6457…, median: 2 }
 * ```
 */
export function describeNumbers(values: readonly number[]): Description {
  const n = values.length;
  if (n === 0) return { n, mean: NaN, sd: NaN, median: NaN };
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[Math.floor(n / 2)] as number;
  const low = sorted[Math.floor((n - 1) / 2)] as number;
  return {
    n,
    mean,
    sd: n > 1 ? Math.sqrt(squares / (n - 1)) : NaN,
    median: (low + high) / 2,
  };
}
