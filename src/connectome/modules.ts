/**
 * Modules: groups of nodes that are connected with each other more than with others.
 *
 * @module
 */

import { DirectedGraph } from "npm:graphology@0.26.0";
import communities from "npm:graphology-communities-louvain@2.0.2";
import type { Graph } from "../graph/graph.ts";
import { createStream } from "../random/stream.ts";

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
 *
 * @example
 * ```ts
 * import { modulesOf } from "./src/connectome/modules.ts";
 * import { graphOfMatrix } from "./src/graph/graph.ts";
 *
 * modulesOf(graphOfMatrix([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0], 4)); // [0, 0, 1, 1]
 * ```
 */
export function modulesOf(graph: Graph): Uint32Array {
  const network = new DirectedGraph();
  for (let node = 0; node < graph.nodes; node++) network.addNode(node);
  for (let edge = 0; edge < graph.weight.length; edge++) {
    network.addDirectedEdge(graph.from[edge]!, graph.to[edge]!, {
      weight: graph.weight[edge]!,
    });
  }
  const { uniform } = createStream({ seed: 0, purpose: "topology" });
  const found = louvain(network, { rng: uniform });
  // Numbered in the order of the nodes.
  const numbers = new Map<number, number>();
  return Uint32Array.from({ length: graph.nodes }, (_, node) => {
    const module = found[node]!;
    if (!numbers.has(module)) numbers.set(module, numbers.size);
    return numbers.get(module)!;
  });
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
