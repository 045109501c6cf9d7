/**
 * Weighted, directed graphs: a connectome of regions, and the network of
 * neurons that is made of it; and the files that hold them as matrices.
 * Memory and time grow with the number of edges, not with the square of the
 * nodes, but where a dense matrix is asked for.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { writeNpy } from "../files/npy.ts";
import { writeSparseNpz } from "../files/npz.ts";
import {
  type Connections,
  emptyLike,
  firstOfEach,
  listConnections,
  orderBy,
  rowOfEach,
} from "./connections.ts";

/**
 * A weighted, directed graph: its edges in row-major order of its matrix
 * (rising `from`, then rising `to`); no two from one node to the same other.
 */
export interface Graph {
  /** N, the number of nodes. */
  readonly nodes: number;
  /** [n], the node each edge comes from. */
  readonly from: Uint32Array;
  /** [n], the node it goes to. */
  readonly to: Uint32Array;
  /** [n], its weight. */
  readonly weight: Float64Array;
}

/**
 * A graph of edges in any order; those of one pair of nodes are not joined.
 *
 * @example
 * ```ts
 * import { sortGraph } from "@biornn/biornn";
 *
 * sortGraph({
 *   nodes: 2,
 *   from: Uint32Array.of(1, 0),
 *   to: Uint32Array.of(0, 1),
 *   weight: Float64Array.of(5, 7),
 * }).weight; // [7, 5]
 * ```
 */
export function sortGraph(graph: Graph): Graph {
  const { start, sender, weights } = rowsOf(graph, { transpose: false });
  return {
    nodes: graph.nodes,
    from: rowOfEach(start),
    to: sender,
    weight: weights,
  };
}

/** The same numbers, with zeros after them up to a length. */
function extended<A extends Uint32Array | Float64Array>(
  numbers: A,
  length: number,
): A {
  const all = emptyLike(numbers, length);
  all.set(numbers);
  return all;
}

/** The edges of both graphs, which have none in common. */
export function joinGraphs(a: Graph, b: Graph): Graph {
  const joined = <A extends Uint32Array | Float64Array>(one: A, other: A) => {
    const all = extended(one, one.length + other.length);
    all.set(other, one.length);
    return all;
  };
  return sortGraph({
    nodes: a.nodes,
    from: joined(a.from, b.from),
    to: joined(a.to, b.to),
    weight: joined(a.weight, b.weight),
  });
}

/** The edges for which `keep` holds. */
export function filterGraph(
  { nodes, from, to, weight }: Graph,
  keep: (from: number, to: number, edge: number) => boolean,
): Graph {
  const kept = new Uint32Array(from.length);
  let count = 0;
  for (let edge = 0; edge < from.length; edge++) {
    if (keep(from[edge]!, to[edge]!, edge)) kept[count++] = edge;
  }
  const pick = <A extends Uint32Array | Float64Array>(values: A) => {
    const some = emptyLike(values, count);
    for (let i = 0; i < count; i++) some[i] = values[kept[i]!]!;
    return some;
  };
  return { nodes, from: pick(from), to: pick(to), weight: pick(weight) };
}

/** The graph with all edges reversed. */
export function transposeGraph(graph: Graph): Graph {
  return sortGraph({ ...graph, from: graph.to, to: graph.from });
}

/**
 * The graph of a matrix [N, N], row-major: an edge where an entry is not 0, or
 * where the mask is not.
 *
 * @throws {RangeError} If there are not N × N entries.
 *
 * @example
 * ```ts
 * import { graphOfMatrix } from "@biornn/biornn";
 *
 * graphOfMatrix([0, 0.5, 0, 0], 2); // an edge from node 0 to node 1, of weight 0.5
 * ```
 */
export function graphOfMatrix(
  matrix: ArrayLike<number>,
  nodes: number,
  mask: ArrayLike<number> = matrix,
): Graph {
  const { start, sender } = listConnections(
    { receivers: nodes, senders: nodes },
    mask,
  );
  const from = rowOfEach(start);
  const weight = new Float64Array(sender.length)
    .map((_, edge) => matrix[from[edge]! * nodes + sender[edge]!]!);
  return { nodes, from, to: sender, weight };
}

/**
 * The matrix [N, N] of a graph, row-major; 0 where there is no edge.
 *
 * @example
 * ```ts
 * import { loadConnectome, matrixOfGraph } from "@biornn/biornn";
 *
 * const { graph } = await loadConnectome("Synthetic_Macaque_29");
 * matrixOfGraph(graph)[2 * 29 + 5]; // from region 2 to region 5
 * ```
 */
export function matrixOfGraph(
  { nodes, from, to, weight }: Graph,
): Float64Array {
  const matrix = new Float64Array(nodes * nodes);
  for (let edge = 0; edge < weight.length; edge++) {
    matrix[from[edge]! * nodes + to[edge]!] = weight[edge]!;
  }
  return matrix;
}

/** [N, N], 1 where the graph has an edge. */
export function maskOfGraph({ nodes, from, to }: Graph): Uint8Array {
  const mask = new Uint8Array(nodes * nodes);
  for (let edge = 0; edge < from.length; edge++) {
    mask[from[edge]! * nodes + to[edge]!] = 1;
  }
  return mask;
}

/** Most nodes of which dense matrices are written: one of float32 takes 64 MiB then. */
export const MOST_DENSE_NODES = 4096;

/** Files by their names, with what gives their bytes. */
export type NamedFiles = (readonly [name: string, content: () => Uint8Array])[];

/**
 * A graph's matrix, row = from, column = to, as a file: dense with its mask, where
 * that has a name, or of many nodes sparse.
 */
