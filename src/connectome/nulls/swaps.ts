/**
 * Null models that exchange the ends of connections, so that every node keeps
 * the number it sends and the number it receives, and those that exchange their weights.
 *
 * Where ends are exchanged, a connection keeps its sender and its weight, and gets
 * another receiver: so the weight that each node sends is kept as well. Connections of a
 * node to itself stay.
 *
 * @module
 */

import { firstOfEach } from "../../graph/connections.ts";
import { type Graph, isSymmetric } from "../../graph/graph.ts";
import type { RandomStream } from "../../random/stream.ts";
import { type PairSet, pairsOf, rewire } from "./pairs.ts";

/** Swaps that are made, for each connection, and tries of a lattice. */
const SWAPS_PER_CONNECTION = 10;
const TRIES_OF_LATTICE = 50;
/** One try in so many is a cycle of three that may be turned round. */
const CYCLE_EVERY = 10;
/** Tries for each swap that is wanted, and at least: of a graph that is nearly complete few swaps are possible. */
const MOST_TRIES = 50;
const LEAST_TRIES = 1_000_000;
/** More tries than connections, at most, after the last swap that was wanted. */
const MORE_TRIES = 100;

/**
 * `degrees`: two connections a → b and c → d become a → d and c → b, again and
 * again, where neither exists and neither is from a node to itself. A cycle
 * a → b → c → a is turned round now and then, where none of its connections has
 * one the other way: without it some graphs could not be reached.
 *
 * What is counted is the swaps, not the tries, so that dense graphs are mixed
 * as well as sparse ones; a nearly complete one, which allows few swaps, ends
 * after 50 tries for each swap that was wanted, or a million.
 *
 * Of a symmetric graph both ways of a connection move together.
 *
 * Sources: S. Maslov, K. Sneppen, Specificity and stability in topology of
 * protein networks, Science 296, 910–913 (2002),
 * https://doi.org/10.1126/science.1065103; A. R. Rao, R. Jana, S. Bandyopadhyay,
 * A Markov chain Monte Carlo method for generating random (0, 1)-matrices with
 * given marginals, Sankhyā A 58, 225–242 (1996), for the cycles.
 */
export function swapConnections(graph: Graph, stream: RandomStream): Graph {
  if (isSymmetric(graph)) return swapKeepingPairs(graph, stream);
  return rewire(graph, (between) => {
    const ends = new Ends(between);
    tryToSwap(
      between,
      stream,
      (first, attempt) =>
        attempt % CYCLE_EVERY === 0
          ? ends.turnCycle(first, stream)
          : ends.exchange(first, stream.integer(between.from.length)),
    );
    return between;
  });
}

/**
 * Tries until so many swaps are made, or tried in vain. Then it tries on for a
 * while, at random for how long: to stop at a swap would favour graphs that are left easily, and
 * graphs that only an even number of swaps leads to.
 */
function tryToSwap(
  { from }: Graph,
  stream: RandomStream,
  attemptSwap: (first: number, attempt: number) => boolean,
): void {
  const count = from.length;
  const nodes = (from.at(-1) ?? 0) + 1;
  if (count < 2 || count === nodes * (nodes - 1)) return;
  const wanted = SWAPS_PER_CONNECTION * count;
  const tries = Math.max(MOST_TRIES * wanted, LEAST_TRIES);
  let made = 0;
  let attempt = 0;
  for (; made < wanted && attempt < tries; attempt++) {
    if (attemptSwap(stream.integer(count), attempt)) made++;
  }
  const end = attempt + count + stream.integer(count + MORE_TRIES);
  for (; attempt < end; attempt++) {
    attemptSwap(stream.integer(count), attempt);
  }
}

/**
 * `reciprocity`: as {@linkcode swapConnections}, but connections that go both
 * ways and those that go one way are exchanged among themselves: so every node
 * keeps how many partners it has both ways, too.
 *
 * Source: D. Garlaschelli, M. I. Loffredo, Patterns of link reciprocity in
 * directed networks, Phys. Rev. Lett. 93, 268701 (2004),
 * https://doi.org/10.1103/PhysRevLett.93.268701.
 */
export function swapKeepingPairs(graph: Graph, stream: RandomStream): Graph {
  return rewire(graph, (between) => {
    const { from, to, weight } = between;
    const ends = new Ends(between);
    const before = ends.mates();
    const mate = before.slice();
    const singles: number[] = [];
    const mutual: number[] = [];
    for (const [edge, back] of mate.entries()) {
      if (back < 0) singles.push(edge);
      else mutual.push(edge);
    }
    const connected = (a: number, b: number) =>
      ends.has(a, b) || ends.has(b, a);
    tryToSwap(between, stream, (first, attempt) => {
      const back = mate[first]!;
      if (attempt % CYCLE_EVERY === 0) {
        return back < 0 && ends.turnCycle(first, stream);
      }
      const alike = back < 0 ? singles : mutual;
      const second = alike[stream.integer(alike.length)]!;
      const a = from[first]!, b = to[first]!;
      const c = from[second]!, d = to[second]!;
      if (
        a === c || a === d || b === c || b === d || connected(a, d) ||
        connected(c, b)
      ) return false;
      const forth = mate[second]!;
      ends.move(first, d);
      ends.move(second, b);
      if (back < 0) return true;
      // b → a becomes b → c, and d → c becomes d → a.
      ends.move(back, c);
      ends.move(forth, a);
      mate[first] = forth;
      mate[forth] = first;
      mate[second] = back;
      mate[back] = second;
      return true;
    });
    if (isSymmetric(graph)) {
      // Both ways of a connection get one weight, that of a pair of before.
      const weights = weight.filter((_, edge) => edge < before[edge]!).values();
      mate.forEach((other, edge) => {
        if (edge > other) return;
        weight[edge] = weight[other] = weights.next().value!;
      });
    }
    return between;
  });
}

