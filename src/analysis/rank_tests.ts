/**
 * Tests by ranks, of one sample or of several strata together, and the effect
 * sizes that fit them, with intervals that hold at a handful of runs and never
 * leave their estimate outside.
 *
 * For one stratum the choice of method is that of `scipy.stats.wilcoxon` and
 * `scipy.stats.mannwhitneyu`. Of several, numbers are ranked within their
 * stratum, and the mean of the strata's effects is tested, so that a stratum
 * counts as much as another, whatever the size of its numbers.
 *
 * Cliff's delta goes with the rank-sum test, the matched-pairs rank-biserial
 * correlation with the signed-rank test; both run from −1 to 1, and are the
 * same linear function of a probability θ that the test is about. The interval
 * holds every θ whose own spread makes the estimate plausible (a score
 * interval, as Wilson's of a share): at n = 5 a bootstrap covers 82 to 93 %
 * where this one covers 92 % and more, and it does not shrink to a point where
 * the groups do not overlap.
 *
 * Sources: Wilcoxon, F., "Individual comparisons by ranking methods", Biometrics
 * Bulletin 1 (1945); Mann, H. B. & Whitney, D. R., "On a test of whether one of
 * two random variables is stochastically larger than the other", Ann. Math.
 * Statist. 18 (1947); van Elteren, P. H., "On the combination of independent
 * two-sample tests of Wilcoxon", Bull. Int. Statist. Inst. 37 (1960), for the
 * idea of ranks within strata; Cliff, N., "Dominance statistics: ordinal analyses
 * to answer ordinal questions", Psychol. Bull. 114 (1993); Kerby, D. S., "The
 * simple difference formula", Compr. Psychol. 3 (2014); Newcombe, R. G.,
 * "Confidence intervals for an effect size measure based on the Mann–Whitney
 * statistic. Part 2", Stat. Med. 25 (2006), method 5.
 *
 * @module
 */

import {
  convolve,
  doubledUDistribution,
  exactRankSumTail,
  normalUpperTail,
  signDistribution,
  sumOf,
} from "./distributions.ts";

/** Two groups of numbers; infinite ones are the largest or the smallest. */
export type Groups = readonly [x: readonly number[], y: readonly number[]];