export function graphFiles(
  graph: Graph,
  { dense, mask, sparse }: {
    readonly dense: string;
    readonly mask?: string;
    readonly sparse: string;
  },
): NamedFiles {
  const { nodes } = graph;
  if (nodes > MOST_DENSE_NODES) return [[sparse, () => sparseFile(graph)]];
  const shape = [nodes, nodes];
  const files: NamedFiles = [
    [dense, () => writeNpy({ shape, data: matrixOfGraph(graph) })],
  ];
  if (mask !== undefined) {
    const data = () => maskOfGraph(graph);
    files.push([mask, () => writeNpy({ shape, data: data(), boolean: true })]);
  }
  return files;
}

/** A graph's matrix as SciPy writes a sparse one, row = from, column = to. */
export function sparseFile(graph: Graph): Uint8Array {
  const { start, sender, weights } = rowsOf(graph, { transpose: false });
  return writeSparseNpz({
    shape: [graph.nodes, graph.nodes],
    start,
    column: sender,
    values: weights,
  });
}

/** Whether the matrix and its mask equal their transposes. */
export function isSymmetric(graph: Graph): boolean {
  // Nearly all graphs that are not are known by their degrees.
  const sent = firstOfEach(graph.from, graph.nodes);
  const received = firstOfEach(graph.to, graph.nodes);
  if (sent.some((first, node) => first !== received[node])) return false;
  const { from, to, weight } = transposeGraph(graph);
  return weight.every((value, edge) =>
    from[edge] === graph.from[edge] && to[edge] === graph.to[edge] &&
    value === graph.weight[edge]
  );
}

/**
 * Where W_hh may differ from 0, and the weights that give its rank order.
 * PyTorch's `weight_hh[a, b]` is the weight from neuron b to neuron a, while
 * S[a, b] is the one from a to b; so W_hh = Sᵀ.
 *
 * @param graph Edges in any order.
 * @param options `transpose` true: Sᵀ, the network as described; false: S as it
 * stands, which is the reversed network (`[net] compatibility = original`).
 */
export function rowsOf(
  { nodes: n, from, to, weight }: Graph,
  { transpose }: { readonly transpose: boolean },
): Connections & { readonly weights: Float64Array } {
  const [row, column] = transpose ? [to, from] : [from, to];
  const start = firstOfEach(row, n);
  const order = orderBy(row, {
    first: start,
    order: orderBy(column, { first: firstOfEach(column, n) }),
  });
  const sender = new Uint32Array(order.length);
  const weights = new Float64Array(order.length);
  for (let place = 0; place < order.length; place++) {
    const edge = order[place]!;
    sender[place] = column[edge]!;
    weights[place] = weight[edge]!;
  }
  return { receivers: n, senders: n, start, sender, weights };
}

/** Bytes of a connection while a network is made: sender, receiver and weight, and the same in another order. */
const BYTES_PER_CONNECTION = 32;
const MOST_MEGABYTES = 4096;

/**
 * Checks that so many connections fit into the memory that a network may take.
 *
 * @param options `what` can't be done, and what the user can do instead.
 * @throws {InputError} With both sizes in megabytes.
 */
export function checkConnections(
  count: number,
  { what, instead = "" }: { readonly what: string; readonly instead?: string },
): void {
  const megabytes = Math.ceil(count * BYTES_PER_CONNECTION / 2 ** 20);
  if (megabytes <= MOST_MEGABYTES) return;
  const [needed, allowed] = [megabytes, MOST_MEGABYTES].map((size) =>
    size.toLocaleString("en-US")
  );
  throw new InputError(
    `Cannot ${what}: ${
      (count / 1e6).toFixed(1)
    } M connections would need ${needed} MB, and allowed are ${allowed} MB${instead}`,
  );
}

/** Takes edges one by one, in any order. */
export class GraphBuilder {
  #count = 0;
  #from = new Uint32Array(1024);
  #to = new Uint32Array(1024);
  #weight = new Float64Array(1024);

  /** @throws {InputError} If there are more than memory may hold. */
  add(from: number, to: number, weight: number): void {
    if (this.#count === this.#from.length) this.#grow();
    this.#from[this.#count] = from;
    this.#to[this.#count] = to;
    this.#weight[this.#count++] = weight;
  }

  #grow(): void {
    checkConnections(this.#count + 1, { what: "hold all connections" });
    const size = 2 * this.#count + 1;
    this.#from = extended(this.#from, size);
    this.#to = extended(this.#to, size);
    this.#weight = extended(this.#weight, size);
  }

  /**
   * The graph of so many nodes, with edges of one pair summed.
   *
   * @param onJoin Told of each edge that is summed with the one before.
   * @returns The graph, and how many edges were summed with others.
   */
  build(
    nodes: number,
    onJoin: (from: number, to: number) => void = () => {},
  ): { readonly graph: Graph; readonly joined: number } {
    const { from, to, weight } = sortGraph({
      nodes,
      from: this.#from.subarray(0, this.#count),
      to: this.#to.subarray(0, this.#count),
      weight: this.#weight.subarray(0, this.#count),
    });
    let made = 0, joined = 0, alone = true;
    for (let edge = 0; edge < from.length; edge++) {
      const last = made - 1;
      if (last >= 0 && from[last] === from[edge] && to[last] === to[edge]) {
        onJoin(from[edge]!, to[edge]!);
        weight[last]! += weight[edge]!;
        joined += alone ? 2 : 1;
        alone = false;
        continue;
      }
      from[made] = from[edge]!;
      to[made] = to[edge]!;
      weight[made++] = weight[edge]!;
      alone = true;
    }
    const graph = { nodes, from, to, weight };
    return {
      graph: joined === 0
        ? graph
        : filterGraph(graph, (_, __, edge) => edge < made),
      joined,
    };
  }
}
