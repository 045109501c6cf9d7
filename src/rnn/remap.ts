/**
 * Gives initial weights the rank order of a biological network (`remap_w`).
 *
 * @module
 */

import type { FloatArray } from "./parameters.ts";

/** A network whose rank order is taken over. */
export interface RankTemplate {
  /** [n, n], in the order of W_hh. */
  readonly weights: FloatArray;
  /** [n, n], 1 where there is a connection. */
  readonly mask: Uint8Array;
}

/**
 * The values on the mask, re-ordered so that the largest stands where the
 * template's largest weight stands, the second where its second stands, and so
 * on; of equal weights the earlier one, row by row, takes the larger value. Off
 * the mask the result is 0.
 *
 * Source: `remap_w` of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @throws {RangeError} If the three arrays differ in length.
 *
 * @example
 * ```ts
 * import { remapToTemplate } from "./src/rnn/remap.ts";
 *
 * const weights = Float64Array.of(0, 5, 9, 0);
 * const mask = Uint8Array.of(0, 1, 1, 0);
 * remapToTemplate(Float64Array.of(0, 0.3, -0.2, 0), { weights, mask }); // [0, -0.2, 0.3, 0]
 * ```
 */
export function remapToTemplate<A extends FloatArray>(
  values: A,
  { weights, mask }: RankTemplate,
): A {
  const { length } = values;
  if (weights.length !== length || mask.length !== length) {
    throw new RangeError(
      `Cannot remap: values, template and mask must have one length, found ${length}, ${weights.length} and ${mask.length}`,
    );
  }
  const places = placesOn(mask);
  const descending = (source: FloatArray) => {
    const sorted = new Float64Array(places.length);
    for (let i = 0; i < places.length; i++) sorted[i] = source[places[i]!]!;
    return sorted.sort().reverse();
  };
  const ranked = descending(weights);
  const sorted = descending(values);
  const remapped =
    (values.constructor === Float32Array
      ? new Float32Array(length)
      : new Float64Array(length)) as A;
  // How many of a group of equal weights have had their value, at the group's first rank.
  const taken = new Uint32Array(places.length);
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    const first = firstRank(ranked, weights[place]!);
    const rank = first + taken[first]!;
    taken[first] = taken[first]! + 1;
    remapped[place] = sorted[rank]!;
  }
  return remapped;
}

/** Numbers of the entries that are 1. */
function placesOn(mask: Uint8Array): Uint32Array {
  const places = new Uint32Array(mask.length);
  let count = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] === 1) places[count++] = i;
  return places.subarray(0, count);
}

/** First place in a descending array that holds the value. */
function firstRank(descending: Float64Array, value: number): number {
  let low = 0;
  let high = descending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (descending[middle]! > value) low = middle + 1;
    else high = middle;
  }
  return low;
}
