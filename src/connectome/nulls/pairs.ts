/**
 * What null models are made of: a graph whose connections between different nodes are
 * made anew, and sets of the pairs that it connects.
 *
 * @module
 */

import { filterGraph, type Graph, joinGraphs } from "../../graph/graph.ts";

/**
 * A graph with other connections between different nodes; those of a node to itself stay.
 *
 * @param make Is given those between different nodes, to keep or to change, and returns others in any order.
 */
export function rewire(
  graph: Graph,
  make: (between: Graph) => Graph,
): Graph {
  const made = make(filterGraph(graph, (a, b) => a !== b));
  return joinGraphs(filterGraph(graph, (a, b) => a === b), made);
}

/** A set of pairs of nodes. */
export interface PairSet {
  has(from: number, to: number): boolean;
  add(from: number, to: number): void;
  delete(from: number, to: number): void;
}

/** A bit for every pair of so many nodes takes 128 MB. */
const MOST_IN_BITS = 2 ** 15;

/** The pairs that a graph connects. */
export function pairsOf({ nodes, from, to }: Graph): PairSet {
  const pairs = nodes <= MOST_IN_BITS
    ? new PairBits(nodes)
    : new PairTable(from.length);
  for (let edge = 0; edge < from.length; edge++) {
    pairs.add(from[edge]!, to[edge]!);
  }
  return pairs;
}

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
  /** How many slots there are that pairs may be in, a power of two. */
  readonly size: number;
  readonly #shift: number;
  /** [size, 2]: each slot's pair, the second number one more; 0 where there is none. */
  readonly #pairs: Uint32Array;

  constructor(capacity: number) {
    let bits = 4;
    while (2 ** bits < 2 * (capacity + 1)) bits++;
    this.size = 2 ** bits;
    this.#shift = 32 - bits;
    this.#pairs = new Uint32Array(2 * this.size);
  }

  #home(from: number, to: number): number {
    const mixed = Math.imul(from ^ Math.imul(to, 0x85EBCA6B), 0x9E3779B1);
    return Math.imul(mixed ^ (mixed >>> 15), 0x2C1B3C6D) >>> this.#shift;
  }

  /** The slot that the pair is in, or the free one that it may be put into. */
  find(from: number, to: number): number {
    const pairs = this.#pairs;
    let slot = this.#home(from, to);
    while (
      pairs[2 * slot + 1] !== 0 &&
      (pairs[2 * slot] !== from || pairs[2 * slot + 1] !== to + 1)
    ) slot = (slot + 1) & (this.size - 1);
    return slot;
  }

  isFree(slot: number): boolean {
    return this.#pairs[2 * slot + 1] === 0;
  }

  has(from: number, to: number): boolean {
    return !this.isFree(this.find(from, to));
  }

  /** @returns The slot that the pair is then in. */
  add(from: number, to: number): number {
    const slot = this.find(from, to);
    this.#pairs[2 * slot] = from;
    this.#pairs[2 * slot + 1] = to + 1;
    return slot;
  }

  /** Closes the gap, so that no search ends in it too early. */
  delete(from: number, to: number): void {
    const pairs = this.#pairs;
    const last = this.size - 1;
    let gap = this.find(from, to);
    for (let slot = gap;;) {
      slot = (slot + 1) & last;
      if (this.isFree(slot)) break;
      const home = this.#home(pairs[2 * slot]!, pairs[2 * slot + 1]! - 1);
      if (((slot - home) & last) < ((slot - gap) & last)) continue;
      pairs.copyWithin(2 * gap, 2 * slot, 2 * slot + 2);
      gap = slot;
    }
    pairs[2 * gap + 1] = 0;
  }
}
