/**
 * A null model of neighbours on a ring, and shortcuts.
 *
 * @module
 */

import { type Graph, sortGraph } from "../../graph/graph.ts";
import type { RandomStream } from "../../random/stream.ts";

/** Probability that a connection to a neighbour becomes a shortcut. */
const SHORTCUTS = 0.1;

/**
 * `small_world`: nodes lie on a ring in random order, and each connects to its
 * nearest neighbours on both sides; every connection then goes to a random node
 * with a probability of 0.1, if that is free. As many connections as the biological
 * network has, with its weights in random order. Connections of a node to itself stay.
 *
 * Source: D. J. Watts, S. H. Strogatz, Collective dynamics of 'small-world'
 * networks, Nature 393, 440–442 (1998), https://doi.org/10.1038/30918.
 *
 * Draws a permutation of the nodes, one of the connections; then, for each
 * connection, a uniform number and, for a shortcut, an integer.
 */
export function ringGraph(graph: Graph, stream: RandomStream): Graph {
  const { nodes: n } = graph;
  const loop = (_: number, edge: number) => graph.from[edge] === graph.to[edge];
  const weights = graph.weight.filter((w, edge) => !loop(w, edge));
  const node = stream.permutation(n);
  const order = stream.permutation(weights.length);
  const from: number[] = [...graph.from.filter(loop)];
  const to: number[] = [...graph.to.filter(loop)];
  const weight: number[] = [...graph.weight.filter(loop)];
  const taken = new Set<number>();
  // One neighbour after the other for all nodes, so that none has two more than another.
  const ends: [number, number][] = [];
  for (let edge = 0; edge < weights.length; edge++) {
    const place = edge % n;
    const turn = Math.floor(edge / n);
    const distance = Math.floor(turn / 2) + 1;
    const other = turn % 2 === 0 ? place + distance : place - distance + n;
    ends.push([node[place]!, node[other % n]!]);
  }
  for (const [a, b] of ends) taken.add(a * n + b);
  for (const [edge, [a, b]] of ends.entries()) {
    let target = b;
    if (stream.uniform() < SHORTCUTS) {
      const drawn = stream.integer(n);
      if (drawn !== a && !taken.has(a * n + drawn)) {
        taken.delete(a * n + b);
        taken.add(a * n + drawn);
        target = drawn;
      }
    }
    from.push(a);
    to.push(target);
    weight.push(weights[order[edge]!]!);
  }
  return sortGraph({
    nodes: n,
    from: Uint32Array.from(from),
    to: Uint32Array.from(to),
    weight: Float64Array.from(weight),
  });
}
