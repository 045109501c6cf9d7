/**
 * Tests by ranks, of one sample or of several strata together.
 *
 * Sources: Wilcoxon, F., "Individual comparisons by ranking methods", Biometrics
 * Bulletin 1 (1945); Mann, H. B. & Whitney, D. R., "On a test of whether one of
 * two random variables is stochastically larger than the other", Ann. Math.
 * Statist. 18 (1947); van Elteren, P. H., "On the combination of independent
 * two-sample tests of Wilcoxon", Bull. Int. Statist. Inst. 37 (1960), for the
 * idea of ranks within strata. For one stratum the choice of method is that of
 * `scipy.stats.wilcoxon` and `scipy.stats.mannwhitneyu`.
 *
 * @module
 */

import { normalUpperTail } from "./special_functions.ts";

/** Two groups of numbers; infinite ones are the largest or the smallest. */
export interface Groups {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** A test's outcome. */
export interface TestResult {
  /** Of several strata, the mean of their effects. */
  readonly statistic: number;
  /** Two-sided; NaN where nothing can be tested. */
  readonly p: number;
  /** Exact: over all arrangements; asymptotic: by the normal approximation. */
  readonly method: "exact" | "asymptotic";
  /** 1 where the first group tends to be larger, −1 where the second does, 0 where neither. */
  readonly direction: number;
}

/** Most pairs for an exact test of one sample, and the same where differences are tied or zero. */
const EXACT_PAIRS = 50;
const EXACT_TIED_PAIRS = 13;
/** Size up to which the smaller of two groups is small enough for an exact test. */
const EXACT_GROUP = 8;
/** Most runs in a stratum of an exact test of several strata. */
const EXACT_STRATUM = 60;
/** Longest table of an exact distribution. */
const LONGEST = 200_000;

/** Ranks and how many numbers were tied. */
export interface Ranks {
  /** Rank of each number, the smallest having 1; ties share the mean of their ranks. */
  readonly ranks: Float64Array;
  /** Sizes of the groups of equal numbers, those of one apart. */
  readonly ties: readonly number[];
}

/**
 * Ranks numbers.
 *
 * @throws {RangeError} If one is NaN, which has no rank.
 *
 * @example
 * ```ts
 * import { rank } from "./src/analysis/rank_tests.ts";
 *
 * rank([0.5, 0.1, 0.5]); // { ranks: [2.5, 1, 2.5], ties: [2] }
 * ```
 */
export function rank(values: readonly number[]): Ranks {
  if (values.some(Number.isNaN)) {
    throw new RangeError("Cannot rank numbers: one of them is NaN");
  }
  const order = values.map((_, i) => i);
  // Not their difference, which is NaN for two infinite numbers.
  order.sort((a, b) =>
    values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0
  );
  const ranks = new Float64Array(values.length);
  const ties: number[] = [];
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (
      end < order.length && values[order[end]!] === values[order[start]!]
    ) {
      end++;
    }
    if (end - start > 1) ties.push(end - start);
    for (const i of order.slice(start, end)) ranks[i] = (start + 1 + end) / 2;
    start = end;
  }
  return { ranks, ties };
}

/** Σ (t³ − t) over the groups of ties. */
function tieSum(ties: readonly number[]): number {
  return ties.reduce((sum, t) => sum + (t ** 3 - t), 0);
}

/** Ranks of the sizes of differences that are not 0, and what those above 0 sum to. */
export function signedRanks(differences: readonly number[]) {
  const kept = differences.filter((d) => d !== 0);
  const { ranks, ties } = rank(kept.map(Math.abs));
  // Nothing but a NaN is neither above, nor below, nor 0; rank() has refused it.
  let plus = 0;
  for (const [i, d] of kept.entries()) if (d > 0) plus += ranks[i]!;
  return { ranks, ties, plus, total: kept.length * (kept.length + 1) / 2 };
}

