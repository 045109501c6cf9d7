/**
 * What a graph looks like in a few numbers.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { type Graph, isSymmetric, transposeGraph } from "../graph/graph.ts";

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
 * import { graphMeasures } from "./src/connectome/measures.ts";
 * import { graphOfMatrix } from "./src/graph/graph.ts";
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
