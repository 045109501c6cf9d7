/**
 * Cliff's delta, an effect size for two groups, with a bootstrap interval.
 *
 * Sources: Cliff, N., "Dominance statistics: ordinal analyses to answer ordinal
 * questions", Psychol. Bull. 114 (1993); Efron, B. & Tibshirani, R. J., "An
 * Introduction to the Bootstrap" (1993), section 13.3 (percentile interval).
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";

/** Two groups of numbers. */
export interface Groups {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** How to resample. */
export interface BootstrapOptions {
  readonly stream: RandomStream;
  /** Whether number i of one group belongs to number i of the other; then pairs are drawn. Default false. */
  readonly paired?: boolean;
  /** Resamples; default 2000. */
  readonly resamples?: number;
  /** Share of the resamples inside the interval; default 0.95. */
  readonly confidence?: number;
}

/** Numbers replaced by their places among all distinct numbers of both groups. */
interface Levels {
  readonly x: Uint32Array;
  readonly y: Uint32Array;
  readonly count: number;
}

function levelsOf({ x, y }: Groups): Levels {
  const distinct = [...new Set([...x, ...y])].sort((a, b) => a - b);
  const level = new Map(distinct.map((value, i) => [value, i]));
  const place = (value: number) => level.get(value) as number;
  return {
    x: Uint32Array.from(x, place),
    y: Uint32Array.from(y, place),
    count: distinct.length,
  };
}

/** Delta from how often each level occurs in the groups. */
function deltaOfCounts(x: Uint32Array, y: Uint32Array): number {
  let above = 0;
  let below = 0;
  let xBelow = 0;
  let yBelow = 0;
  for (let level = 0; level < x.length; level++) {
    const [xHere, yHere] = [x[level] as number, y[level] as number];
    above += xHere * yBelow;
    below += yHere * xBelow;
    xBelow += xHere;
    yBelow += yHere;
  }
  return (above - below) / (xBelow * yBelow);
}

function countLevels(levels: Uint32Array, counts: Uint32Array): Uint32Array {
  for (const level of levels) counts[level] = (counts[level] as number) + 1;
  return counts;
}

/**
 * How much more often a number of x is larger than one of y than smaller: 1
 * where all are, −1 where none is, 0 where neither tends to be larger.
 *
 * @returns NaN where a group is empty.
 *
 * @example
 * ```ts
 * import { cliffsDelta } from "./src/analysis/effect_sizes.ts";
 *
 * cliffsDelta({ x: [1, 2, 3], y: [2, 3, 4] }); // -5/9
 * ```
 */
export function cliffsDelta(groups: Groups): number {
  const { x, y, count } = levelsOf(groups);
  return deltaOfCounts(
    countLevels(x, new Uint32Array(count)),
    countLevels(y, new Uint32Array(count)),
  );
}

/**
 * Percentile bootstrap interval of {@linkcode cliffsDelta}. With a handful of
 * numbers it is too narrow, and where the groups do not overlap it shrinks to
 * a point: read it together with n.
 *
 * @returns Low and high end; NaN where a group has fewer than two numbers.
 * @throws {RangeError} If the groups are paired and differ in size.
 *
 * @example
 * ```ts
 * import { createStream } from "./src/random/stream.ts";
 * import { cliffsDeltaInterval } from "./src/analysis/effect_sizes.ts";
 *
 * const stream = createStream({ seed: 1, purpose: "bootstrap" });
 * cliffsDeltaInterval({ x: [1, 2, 3, 4], y: [2, 3, 4, 5] }, { stream });
 * ```
 */
export function cliffsDeltaInterval(
  groups: Groups,
  { stream, paired = false, resamples = 2000, confidence = 0.95 }:
    BootstrapOptions,
): [low: number, high: number] {
  const { x, y, count } = levelsOf(groups);
  if (paired && x.length !== y.length) {
    throw new RangeError(
      `Cannot resample pairs: the groups have ${x.length} and ${y.length} numbers`,
    );
  }
  if (x.length < 2 || y.length < 2) return [NaN, NaN];
  const deltas = new Float64Array(resamples);
  const xCounts = new Uint32Array(count);
  const yCounts = new Uint32Array(count);
  const add = (counts: Uint32Array, level: number) => {
    counts[level] = (counts[level] as number) + 1;
  };
  for (let b = 0; b < resamples; b++) {
    xCounts.fill(0);
    yCounts.fill(0);
    for (let k = 0; k < x.length; k++) {
      const i = stream.integer(x.length);
      add(xCounts, x[i] as number);
      if (paired) add(yCounts, y[i] as number);
    }
    for (let k = 0; !paired && k < y.length; k++) {
      add(yCounts, y[stream.integer(y.length)] as number);
    }
    deltas[b] = deltaOfCounts(xCounts, yCounts);
  }
  deltas.sort();
  const tail = (1 - confidence) / 2;
  return [quantile(deltas, tail), quantile(deltas, 1 - tail)];
}

/** Linear between the order statistics, as NumPy's default. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const low = sorted[Math.floor(place)] as number;
  const high = sorted[Math.ceil(place)] as number;
  return low + (high - low) * (place - Math.floor(place));
}

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
 * import { describeNumbers } from "./src/analysis/effect_sizes.ts";
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