/**
 * Wilcoxon's signed-rank test: whether the differences of pairs are symmetric
 * around 0. Pairs without a difference are left out. With up to 50 pairs the
 * test is exact, with ties or zeros up to 13; beyond that the normal
 * approximation with tie correction is used, without continuity correction.
 *
 * @param differences x − y of each pair.
 * @returns The smaller of the two rank sums, and a two-sided p, which is 1 where all differences are 0, NaN where there is none.
 * @throws {RangeError} If a difference is NaN.
 *
 * @example
 * ```ts
 * import { wilcoxonSignedRank } from "./src/analysis/rank_tests.ts";
 *
 * wilcoxonSignedRank([0.3, 0.1, -0.2, 0.5, 0.4]).p; // 0.1875
 * ```
 */
export function wilcoxonSignedRank(differences: readonly number[]): TestResult {
  const { ranks, ties, plus, total } = signedRanks(differences);
  const n = ranks.length;
  if (n === 0) {
    const none = differences.length === 0 ? NaN : 0;
    return { statistic: none, p: none + 1, method: "exact", direction: 0 };
  }
  const statistic = Math.min(plus, total - plus);
  const direction = Math.sign(plus - total / 2);
  const plain = ties.length === 0 && n === differences.length;
  if (differences.length <= (plain ? EXACT_PAIRS : EXACT_TIED_PAIRS)) {
    // Tied ranks are halves; twice a rank is an integer.
    const steps = Array.from(ranks, (value) => Math.round(value * 2));
    const p = 2 * signDistribution(steps, Math.round(statistic * 2));
    return { statistic, p: Math.min(1, p), method: "exact", direction };
  }
  const variance = (n * (n + 1) * (2 * n + 1) - tieSum(ties) / 2) / 24;
  const z = (total / 2 - statistic) / Math.sqrt(variance);
  const p = Math.min(1, 2 * normalUpperTail(z));
  return { statistic, p, method: "asymptotic", direction };
}

/** Share of all choices of signs for which the steps chosen sum to the limit at most. */
function signDistribution(steps: readonly number[], limit: number): number {
  const share = new Float64Array(limit + 1);
  share[0] = 1;
  for (const step of steps) {
    for (let sum = limit; sum >= 0; sum--) {
      share[sum] = (share[sum]! + (sum >= step ? share[sum - step]! : 0)) / 2;
    }
  }
  return share.reduce((sum, one) => sum + one, 0);
}

/**
 * The Mann–Whitney U test: whether numbers of one group tend to be larger than
 * those of another. It is exact where a group has 8 numbers at most and none
 * are tied; else the normal approximation is used, with tie and continuity
 * correction.
 *
 * @param options `method` forces one of the two.
 * @returns U of the first group (pairs in which its number is larger; a tie counts one half) and a two-sided p, NaN
 * where a group is empty.
 * @throws {RangeError} If a number is NaN.
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
  { x, y }: Groups,
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
  const statistic = uStatistic(ranks, m);
  const direction = Math.sign(statistic - m * n / 2);
  const larger = Math.max(statistic, m * n - statistic);
  if (method === "exact") {
    return { statistic, p: exactRankSumP({ m, n, larger }), method, direction };
  }
  const variance = uVariance({ m, n, ties });
  // Where all are equal there is no variance, and nothing speaks for a difference.
  const z = variance > 0 ? (larger - m * n / 2 - 0.5) / Math.sqrt(variance) : 0;
  const p = Math.min(1, 2 * normalUpperTail(z));
  return { statistic, p, method, direction };
}

function uStatistic(ranks: Float64Array, m: number): number {
  const sum = ranks.subarray(0, m).reduce((total, one) => total + one, 0);
  return sum - m * (m + 1) / 2;
}

function uVariance(
  { m, n, ties }: { m: number; n: number; ties: readonly number[] },
): number {
  const total = m + n;
  return m * n / 12 * (total + 1 - tieSum(ties) / (total * (total - 1)));
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
  ways[0]![0] = 1;
  for (let number = 0; number < small + large; number++) {
    for (let k = Math.min(small, number + 1); k >= 1; k--) {
      // The number is larger than all those before it that were not chosen.
      const step = number - (k - 1);
      if (step > large) continue;
      const to = ways[k]!;
      const from = ways[k - 1]!;
      for (let u = limit; u >= step; u--) to[u] = to[u]! + from[u - step]!;
    }
  }
  const below = ways[small]!.reduce((sum, c) => sum + c, 0);
  return Math.min(1, 2 * below / choose(small + large, small));
}

function choose(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i++) value = value * (n - k + i) / i;
  return value;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The least number that all divide; undefined where it grows too large to count with. */
