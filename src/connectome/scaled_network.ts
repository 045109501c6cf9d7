/**
 * A connectome scaled to neurons: the list of their connections, whose memory
 * grows with their number, and dense matrices for small networks.
 *
 * @module
 */

/** Connections between neurons, one an element; no two from one neuron to the same other. */
export interface NeuronEdges {
  /** n, the number of neurons. */
  readonly neurons: number;
  /** [n], the region of each neuron. */
  readonly regionOf: Uint32Array;
  /** Sending neuron of each connection. */
  readonly from: Uint32Array;
  /** Receiving neuron of each connection. */
  readonly to: Uint32Array;
  /** Weight of each connection, above 0. */
  readonly weight: Float64Array;
}

/** A connectome scaled to a network of neurons. */
export interface ScaledNetwork {
  /** n, the number of neurons. */
  readonly neurons: number;
  /** S, [n, n], row-major: element `a * n + b` is the weight from neuron a to neuron b. */
  readonly weights: Float64Array;
  /** [n, n], 1 where a connection was made. */
  readonly mask: Uint8Array;
  /** [n], the region of each neuron; neurons of a region are consecutive. */
  readonly regionOf: Uint32Array;
}

/**
 * Writes connections between neurons as dense matrices.
 *
 * @example
 * ```ts
 * import { edgesToNetwork } from "./src/connectome/scaled_network.ts";
 *
 * edgesToNetwork({
 *   neurons: 2,
 *   regionOf: Uint32Array.of(0, 1),
 *   from: Uint32Array.of(0),
 *   to: Uint32Array.of(1),
 *   weight: Float64Array.of(7),
 * }).weights; // [0, 7, 0, 0]
 * ```
 */
export function edgesToNetwork(edges: NeuronEdges): ScaledNetwork {
  const { neurons: n, regionOf, from, to, weight } = edges;
  const weights = new Float64Array(n * n);
  const mask = new Uint8Array(n * n);
  for (let edge = 0; edge < weight.length; edge++) {
    const entry = (from[edge] as number) * n + (to[edge] as number);
    weights[entry] = weight[edge] as number;
    mask[entry] = 1;
  }
  return { neurons: n, weights, mask, regionOf };
}

/**
 * Lists the connections of dense matrices, in row-major order; those are where
 * the mask is not 0.
 */
export function networkToEdges(network: ScaledNetwork): NeuronEdges {
  const { neurons: n, regionOf, weights, mask } = network;
  let count = 0;
  for (let entry = 0; entry < mask.length; entry++) {
    if (mask[entry] !== 0) count++;
  }
  const from = new Uint32Array(count);
  const to = new Uint32Array(count);
  const weight = new Float64Array(count);
  let edge = 0;
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      const entry = a * n + b;
      if (mask[entry] === 0) continue;
      from[edge] = a;
      to[edge] = b;
      weight[edge++] = weights[entry] as number;
    }
  }
  return { neurons: n, regionOf, from, to, weight };
}