/**
 * `lattice`: nodes lie on a ring in random order, and two connections exchange
 * their receivers wherever that makes both together shorter. What comes out is
 * as near to a ring lattice as its degrees allow.
 *
 * Source: O. Sporns, J. D. Zwi, The small world of the cerebral cortex,
 * Neuroinformatics 2, 145–162 (2004), https://doi.org/10.1385/NI:2:2:145.
 *
 * Draws a permutation of the nodes, then two integers a try, 50 tries a connection.
 */
export function latticeConnections(graph: Graph, stream: RandomStream): Graph {
  return rewire(graph, (between) => {
    const { nodes: n, from, to } = between;
    const count = from.length;
    const ends = new Ends(between);
    const place = stream.permutation(n);
    const length = (a: number, b: number) => {
      const apart = Math.abs(place[a]! - place[b]!);
      return Math.min(apart, n - apart);
    };
    const tries = count < 2 ? 0 : TRIES_OF_LATTICE * count;
    for (let attempt = 0; attempt < tries; attempt++) {
      const first = stream.integer(count);
      const second = stream.integer(count);
      const a = from[first]!, b = to[first]!;
      const c = from[second]!, d = to[second]!;
      if (length(a, d) + length(c, b) < length(a, b) + length(c, d)) {
        ends.exchange(first, second);
      }
    }
    return between;
  });
}

/**
 * `weights`: the same connections with their weights permuted; what is left is the
 * topology. Connections of a node to itself take part.
 *
 * Source: T. Opsahl, V. Colizza, P. Panzarasa, J. J. Ramasco, Prominence and
 * control: the weighted rich-club effect, Phys. Rev. Lett. 101, 168702 (2008),
 * https://doi.org/10.1103/PhysRevLett.101.168702.
 *
 * Draws one `permutation` of the number of connections, in row-major order.
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
  const { nodes, from, to, weight } = swapConnections(graph, stream);
  const values = weight.slice();
  // Received now, less what is to be received.
  const excess = new Float64Array(nodes);
  for (let edge = 0; edge < values.length; edge++) {
    excess[to[edge]!]! += values[edge]!;
    excess[graph.to[edge]!]! -= graph.weight[edge]!;
  }
  const first = firstOfEach(from, nodes);
  const movable: number[] = [];
  from.forEach((sender, edge) => {
    // A connection of a node to itself keeps its weight.
    if (first[sender + 1]! - first[sender]! > 1 && to[edge] !== sender) {
      movable.push(edge);
    }
  });
  let temperature = 0;
  for (const value of excess) temperature += value * value / nodes;
  const tries = TRIES_PER_CONNECTION * movable.length;
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt % Math.ceil(tries / STAGES) === 0) temperature *= COOLING;
    const one = movable[stream.integer(movable.length)]!;
    const sender = from[one]!;
    const begin = first[sender]!;
    const other = begin + stream.integer(first[sender + 1]! - begin);
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

/** The ends of connections between different nodes: their receivers are moved in place. */
class Ends {
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  /** [N + 1]: where each sender's connections begin. */
  readonly #first: Uint32Array;
  readonly #pairs: PairSet;

  constructor(graph: Graph) {
    this.#from = graph.from;
    this.#to = graph.to;
    this.#first = firstOfEach(graph.from, graph.nodes);
    this.#pairs = pairsOf(graph);
  }

  has(from: number, to: number): boolean {
    return this.#pairs.has(from, to);
  }

  move(edge: number, to: number): void {
    this.#pairs.delete(this.#from[edge]!, this.#to[edge]!);
    this.#pairs.add(this.#from[edge]!, to);
    this.#to[edge] = to;
  }

  /** Exchanges the receivers of a → b and c → d, if a → d and c → b are free. */
  exchange(first: number, second: number): boolean {
    const a = this.#from[first]!, b = this.#to[first]!;
    const c = this.#from[second]!, d = this.#to[second]!;
    // Where a = c or b = d, one of the new connections is there already.
    if (a === d || c === b || this.has(a, d) || this.has(c, b)) return false;
    this.move(first, d);
    this.move(second, b);
    return true;
  }

  /** The number of the connection from a to b, which is there. */
  #numberOf(a: number, b: number): number {
    let edge = this.#first[a]!;
    while (this.#to[edge] !== b) edge++;
    return edge;
  }

  /** Turns a cycle of three round that begins with the connection, if a drawn way leads back to it. */
  turnCycle(first: number, stream: RandomStream): boolean {
    const a = this.#from[first]!, b = this.#to[first]!;
    const begin = this.#first[b]!;
    const sent = this.#first[b + 1]! - begin;
    if (sent === 0) return false;
    const second = begin + stream.integer(sent);
    const c = this.#to[second]!;
    if (
      c === a || !this.has(c, a) || this.has(a, c) || this.has(c, b) ||
      this.has(b, a)
    ) return false;
    const third = this.#numberOf(c, a);
    this.move(first, c);
    this.move(second, a);
    this.move(third, b);
    return true;
  }

  /** [n]: the number of the connection the other way; −1 where there is none. */
  mates(): Int32Array {
    const mate = new Int32Array(this.#from.length).fill(-1);
    for (const [edge, a] of this.#from.entries()) {
      const b = this.#to[edge]!;
      if (mate[edge]! >= 0 || !this.has(b, a)) continue;
      mate[edge] = this.#numberOf(b, a);
      mate[mate[edge]!] = edge;
    }
    return mate;
  }
}
