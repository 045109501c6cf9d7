/**
 * What a graph looks like in a few numbers, and its modules: groups of nodes that are
 * connected with each other more than with others.
 *
 * @module
 */

import { DirectedGraph } from "npm:graphology@0.26.0";
import communities from "npm:graphology-communities-louvain@2.0.2";
import FlatQueue from "npm:flatqueue@3.0.0";
import { InputError } from "../files/input_error.ts";
import {
  filterGraph,
  type Graph,
  isSymmetric,
  rowsOf,
  transposeGraph,
} from "../graph/graph.ts";
import { firstOfEach } from "../graph/connections.ts";
import { spectralRadius } from "../graph/spectrum.ts";
import { createStream } from "../random/stream.ts";

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
  /** How many of them there are. */
  readonly modules: number;
  /** Mean number of steps from a node to another that can be reached. */
  readonly pathLength: number;
  /** The same with 1 / weight as a connection's length, along the shortest ways; the harmonic mean, so that a few far pairs do not decide. */
  readonly weightedPathLength: number;
  /** Density among the tenth of the nodes that have most connections, in and out; with all that have as many as the last of them. */
  readonly richClub: number;
  /** Of the matrix of weights. */
  readonly spectralRadius: number;
  /** Nodes that paths begin at, and nodes whose clustering is measured: all, or of a large network some, evenly spread over their numbers. */
  readonly sampled: { readonly paths: number; readonly clustering: number };
}

/** Pairs of connections that clustering looks at, and connections that paths go along: a second or two. */
const MOST_WORK = 3e8;
const MOST_ALONG_PATHS = 2e7;
/** Nodes that paths begin at, at least. */
const LEAST_SOURCES = 20;
/** Connections in which modules are sought. */
export const MOST_IN_MODULES = 100_000;

/**
 * What a network is like in the figures that null models are judged by; clustering and
 * paths of a large one from some of its nodes, and NaN for the modularity of more than 100,000 connections.
 *
 * @throws {InputError} If it has no connection.
 */
export function summariseNetwork(graph: Graph): NetworkSummary {
  const measures = graphMeasures(graph);
  const { connections, density, reciprocity } = measures;
  const rows = rowsOf(graph, { transpose: true });
  const clustering = meanClustering(graph);
  const paths = pathLengths(graph);
  const moduleOf = connections <= MOST_IN_MODULES
    ? modulesOf(graph)
    : undefined;
  return {
    connections,
    density,
    outDegreeSpread: spread(measures.outDegree),
    inDegreeSpread: spread(measures.inDegree),
    outStrengthSpread: spread(measures.outStrength),
    inStrengthSpread: spread(measures.inStrength),
    reciprocity,
    clustering: clustering.mean,
    modularity: moduleOf === undefined ? NaN : modularityOf(graph, moduleOf),
    modules: moduleOf === undefined ? NaN : new Set(moduleOf).size,
    pathLength: paths.steps,
    weightedPathLength: paths.weighted,
    richClub: richClub(graph, measures),
    spectralRadius: spectralRadius(rows, rows.weights),
    sampled: { paths: paths.sources, clustering: clustering.nodes },
  };
}

function spread(values: Uint32Array | Float64Array): number {
  const sum = (of: (value: number) => number) => {
    let all = 0;
    for (const value of values) all += of(value);
    return all;
  };
  const mean = sum((value) => value) / values.length;
  return Math.sqrt(sum((value) => (value - mean) ** 2) / values.length);
}

/**
 * Mean clustering coefficient of nodes with two partners or more: how strong the
 * triangles of a node are, in whatever direction, beside those there could be. Weights
 * count relative to the largest, by their cube roots.
 *
 * Source: G. Fagiolo, Clustering in complex directed networks, Phys. Rev. E 76, 026107
 * (2007), https://doi.org/10.1103/PhysRevE.76.026107.
 */
