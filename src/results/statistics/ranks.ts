/**
 * Ranks of numbers, ties sharing the mean of their ranks.
 *
 * @module
 */

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
 * import { rank } from "./src/results/statistics/ranks.ts";
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
