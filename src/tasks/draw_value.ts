/**
 * Values shown in the trials, drawn at the precision they are trained with.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";

/**
 * A number of U(low, high), as a float32, that is neither 0 (a target of 0
 * would not be scored) nor `other`.
 */
export function drawValue(
  stream: RandomStream,
  { low = 0, high = 1, other = 0 }: {
    readonly low?: number;
    readonly high?: number;
    readonly other?: number;
  } = {},
): number {
  let value = 0;
  while (value === 0 || value === other) {
    value = Math.fround(low + (high - low) * stream.uniform());
  }
  return value;
}
