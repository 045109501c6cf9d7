/**
 * Null models that put connections on other places of the matrix.
 *
 * @module
 */

import {
  type Graph,
  GraphBuilder,
  isSymmetric,
  sortGraph,
} from "../../graph/graph.ts";
import type { RandomStream } from "../../random/stream.ts";
import { PairTable } from "./swaps.ts";

/**
 * Most nodes of which all places of the matrix are permuted one by one; the
 * order of the draws changes here, so it is part of every published seed.
 */
const MOST_SHUFFLED = 4096;

/**
 * `permute`: the same weights in random places (`random_w`). All entries off the
 * diagonal, zeros included, are permuted; the diagonal stays. If the matrix is
 * symmetric, the entries below the diagonal are permuted and mirrored, so that
 * the result is symmetric too.
 *
 * Source: A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated recurrent
 * neural networks, Neural Networks 142, 608–618 (2021),
 * https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * The m entries off the diagonal (below it, where the matrix is symmetric) are
 * numbered row by row. Of a graph of at most 4,096 nodes all are shuffled: draws, for
 * each of the m entries in order but the last, `integer(m − e)` (Fisher–Yates
 * from the front). Of a larger one only the entries of the k connections are, and
 * time and memory grow with k: the connections, in row-major order, are put on k
 * different entries one after the other; draws, for each, `integer(m − e)`.
 */
export function permutePlaces(graph: Graph, stream: RandomStream): Graph {
  const { nodes: n } = graph;
  const symmetric = isSymmetric(graph);
  const entries = symmetric ? LOWER : OFF_DIAGONAL;
  const moving = numbersOf(
    graph,
    (from, to) => symmetric ? from > to : from !== to,
  );
  const count = entries.count(n);
  const places = n <= MOST_SHUFFLED
    ? shufflePlaces(
      moving.map((edge) =>
        entries.number(n, graph.from[edge]!, graph.to[edge]!)
      ),
      { count, stream },
    )
    : drawDistinctPlaces(moving.length, { count, stream });
  const kept = numbersOf(graph, (from, to) => from === to);
  const made = new GraphBuilder(
    kept.length + moving.length * (symmetric ? 2 : 1),
  );
  const { from, to, weight } = graph;
  for (const edge of kept) made.add(from[edge]!, to[edge]!, weight[edge]!);
  for (let i = 0; i < moving.length; i++) {
    const [row, column] = entries.entry(n, places[i]!);
    made.add(row, column, weight[moving[i]!]!);
    if (symmetric) made.add(column, row, weight[moving[i]!]!);
  }
  return made.build(n).graph;
}

/**
 * `permute` within groups of places: a place keeps to its group. Connections
 * of a node to itself stay.
 *
 * Groups are gone through by rising number; in each, the connections in row-major
 * order are put on different places of the group, numbered in row-major order.
 *
 * @param groupOf Number of the group of the place (a, b), from 0 to `groups` − 1.
 */
export function permuteWithinGroups(
  graph: Graph,
  { groups, groupOf, stream }: {
    readonly groups: number;
    readonly groupOf: (a: number, b: number) => number;
    readonly stream: RandomStream;
  },
): Graph {
  const { nodes: n, from, to, weight } = graph;
  const placesOf: number[][] = Array.from({ length: groups }, () => []);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      if (a !== b) placesOf[groupOf(a, b)]!.push(a * n + b);
    }
  }
  const edgesOf: number[][] = Array.from({ length: groups }, () => []);
  const made = new GraphBuilder(weight.length);
  for (let edge = 0; edge < weight.length; edge++) {
    const [a, b] = [from[edge]!, to[edge]!];
    if (a === b) made.add(a, b, weight[edge]!);
    else edgesOf[groupOf(a, b)]!.push(edge);
  }
  for (const [group, edges] of edgesOf.entries()) {
    const places = placesOf[group]!;
    const drawn = drawDistinctPlaces(edges.length, {
      count: places.length,
      stream,
    });
    for (const [i, edge] of edges.entries()) {
      const place = places[drawn[i]!]!;
      made.add(Math.floor(place / n), place % n, weight[edge]!);
    }
  }
  return made.build(n).graph;
}

