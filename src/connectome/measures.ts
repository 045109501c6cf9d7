/**
 * What a graph looks like in a few numbers.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import {
  filterGraph,
  firstOfEach,
  type Graph,
  isSymmetric,
  rowsOf,
  transposeGraph,
} from "../graph/graph.ts";
import { spectralRadius } from "../graph/spectrum.ts";
import { modularityOf, modulesOf } from "./modules.ts";

/** Figures of a weighted, directed graph. */
export interface GraphMeasures {
  /** N */
  readonly nodes: number;
  /** How many there are. */
  readonly connections: number;
  /** Connections of all that are possible between different nodes. */
  readonly density: number;
  /** [N], nodes that a node sends to. */
  readonly outDegree: Uint32Array;
  /** [N], nodes that a node receives from. */
  readonly inDegree: Uint32Array;
  /** [N], Σ_j C[i,j]. */
  readonly outStrength: Float64Array;
  /** [N], Σ_i C[i,j]. */
  readonly inStrength: Float64Array;
  /** Of all connections. */
  readonly smallestWeight: number;
  /** Of two in the middle their mean. */
  readonly medianWeight: number;
  /** Of all connections. */
  readonly largestWeight: number;
  /** Connections with a connection the other way, of all between different nodes. */
  readonly reciprocity: number;
  /** Whether every connection has one the other way. */
  readonly symmetricPattern: boolean;
  /** Whether C equals its transpose. */
  readonly symmetric: boolean;
}

/**
 * Figures of a connectome or of a network of neurons.
 *
 * @throws {InputError} If it has no connection.
 *
 * @example
 * ```ts
 * import { graphMeasures, graphOfMatrix } from "@biornn/biornn";
 *
 * graphMeasures(graphOfMatrix([0, 0.5, 0.25, 0], 2)).density; // 1
 * ```
 */
export function graphMeasures(graph: Graph): GraphMeasures {
  const { nodes: n, from, to, weight } = graph;
  if (weight.length === 0) {
    throw new InputError(
      "Cannot describe the connectome: it has no connection",
    );
  }
  const outDegree = new Uint32Array(n);
  const inDegree = new Uint32Array(n);
  const outStrength = new Float64Array(n);
  const inStrength = new Float64Array(n);
  let loops = 0;
  for (let edge = 0; edge < weight.length; edge++) {
    const a = from[edge]!, b = to[edge]!;
    outDegree[a]!++;
    inDegree[b]!++;
    outStrength[a]! += weight[edge]!;
    inStrength[b]! += weight[edge]!;
    if (a === b) loops++;
  }
  const mutual = countMutual(graph) - loops;
  const between = weight.length - loops;
  const sorted = weight.toSorted();
  const middle = (sorted.length - 1) / 2;
  return {
    nodes: n,
    connections: weight.length,
    density: weight.length / (n * (n - 1)),
    outDegree,
    inDegree,
    outStrength,
    inStrength,
    smallestWeight: sorted[0]!,
    medianWeight: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) /
      2,
    largestWeight: sorted.at(-1)!,
    reciprocity: between === 0 ? 0 : mutual / between,
    symmetricPattern: mutual === between,
    symmetric: isSymmetric(graph),
  };
}

