/**
 * Thinning a curve to what a figure of a few hundred pixels can show, without
 * losing its spikes.
 *
 * @module
 */

/**
 * Positions to keep of a curve: the first, the last, and of each stretch in
 * between the lowest and the highest. What is kept is drawn at its own place
 * with its own value; nothing is averaged.
 *
 * @param values The curve.
 * @param most How many positions may be kept, 4 at least.
 * @returns Positions from 0, ascending; all of them if there are at most `most`.
 *
 * @example
 * ```ts
 * import { thin } from "./src/viz/thin.ts";
 *
 * thin([5, 4, 9, 3, 2, 1], 4); // [0, 2, 4, 5]
 * ```
 */
export function thin(values: ArrayLike<number>, most: number): number[] {
  const n = values.length;
  if (n <= most) return Array.from({ length: n }, (_, i) => i);
  const stretches = Math.max(1, Math.floor((most - 2) / 2));
  const kept = [0];
  for (let s = 0; s < stretches; s++) {
    const from = 1 + Math.floor(s * (n - 2) / stretches);
    const to = 1 + Math.floor((s + 1) * (n - 2) / stretches);
    let low = from;
    let high = from;
    for (let i = from; i < to; i++) {
      if ((values[i] as number) < (values[low] as number)) low = i;
      if ((values[i] as number) > (values[high] as number)) high = i;
    }
    // A flat stretch needs one point only.
    if (low === high) kept.push(low);
    else kept.push(Math.min(low, high), Math.max(low, high));
  }
  kept.push(n - 1);
  return kept;
}

/**
 * Rounded to six digits: far finer than a figure shows, and a third of the
 * bytes.
 */
export function sixDigits(value: number): number {
  return Number(value.toPrecision(6));
}
