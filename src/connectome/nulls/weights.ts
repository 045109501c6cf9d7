/**
 * Null models that move weights: on the connections there are, or on random ones
 * until every node has the strengths it had.
 *
 * @module
 */

import type { Graph } from "../../graph/graph.ts";
import type { RandomStream } from "../../random/stream.ts";
import { swapConnections } from "./swaps.ts";

/**
 * `weights`: the same connections with their weights permuted; what is left is the
 * topology. Connections of a node to itself take part.
 *
 * Source: T. Opsahl, V. Colizza, P. Panzarasa, J. J. Ramasco, Prominence and
 * control: the weighted rich-club effect, Phys. Rev. Lett. 101, 168702 (2008),
 * https://doi.org/10.1103/PhysRevLett.101.168702.
 *
 * Draws one `permutation` of the number of connections, in row-major order.
 *
 * @example
 * ```ts
 * import { permuteWeights } from "./src/connectome/nulls/weights.ts";
 * import { graphOfMatrix } from "./src/graph/graph.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const stream = createStream({ seed: 1, purpose: "topology" });
 * permuteWeights(graphOfMatrix([0, 1, 2, 0], 2), stream);
 * ```
 */
export function permuteWeights(graph: Graph, stream: RandomStream): Graph {
  const order = stream.permutation(graph.weight.length);
  const weight = graph.weight.map((_, edge) => graph.weight[order[edge]!]!);
  return { ...graph, weight };
}

/** Exchanges of weights that are tried, for each connection, and stages of cooling. */
const TRIES_PER_CONNECTION = 100;
const STAGES = 60;
/** What is left of the temperature after a stage. */
const COOLING = 0.75;

/**
 * `strengths`: random connections with the degrees of the biological ones
 * ({@linkcode swapConnections}), whose weights are then exchanged so that every node
 * receives the weight it received, as nearly as the weights allow: where few heavy
 * ones make up most of what a node receives, some difference remains. Weights are exchanged between two
 * connections of one sender, so that the weight each node sends is kept exactly.
 * An exchange is taken if it brings the received weights nearer, or with a probability
 * that falls as the temperature does (simulated annealing).
 *
 * Source: F. Milisav, V. Bazinet, R. F. Betzel, B. Misic, A simulated annealing
 * algorithm for randomizing weighted networks, Nat. Comput. Sci. 5, 48–64 (2025),
 * https://doi.org/10.1038/s43588-024-00735-z.
 *
 * Draws those of {@linkcode swapConnections}; then two integers a try, and a uniform
 * number where the exchange would lead away.
 */
export function annealStrengths(graph: Graph, stream: RandomStream): Graph {
  const { nodes, from, to, weight } = swapConnections(graph, { stream });
  const values = weight.slice();
  // Received now, less what is to be received.
  const excess = new Float64Array(nodes);
  for (let edge = 0; edge < values.length; edge++) {
    excess[to[edge]!]! += values[edge]!;
    excess[graph.to[edge]!]! -= graph.weight[edge]!;
  }
  const movable: number[] = [];
  const first = new Uint32Array(nodes);
  const last = new Uint32Array(nodes);
  for (let edge = 0; edge < values.length; edge++) {
    if (edge === 0 || from[edge] !== from[edge - 1]) first[from[edge]!] = edge;
    last[from[edge]!] = edge + 1;
  }
  for (let edge = 0; edge < values.length; edge++) {
    const sender = from[edge]!;
    // A connection of a node to itself keeps its weight.
    if (last[sender]! - first[sender]! > 1 && to[edge] !== sender) {
      movable.push(edge);
    }
  }
  let temperature = 0;
  for (const value of excess) temperature += value * value / nodes;
  const tries = TRIES_PER_CONNECTION * movable.length;
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt % Math.ceil(tries / STAGES) === 0) temperature *= COOLING;
    const one = movable[stream.integer(movable.length)]!;
    const sender = from[one]!;
    const begin = first[sender]!;
    const other = begin + stream.integer(last[sender]! - begin);
    const a = to[one]!, b = to[other]!;
    if (one === other || b === sender) continue;
    const change = values[other]! - values[one]!;
    const ea = excess[a]!, eb = excess[b]!;
    const worse = 2 * change * (ea - eb + change);
    if (worse > 0 && !(stream.uniform() < Math.exp(-worse / temperature))) {
      continue;
    }
    excess[a] = ea + change;
    excess[b] = eb - change;
    const kept = values[one]!;
    values[one] = values[other]!;
    values[other] = kept;
  }
  return { nodes, from, to, weight: values };
}
