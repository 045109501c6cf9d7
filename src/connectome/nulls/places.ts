/**
 * Null models that put connections on other places of the matrix.
 *
 * @module
 */

import {
  filterGraph,
  type Graph,
  isSymmetric,
  joinGraphs,
  transposeGraph,
} from "../../graph/graph.ts";
import type { RandomStream } from "../../random/stream.ts";
import { PairTable, rewire } from "./pairs.ts";

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
  const { count, number, entry } = symmetric ? LOWER : OFF_DIAGONAL;
  return rewire(graph, (between) => {
    const moving = symmetric ? filterGraph(between, (a, b) => a > b) : between;
    const { from, to } = moving;
    const options = { count: count(n), stream };
    const places = n <= MOST_SHUFFLED
      ? shufflePlaces(
        from.map((row, edge) => number(n, row, to[edge]!)),
        options,
      )
      : drawDistinctPlaces(from.length, options);
    for (let edge = 0; edge < places.length; edge++) {
      [from[edge], to[edge]] = entry(n, places[edge]!);
    }
    return symmetric ? joinGraphs(moving, transposeGraph(moving)) : moving;
  });
}

/** Places that connections keep to. */
interface PlaceGroup {
  readonly count: number;
  /** The place of each number below that. */
  readonly entry: (number: number) => readonly [row: number, column: number];
}

/**
 * `permute` within groups of places: each connection keeps to its group.
 *
 * Groups are gone through by rising number; in each, the connections in row-major
 * order are put on different places of the group.
 */
function permuteWithinGroups(
  graph: Graph,
  groupOf: (a: number, b: number) => number,
  placesOf: (group: number) => PlaceGroup,
  stream: RandomStream,
): Graph {
  return rewire(graph, (between) => {
    const { from, to } = between;
    const edgesOf = Map.groupBy(
      from.keys(),
      (edge) => groupOf(from[edge]!, to[edge]!),
    );
    for (const group of [...edgesOf.keys()].sort((a, b) => a - b)) {
      const edges = edgesOf.get(group)!;
      const { count, entry } = placesOf(group);
      const drawn = drawDistinctPlaces(edges.length, { count, stream });
      for (const [i, edge] of edges.entries()) {
        [from[edge], to[edge]] = entry(drawn[i]!);
      }
    }
    return between;
  });
}

/** Bins of equal numbers of pairs that distances are sorted into. */
const LENGTH_BINS = 10;

/**
 * `length`: each connection is put on a pair of nodes about as far from each other; the
 * pairs of each bin of distances are numbered in row-major order.
 *
 * @param distances [N, N]
 */
export function permuteWithinLengths(
  graph: Graph,
  { distances, stream }: {
    readonly distances: Float64Array;
    readonly stream: RandomStream;
  },
): Graph {
  const { nodes: n } = graph;
  const pairs = [...distances.keys()]
    .filter((pair) => Math.floor(pair / n) !== pair % n);
  const binOf = new Uint8Array(distances.length);
  const ranked = pairs.toSorted((a, b) =>
    distances[a]! - distances[b]! || a - b
  );
  for (const [rank, pair] of ranked.entries()) {
    binOf[pair] = Math.floor(rank * LENGTH_BINS / pairs.length);
  }
  return permuteWithinGroups(graph, (a, b) => binOf[a * n + b]!, (bin) => {
    const places = pairs.filter((pair) => binOf[pair] === bin);
    return {
      count: places.length,
      entry: (number) => [
        Math.floor(places[number]! / n),
        places[number]! % n,
      ],
    };
  }, stream);
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
    readonly moduleOf: Uint32Array;
    readonly stream: RandomStream;
  },
): Graph {
  const members: number[][] = [];
  moduleOf.forEach((module, node) => (members[module] ??= []).push(node));
  const modules = members.length;
  const blockOf = (a: number, b: number) =>
    moduleOf[a]! * modules + moduleOf[b]!;
  return permuteWithinGroups(graph, blockOf, (block) => {
    const rows = members[Math.floor(block / modules)]!;
    const columns = members[block % modules]!;
    // Within a module a node is no target of its own.
    const within = rows === columns;
    const width = columns.length - Number(within);
    return {
      count: rows.length * width,
      entry: (number) => {
        const row = Math.floor(number / width);
        const column = number % width;
        return [rows[row]!, columns[column + Number(within && column >= row)]!];
      },
    };
  }, stream);
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
  return rewire(graph, ({ nodes: n, weight }) => {
    const count = OFF_DIAGONAL.count(n);
    const logAbsent = Math.log1p(-weight.length / count);
    const from: number[] = [];
    const to: number[] = [];
    const weights: number[] = [];
    for (let place = -1; weight.length > 0;) {
      place += 1 + Math.floor(Math.log1p(-stream.uniform()) / logAbsent);
      // With all connections there, none is skipped: 0 / −∞.
      if (!(place < count)) break;
      const [row, column] = OFF_DIAGONAL.entry(n, place);
      from.push(row);
      to.push(column);
      weights.push(weight[stream.integer(weight.length)]!);
    }
    return {
      nodes: n,
      from: Uint32Array.from(from),
      to: Uint32Array.from(to),
      weight: Float64Array.from(weights),
    };
  });
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
  return rewire(graph, ({ nodes: n, from, to, weight }) => {
    const node = stream.permutation(n);
    const order = stream.permutation(weight.length);
    const taken = new PairTable(weight.length);
    for (let edge = 0; edge < weight.length; edge++) {
      // One neighbour after the other for all nodes, so that none has two more than another.
      const place = edge % n;
      const turn = Math.floor(edge / n);
      const distance = Math.floor(turn / 2) + 1;
      const other = turn % 2 === 0 ? place + distance : place - distance + n;
      from[edge] = node[place]!;
      to[edge] = node[other % n]!;
      taken.add(from[edge]!, to[edge]!);
    }
    for (const [edge, a] of from.entries()) {
      if (!(stream.uniform() < SHORTCUTS)) continue;
      const drawn = stream.integer(n);
      if (drawn === a || taken.has(a, drawn)) continue;
      taken.delete(a, to[edge]!);
      taken.add(a, drawn);
      to[edge] = drawn;
    }
    const weights = weight.map((_, edge) => weight[order[edge]!]!);
    return { nodes: n, from, to, weight: weights };
  });
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
  const integer = wide ? wideInteger : stream.integer;
  const moved = new PairTable(amount);
  /** What lies now in the places that were moved; in all others each lies itself. */
  const values = new (wide ? Float64Array : Uint32Array)(moved.size);
  const drawn = new (wide ? Float64Array : Uint32Array)(amount);
  const slotOf = (place: number) =>
    moved.find(place >>> 0, Math.floor(place / 2 ** 32));
  const valueIn = (place: number) => {
    const slot = slotOf(place);
    return moved.isFree(slot) ? place : values[slot]!;
  };
  for (let i = 0; i < amount; i++) {
    const j = i + integer(count - i, stream);
    drawn[i] = valueIn(j);
    const value = valueIn(i);
    values[moved.add(j >>> 0, Math.floor(j / 2 ** 32))] = value;
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
