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

import { InputError } from "../files/input_error.ts";
import { rowOfEach } from "../graph/connections.ts";
import { type Graph, joinGraphs, sortGraph } from "../graph/graph.ts";
import type { RandomStream } from "../random/stream.ts";

/** A connectome scaled to neurons: its nodes are neurons, those of a region consecutive. */
export interface Network extends Graph {
  /** [N], the region of each neuron. */
  readonly regionOf: Uint32Array;
}

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
  /** Is told now and then how many connections have been made, of how many. */
  readonly onProgress?: (made: number, of: number) => void;
}

/** Connections between two reports of progress. */
const TOLD_EVERY = 4_000_000;

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
  const isUp = fraction > 0.5 || (fraction === 0.5 && below % 2 !== 0);
  return isUp ? below + 1 : below;
}

/**
 * How many connections {@linkcode scaleConnectome} makes, before it makes them.
 *
 * @throws {RangeError} If a parameter is out of its range.
 */
export function countScaledConnections(
  connectome: Graph,
  options: Omit<ScaleOptions, "randPartition" | "stream">,
): number {
  return connectionsOf(regionPairs(connectome, options), options.neuronDensity);
}

/**
 * Scales a connectome to a network of neurons. Time and memory grow with the
 * number of connections, not with neurons squared.
 *
 * Between regions, for each C[i,j] > 0, each neuron of region i connects to
 * `targetsUsed(targetSparsity, density[j])` different neurons of region j. The
 * weights of a pair's connections sum to C[i,j]. Within region i likewise; their
 * sum is intrinsicWeight · out_i / (1 − intrinsicWeight), where out_i is what
 * the region sends to others (`intrinsicFrom`: or receives). A region for which
 * that is 0 gets no intrinsic connections, and so does a region of one neuron
 * without the diagonal.
 *
 * @param connectome Its nodes are the regions, as in {@linkcode Connectome}.
 * @throws {RangeError} If a parameter is out of its range.
 *
 * @example
 * ```ts
 * import { createStream, graphOfMatrix, scaleConnectome } from "@biornn/biornn";
 *
 * const network = scaleConnectome(graphOfMatrix([0, 0.5, 0.25, 0], 2), {
 *   neuronDensity: [4, 4],
 *   randPartition: true,
 *   stream: createStream({ seed: 1, purpose: "bio2art" }),
 * });
 * network.weight.length; // 2 pairs of 4 x 3 connections, and 2 regions with 4 x 3
 * ```
 */
export function scaleConnectome(
  connectome: Graph,
  options: ScaleOptions,
): Network {
  const { neuronDensity: density, randPartition, stream, onProgress } = options;
  const pairs = regionPairs(connectome, options);
  const count = connectionsOf(pairs, density);
  const firstNeuron = new Uint32Array(density.length + 1);
  for (let region = 0; region < density.length; region++) {
    firstNeuron[region + 1] = firstNeuron[region]! + density[region]!;
  }
  const from = new Uint32Array(count);
  const to = new Uint32Array(count);
  const weight = new Float64Array(count);

  let edge = 0;
  let told = 0;
  for (const [pair, total] of pairs.weight.entries()) {
    const i = pairs.from[pair]!, j = pairs.to[pair]!, used = pairs.used[pair]!;
    const skipSelf = i === j && options.keepDiagonal !== true;
    const start = edge;
    const candidates = skipSelf ? density[j]! - 1 : density[j]!;
    for (let source = 0; source < density[i]!; source++) {
      const chosen = used === candidates
        ? undefined
        : stream.sample(candidates, used);
      for (let c = 0; c < used; c++) {
        let target = chosen === undefined ? c : chosen[c]!;
        if (skipSelf && target >= source) target++;
        from[edge] = firstNeuron[i]! + source;
        to[edge] = firstNeuron[j]! + target;
        edge++;
      }
    }
    const made = edge - start;
    if (randPartition) {
      weight.set(splitWeight(total, { count: made, stream }), start);
    } else weight.fill(total / made, start, edge);
    if (edge - told >= TOLD_EVERY) {
      told = edge;
      onProgress?.(edge, count);
    }
  }
  const nodes = firstNeuron.at(-1)!;
  return {
    ...sortGraph({ nodes, from, to, weight }),
    regionOf: rowOfEach(firstNeuron),
  };
}

/** Pairs of regions that get connections, with the sum of their weights. */
interface RegionPairs extends Graph {
  /** How many targets each source neuron has. */
  readonly used: Uint32Array;
}

