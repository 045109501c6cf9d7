/**
 * Tests by ranks, and Holm's correction for several tests.
 *
 * Sources: Wilcoxon, F., "Individual comparisons by ranking methods", Biometrics
 * Bulletin 1 (1945); Mann, H. B. & Whitney, D. R., "On a test of whether one of
 * two random variables is stochastically larger than the other", Ann. Math.
 * Statist. 18 (1947); Holm, S., "A simple sequentially rejective multiple test
 * procedure", Scand. J. Statist. 6 (1979). The choice of method is that of
 * `scipy.stats.wilcoxon` and `scipy.stats.mannwhitneyu`.
 *
 * @module
 */

import { normalUpperTail } from "./special_functions.ts";

/** Ranks and how many numbers were tied. */
export interface Ranks {
  /** Rank of each number, the smallest having 1. */
  readonly ranks: Float64Array;
  /** Sizes of the groups of equal numbers, those of one apart. */
  readonly ties: readonly number[];
}

/**
 * Ranks numbers.
 *
 * @example
 * ```ts
 * import { rank } from "./src/analysis/rank_tests.ts";
 *
 * rank([0.5, 0.1, 0.5]); // { ranks: [2.5, 1, 2.5], ties: [2] }
 * ```
 */
export function rank(values: readonly number[]): Ranks {
  const order = values.map((_, i) => i);
  order.sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Float64Array(values.length);
  const ties: number[] = [];
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (
      end < order.length &&
      values[order[end] as number] === values[order[start] as number]
    ) end++;
    if (end - start > 1) ties.push(end - start);
    for (const i of order.slice(start, end)) ranks[i] = (start + 1 + end) / 2;
    start = end;
  }
  return { ranks, ties };
}

/** Σ (t³ − t) over the groups of ties. */
export function tieSum(ties: readonly number[]): number {
  return ties.reduce((sum, t) => sum + (t ** 3 - t), 0);
}

/** A test's outcome. */
export interface TestResult {
  readonly statistic: number;
  /** Two-sided; NaN where nothing can be tested. */
  readonly p: number;
  /** Exact: over all arrangements; asymptotic: by the normal approximation. */
  readonly method: "exact" | "asymptotic";
  /** 1 where the first group tends to be larger, −1 where the second does, 0 where neither. */
  readonly direction: number;
}

/** Most pairs for an exact test. */
const EXACT_PAIRS = 50;
/** The same where differences are tied or zero. */
const EXACT_TIED_PAIRS = 13;

/**
 * Tests whether the differences of pairs are symmetric around 0. Pairs without
 * a difference are left out. With up to 50 pairs the test is exact, with ties
 * or zeros up to 13; beyond that the normal approximation with tie correction
 * is used, without continuity correction.
 *
 * @param differences x − y of each pair.
 * @returns The smaller of the two rank sums, and a two-sided p, which is 1 where all differences are 0, NaN where there is none.
 *
 * @example
 * ```ts
 * import { wilcoxonSignedRank } from "./src/analysis/rank_tests.ts";
 *
 * wilcoxonSignedRank([0.3, 0.1, -0.2, 0.5, 0.4]).p; // 0.1875
 * ```
 */
export function wilcoxonSignedRank(differences: readonly number[]): TestResult {
  const kept = differences.filter((d) => d !== 0);
  const n = kept.length;
  if (n === 0) {
    const none = differences.length === 0 ? NaN : 0;
    return { statistic: none, p: none + 1, method: "exact", direction: 0 };
  }
  const { ranks, ties } = rank(kept.map(Math.abs));
  const total = n * (n + 1) / 2;
  let plus = 0;
  for (const [i, d] of kept.entries()) if (d > 0) plus += ranks[i] as number;
  const statistic = Math.min(plus, total - plus);
  const direction = Math.sign(plus - total / 2);
  const plain = ties.length === 0 && n === differences.length;
  if (differences.length <= (plain ? EXACT_PAIRS : EXACT_TIED_PAIRS)) {
    const p = exactSignedRankP(ranks, statistic);
    return { statistic, p, method: "exact", direction };
  }
  const variance = (n * (n + 1) * (2 * n + 1) - tieSum(ties) / 2) / 24;
  const z = (total / 2 - statistic) / Math.sqrt(variance);
  const p = Math.min(1, 2 * normalUpperTail(z));
  return { statistic, p, method: "asymptotic", direction };
}