/**
 * `permute` within blocks: each connection from a node of module g to one of
 * module h is put on another place of that block, so that the number of
 * connections of every block, and their weights, are kept.
 *
 * Source: P. W. Holland, K. B. Laskey, S. Leinhardt, Stochastic blockmodels: first
 * steps, Social Networks 5, 109–137 (1983), https://doi.org/10.1016/0378-8733(83)90021-7.
 *
 * Blocks are gone through row by row; in each, draws one integer for each of
 * its connections.
 *
 * @param moduleOf [N], the number of each node's module.
 */
export function permuteBlocks(
  graph: Graph,
  { moduleOf, stream }: {
    readonly moduleOf: ArrayLike<number>;
    readonly stream: RandomStream;
  },
): Graph {
  const { nodes: n, from, to, weight } = graph;
  const members: number[][] = [];
  /** The place of a node among those of its module. */
  const rank = new Uint32Array(n);
  for (let a = 0; a < n; a++) {
    const own = members[moduleOf[a]!] ??= [];
    rank[a] = own.length;
    own.push(a);
  }
  const modules = members.length;
  const edgesOf = new Map<number, number[]>();
  const made = new GraphBuilder(weight.length);
  for (let edge = 0; edge < weight.length; edge++) {
    const [a, b] = [from[edge]!, to[edge]!];
    if (a === b) {
      made.add(a, b, weight[edge]!);
      continue;
    }
    const block = moduleOf[a]! * modules + moduleOf[b]!;
    const edges = edgesOf.get(block);
    if (edges === undefined) edgesOf.set(block, [edge]);
    else edges.push(edge);
  }
  const blocks = [...edgesOf.keys()].sort((a, b) => a - b);
  for (const block of blocks) {
    const rows = members[Math.floor(block / modules)]!;
    const columns = members[block % modules]!;
    const within = rows === columns;
    // Within a module a node is no target of its own.
    const width = columns.length - (within ? 1 : 0);
    const edges = edgesOf.get(block)!;
    const drawn = drawDistinctPlaces(edges.length, {
      count: rows.length * width,
      stream,
    });
    for (const [i, edge] of edges.entries()) {
      const row = Math.floor(drawn[i]! / width);
      const column = drawn[i]! % width;
      made.add(
        rows[row]!,
        columns[within && column >= row ? column + 1 : column]!,
        weight[edge]!,
      );
    }
  }
  return made.build(n).graph;
}

/**
 * `erdos_renyi`: each possible connection exists with the same probability, the
 * density of the biological network, on its own; weights are drawn from the
 * biological ones, with repetition. Connections of a node to itself stay.
 *
 * Sources: E. N. Gilbert, Random graphs, Ann. Math. Stat. 30, 1141–1144 (1959),
 * https://doi.org/10.1214/aoms/1177706098; V. Batagelj, U. Brandes, Efficient
 * generation of large random networks, Phys. Rev. E 71, 036113 (2005),
 * https://doi.org/10.1103/PhysRevE.71.036113, for the time that grows with
 * the connections alone.
 *
 * Draws, for each connection in row-major order, a uniform number for the
 * places that are skipped and an integer for its weight; then one more uniform number.
 */