/** Connections that have one the other way; those of a node to itself do. */
function countMutual(graph: Graph): number {
  const back = transposeGraph(graph);
  let mutual = 0;
  for (let i = 0, j = 0; i < graph.from.length && j < back.from.length;) {
    const order = graph.from[i]! - back.from[j]! || graph.to[i]! - back.to[j]!;
    if (order === 0) mutual++;
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return mutual;
}

/** Figures of a network that null models keep or change. */
export interface NetworkSummary {
  readonly connections: number;
  readonly density: number;
  /** Standard deviation of the numbers of connections that nodes send and receive. */
  readonly outDegreeSpread: number;
  readonly inDegreeSpread: number;
  /** Standard deviation of the weights that nodes send and receive. */
  readonly outStrengthSpread: number;
  readonly inStrengthSpread: number;
  readonly reciprocity: number;
  /** Mean of the weighted, directed clustering coefficients. */
  readonly clustering: number;
  /** Of its modules, as {@linkcode modulesOf} finds them. */
  readonly modularity: number;
  /** Mean number of steps from a node to another that can be reached. */
  readonly pathLength: number;
  /** Of the matrix of weights. */
  readonly spectralRadius: number;
}

/** Work above which a figure is not computed, but NaN: some seconds. */
const MOST_WORK = 2e9;
/** Connections in which modules are sought. */
const MOST_IN_MODULES = 100_000;
/** Nodes that paths begin at; of more, some. */
const MOST_STARTS = 1000;

/**
 * What a network is like in the figures that null models are judged by; NaN for
 * those that would take too long.
 *
 * @throws {InputError} If it has no connection.
 */
export function summariseNetwork(graph: Graph): NetworkSummary {
  const measures = graphMeasures(graph);
  const { start, sender, weights, ...size } = rowsOf(graph, {
    transpose: true,
  });
  return {
    connections: measures.connections,
    density: measures.density,
    outDegreeSpread: spread(measures.outDegree),
    inDegreeSpread: spread(measures.inDegree),
    outStrengthSpread: spread(measures.outStrength),
    inStrengthSpread: spread(measures.inStrength),
    reciprocity: measures.reciprocity,
    clustering: meanClustering(graph),
    modularity: graph.weight.length <= MOST_IN_MODULES
      ? modularityOf(graph, modulesOf(graph))
      : NaN,
    pathLength: meanPathLength(graph),
    spectralRadius: spectralRadius({ ...size, start, sender }, weights),
  };
}

function spread(values: ArrayLike<number>): number {
  const all = Array.from(values);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  return Math.sqrt(
    all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length,
  );
}

/**
 * Mean clustering coefficient of nodes with two partners or more: how strong the
 * triangles of a node are, in whatever direction, beside those there could be. Weights
 * count relative to the largest, by their cube roots.
 *
 * Source: G. Fagiolo, Clustering in complex directed networks, Phys. Rev. E 76, 026107
 * (2007), https://doi.org/10.1103/PhysRevE.76.026107.
 */
export function meanClustering(graph: Graph): number {
  const between = filterGraph(graph, (a, b) => a !== b);
  const { nodes: n } = graph;
  const largest = between.weight.reduce((a, b) => Math.max(a, b), 0);
  const back = transposeGraph(between);
  /** Partners of each node with the cube roots of both ways' weights, summed. */
  const partners: Map<number, number>[] = Array.from(
    { length: n },
    () => new Map(),
  );
  const degree = new Uint32Array(n);
  const mutual = new Uint32Array(n);
  for (const { from, to, weight } of [between, back]) {
    for (let edge = 0; edge < weight.length; edge++) {
      const own = partners[from[edge]!]!;
      const root = Math.cbrt(weight[edge]! / largest);
      const known = own.get(to[edge]!);
      degree[from[edge]!]!++;
      if (known !== undefined) mutual[from[edge]!]!++;
      own.set(to[edge]!, (known ?? 0) + root);
    }
  }
  let work = 0;
  for (const own of partners) {
    for (const j of own.keys()) work += partners[j]!.size;
  }
  if (work > MOST_WORK) return NaN;
  const lists = partners.map((own) => ({
    to: Uint32Array.from(own.keys()),
    root: Float64Array.from(own.values()),
  }));
  const marked = new Float64Array(n);
  let sum = 0, counted = 0;
  for (let i = 0; i < n; i++) {
    const possible = 2 * (degree[i]! * (degree[i]! - 1) - 2 * mutual[i]!);
    if (possible <= 0) continue;
    const own = lists[i]!;
    own.to.forEach((j, at) => marked[j] = own.root[at]!);
    let triangles = 0;
    for (let a = 0; a < own.to.length; a++) {
      const { to, root } = lists[own.to[a]!]!;
      let reached = 0;
      for (let b = 0; b < to.length; b++) reached += root[b]! * marked[to[b]!]!;
      triangles += own.root[a]! * reached;
    }
    own.to.forEach((j) => marked[j] = 0);
    sum += triangles / possible;
    counted++;
  }
  return counted === 0 ? 0 : sum / counted;
}

/** Mean number of steps along connections between nodes of which one reaches the other; of a large graph from some nodes. */
export function meanPathLength(graph: Graph): number {
  const { nodes: n, from, to } = graph;
  const first = firstOfEach(from, n);
  const stride = Math.max(1, Math.ceil(n / MOST_STARTS));
  const steps = new Int32Array(n);
  const queue = new Uint32Array(n);
  let sum = 0, pairs = 0;
  for (let source = 0; source < n; source += stride) {
    steps.fill(-1);
    steps[source] = 0;
    queue[0] = source;
    for (let head = 0, tail = 1; head < tail; head++) {
      const node = queue[head]!;
      for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
        const next = to[edge]!;
        if (steps[next]! >= 0) continue;
        steps[next] = steps[node]! + 1;
        sum += steps[next]!;
        pairs++;
        queue[tail++] = next;
      }
    }
  }
  return pairs === 0 ? NaN : sum / pairs;
}
