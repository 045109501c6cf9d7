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
 * Places of a network's connections, from the strongest to the weakest; of
 * equal weights the earlier one, row by row, comes first.
 *
 * @throws {RangeError} If weights and mask differ in length.
 *
 * @example
 * ```ts
 * import { rankOrder } from "./src/rnn/remap.ts";
 *
 * rankOrder({
 *   weights: Float64Array.of(0, 5, 9, 0),
 *   mask: Uint8Array.of(0, 1, 1, 0),
 * }); // [2, 1]
 * ```
 */
export function rankOrder({ weights, mask }: RankTemplate): Uint32Array {
  if (weights.length !== mask.length) {
    throw new RangeError(
      `Cannot rank: weights and mask must have one length, found ${weights.length} and ${mask.length}`,
    );
  }
  const places = placesOn(mask);
  const ranked = descending(weights, places);
  const order = new Uint32Array(places.length);
  // How many of a group of equal weights have had their place, at the group's first rank.
  const taken = new Uint32Array(places.length);
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    const first = firstRank(ranked, weights[place]!);
    order[first + taken[first]!] = place;
    taken[first] = taken[first]! + 1;
  }
  return order;
}

/**
 * The values at the places of `order`, re-ordered so that the largest stands at
 * the first of them, the second at the second, and so on; 0 everywhere else.
 *
 * Source: `remap_w` of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @param order Different places, as of {@linkcode rankOrder}.
 *
 * @example
 * ```ts
 * import { remapToOrder } from "./src/rnn/remap.ts";
 *
 * remapToOrder(Float64Array.of(0, 0.3, -0.2, 0), Uint32Array.of(2, 1)); // [0, -0.2, 0.3, 0]
 * ```
 */
export function remapToOrder<A extends FloatArray>(
  values: A,
  order: Uint32Array,
): A {
  const sorted = descending(values, order);
  const remapped =
    (values.constructor === Float32Array
      ? new Float32Array(values.length)
      : new Float64Array(values.length)) as A;
  for (let rank = 0; rank < order.length; rank++) {
    remapped[order[rank]!] = sorted[rank]!;
  }
  return remapped;
}

/** The numbers at some places, from the largest to the smallest. */
function descending(source: FloatArray, places: Uint32Array): Float64Array {
  const sorted = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) sorted[i] = source[places[i]!]!;
  return sorted.sort().reverse();
}

/** Numbers of the entries that are 1. */
function placesOn(mask: Uint8Array): Uint32Array {
  const places = new Uint32Array(mask.length);
  let count = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] === 1) places[count++] = i;
  return places.subarray(0, count);
}

/** First place in a descending array that holds the value. */
function firstRank(ranked: Float64Array, value: number): number {
  let low = 0;
  let high = ranked.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranked[middle]! > value) low = middle + 1;
    else high = middle;
  }
  return low;
}
