/**
 * Splits a weight into random parts by stick-breaking.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";

/** What remains of the stick is kept above 2^-500 by taking out this factor. */
const STEP_BITS = 500;
/** Parts down to 2^-1000 are kept as they are; see `representable`. */
const FLOOR_BITS = 1000;

/**
 * Parts of a weight that are positive, random and sum to it within rounding:
 * each part is uniform on what remains of the weight, the last is what then
 * remains, and all are shuffled.
 *
 * What remains shrinks by e at each part on average, so that from some 700
 * parts on a double could not hold it. It is kept as a number and a power of
 * two, and no part comes out as 0: those below 2^-1000 get values below 2^-1000
 * of the same rank order, as their rank is what initial weights are ordered by.
 *
 * Draws `count` − 1 uniform numbers (a 0, one in 2⁵³, is drawn again), then a
 * permutation of `count`; nothing where `count` is 1.
 *
 * @param total The weight, from 1e-100 to 1e101.
 * @param options `count`, the number of parts, at least 1, and the stream.
 * @throws {RangeError} If the total is no positive number in range, or `count` no positive integer.
 *
 * @example
 * ```ts
 * import { splitWeight } from "./src/connectome/split_weight.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const stream = createStream({ seed: 1, purpose: "bio2art" });
 * splitWeight(0.5, { count: 12, stream }); // twelve numbers that sum to 0.5
 * ```
 */
export function splitWeight(
  total: number,
  { count, stream }: {
    readonly count: number;
    readonly stream: RandomStream;
  },
): Float64Array {
  if (!(total >= 1e-110 && total <= 1e110)) {
    throw new RangeError(
      `Cannot split the weight ${total}: allowed are 1e-110 to 1e110`,
    );
  }
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`Cannot split a weight into ${count} parts`);
  }
  const parts = new Float64Array(count);
  // What remains is `rest` times 2^(-STEP_BITS * steps).
  let rest = total;
  let steps = 0;
  for (let part = 0; part < count - 1; part++) {
    const share = positiveUniform(stream);
    parts[part] = representable(share * rest, steps);
    rest *= 1 - share;
    if (rest < 2 ** -STEP_BITS) {
      rest *= 2 ** STEP_BITS;
      steps++;
    }
  }
  parts[count - 1] = representable(rest, steps);
  if (count === 1) return parts;

  const shuffled = new Float64Array(count);
  const position = stream.permutation(count);
  for (let part = 0; part < count; part++) {
    shuffled[position[part] as number] = parts[part] as number;
  }
  return shuffled;
}

function positiveUniform(stream: RandomStream): number {
  let value = stream.uniform();
  while (value === 0) value = stream.uniform();
  return value;
}

/** `part * 2^(-STEP_BITS * steps)`, or where that is below the floor a number that rises with it from 0 to the floor. */
function representable(part: number, steps: number): number {
  const bits = Math.log2(part) - STEP_BITS * steps;
  if (bits >= -FLOOR_BITS) return part * 2 ** (-STEP_BITS * steps);
  return 2 ** -FLOOR_BITS * (FLOOR_BITS / -bits);
}
