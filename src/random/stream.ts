/**
 * Random streams: every draw of an experiment comes from a stream that is
 * named by the experiment's seed, what the draw is for, and the run it belongs
 * to. So a run draws the same numbers whichever other runs there are, in
 * whatever order or on however many machines they train.
 *
 * @module
 */

import { type Block, philox4x32 } from "./philox.ts";

/**
 * What streams are drawn for. The numbers are part of every published seed:
 * a new purpose gets a new number, none is ever reused.
 */
const PURPOSES: Readonly<Record<StreamPurpose, number>> = {
  bio2art: 1, // scaling a connectome to a network
  topology: 2, // randomising the topology (`random_w`, null models)
  trials: 3, // contents of the trials
  split: 4, // training and validation trials, and their order
  weights: 5, // initial weights
  readout: 6, // a fresh read-out for a pretrained network
  images: 7, // synthetic images and their encoder
  connectome: 8, // the synthetic connectome
  bootstrap: 9, // resampling in statistics
  ties: 10, // which of equal weights of a connectome comes first (`remap_w`)
};

/** Words that {@linkcode RandomStream.uniform} takes. */
export const WORDS_PER_UNIFORM = 2;

/** What a stream is for. */
export type StreamPurpose =
  | "bio2art"
  | "topology"
  | "trials"
  | "split"
  | "weights"
  | "readout"
  | "images"
  | "connectome"
  | "bootstrap"
  | "ties";

/** Names a stream. */
export interface StreamKey {
  /** Seed of the experiment, an integer from 0 to 2⁵³ − 1. */
  readonly seed: number;
  /** What it is for. */
  readonly purpose: StreamPurpose;
  /** Number of the combination, default 0. */
  readonly combination?: number;
  /** Number of the iteration, default 0. */
  readonly iteration?: number;
}

/** A sequence of random numbers. */
export interface RandomStream {
  /** The next 32 random bits, as an integer from 0 to 2³² − 1. */
  uint32(): number;
  /**
   * Goes on as if so many words, from 0 to 2⁵³ − 1, had been drawn with
   * `uint32()`, at once however many they are. A normal number that is kept for
   * the next call of `normal()` stays.
   */
  skip(words: number): void;
  /** Uniform on [0, 1), with 53 random bits. */
  uniform(): number;
  /** Uniform integer from 0 to bound − 1, without bias; bound from 1 to 2³². */
  integer(bound: number): number;
  /** Standard normal (Box–Muller). */
  normal(): number;
  /** The numbers 0…n−1 in random order (Fisher–Yates). */
  permutation(n: number): Uint32Array;
  /** k different numbers of 0…n−1, in random order. */
  sample(n: number, k: number): Uint32Array;
}

function assertCount(value: number, name: string, limit: number): void {
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    throw new RangeError(
      `Cannot draw from a stream: ${name} must be an integer from 0 to ${limit}, found ${value}`,
    );
  }
}

/**
 * The stream of that name.
 *
 * @throws {RangeError} If seed, combination or iteration is no integer in range.
 *
 * @example
 * ```ts
 * import { createStream } from "@biornn/biornn";
 *
 * const stream = createStream({ seed: 1, purpose: "trials", combination: 3, iteration: 0 });
 * stream.uniform(); // the same number every time this program runs
 * ```
 */
export function createStream(
  { seed, purpose, combination = 0, iteration = 0 }: StreamKey,
): RandomStream {
  assertCount(seed, "seed", Number.MAX_SAFE_INTEGER);
  assertCount(combination, "combination", 0xffffffff);
  assertCount(iteration, "iteration", 0xffffffff);
  const key: [number, number] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  const counter: Block = [0, PURPOSES[purpose], combination, iteration];
  let block: Block = [0, 0, 0, 0];
  let used = 4;

  /** Where 2^34 words are used up, it goes on in a part of the counter no stream starts in. */
  function advance(blocks: number): void {
    const next = counter[0] + blocks;
    counter[0] = next >>> 0;
    counter[1] = (counter[1] + 0x10000 * Math.floor(next / 2 ** 32)) >>> 0;
  }

  function uint32(): number {
    if (used === 4) {
      block = philox4x32(counter, key);
      advance(1);
      used = 0;
    }
    return block[used++]!;
  }

  function skip(words: number): void {
    assertCount(words, "words to skip", Number.MAX_SAFE_INTEGER);
    const more = words - (4 - used);
    if (more <= 0) {
      used += words;
      return;
    }
    advance(Math.floor(more / 4));
    used = 4;
    for (let word = 0; word < more % 4; word++) uint32();
  }

  function uniform(): number {
    const high = uint32() >>> 5;
    const low = uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** The bound that was asked for last, and the words that are taken for it. */
  let lastBound = 1, limit = 2 ** 32;
  function integer(bound: number): number {
    if (bound !== lastBound) {
      if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
        throw new RangeError(
          `Cannot draw an integer: bound must be an integer from 1 to 2^32, found ${bound}`,
        );
      }
      lastBound = bound;
      // Words above the largest multiple of bound would favour small numbers.
      limit = 2 ** 32 - (2 ** 32 % bound);
    }
    let word = uint32();
    while (word >= limit) word = uint32();
    // With `>>> 0` it is a division of integers, not of doubles.
    return bound < 2 ** 32 ? ((word >>> 0) % (bound >>> 0)) >>> 0 : word;
  }

  let spare: number | undefined;
  function normal(): number {
    const kept = spare;
    spare = undefined;
    if (kept !== undefined) return kept;
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** The numbers 0, 1, 2 … between two calls of `sample()`. */
  let numbers = new Uint32Array(0);
  function swap(i: number, j: number): void {
    const number = numbers[j]!;
    numbers[j] = numbers[i]!;
    numbers[i] = number;
  }

  function sample(n: number, k: number): Uint32Array {
    if (!Number.isInteger(k) || k < 0 || k > n) {
      throw new RangeError(`Cannot draw ${k} different numbers of ${n}`);
    }
    if (numbers.length < n) numbers = new Uint32Array(n).map((_, i) => i);
    const places = new Uint32Array(k);
    for (let i = 0; i < k; i++) {
      places[i] = i + integer(n - i);
      swap(i, places[i]!);
    }
    const chosen = numbers.slice(0, k);
    // Put back what was moved: a few of many numbers are drawn again and again.
    for (let i = k - 1; i >= 0; i--) swap(i, places[i]!);
    return chosen;
  }

  return {
    uint32,
    skip,
    uniform,
    integer,
    normal,
    sample,
    permutation: (n) => sample(n, n),
  };
}
