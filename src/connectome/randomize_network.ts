/**
 * The random counterpart of a scaled network (`random_w`).
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";
import type { ScaledNetwork } from "./bio2art.ts";

/**
 * A network with the same weights in random places: all entries off the
 * diagonal, zeros included, are permuted, and the mask goes with its weights.
 * The diagonal stays. If S is symmetric, the entries below the diagonal are
 * permuted and mirrored, so that the result is symmetric too.
 *
 * Draws, for each of the m entries in row-major order but the last,
 * `integer(m − e)` (Fisher–Yates from the front).
 *
 * @example
 * ```ts
 * import { randomizeNetwork } from "./src/connectome/randomize_network.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const network = {
 *   neurons: 3,
 *   weights: Float64Array.of(0, 1, 2, 0, 0, 3, 0, 0, 0),
 *   mask: Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0),
 *   regionOf: Uint32Array.of(0, 1, 2),
 * };
 * randomizeNetwork(network, createStream({ seed: 1, purpose: "topology" }));
 * ```
 */
export function randomizeNetwork(
  network: ScaledNetwork,
  stream: RandomStream,
): ScaledNetwork {
  const { neurons: n } = network;
  const weights = network.weights.slice();
  const mask = network.mask.slice();
  const symmetric = isSymmetric(network);
  const entryOf = symmetric
    ? lowerEntries(n)
    : (e: number) => offDiagonalEntry(e, n);
  const count = symmetric ? n * (n - 1) / 2 : n * (n - 1);
  for (let e = 0; e < count - 1; e++) {
    const here = entryOf(e);
    const there = entryOf(e + stream.integer(count - e));
    const weight = weights[here] as number;
    weights[here] = weights[there] as number;
    weights[there] = weight;
    const bit = mask[here] as number;
    mask[here] = mask[there] as number;
    mask[there] = bit;
  }
  if (symmetric) {
    for (let row = 0; row < n; row++) {
      for (let column = 0; column < row; column++) {
        weights[column * n + row] = weights[row * n + column] as number;
        mask[column * n + row] = mask[row * n + column] as number;
      }
    }
  }
  return { neurons: n, weights, mask, regionOf: network.regionOf };
}

/** Whether S and its mask equal their transposes. */
export function isSymmetric(
  { neurons: n, weights, mask }: Pick<
    ScaledNetwork,
    "neurons" | "weights" | "mask"
  >,
): boolean {
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < row; column++) {
      const here = row * n + column;
      const there = column * n + row;
      if (weights[here] !== weights[there] || mask[here] !== mask[there]) {
        return false;
      }
    }
  }
  return true;
}

/** Position in the matrix of the e-th entry off the diagonal. */
function offDiagonalEntry(e: number, n: number): number {
  const row = Math.floor(e / (n - 1));
  const column = e % (n - 1);
  return row * n + (column < row ? column : column + 1);
}

/** Positions in the matrix of the entries below the diagonal, row by row. */
function lowerEntries(n: number): (e: number) => number {
  const entries = new Float64Array(n * (n - 1) / 2);
  let e = 0;
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < row; column++) {
      entries[e++] = row * n + column;
    }
  }
  return (index) => entries[index] as number;
}