/** Twice the share of all 2ⁿ choices of signs whose rank sum is not above the statistic. */
function exactSignedRankP(ranks: Float64Array, statistic: number): number {
  // Tied ranks are halves; twice a rank is an integer.
  const limit = Math.round(statistic * 2);
  const ways = new Float64Array(limit + 1);
  ways[0] = 1;
  for (const value of ranks) {
    const step = Math.round(value * 2);
    for (let sum = limit; sum >= step; sum--) {
      ways[sum] = (ways[sum] as number) + (ways[sum - step] as number);
    }
  }
  const below = ways.reduce((sum, count) => sum + count, 0);
  return Math.min(1, 2 * below / 2 ** ranks.length);
}

/** The smallest p that a test of so many pairs without ties can give. */
export function smallestWilcoxonP(pairs: number): number {
  return Math.min(1, 2 ** (1 - pairs));
}

/** Size up to which the smaller group is small enough for an exact test. */
const EXACT_GROUP = 8;

/**
 * Tests whether numbers of one group tend to be larger than those of another.
 * The test is exact where a group has 8 numbers at most and none are tied;
 * else the normal approximation is used, with tie and continuity correction.
 *
 * @param options `method` forces one of the two.
 * @returns U of the first group (pairs in which its number is larger; a tie counts one half) and a two-sided p, NaN
 * where a group is empty.
 *
 * @example
 * ```ts
 * import { mannWhitneyU } from "./src/analysis/rank_tests.ts";
 *
 * const groups = { x: [1.1, 2.2, 3.3, 4.4, 5.5], y: [2.1, 3.2, 4.3, 6.4, 7.5, 8.1] };
 * mannWhitneyU(groups); // { statistic: 9, p: 0.329, method: "exact" }
 * ```
 */
export function mannWhitneyU(
  { x, y }: { readonly x: readonly number[]; readonly y: readonly number[] },
  options: { readonly method?: TestResult["method"] } = {},
): TestResult {
  const [m, n] = [x.length, y.length];
  const { ranks, ties } = rank([...x, ...y]);
  const method = options.method ??
    (Math.min(m, n) <= EXACT_GROUP && ties.length === 0
      ? "exact"
      : "asymptotic");
  if (m === 0 || n === 0) {
    return { statistic: NaN, p: NaN, method, direction: 0 };
  }
  let rankSum = 0;
  for (const value of ranks.subarray(0, m)) rankSum += value;
  const statistic = rankSum - m * (m + 1) / 2;
  const direction = Math.sign(statistic - m * n / 2);
  const larger = Math.max(statistic, m * n - statistic);
  if (method === "exact") {
    return { statistic, p: exactRankSumP({ m, n, larger }), method, direction };
  }
  const total = m + n;
  const variance = m * n / 12 *
    (total + 1 - tieSum(ties) / (total * (total - 1)));
  // Where all are equal there is no variance, and nothing speaks for a difference.
  const z = variance > 0 ? (larger - m * n / 2 - 0.5) / Math.sqrt(variance) : 0;
  const p = Math.min(1, 2 * normalUpperTail(z));
  return { statistic, p, method, direction };
}

/** Twice the share of all ways to rank the groups whose U is not below that observed. */
function exactRankSumP(
  { m, n, larger }: { m: number; n: number; larger: number },
): number {
  // U ≥ larger is as frequent as U ≤ m n − larger, which is the shorter sum.
  const limit = Math.floor(m * n - larger);
  const small = Math.min(m, n);
  const large = Math.max(m, n);
  // ways[k][u]: choices of k of the numbers so far that are larger than u of those not chosen.
  const ways = Array.from(
    { length: small + 1 },
    () => new Float64Array(limit + 1),
  );
  (ways[0] as Float64Array)[0] = 1;
  for (let number = 0; number < small + large; number++) {
    for (let k = Math.min(small, number + 1); k >= 1; k--) {
      // The number is larger than all those before it that were not chosen.
      const step = number - (k - 1);
      if (step > large) continue;
      const to = ways[k] as Float64Array;
      const from = ways[k - 1] as Float64Array;
      for (let u = limit; u >= step; u--) {
        to[u] = (to[u] as number) + (from[u - step] as number);
      }
    }
  }
  const below = (ways[small] as Float64Array).reduce((sum, c) => sum + c, 0);
  return Math.min(1, 2 * below / binomial(small + large, small));
}

function binomial(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i++) value = value * (n - k + i) / i;
  return value;
}

/** The smallest p that a test of two groups without ties can give. */
export function smallestMannWhitneyP(m: number, n: number): number {
  return Math.min(1, 2 / binomial(m + n, Math.min(m, n)));
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
 * import { holmCorrection } from "./src/analysis/rank_tests.ts";
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