/** The connectome with the intrinsic weights of its regions in its diagonal. */
function regionPairs(
  connectome: Graph,
  {
    neuronDensity: density,
    targetSparsity = 0.8,
    intrinsicConnections = true,
    targetSparsityIntrinsic = 1,
    intrinsicWeight = 0.8,
    keepDiagonal = false,
    intrinsicFrom = "outgoing",
  }: Omit<ScaleOptions, "randPartition" | "stream">,
): RegionPairs {
  checkRegions(connectome, density);
  const shares = { targetSparsity, targetSparsityIntrinsic };
  for (const [name, share] of Object.entries(shares)) {
    if (share > 0 && share <= 1) continue;
    fail(`${name} must be above 0 and at most 1, found ${share}`);
  }
  if (!(intrinsicWeight >= 0 && intrinsicWeight < 1)) {
    fail(`intrinsicWeight must be from 0 to below 1, found ${intrinsicWeight}`);
  }
  const { nodes, weight } = connectome;
  const own = new Float64Array(nodes);
  const end = intrinsicFrom === "outgoing" ? connectome.from : connectome.to;
  for (let edge = 0; edge < weight.length; edge++) {
    own[end[edge]!]! += weight[edge]!;
  }
  for (let i = 0; i < nodes; i++) {
    own[i] = intrinsicWeight * own[i]! / (1 - intrinsicWeight);
  }
  const usedIn = (i: number, j: number) =>
    i !== j
      ? targetsUsed(targetSparsity, density[j]!)
      : intrinsicTargetsUsed(targetSparsityIntrinsic, {
        count: density[i]!,
        keepDiagonal,
      });
  const within = Uint32Array.from(own.keys()).filter((i) =>
    intrinsicConnections && own[i]! > 0 && usedIn(i, i) > 0
  );
  const pairs = joinGraphs(connectome, {
    nodes,
    from: within,
    to: within,
    weight: Float64Array.from(within, (i) => own[i]!),
  });
  const used = pairs.from.map((i, pair) => usedIn(i, pairs.to[pair]!));
  return { ...pairs, used };
}

function connectionsOf(
  { from, used }: RegionPairs,
  density: ArrayLike<number>,
): number {
  return from.reduce((sum, i, pair) => sum + density[i]! * used[pair]!, 0);
}

function fail(why: string): never {
  throw new RangeError(`Cannot scale the connectome: ${why}`);
}

function checkRegions(
  { nodes, from, to, weight }: Graph,
  density: ArrayLike<number>,
): void {
  if (density.length !== nodes) {
    fail(
      `${nodes} regions need ${nodes} numbers of neurons, found ${density.length}`,
    );
  }
  for (let region = 0; region < nodes; region++) {
    const count = density[region]!;
    if (Number.isSafeInteger(count) && count >= 1) continue;
    fail(
      `a region needs a whole number of neurons, at least 1, found ${count} for region ${region}`,
    );
  }
  const loop = from.findIndex((region, edge) => region === to[edge]);
  if (loop < 0) return;
  fail(
    `its diagonal must be 0, found ${weight[loop]} for region ${from[loop]}`,
  );
}

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
    let share = stream.uniform();
    while (share === 0) share = stream.uniform();
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
  for (const [part, place] of stream.permutation(count).entries()) {
    shuffled[place] = parts[part]!;
  }
  return shuffled;
}

/** `part * 2^(-STEP_BITS * steps)`, or where that is below the floor a number that rises with it from 0 to the floor. */
function representable(part: number, steps: number): number {
  const bits = Math.log2(part) - STEP_BITS * steps;
  if (bits >= -FLOOR_BITS) return part * 2 ** (-STEP_BITS * steps);
  return 2 ** -FLOOR_BITS * (FLOOR_BITS / -bits);
}

/** How densities become numbers of neurons. */
export interface ScaleDensityOptions {
  /**
   * `rank`: the region of lowest density gets `seed` neurons, the next
   * 2 · `seed`, and so on; regions of equal density get the same number.
   * `ratio`: density / lowest density · `seed`, rounded half to even.
   */
  readonly method: "rank" | "ratio";
  /** Number of neurons of the region of lowest density, an integer from 1. */
  readonly seed: number;
  /** Names for messages. */
  readonly regionNames?: readonly string[];
}

/**
 * Number of neurons of each region, by its measured neuron density.
 *
 * @param density N densities in neurons per mm³.
 * @returns N integers, each at least 1.
 * @throws {InputError} If a density is missing (NaN, as for five macaque areas) or not above 0.
 * @throws {RangeError} If `seed` is no integer from 1.
 *
 * @example
 * ```ts
 * import { scaleNeuronDensity } from "@biornn/biornn";
 *
 * scaleNeuronDensity([80_000, 40_000, 130_000], { method: "rank", seed: 2 }); // [4, 2, 6]
 * scaleNeuronDensity([80_000, 40_000, 130_000], { method: "ratio", seed: 2 }); // [4, 2, 6]
 * ```
 */
export function scaleNeuronDensity(
  density: ArrayLike<number>,
  { method, seed, regionNames }: ScaleDensityOptions,
): number[] {
  if (!Number.isSafeInteger(seed) || seed < 1) {
    throw new RangeError(
      `Cannot scale neuron densities: seed must be an integer from 1, found ${seed}`,
    );
  }
  const values = Array.from(density);
  const unusable = values.flatMap((value, region) =>
    value > 0 && value < Infinity ? [] : [regionNames?.[region] ?? `${region}`]
  );
  if (unusable.length > 0) {
    throw new InputError(
      `Cannot scale neuron densities: there is no density above 0 for ` +
        `${unusable.length} of ${values.length} regions (${
          unusable.join(", ")
        }); give all regions the same number of neurons, or fill the gaps`,
    );
  }
  if (method === "rank") {
    const sorted = values.toSorted((a, b) => a - b);
    return values.map((value) => (sorted.indexOf(value) + 1) * seed);
  }
  const lowest = values.reduce((a, b) => Math.min(a, b), Infinity);
  return values.map((value) => roundHalfToEven(value / lowest * seed));
}
