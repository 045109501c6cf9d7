/**
 * The random counterpart of a scaled network (`random_w`).
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";
import {
  edgesToNetwork,
  networkToEdges,
  type NeuronEdges,
  type ScaledNetwork,
} from "./scaled_network.ts";
import { drawDistinctPlaces, shufflePlaces } from "./random_places.ts";
import { recurrentTemplate } from "./recurrent_template.ts";

/**
 * Most neurons of which all places of the matrix are permuted one by one; the
 * order of the draws changes here, so it is part of every published seed.
 */
const MOST_SHUFFLED = 4096;

/**
 * A network with the same weights in random places: all entries off the
 * diagonal, zeros included, are permuted, and the mask goes with its weights.
 * The diagonal stays. If S is symmetric, the entries below the diagonal are
 * permuted and mirrored, so that the result is symmetric too.
 *
 * The draws are those of {@linkcode randomizeEdges}.
 *
 * @example
 * ```ts
 * import { randomizeNetwork } from "./src/connectome/randomize_network.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const network = {
 *   neurons: 3,
 *   weights: Float64Array.of(0, 1, 2, 0, 0, 3, 0, 0, 0),
 *   mask: Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0),
 *   regionOf: Uint32Array.of(0, 1, 2),
 * };
 * randomizeNetwork(network, createStream({ seed: 1, purpose: "topology" }));
 * ```
 */
export function randomizeNetwork(
  network: ScaledNetwork,
  stream: RandomStream,
): ScaledNetwork {
  return edgesToNetwork(randomizeEdges(networkToEdges(network), stream));
}

/**
 * {@linkcode randomizeNetwork} for a list of connections.
 *
 * The m entries off the diagonal (below it, where S is symmetric) are numbered
 * row by row. Of a network of at most 4,096 neurons all are shuffled: draws, for
 * each of the m entries in order but the last, `integer(m − e)` (Fisher–Yates
 * from the front). Of a larger one only the entries of the k connections are, and
 * time and memory grow with k: the connections, in row-major order, are put on k
 * different entries one after the other; draws, for each, `integer(m − e)`.
 *
 * @param edges No two connections from one neuron to the same other.
 * @returns The connections with new ends, in row-major order of S.
 * @throws {RangeError} If there are more than 65,536 neurons.
 *
 * @example
 * ```ts
 * import { randomizeEdges } from "./src/connectome/randomize_network.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const edges = {
 *   neurons: 3,
 *   regionOf: Uint32Array.of(0, 1, 2),
 *   from: Uint32Array.of(0, 1),
 *   to: Uint32Array.of(1, 2),
 *   weight: Float64Array.of(1, 3),
 * };
 * randomizeEdges(edges, createStream({ seed: 1, purpose: "topology" }));
 * ```
 */
export function randomizeEdges(
  edges: NeuronEdges,
  stream: RandomStream,
): NeuronEdges {
  const { neurons: n, regionOf } = edges;
  const sorted = sortEdges(edges);
  const symmetric = isSymmetric(edges);
  const entries = symmetric ? LOWER : OFF_DIAGONAL;
  const count = entries.count(n);
  const moving = numbersOf(
    sorted,
    (from, to) => symmetric ? from > to : from !== to,
  );
  const places = n <= MOST_SHUFFLED
    ? shufflePlaces(
      moving.map((edge) =>
        entries.number(n, sorted.from[edge]!, sorted.to[edge]!)
      ),
      { count, stream },
    )
    : drawDistinctPlaces(moving.length, { count, stream });
  const kept = numbersOf(sorted, (from, to) => from === to);
  const total = kept.length + moving.length * (symmetric ? 2 : 1);
  const from = new Uint32Array(total);
  const to = new Uint32Array(total);
  const weight = new Float64Array(total);
  let made = 0;
  const add = (a: number, b: number, edge: number) => {
    from[made] = a;
    to[made] = b;
    weight[made++] = sorted.weight[edge]!;
  };
  for (const edge of kept) add(sorted.from[edge]!, sorted.to[edge]!, edge);
  for (let i = 0; i < moving.length; i++) {
    const [row, column] = entries.entry(n, places[i]!);
    add(row, column, moving[i]!);
    if (symmetric) add(column, row, moving[i]!);
  }
  return sortEdges({ neurons: n, regionOf, from, to, weight });
}

/** Whether S and its mask equal their transposes. */
export function isSymmetric(edges: NeuronEdges): boolean {
  const one = recurrentTemplate(edges, { transpose: false });
  const other = recurrentTemplate(edges, { transpose: true });
  const same = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
  };
  return same(one.start, other.start) && same(one.sender, other.sender) &&
    same(one.weights, other.weights);
}

/** The connections in row-major order of S. */
function sortEdges(edges: NeuronEdges): NeuronEdges {
  const { start, sender, weights } = recurrentTemplate(edges, {
    transpose: false,
  });
  const from = new Uint32Array(sender.length);
  for (let a = 0; a < edges.neurons; a++) from.fill(a, start[a], start[a + 1]);
  return { ...edges, from, to: sender, weight: weights };
}

/** Numbers of the connections between such neurons. */
function numbersOf(
  { from, to }: NeuronEdges,
  isOne: (from: number, to: number) => boolean,
): Uint32Array {
  const numbers = new Uint32Array(from.length);
  let count = 0;
  for (let edge = 0; edge < from.length; edge++) {
    if (isOne(from[edge]!, to[edge]!)) numbers[count++] = edge;
  }
  return numbers.subarray(0, count);
}

/** Some of a matrix's entries, numbered row by row. */
interface Entries {
  /** How many there are in [n, n]. */
  count(n: number): number;
  number(n: number, row: number, column: number): number;
  entry(n: number, number: number): readonly [row: number, column: number];
}

const OFF_DIAGONAL: Entries = {
  count: (n) => n * (n - 1),
  number: (n, row, column) =>
    row * (n - 1) + (column < row ? column : column - 1),
  entry: (n, number) => {
    const row = Math.floor(number / (n - 1));
    const column = number % (n - 1);
    return [row, column < row ? column : column + 1];
  },
};

const LOWER: Entries = {
  count: (n) => n * (n - 1) / 2,
  number: (_, row, column) => row * (row - 1) / 2 + column,
  entry: (_, number) => {
    // The root is off by less than one row where the sum is rounded.
    let row = Math.floor((1 + Math.sqrt(1 + 8 * number)) / 2);
    while (row * (row - 1) / 2 > number) row--;
    while (row * (row + 1) / 2 <= number) row++;
    return [row, number - row * (row - 1) / 2];
  },
};
