/**
 * `bio2art`: from a connectome of regions to a network of neurons.
 *
 * Source: A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated recurrent
 * neural networks, Neural Networks 142, 608–618 (2021),
 * https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * ## Order of the draws
 *
 * It is part of every published seed, so it must never change. Pairs of regions
 * (i, j) are gone through row by row; a pair is drawn where C[i,j] > 0, and (i, i)
 * where region i gets intrinsic connections. For each pair:
 *
 * 1. for each neuron of i in order, `sample(candidates, k)`, where the candidates
 *    are the neurons of j in order (without the neuron itself, where i = j and
 *    the diagonal is left out); nothing is drawn where k is all candidates;
 * 2. with `randPartition` the split of the pair's weight (`splitWeight`), whose
 *    parts go to the connections in the order in which step 1 made them.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";
import {
  edgesToNetwork,
  type NeuronEdges,
  type ScaledNetwork,
} from "./scaled_network.ts";
import { splitWeight } from "./split_weight.ts";

/** How a connectome is scaled. The defaults are what the training program uses. */
export interface ScaleOptions {
  /** Number of neurons of each of the N regions, each at least 1. */
  readonly neuronDensity: ArrayLike<number>;
  /** Part of a target region's neurons that each source neuron connects to, above 0 and at most 1; default 0.8. */
  readonly targetSparsity?: number;
  /** Whether neurons connect within their region; default true. */
  readonly intrinsicConnections?: boolean;
  /** As `targetSparsity`, within a region; default 1. */
  readonly targetSparsityIntrinsic?: number;
  /** Share of the intrinsic weight in a region's whole weight, from 0 to below 1; default 0.8. */
  readonly intrinsicWeight?: number;
  /** True: random parts of a region pair's weight; false: equal parts. */
  readonly randPartition: boolean;
  /** Whether a neuron may connect to itself; default false. */
  readonly keepDiagonal?: boolean;
  /**
   * What the intrinsic weight is a share of: the region's outgoing weight (as
   * described, the default), or the incoming one (as the original program does).
   */
  readonly intrinsicFrom?: "outgoing" | "incoming";
  /** Where the random numbers come from. */
  readonly stream: RandomStream;
}

/**
 * How many of `count` target neurons a source neuron connects to: all where
 * `sparsity` is 1, else `sparsity * count` rounded half to even, at least 1.
 */
export function targetsUsed(sparsity: number, count: number): number {
  if (sparsity === 1) return count;
  return Math.max(1, roundHalfToEven(sparsity * count));
}

/**
 * How many neurons of its own region, of `count` neurons, a neuron connects to;
 * without the diagonal never to itself.
 */
export function intrinsicTargetsUsed(
  sparsity: number,
  { count, keepDiagonal }: {
    readonly count: number;
    readonly keepDiagonal: boolean;
  },
): number {
  const used = targetsUsed(sparsity, count);
  return keepDiagonal ? used : Math.min(used, count - 1);
}

/** The integer next to x; of two equally near the even one, as Python's `round`. */
export function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const fraction = x - below;
  if (fraction !== 0.5) return fraction < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** A pair of regions that gets connections. */
interface RegionPair {
  readonly from: number;
  readonly to: number;
  /** Sum of the weights of all its connections. */
  readonly total: number;
  /** Targets of each source neuron. */
  readonly used: number;
  /** Whether a neuron can't be its own target. */
  readonly skipSelf: boolean;
}

/**
 * How many connections {@linkcode scaleToEdges} makes, before it makes them.
 *
 * @throws {RangeError} If a parameter is out of its range.
 *
 * @example
 * ```ts
 * import { countEdges } from "./src/connectome/bio2art.ts";
 *
 * countEdges(Float64Array.of(0, 0.5, 0.25, 0), { neuronDensity: [4, 4] }); // 48
 * ```
 */
export function countEdges(
  weights: ArrayLike<number>,
  options: Omit<ScaleOptions, "randPartition" | "stream">,
): number {
  const { neuronDensity } = options;
  return regionPairs(weights, options).reduce(
    (sum, { from, used }) => sum + (neuronDensity[from] as number) * used,
    0,
  );
}

/**
 * Scales a connectome to a list of connections between neurons: time and memory
 * grow with the number of connections, not with neurons squared.
 *
 * @param weights C, [N, N], row-major, C[i,j] from region i to region j, as in {@linkcode Connectome}.
 * @throws {RangeError} If a parameter is out of its range.
 *
 * @example
 * ```ts
 * import { scaleToEdges } from "./src/connectome/bio2art.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const edges = scaleToEdges(Float64Array.of(0, 0.5, 0.25, 0), {
 *   neuronDensity: [4, 4],
 *   randPartition: true,
 *   stream: createStream({ seed: 1, purpose: "bio2art" }),
 * });
 * edges.from.length; // 2 pairs of 4 x 3 connections, and 2 regions with 4 x 3
 * ```
 */
export function scaleToEdges(
  weights: ArrayLike<number>,
  options: ScaleOptions,
): NeuronEdges {
  const { neuronDensity: density, randPartition, stream } = options;
  const pairs = regionPairs(weights, options);
  const { regionOf, firstNeuron } = populate(density);

  const count = countEdges(weights, options);
  const from = new Uint32Array(count);
  const to = new Uint32Array(count);
  const weight = new Float64Array(count);

  let edge = 0;
  for (const { from: i, to: j, total, used, skipSelf } of pairs) {
    const start = edge;
    const targets = density[j] as number;
    const candidates = skipSelf ? targets - 1 : targets;
    for (let source = 0; source < (density[i] as number); source++) {
      const chosen = used === candidates
        ? undefined
        : stream.sample(candidates, used);
      for (let c = 0; c < used; c++) {
        let target = chosen === undefined ? c : chosen[c] as number;
        if (skipSelf && target >= source) target++;
        from[edge] = (firstNeuron[i] as number) + source;
        to[edge] = (firstNeuron[j] as number) + target;
        edge++;
      }
    }
    const made = edge - start;
    if (randPartition) {
      weight.set(splitWeight(total, { count: made, stream }), start);
    } else weight.fill(total / made, start, edge);
  }
  return { neurons: regionOf.length, regionOf, from, to, weight };
}

