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

import {
  filterGraph,
  type Graph,
  isSymmetric,
  joinGraphs,
} from "../../graph/graph.ts";
import { firstOfEach } from "../../graph/connections.ts";
import type { RandomStream } from "../../random/stream.ts";

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
  if (isSymmetric(graph)) {
    return swapKeepingPairs(graph, stream);
  }
  const ends = new Ends(graph);
  const { count, from, to } = ends;
  tryToSwap(ends, stream, (first, attempt) => {
    if (attempt % CYCLE_EVERY === 0) return ends.turnCycle(first, stream);
    const second = stream.integer(count);
    const a = from[first]!, b = to[first]!;
    const c = from[second]!, d = to[second]!;
    // Where a = c or b = d, one of the new connections is there already.
    if (a === d || c === b || ends.has(a, d) || ends.has(c, b)) return false;
    ends.move(first, d);
    ends.move(second, b);
    return true;
  });
  return ends.graph();
}

/**
 * Tries until so many swaps are made, or tried in vain. Then it tries on for a
 * while, at random for how long: to stop at a swap would favour graphs that are left easily, and
 * graphs that only an even number of swaps leads to.
 */
function tryToSwap(
  { count, from }: { readonly count: number; readonly from: Uint32Array },
  stream: RandomStream,
  attemptSwap: (first: number, attempt: number) => boolean,
): void {
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
  const ends = new Ends(graph);
  const { count, from, to } = ends;
  const before = ends.mates();
  const mate = before.slice();
  const singles: number[] = [];
  const mutual: number[] = [];
  for (let edge = 0; edge < count; edge++) {
    (mate[edge]! < 0 ? singles : mutual).push(edge);
  }
  const connected = (a: number, b: number) => ends.has(a, b) || ends.has(b, a);
  tryToSwap(ends, stream, (first, attempt) => {
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
  if (isSymmetric(graph)) ends.mirrorWeights(before, mate);
  return ends.graph();
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
  const ends = new Ends(graph);
  const { count, from, to } = ends;
  const n = graph.nodes;
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
    if (length(a, d) + length(c, b) >= length(a, b) + length(c, d)) continue;
    if (a === d || c === b || ends.has(a, d) || ends.has(c, b)) continue;
    ends.move(first, d);
    ends.move(second, b);
  }
  return ends.graph();
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

/** The connections between different nodes, whose receivers move, while each keeps its sender and weight. */
class Ends {
  readonly count: number;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly #weight: Float64Array;
  readonly #graph: Graph;
  /** [N + 1]: where each sender's connections begin. */
  readonly #first: Uint32Array;
  readonly #pairs: PairSet;

  constructor(graph: Graph) {
    const { from, to, weight } = filterGraph(graph, (a, b) => a !== b);
    this.#graph = graph;
    this.from = from;
    this.to = to;
    this.#weight = weight;
    this.count = this.from.length;
    this.#first = firstOfEach(this.from, graph.nodes);
    this.#pairs = graph.nodes <= MOST_IN_BITS
      ? new PairBits(graph.nodes)
      : new PairTable(this.count);
    for (let edge = 0; edge < this.count; edge++) {
      this.#pairs.add(this.from[edge]!, this.to[edge]!);
    }
  }

  has(from: number, to: number): boolean {
    return this.#pairs.has(from, to);
  }

  move(edge: number, to: number): void {
    this.#pairs.delete(this.from[edge]!, this.to[edge]!);
    this.#pairs.add(this.from[edge]!, to);
    this.to[edge] = to;
  }

  /** Turns a cycle of three round that begins with the connection, if a drawn way leads back to it. */
  turnCycle(first: number, stream: RandomStream): boolean {
    const a = this.from[first]!, b = this.to[first]!;
    const begin = this.#first[b]!;
    const sent = this.#first[b + 1]! - begin;
    if (sent === 0) return false;
    const second = begin + stream.integer(sent);
    const c = this.to[second]!;
    if (
      c === a || !this.has(c, a) || this.has(a, c) || this.has(c, b) ||
      this.has(b, a)
    ) return false;
    let third = this.#first[c]!;
    while (this.to[third] !== a) third++;
    this.move(first, c);
    this.move(second, a);
    this.move(third, b);
    return true;
  }

  /** [n]: the number of the connection the other way; −1 where there is none. */
  mates(): Int32Array {
    const mate = new Int32Array(this.count).fill(-1);
    for (let edge = 0; edge < this.count; edge++) {
      const a = this.from[edge]!, b = this.to[edge]!;
      if (mate[edge]! >= 0 || !this.has(b, a)) continue;
      let other = this.#first[b]!;
      while (this.to[other] !== a) other++;
      mate[edge] = other;
      mate[other] = edge;
    }
    return mate;
  }

  /** Gives both ways of a connection one weight, each pair's of before to one pair of now. */
  mirrorWeights(before: Int32Array, now: Int32Array): void {
    const weights = this.#weight.filter((_, edge) => edge < before[edge]!);
    let pair = 0;
    for (let edge = 0; edge < this.count; edge++) {
      const other = now[edge]!;
      if (edge > other) continue;
      this.#weight[edge] = this.#weight[other] = weights[pair++]!;
    }
  }

  graph(): Graph {
    const { nodes } = this.#graph;
    const moved = { nodes, from: this.from, to: this.to, weight: this.#weight };
    return joinGraphs(filterGraph(this.#graph, (a, b) => a === b), moved);
  }
}

/** A set of pairs of nodes. */
interface PairSet {
  has(from: number, to: number): boolean;
  add(from: number, to: number): void;
  delete(from: number, to: number): void;
}

/** A bit for every pair of so many nodes takes 128 MB. */
const MOST_IN_BITS = 2 ** 15;

/** Pairs as bits of a matrix. */
class PairBits implements PairSet {
  readonly #width: number;
  readonly #bits: Uint32Array;

  constructor(nodes: number) {
    this.#width = Math.ceil(nodes / 32);
    this.#bits = new Uint32Array(this.#width * nodes);
  }

  has(from: number, to: number): boolean {
    return (this.#bits[from * this.#width + (to >>> 5)]! >>> (to & 31) & 1) ===
      1;
  }

  add(from: number, to: number): void {
    const at = from * this.#width + (to >>> 5);
    this.#bits[at] = this.#bits[at]! | 1 << (to & 31);
  }

  delete(from: number, to: number): void {
    const at = from * this.#width + (to >>> 5);
    this.#bits[at] = this.#bits[at]! & ~(1 << (to & 31));
  }
}

/** At most so many pairs of numbers below 2³². */
export class PairTable implements PairSet {
  readonly #shift: number;
  readonly #last: number;
  readonly #from: Uint32Array;
  /** One more than the second number; 0 where there is no pair. */
  readonly #to: Uint32Array;

  constructor(capacity: number) {
    let bits = 4;
    while (2 ** bits < 2 * (capacity + 1)) bits++;
    this.#shift = 32 - bits;
    this.#last = 2 ** bits - 1;
    this.#from = new Uint32Array(2 ** bits);
    this.#to = new Uint32Array(2 ** bits);
  }

  #home(from: number, to: number): number {
    const mixed = Math.imul(from ^ Math.imul(to, 0x85EBCA6B), 0x9E3779B1);
    return Math.imul(mixed ^ (mixed >>> 15), 0x2C1B3C6D) >>> this.#shift;
  }

  /** Where the pair is, or the free place where it may be put. */
  #find(from: number, to: number): number {
    let slot = this.#home(from, to);
    while (
      this.#to[slot] !== 0 &&
      (this.#from[slot] !== from || this.#to[slot] !== to + 1)
    ) slot = (slot + 1) & this.#last;
    return slot;
  }

  has(from: number, to: number): boolean {
    return this.#to[this.#find(from, to)] !== 0;
  }

  add(from: number, to: number): void {
    const slot = this.#find(from, to);
    this.#from[slot] = from;
    this.#to[slot] = to + 1;
  }

  /** Closes the gap, so that no search ends in it too early. */
  delete(from: number, to: number): void {
    let gap = this.#find(from, to);
    let slot = gap;
    while (true) {
      slot = (slot + 1) & this.#last;
      if (this.#to[slot] === 0) break;
      const home = this.#home(this.#from[slot]!, this.#to[slot]! - 1);
      if (((slot - home) & this.#last) < ((slot - gap) & this.#last)) continue;
      this.#from[gap] = this.#from[slot]!;
      this.#to[gap] = this.#to[slot]!;
      gap = slot;
    }
    this.#to[gap] = 0;
  }
}