interface TestResult {
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

/**
 * Ranks numbers, the smallest having rank 1; ties share the mean of their ranks.
 *
 * @returns Also the sizes of the groups of equal numbers, those of one apart.
 * @throws {RangeError} If one is NaN, which has no rank.
 */
export function rank(
  values: readonly number[],
): { readonly ranks: Float64Array; readonly ties: readonly number[] } {
  if (values.some(Number.isNaN)) {
    throw new RangeError("Cannot rank numbers: one of them is NaN");
  }
  // Not by their difference, which is NaN for two infinite numbers.
  const order = [...values.keys()].sort((a, b) =>
    values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0
  );
  const ranks = new Float64Array(values.length);
  const ties: number[] = [];
  for (let start = 0, end = 0; start < order.length; start = end) {
    const value = values[order[start]!];
    while (end < order.length && values[order[end]!] === value) end++;
    if (end - start > 1) ties.push(end - start);
    for (const i of order.slice(start, end)) ranks[i] = (start + 1 + end) / 2;
  }
  return { ranks, ties };
}

/** Ranks of the sizes of differences that are not 0, and what those above 0 sum to. */
function signedRanks(differences: readonly number[]) {
  const kept = differences.filter((d) => d !== 0);
  const { ranks, ties } = rank(kept.map(Math.abs));
  const plus = sumOf(ranks.filter((_, i) => kept[i]! > 0));
  const plain = ties.length === 0 && kept.length === differences.length;
  return { ranks, plain, plus, total: kept.length * (kept.length + 1) / 2 };
}

/** The least number that all divide; infinite where it grows too large to count with. */
function leastCommonMultiple(numbers: readonly number[]): number {
  let least = 1;
  for (const n of numbers) {
    let [divisor, rest] = [least, n];
    while (rest > 0) [divisor, rest] = [rest, divisor % rest];
    least *= n / divisor;
    if (least > LONGEST) return Infinity;
  }
  return least;
}

/**
 * The signed-rank test: whether the differences of pairs are symmetric around
 * 0; pairs without a difference are left out. One stratum has Wilcoxon's test,
 * exact with up to 50 pairs, with ties or zeros up to 13, else by the normal
 * approximation with tie correction, without continuity correction. The mean of
 * several strata's rank-biserial correlations is tested against all choices of
 * signs, unless the strata are very many, large or of very different sizes.
 *
 * @param strata x − y of each pair, a list a stratum; strata where no pair differs count as 0.
 * @returns The smaller of the two rank sums, of several strata the mean correlation; p is 1 where no pair differs, NaN where there is none.
 * @throws {RangeError} If a difference is NaN.
 */
export function stratifiedSignedRank(
  strata: readonly (readonly number[])[],
): TestResult {
  const ranked = strata.map(signedRanks).filter(({ total }) => total > 0);
  const [first] = ranked;
  if (first === undefined) {
    const none = strata.every((one) => one.length === 0) ? NaN : 0;
    return { statistic: none, p: none + 1, method: "exact", direction: 0 };
  }
  const alone = strata.length === 1;
  const statistic = alone
    ? Math.min(first.plus, first.total - first.plus)
    : sumOf(ranked, ({ plus, total }) => 2 * plus / total - 1) / strata.length;
  // In units in which every stratum's ranks sum to the same integer.
  const unit = leastCommonMultiple(ranked.map(({ total }) => 2 * total));
  const sum = unit * ranked.length;
  const most = first.plain ? EXACT_PAIRS : EXACT_TIED_PAIRS;
  if (alone ? strata[0]!.length <= most : sum <= LONGEST) {
    const steps = ranked.flatMap(({ ranks, total }) =>
      Array.from(ranks, (value) => Math.round(value * unit / total))
    );
    const plus = Math.round(
      sumOf(ranked, (one) => one.plus * unit / one.total),
    );
    const tail = sumOf(signDistribution(steps, Math.min(plus, sum - plus)));
    return outcome(statistic, 2 * plus - sum, tail, "exact");
  }
  const effect = alone
    ? 2 * first.plus - first.total
    : statistic * strata.length;
  const variance = sumOf(
    ranked,
    ({ ranks, total }) => sumOf(ranks, (r) => (r / (alone ? 1 : total)) ** 2),
  );
  const tail = normalUpperTail(Math.abs(effect) / Math.sqrt(variance));
  return outcome(statistic, effect, tail, "asymptotic");
}

function outcome(
  statistic: number,
  effect: number,
  tail: number,
  method: TestResult["method"],
): TestResult {
  const p = Math.min(1, 2 * tail);
  return { statistic, p, method, direction: Math.sign(effect) };
}

/** The ranks of two groups together, U of the first (pairs in which its number is larger; a tie counts one half), and its variance. */
function rankGroups([x, y]: Groups) {
  const [m, n] = [x.length, y.length];
  const { ranks, ties } = rank([...x, ...y]);
  const all = m + n;
  const tieSum = sumOf(ties, (t) => t ** 3 - t);
  return {
    m,
    n,
    ranks,
    tied: ties.length > 0,
    u: sumOf(ranks.subarray(0, m)) - m * (m + 1) / 2,
    variance: m * n / 12 * (all + 1 - tieSum / (all * (all - 1))),
  };
}

/**
 * The rank-sum test: whether numbers of one group tend to be larger than those
 * of another. One stratum has the test of Mann and Whitney, exact where a group
 * has 8 numbers at most and none are tied, else by the normal approximation,
 * with tie and continuity correction. The mean of several strata's Cliff's
 * deltas is tested against all ways to share each stratum's numbers out, where
 * strata have 60 numbers at most and are not of very different sizes; else by
 * the normal approximation, with tie correction, without continuity correction.
 *
 * @returns U of the first group, of several strata the mean delta; p is NaN where a group is empty.
 * @throws {RangeError} If a number is NaN.
 */
export function stratifiedRankSum(strata: readonly Groups[]): TestResult {
  const ranked = strata.filter((groups) => groups.every(({ length }) => length))
    .map(rankGroups);
  const [first] = ranked;
  if (first === undefined) {
    return { statistic: NaN, p: NaN, method: "exact", direction: 0 };
  }
  const alone = strata.length === 1;
  const { m, n, u } = first;
  const statistic = alone
    ? u
    : ranked.reduce((sum, { m, n, u }) => sum + 2 * u / (m * n) - 1, 0) /
      ranked.length;
  const effect = alone ? u - m * n / 2 : statistic * ranked.length;
  const unit = leastCommonMultiple(ranked.map(({ m, n }) => 2 * m * n));
  const isExact = alone
    ? Math.min(m, n) <= EXACT_GROUP && !first.tied
    : unit * ranked.length <= LONGEST &&
      ranked.every(({ m, n }) => m + n <= EXACT_STRATUM);
  if (isExact) {
    const tail = alone
      ? exactRankSumTail(m, n, Math.max(u, m * n - u))
      : exactStratifiedTail(ranked, unit);
    return outcome(statistic, effect, tail, "exact");
  }
  const variance = sumOf(
    ranked,
    (one) => alone ? one.variance : 4 * one.variance / (one.m * one.n) ** 2,
  );
  // Where all are equal there is no variance, and nothing speaks for a difference.
  const distance = Math.abs(effect) - (alone ? 0.5 : 0);
  const z = variance > 0 ? distance / Math.sqrt(variance) : 0;
  return outcome(statistic, effect, normalUpperTail(z), "asymptotic");
}

function exactStratifiedTail(
  strata: readonly ReturnType<typeof rankGroups>[],
  unit: number,
): number {
  let all: Float64Array = Float64Array.of(1);
  let observed = 0;
  for (const { m, n, ranks, u } of strata) {
    const step = unit / (2 * m * n);
    all = convolve(doubledUDistribution(ranks, m), all, step);
    observed += Math.round(2 * u) * step;
  }
  return Math.min(
    sumOf(all.subarray(0, observed + 1)),
    sumOf(all.subarray(observed)),
  );
}

/** Some numbers in short. */
export interface Description {
  /** How many there are. */
  readonly n: number;
  /** Their mean. */
  readonly mean: number;
  /** With n − 1; NaN for a single number. */
  readonly sd: number;
  /** Their median. */
  readonly median: number;
}

/** The mean of numbers; NaN without any. */
export function meanOf(values: readonly number[]): number {
  return sumOf(values) / values.length;
}

/** Describes numbers; without any, all but n is NaN. */
export function describeNumbers(values: readonly number[]): Description {
  const n = values.length;
  const mean = meanOf(values);
  const squares = sumOf(values, (value) => (value - mean) ** 2);
  const sorted = values.toSorted((a, b) => a - b);
  return {
    n,
    mean,
    sd: n > 1 ? Math.sqrt(squares / (n - 1)) : NaN,
    median: (sorted[Math.floor((n - 1) / 2)]! + sorted[Math.floor(n / 2)]!) / 2,
  };
}

/** Variance of an estimate of θ, were it this one. */
type Variance = (theta: number) => number;

/** An effect from −1 to 1, above 0 where the first group is larger, and its 95 % interval. */
export interface Effect {
  /** The effect. */
  readonly estimate: number;
  /** NaN, as `high`, where there are too few numbers to tell. */
  readonly low: number;
  /** Upper end of the interval. */
  readonly high: number;
  /**
   * Of the estimate of θ = (1 + effect) / 2; undefined likewise.
   *
   * @internal
   */
  readonly variance?: Variance;
}

/** Deviate of 95 % of the normal distribution. */
const Z = 1.959963984540054;

/** An effect and, where its variance is known, the interval of all θ of which it lies within `Z` standard errors. */
function effectOf(theta: number, variance?: Variance): Effect {
  const estimate = 2 * theta - 1;
  if (variance === undefined) return { estimate, low: NaN, high: NaN };
  const end = (outside: number): number => {
    let [far, near] = [outside, theta];
    for (let i = 0; i < 60; i++) {
      const middle = (far + near) / 2;
      if ((theta - middle) ** 2 > Z * Z * variance(middle)) far = middle;
      else near = middle;
    }
    return 2 * near - 1;
  };
  return { estimate, low: end(0), high: end(1), variance };
}

/**
 * Cliff's delta: how much more often a number of x is larger than one of y
 * than smaller.
 *
 * @returns NaN where a group is empty; no interval where one has a single number.
 * @throws {RangeError} If a number is NaN.
 */
export function cliffsDelta(groups: Groups): Effect {
  const { m, n, u } = rankGroups(groups);
  if (m < 2 || n < 2) return effectOf(u / (m * n));
  const mean = (m + n) / 2;
  return effectOf(u / (m * n), (t) =>
    t * (1 - t) / (m * n) *
    (1 + (mean - 1) * ((1 - t) / (2 - t) + t / (1 + t))));
}

/**
 * The matched-pairs rank-biserial correlation: what the ranks of the
 * differences above 0 sum to, less those below, as a share of all. Pairs
 * without a difference are left out, as in the test.
 *
 * @param differences x − y of each pair.
 * @returns 0 where no pair differs, NaN where there is none; no interval of fewer than two pairs.
 * @throws {RangeError} If a difference is NaN.
 */
export function rankBiserial(differences: readonly number[]): Effect {
  if (differences.length === 0) return effectOf(NaN);
  const { plus, total, ranks } = signedRanks(differences);
  // Where no pair differs the labels are as like as so many pairs can show.
  const n = total === 0 ? differences.length : ranks.length;
  const theta = total === 0 ? 0.5 : plus / total;
  if (n < 2) return effectOf(theta);
  const pairs = 3 * n * (n + 1) / (2 * (2 * n + 1));
  return effectOf(theta, (t) => t * (1 - t) / pairs);
}

/**
 * The mean of independent effects, each of a stratum. Its interval takes every
 * stratum's effect for their mean, which makes it wider, never narrower, where
 * they differ.
 *
 * @returns NaN without any; no interval where a stratum has none.
 */
export function meanEffect(effects: readonly Effect[]): Effect {
  const known = effects.filter(({ estimate }) => !Number.isNaN(estimate));
  const k = known.length;
  const estimate = meanOf(known.map((one) => one.estimate));
  const variances = known.flatMap(({ variance }) => variance ?? []);
  if (k === 0 || variances.length < k) return { estimate, low: NaN, high: NaN };
  return effectOf(
    (1 + estimate) / 2,
    (theta) => sumOf(variances, (of) => of(theta)) / (k * k),
  );
}
