/**
 * Random networks that keep more of the biological one than `random_w` does.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";
import type { ScaledNetwork } from "./scaled_network.ts";

/**
 * The same connections with their weights permuted: what is left is the
 * topology. Self-connections take part.
 *
 * Draws one `permutation` of the number of connections; connections are in
 * row-major order.
 *
 * @example
 * ```ts
 * import { shuffleWeights } from "./src/connectome/null_models.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const network = {
 *   neurons: 2,
 *   weights: Float64Array.of(0, 1, 2, 0),
 *   mask: Uint8Array.of(0, 1, 1, 0),
 *   regionOf: Uint32Array.of(0, 1),
 * };
 * shuffleWeights(network, createStream({ seed: 1, purpose: "topology" }));
 * ```
 */
export function shuffleWeights(
  network: ScaledNetwork,
  stream: RandomStream,
): ScaledNetwork {
  const weights = network.weights.slice();
  const entries = connections(network, { diagonal: true });
  const order = stream.permutation(entries.length);
  entries.forEach((entry, index) => {
    weights[entry] = network.weights[entries[order[index]!]!]!;
  });
  return { ...network, weights, mask: network.mask.slice() };
}

/** How thoroughly connections are rewired. */
export interface RewireOptions {
  readonly stream: RandomStream;
  /** Swaps that are tried, for each connection; default 10. */
  readonly triesPerConnection?: number;
}

/**
 * Rewires connections so that every neuron keeps the number it sends and the
 * number it receives: two connections a → b and c → d become a → d and
 * c → b, again and again, where neither exists and neither is a
 * self-connection. A weight stays with the neuron that sends, so the weight
 * each neuron sends is kept too. Self-connections stay.
 *
 * Source: S. Maslov, K. Sneppen, Specificity and stability in topology of
 * protein networks, Science 296, 910–913 (2002),
 * https://doi.org/10.1126/science.1065103.
 *
 * Draws two integers a try, the numbers of two connections, which at the start
 * are in row-major order; a swap leaves them their numbers.
 *
 * @example
 * ```ts
 * import { rewireConnections } from "./src/connectome/null_models.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const network = {
 *   neurons: 4,
 *   weights: Float64Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0),
 *   mask: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0),
 *   regionOf: Uint32Array.of(0, 1, 2, 3),
 * };
 * rewireConnections(network, {
 *   stream: createStream({ seed: 1, purpose: "topology" }),
 * });
 * ```
 */
export function rewireConnections(
  network: ScaledNetwork,
  { stream, triesPerConnection = 10 }: RewireOptions,
): ScaledNetwork {
  const { neurons: n } = network;
  const weights = network.weights.slice();
  const mask = network.mask.slice();
  const entries = connections(network, { diagonal: false });
  const count = entries.length;
  const tries = count < 2 ? 0 : Math.round(triesPerConnection * count);

  function move(connection: number, entry: number): void {
    const old = entries[connection]!;
    weights[entry] = weights[old]!;
    mask[entry] = 1;
    weights[old] = 0;
    mask[old] = 0;
    entries[connection] = entry;
  }

  for (let attempt = 0; attempt < tries; attempt++) {
    const first = stream.integer(count);
    const second = stream.integer(count);
    const a = Math.floor(entries[first]! / n), b = entries[first]! % n;
    const c = Math.floor(entries[second]! / n), d = entries[second]! % n;
    // Where a = c or b = d, one of the new connections is there already.
    if (a === d || c === b || mask[a * n + d] === 1 || mask[c * n + b] === 1) {
      continue;
    }
    move(first, a * n + d);
    move(second, c * n + b);
  }
  return { neurons: n, weights, mask, regionOf: network.regionOf };
}

/** Positions of the connections in the matrix, in row-major order. */
function connections(
  { neurons: n, mask }: ScaledNetwork,
  { diagonal }: { readonly diagonal: boolean },
): number[] {
  const entries: number[] = [];
  for (let entry = 0; entry < mask.length; entry++) {
    if (mask[entry] === 0) continue;
    if (!diagonal && Math.floor(entry / n) === entry % n) continue;
    entries.push(entry);
  }
  return entries;
}