/**
 * Scales a connectome to a network of neurons.
 *
 * Between regions, for each C[i,j] > 0, each neuron of region i connects to
 * `targetsUsed(targetSparsity, density[j])` different neurons of region j. The
 * weights of a pair's connections sum to C[i,j]. Within region i likewise; their
 * sum is intrinsicWeight · out_i / (1 − intrinsicWeight), where out_i is what
 * the region sends to others (`intrinsicFrom`: or receives). A region for which
 * that is 0 gets no intrinsic connections, and so does a region of one neuron
 * without the diagonal.
 *
 * @param weights C, [N, N], row-major, C[i,j] from region i to region j, as in {@linkcode Connectome}.
 * @throws {RangeError} If a parameter is out of its range.
 *
 * @example
 * ```ts
 * import { scaleConnectome } from "./src/connectome/bio2art.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const network = scaleConnectome(Float64Array.of(0, 0.5, 0.25, 0), {
 *   neuronDensity: [4, 4],
 *   randPartition: false,
 *   stream: createStream({ seed: 1, purpose: "bio2art" }),
 * });
 * network.neurons; // 8
 * ```
 */
export function scaleConnectome(
  weights: ArrayLike<number>,
  options: ScaleOptions,
): ScaledNetwork {
  return edgesToNetwork(scaleToEdges(weights, options));
}

/** The number of the first neuron of each region, and the region of each neuron. */
function populate(
  density: ArrayLike<number>,
): { regionOf: Uint32Array; firstNeuron: Uint32Array } {
  const firstNeuron = new Uint32Array(density.length);
  let neurons = 0;
  for (let region = 0; region < density.length; region++) {
    firstNeuron[region] = neurons;
    neurons += density[region] as number;
  }
  const regionOf = new Uint32Array(neurons);
  for (let region = 0; region < density.length; region++) {
    const first = firstNeuron[region] as number;
    regionOf.fill(region, first, first + (density[region] as number));
  }
  return { regionOf, firstNeuron };
}

function regionPairs(
  weights: ArrayLike<number>,
  options: Omit<ScaleOptions, "randPartition" | "stream">,
): RegionPair[] {
  const {
    neuronDensity: density,
    targetSparsity = 0.8,
    intrinsicConnections = true,
    targetSparsityIntrinsic = 1,
    intrinsicWeight = 0.8,
    keepDiagonal = false,
    intrinsicFrom = "outgoing",
  } = options;
  checkParameters(weights, density);
  checkShare(targetSparsity, "targetSparsity");
  checkShare(targetSparsityIntrinsic, "targetSparsityIntrinsic");
  if (!(intrinsicWeight >= 0 && intrinsicWeight < 1)) {
    throw problem(
      `intrinsicWeight must be from 0 to below 1, found ${intrinsicWeight}`,
    );
  }
  const n = density.length;
  const pairs: RegionPair[] = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const count = density[j] as number;
      if (i !== j) {
        const total = weights[i * n + j] as number;
        const used = targetsUsed(targetSparsity, count);
        if (total > 0) {
          pairs.push({ from: i, to: j, total, used, skipSelf: false });
        }
        continue;
      }
      if (!intrinsicConnections) continue;
      const outside = regionStrength(weights, {
        regions: n,
        region: i,
        direction: intrinsicFrom,
      });
      const total = intrinsicWeight * outside / (1 - intrinsicWeight);
      const used = intrinsicTargetsUsed(targetSparsityIntrinsic, {
        count,
        keepDiagonal,
      });
      if (total > 0 && used > 0) {
        pairs.push({ from: i, to: i, total, used, skipSelf: !keepDiagonal });
      }
    }
  }
  return pairs;
}

/** Sum of the weights from a region to all others, or to it from all others. */
function regionStrength(
  weights: ArrayLike<number>,
  { regions: n, region, direction }: {
    readonly regions: number;
    readonly region: number;
    readonly direction: "outgoing" | "incoming";
  },
): number {
  let sum = 0;
  for (let other = 0; other < n; other++) {
    sum += direction === "outgoing"
      ? weights[region * n + other] as number
      : weights[other * n + region] as number;
  }
  return sum;
}

function problem(text: string): RangeError {
  return new RangeError(`Cannot scale the connectome: ${text}`);
}

function checkShare(value: number, name: string): void {
  if (!(value > 0 && value <= 1)) {
    throw problem(`${name} must be above 0 and at most 1, found ${value}`);
  }
}

function checkParameters(
  weights: ArrayLike<number>,
  density: ArrayLike<number>,
): void {
  const n = density.length;
  if (weights.length !== n * n) {
    throw problem(
      `${n} regions need ${n * n} weights, found ${weights.length}`,
    );
  }
  for (let region = 0; region < n; region++) {
    const count = density[region] as number;
    if (!Number.isSafeInteger(count) || count < 1) {
      throw problem(
        `a region needs a whole number of neurons, at least 1, found ${count} for region ${region}`,
      );
    }
    if (weights[region * n + region] !== 0) {
      throw problem(
        `its diagonal must be 0, found ${
          weights[region * n + region]
        } for region ${region}`,
      );
    }
  }
}
