/**
 * The Mann–Whitney U test for two independent groups.
 *
 * Source: Mann, H. B. & Whitney, D. R., "On a test of whether one of two random
 * variables is stochastically larger than the other", Ann. Math. Statist. 18
 * (1947). The choice of method is that of `scipy.stats.mannwhitneyu`.
 *
 * @module
 */

import { rank, tieSum } from "./ranks.ts";
import { normalUpperTail } from "./special_functions.ts";
import type { TestResult } from "./wilcoxon.ts";

/** Size up to which the smaller group is small enough for an exact test. */
const EXACT = 8;

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
 * import { mannWhitneyU } from "./src/results/statistics/mann_whitney.ts";
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
    (Math.min(m, n) <= EXACT && ties.length === 0 ? "exact" : "asymptotic");
  if (m === 0 || n === 0) {
    return { statistic: NaN, p: NaN, method, direction: 0 };
  }
  let rankSum = 0;
  for (const value of ranks.subarray(0, m)) rankSum += value;
  const statistic = rankSum - m * (m + 1) / 2;
  const direction = Math.sign(statistic - m * n / 2);
  const larger = Math.max(statistic, m * n - statistic);
  if (method === "exact") {
    return { statistic, p: exactP({ m, n, larger }), method, direction };
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
function exactP(
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