function leastCommonMultiple(numbers: readonly number[]): number | undefined {
  let least = 1;
  for (const n of numbers) {
    least *= n / greatestCommonDivisor(least, n);
    if (least > LONGEST) return undefined;
  }
  return least;
}

/**
 * The signed-rank test of several strata: differences are ranked within their
 * stratum, and the mean of the strata's matched-pairs rank-biserial
 * correlations is tested against all choices of signs. A stratum counts as
 * much as another, whatever the size of its numbers. It is exact unless the
 * strata are very many, large or of very different sizes; then the normal
 * approximation is used.
 *
 * @param strata x − y of each pair, a list a stratum; strata where no pair differs count as 0.
 * @returns The mean correlation. For one stratum this is {@linkcode wilcoxonSignedRank}.
 * @throws {RangeError} If a difference is NaN.
 *
 * @example
 * ```ts
 * import { stratifiedSignedRank } from "./src/analysis/rank_tests.ts";
 *
 * stratifiedSignedRank([[-0.3, -0.1, -0.2], [-30, -10, -20]]);
 * // { statistic: -1, p: 0.03125, method: "exact", direction: -1 }
 * ```
 */
export function stratifiedSignedRank(
  strata: readonly (readonly number[])[],
): TestResult {
  if (strata.length === 1) return wilcoxonSignedRank(strata[0]!);
  if (strata.every((one) => one.length === 0)) {
    return { statistic: NaN, p: NaN, method: "exact", direction: 0 };
  }
  const ranked = strata.map(signedRanks).filter(({ total }) => total > 0);
  const statistic = ranked.reduce(
    (sum, { plus, total }) => sum + (2 * plus / total - 1),
    0,
  ) / strata.length;
  if (ranked.length === 0) {
    return { statistic: 0, p: 1, method: "exact", direction: 0 };
  }
  // In units in which every stratum's ranks sum to the same integer.
  const unit = leastCommonMultiple(ranked.map(({ total }) => 2 * total));
  const sum = unit === undefined ? Infinity : unit * ranked.length;
  if (unit !== undefined && sum <= LONGEST) {
    const steps = ranked.flatMap(({ ranks, total }) =>
      Array.from(ranks, (value) => Math.round(value * unit / total))
    );
    const plus = Math.round(ranked.reduce(
      (above, one) => above + one.plus * unit / one.total,
      0,
    ));
    const p = 2 * signDistribution(steps, Math.min(plus, sum - plus));
    const direction = Math.sign(2 * plus - sum);
    return { statistic, p: Math.min(1, p), method: "exact", direction };
  }
  const variance = ranked.reduce(
    (all, { ranks, total }) =>
      all + ranks.reduce((s, value) => s + (value / total) ** 2, 0),
    0,
  );
  const z = Math.abs(statistic * strata.length) / Math.sqrt(variance);
  const p = Math.min(1, 2 * normalUpperTail(z));
  return {
    statistic,
    p,
    method: "asymptotic",
    direction: Math.sign(statistic),
  };
}

/**
 * The rank-sum test of several strata: numbers are ranked within their stratum,
 * and the mean of the strata's Cliff's deltas is tested against all ways to
 * share each stratum's numbers out. It is exact where strata have 60 numbers at
 * most and are not of very different sizes; else the normal approximation is
 * used, with tie correction, without continuity correction.
 *
 * @returns The mean delta. For one stratum this is {@linkcode mannWhitneyU}.
 * @throws {RangeError} If a number is NaN.
 *
 * @example
 * ```ts
 * import { stratifiedRankSum } from "./src/analysis/rank_tests.ts";
 *
 * stratifiedRankSum([{ x: [1, 2], y: [3, 4] }, { x: [10, 20], y: [30, 40] }]).p; // 1/18
 * ```
 */