export function randomGraph(graph: Graph, stream: RandomStream): Graph {
  const { nodes: n, from, to, weight } = graph;
  const loops = numbersOf(graph, (a, b) => a === b);
  const between = numbersOf(graph, (a, b) => a !== b);
  const count = OFF_DIAGONAL.count(n);
  const logAbsent = Math.log1p(-between.length / count);
  const places: number[] = [];
  const weights: number[] = [];
  for (let place = -1; between.length > 0;) {
    place += 1 + Math.floor(Math.log1p(-stream.uniform()) / logAbsent);
    // With all connections there, none is skipped: 0 / −∞.
    if (!(place < count)) break;
    places.push(place);
    weights.push(weight[between[stream.integer(between.length)]!]!);
  }
  const made = new GraphBuilder(loops.length + places.length);
  for (const edge of loops) made.add(from[edge]!, to[edge]!, weight[edge]!);
  for (const [i, place] of places.entries()) {
    made.add(...OFF_DIAGONAL.entry(n, place), weights[i]!);
  }
  return made.build(n).graph;
}

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
  const taken = new PairTable(weights.length);
  // One neighbour after the other for all nodes, so that none has two more than another.
  const ends: [number, number][] = [];
  for (let edge = 0; edge < weights.length; edge++) {
    const place = edge % n;
    const turn = Math.floor(edge / n);
    const distance = Math.floor(turn / 2) + 1;
    const other = turn % 2 === 0 ? place + distance : place - distance + n;
    ends.push([node[place]!, node[other % n]!]);
  }
  for (const [a, b] of ends) taken.add(a, b);
  for (const [edge, [a, b]] of ends.entries()) {
    let target = b;
    if (stream.uniform() < SHORTCUTS) {
      const drawn = stream.integer(n);
      if (drawn !== a && !taken.has(a, drawn)) {
        taken.delete(a, b);
        taken.add(a, drawn);
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

/** Numbers of the connections between such nodes. */
function numbersOf(
  { from, to }: Graph,
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

/** What is drawn from. */
interface PlaceOptions {
  /** Number of places, at most 2⁵³. */
  readonly count: number;
  readonly stream: RandomStream;
}

/**
 * Where things come to lie when all places, the empty ones too, are shuffled.
 * Takes memory and time for every place.
 *
 * Draws `integer(count − p)` for each place p in order but the last.
 *
 * @param places The different places where the things lie.
 */
export function shufflePlaces(
  places: Uint32Array,
  { count, stream }: PlaceOptions,
): Uint32Array {
  // Number of the thing that lies in a place, from 1; 0 where there is none.
  const things = new Uint32Array(count);
  for (let i = 0; i < places.length; i++) things[places[i]!] = i + 1;
  for (let here = 0; here < count - 1; here++) {
    const there = here + stream.integer(count - here);
    const thing = things[here]!;
    things[here] = things[there]!;
    things[there] = thing;
  }
  const shuffled = new Uint32Array(places.length);
  for (let place = 0; place < count; place++) {
    const thing = things[place]!;
    if (thing > 0) shuffled[thing - 1] = place;
  }
  return shuffled;
}

/**
 * Different places, in random order. Takes memory and time for what is drawn
 * alone: a Fisher–Yates shuffle that keeps only the places that were moved.
 *
 * Draws `integer(count − i)` for each i of 0…amount − 1; of more than 2³² places a number
 * from 0 to below that many is made of two integers, its upper and lower 32 bits, which are drawn again where it is too large.
 *
 * @throws {RangeError} If there are not so many places, or more than 2⁵³.
 */
export function drawDistinctPlaces(
  amount: number,
  { count, stream }: PlaceOptions,
): Uint32Array | Float64Array {
  if (amount > count || count > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(
      `Cannot draw ${amount} different places of ${count}: there must be so many, and at most 2^53`,
    );
  }
  const wide = count > 2 ** 32;
  const moved = createPlaceTable(amount, wide);
  const drawn = new (wide ? Float64Array : Uint32Array)(amount);
  for (let i = 0; i < amount; i++) {
    const j = i + (wide ? wideInteger : stream.integer)(count - i, stream);
    drawn[i] = moved.get(j);
    moved.set(j, moved.get(i));
  }
  return drawn;
}

/** A number from 0 to below the bound, which may be above 2³². */
function wideInteger(bound: number, { integer }: RandomStream): number {
  const upper = Math.ceil(bound / 2 ** 32);
  for (;;) {
    const drawn = integer(upper) * 2 ** 32 + integer(2 ** 32);
    if (drawn < bound) return drawn;
  }
}

/** For each place the one that lies there now; at first each holds itself. */
interface PlaceTable {
  get(place: number): number;
  set(place: number, value: number): void;
}

/** Holds at most so many places; a `Map` would end at 2²⁴. */
function createPlaceTable(capacity: number, wide: boolean): PlaceTable {
  let bits = 1;
  while (2 ** bits < 2 * capacity) bits++;
  const size = 2 ** bits;
  const places = new (wide ? Float64Array : Uint32Array)(size);
  const values = new (wide ? Float64Array : Uint32Array)(size);
  const taken = new Uint8Array(size);

  /** Where the place is, or may be put. */
  function slotOf(place: number): number {
    // Knuth's multiplicative hash: neighbouring places lie far apart.
    const mixed = place ^ Math.imul(Math.floor(place / 2 ** 32), 0x85EBCA6B);
    let slot = Math.imul(mixed, 0x9E3779B1) >>> (32 - bits);
    while (taken[slot] === 1 && places[slot] !== place) {
      slot = slot + 1 === size ? 0 : slot + 1;
    }
    return slot;
  }

  return {
    get: (place) => {
      const slot = slotOf(place);
      return taken[slot] === 1 ? values[slot]! : place;
    },
    set: (place, value) => {
      const slot = slotOf(place);
      taken[slot] = 1;
      places[slot] = place;
      values[slot] = value;
    },
  };
}
