/**
 * What a connectome looks like in a few numbers.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";

/** Figures of a weighted, directed graph. */
export interface NetworkMetrics {
  readonly regions: number;
  /** Number of weights above 0. */
  readonly connections: number;
  /** Connections of all that are possible between different regions. */
  readonly density: number;
  /** [N], regions that a region sends to. */
  readonly outDegree: Uint32Array;
  /** [N], regions that a region receives from. */
  readonly inDegree: Uint32Array;
  /** [N], Σ_j C[i,j]. */
  readonly outStrength: Float64Array;
  /** [N], Σ_i C[i,j]. */
  readonly inStrength: Float64Array;
  /** Of the weights above 0. */
  readonly smallestWeight: number;
  readonly medianWeight: number;
  readonly largestWeight: number;
  /** Connections with a connection the other way, of all connections. */
  readonly reciprocity: number;
  /** Whether every connection has one the other way. */
  readonly symmetricPattern: boolean;
  /** Whether C equals its transpose. */
  readonly symmetric: boolean;
}

/**
 * Figures of a connectome, or of any square matrix of weights.
 *
 * @param weights C, [N, N], row-major.
 * @param regions N.
 * @throws {InputError} If no weight is above 0.
 *
 * @example
 * ```ts
 * import { networkMetrics } from "./src/connectome/network_metrics.ts";
 *
 * const metrics = networkMetrics([0, 0.5, 0.25, 0], 2);
 * metrics.density; // 1
 * ```
 */
export function networkMetrics(
  weights: ArrayLike<number>,
  regions: number,
): NetworkMetrics {
  const n = regions;
  const outDegree = new Uint32Array(n);
  const inDegree = new Uint32Array(n);
  const outStrength = new Float64Array(n);
  const inStrength = new Float64Array(n);
  const found: number[] = [];
  let mutual = 0;
  let symmetric = true;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const weight = weights[i * n + j] as number;
      const back = weights[j * n + i] as number;
      if (weight !== back) symmetric = false;
      if (!(weight > 0)) continue;
      found.push(weight);
      if (i !== j && back > 0) mutual++;
      outDegree[i]!++;
      inDegree[j]!++;
      outStrength[i]! += weight;
      inStrength[j]! += weight;
    }
  }
  if (found.length === 0) {
    throw new InputError(
      "Cannot describe the connectome: it has no connection",
    );
  }
  const sorted = Float64Array.from(found).sort();
  const middle = Math.floor((sorted.length - 1) / 2);
  const upper = Math.ceil((sorted.length - 1) / 2);
  return {
    regions: n,
    connections: found.length,
    density: found.length / (n * (n - 1)),
    outDegree,
    inDegree,
    outStrength,
    inStrength,
    smallestWeight: sorted[0]!,
    medianWeight: (sorted[middle]! + sorted[upper]!) / 2,
    largestWeight: sorted.at(-1)!,
    reciprocity: mutual / found.length,
    symmetricPattern: mutual === found.length,
    symmetric,
  };
}