export function stratifiedRankSum(strata: readonly Groups[]): TestResult {
  if (strata.length === 1) return mannWhitneyU(strata[0]!);
  const used = strata.filter(({ x, y }) => x.length > 0 && y.length > 0).map(
    ({ x, y }) => ({
      m: x.length,
      n: y.length,
      ...rank([...x, ...y]),
    }),
  );
  if (used.length === 0) {
    return { statistic: NaN, p: NaN, method: "exact", direction: 0 };
  }
  const statistic = used.reduce(
    (sum, { m, n, ranks }) => sum + 2 * uStatistic(ranks, m) / (m * n) - 1,
    0,
  ) / used.length;
  const direction = Math.sign(statistic);
  const unit = leastCommonMultiple(used.map(({ m, n }) => 2 * m * n));
  if (
    unit !== undefined && unit * used.length <= LONGEST &&
    used.every(({ m, n }) => m + n <= EXACT_STRATUM)
  ) {
    const p = exactStratifiedRankSumP(used, unit);
    return { statistic, p, method: "exact", direction };
  }
  const variance = used.reduce(
    (sum, { m, n, ties }) => sum + 4 * uVariance({ m, n, ties }) / (m * n) ** 2,
    0,
  );
  const z = variance > 0
    ? Math.abs(statistic) * used.length / Math.sqrt(variance)
    : 0;
  const p = Math.min(1, 2 * normalUpperTail(z));
  return { statistic, p, method: "asymptotic", direction };
}

interface RankedGroups extends Ranks {
  readonly m: number;
  readonly n: number;
}

function exactStratifiedRankSumP(
  strata: readonly RankedGroups[],
  unit: number,
): number {
  let all: Float64Array = Float64Array.of(1);
  let observed = 0;
  for (const { m, n, ranks } of strata) {
    const step = unit / (2 * m * n);
    const own = doubledUDistribution(ranks, m);
    const next = new Float64Array(all.length + (own.length - 1) * step);
    for (const [u, share] of own.entries()) {
      if (share === 0) continue;
      for (let i = 0; i < all.length; i++) {
        next[i + u * step] = next[i + u * step]! + share * all[i]!;
      }
    }
    all = next;
    observed += Math.round(2 * uStatistic(ranks, m)) * step;
  }
  let [below, above] = [0, 0];
  for (const [sum, share] of all.entries()) {
    if (sum <= observed) below += share;
    if (sum >= observed) above += share;
  }
  return Math.min(1, 2 * Math.min(below, above));
}

/** How often 2 U takes each value over all choices of m of the ranked numbers. */
function doubledUDistribution(ranks: Float64Array, m: number): Float64Array {
  const steps = Array.from(ranks, (value) => Math.round(value * 2));
  const largest = m * 2 * ranks.length;
  const ways = Array.from(
    { length: m + 1 },
    () => new Float64Array(largest + 1),
  );
  ways[0]![0] = 1;
  for (const [i, step] of steps.entries()) {
    for (let k = Math.min(m, i + 1); k >= 1; k--) {
      const [to, from] = [ways[k]!, ways[k - 1]!];
      for (let sum = largest; sum >= step; sum--) {
        to[sum] = to[sum]! + from[sum - step]!;
      }
    }
  }
  const lowest = m * (m + 1);
  const count = choose(ranks.length, m);
  return ways[m]!.subarray(
    lowest,
    lowest + 2 * m * (ranks.length - m) + 1,
  ).map((number) => number / count);
}

/** The smallest p that so many pairs can give. */
export function smallestSignedRankP(pairs: number): number {
  return Math.min(1, 2 ** (1 - pairs));
}

/** The smallest p that groups of such sizes, a pair of sizes a stratum, can give without ties. */
export function smallestRankSumP(
  sizes: readonly (readonly [m: number, n: number])[],
): number {
  const ways = sizes.reduce(
    (all, [m, n]) => all * choose(m + n, Math.min(m, n)),
    1,
  );
  return Math.min(1, 2 / ways);
}