function meanClustering(graph: Graph) {
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
  const stride = Math.max(1, Math.ceil(work / MOST_WORK));
  const lists = partners.map((own) => ({
    to: Uint32Array.from(own.keys()),
    root: Float64Array.from(own.values()),
  }));
  const marked = new Float64Array(n);
  let sum = 0, counted = 0;
  for (let i = 0; i < n; i += stride) {
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
  return {
    mean: counted === 0 ? 0 : sum / counted,
    nodes: Math.ceil(n / stride),
  };
}

/**
 * Mean lengths of the shortest ways between nodes of which one reaches the other: in steps,
 * and, as harmonic mean, with 1 / weight as the length of a connection (E. W. Dijkstra, Numer. Math. 1,
 * 269–271 (1959), https://doi.org/10.1007/BF01386390); of a large graph from some of its nodes.
 */
function pathLengths({ nodes: n, from, to, weight }: Graph) {
  const first = firstOfEach(from, n);
  const affordable = Math.max(
    LEAST_SOURCES,
    MOST_ALONG_PATHS / (weight.length + n),
  );
  const stride = Math.max(1, Math.ceil(n / affordable));
  const steps = new Int32Array(n);
  const length = new Float64Array(n);
  const queue = new Uint32Array(n);
  const nearest = new FlatQueue<number>();
  let allSteps = 0, allNear = 0, pairs = 0;
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
        allSteps += steps[next]!;
        pairs++;
        queue[tail++] = next;
      }
    }
    length.fill(Infinity);
    length[source] = 0;
    nearest.push(source, 0);
    while (nearest.length > 0) {
      const distance = nearest.peekValue()!;
      const node = nearest.pop()!;
      // It is there once more for each way that was longer.
      if (distance > length[node]!) continue;
      if (node !== source) allNear += 1 / distance;
      for (let edge = first[node]!; edge < first[node + 1]!; edge++) {
        const next = to[edge]!;
        const reached = distance + 1 / weight[edge]!;
        if (reached >= length[next]!) continue;
        length[next] = reached;
        nearest.push(next, reached);
      }
    }
  }
  return {
    steps: pairs === 0 ? NaN : allSteps / pairs,
    weighted: pairs === 0 ? NaN : pairs / allNear,
    sources: Math.ceil(n / stride),
  };
}

/**
 * Density among the nodes with most connections: the rich-club coefficient of directed
 * graphs, at the degree that a tenth of the nodes has or exceeds.
 *
 * Source: V. Colizza, A. Flammini, M. A. Serrano, A. Vespignani, Detecting rich-club
 * ordering in complex networks, Nat. Phys. 2, 110–115 (2006), https://doi.org/10.1038/nphys209.
 */
function richClub(
  { nodes: n, from, to }: Graph,
  { outDegree, inDegree }: GraphMeasures,
): number {
  const degree = outDegree.map((out, node) => out + inDegree[node]!);
  const least = degree.toSorted().at(-Math.ceil(n / 10))!;
  const hubs = degree.reduce((sum, d) => sum + (d >= least ? 1 : 0), 0);
  if (hubs < 2) return NaN;
  let between = 0;
  for (let edge = 0; edge < from.length; edge++) {
    const [a, b] = [from[edge]!, to[edge]!];
    if (a !== b && degree[a]! >= least && degree[b]! >= least) between++;
  }
  return between / (hubs * (hubs - 1));
}

/** The package's types speak of a default export, but it is the module itself. */
const louvain = communities as unknown as (
  graph: DirectedGraph,
  options: { readonly rng: () => number },
) => Readonly<Record<string, number>>;

/**
 * [N], the number of the module of each node, by the Louvain method for weighted,
 * directed graphs: the same for the same graph.
 *
 * Sources: V. D. Blondel et al., Fast unfolding of communities in large networks, J.
 * Stat. Mech. P10008 (2008), https://doi.org/10.1088/1742-5468/2008/10/P10008; for
 * directed graphs N. Dugué, A. Perez, https://hal.science/hal-01231784.
 */
export function modulesOf(graph: Graph): Uint32Array {
  const { nodes, from, to } = graph;
  const network = new DirectedGraph();
  for (let node = 0; node < nodes; node++) network.addNode(node);
  for (const [edge, weight] of graph.weight.entries()) {
    network.addDirectedEdge(from[edge]!, to[edge]!, { weight });
  }
  const { uniform } = createStream({ seed: 0, purpose: "topology" });
  const found = louvain(network, { rng: uniform });
  const moduleOf = Array.from({ length: nodes }, (_, node) => found[node]!);
  // Numbered in the order of the nodes.
  const modules = [...new Set(moduleOf)];
  const number = new Map(modules.map((module, at) => [module, at]));
  return Uint32Array.from(moduleOf, (module) => number.get(module)!);
}

/**
 * How much more weight lies within the modules than chance would put there:
 * Q = Σ (w_ij / m − s_i t_j / m²) over pairs within a module, with what a node sends, s,
 * receives, t, and the whole weight m.
 *
 * Source: E. A. Leicht, M. E. J. Newman, Community structure in directed networks, Phys.
 * Rev. Lett. 100, 118703 (2008), https://doi.org/10.1103/PhysRevLett.100.118703.
 */
export function modularityOf(
  { from, to, weight }: Graph,
  moduleOf: ArrayLike<number>,
): number {
  const sent: number[] = [];
  const received: number[] = [];
  let whole = 0, within = 0;
  for (let edge = 0; edge < weight.length; edge++) {
    const a = moduleOf[from[edge]!]!, b = moduleOf[to[edge]!]!;
    const w = weight[edge]!;
    whole += w;
    if (a === b) within += w;
    sent[a] = (sent[a] ?? 0) + w;
    received[b] = (received[b] ?? 0) + w;
  }
  let expected = 0;
  for (const [module, s] of sent.entries()) {
    expected += (s ?? 0) * (received[module] ?? 0);
  }
  return within / whole - expected / whole ** 2;
}
