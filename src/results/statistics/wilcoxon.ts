/**
 * Wilcoxon's signed-rank test for pairs.
 *
 * Source: Wilcoxon, F., "Individual comparisons by ranking methods", Biometrics
 * Bulletin 1 (1945). The choice of method is that of `scipy.stats.wilcoxon`.
 *
 * @module
 */

import { rank, tieSum } from "./ranks.ts";
import { normalUpperTail } from "./special_functions.ts";

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
const EXACT = 50;
/** The same where differences are tied or zero. */
const EXACT_TIED = 13;

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
 * import { wilcoxonSignedRank } from "./src/results/statistics/wilcoxon.ts";
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
  if (differences.length <= (plain ? EXACT : EXACT_TIED)) {
    const p = exactP(ranks, statistic);
    return { statistic, p, method: "exact", direction };
  }
  const variance = (n * (n + 1) * (2 * n + 1) - tieSum(ties) / 2) / 24;
  const z = (total / 2 - statistic) / Math.sqrt(variance);
  const p = Math.min(1, 2 * normalUpperTail(z));
  return { statistic, p, method: "asymptotic", direction };
}

/** Twice the share of all 2ⁿ choices of signs whose rank sum is not above the statistic. */
function exactP(ranks: Float64Array, statistic: number): number {
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
