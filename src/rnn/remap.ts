/**
 * Gives initial weights the rank order of a biological network (`remap_w`).
 *
 * @module
 */

import type { FloatArray } from "./parameters.ts";

/**
 * The numbers of a network's connections, from the strongest to the weakest; of
 * equal weights the earlier one comes first.
 *
 * @param weights [n], in the order of the list of connections.
 *
 * @example
 * ```ts
 * import { rankOrder } from "./src/rnn/remap.ts";
 *
 * rankOrder(Float64Array.of(5, 9, 7)); // [1, 2, 0]
 * ```
 */
export function rankOrder(weights: FloatArray): Uint32Array {
  const ranked = descending(weights);
  const order = new Uint32Array(weights.length);
  // How many of a group of equal weights have had their place, at the group's first rank.
  const taken = new Uint32Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    const first = firstRank(ranked, weights[i]!);
    order[first + taken[first]!] = i;
    taken[first] = taken[first]! + 1;
  }
  return order;
}

/**
 * The values, re-ordered so that the largest stands at the first place of
 * `order`, the second at the second, and so on.
 *
 * Source: `remap_w` of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @param values [n]
 * @param order [n], the numbers 0…n − 1 in some order, as of {@linkcode rankOrder}.
 * @throws {RangeError} If the two differ in length.
 *
 * @example
 * ```ts
 * import { remapToOrder } from "./src/rnn/remap.ts";
 *
 * remapToOrder(Float64Array.of(0.3, -0.2), Uint32Array.of(1, 0)); // [-0.2, 0.3]
 * ```
 */
export function remapToOrder<A extends FloatArray>(
  values: A,
  order: Uint32Array,
): A {
  if (values.length !== order.length) {
    throw new RangeError(
      `Cannot remap: values and order must have one length, found ${values.length} and ${order.length}`,
    );
  }
  const sorted = descending(values);
  const remapped =
    (values.constructor === Float32Array
      ? new Float32Array(values.length)
      : new Float64Array(values.length)) as A;
  for (let rank = 0; rank < order.length; rank++) {
    remapped[order[rank]!] = sorted[rank]!;
  }
  return remapped;
}

/** The numbers from the largest to the smallest, in double precision. */
function descending(values: FloatArray): Float64Array {
  return new Float64Array(values).sort().reverse();
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
