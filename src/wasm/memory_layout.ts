/**
 * Where everything lies in the one memory that all workers share, and how much
 * of it an ensemble needs: the memory plan adds up what the layout places.
 *
 * @module
 */

import type { ModelSize } from "../rnn/parameters.ts";

/** Trials side by side in a row; a batch is cut into chunks of so many. */
export const LANES = 32;

/** Bytes of a row. */
export const ROW = 4 * LANES;

/** Where the constants of the kernels lie, and room for how many. */
export const CONSTANTS = { address: 1024, count: 128 } as const;

/** Largest memory of a WebAssembly module with addresses of 32 bits. */
export const MOST_BYTES = 2 ** 32;

/** Bytes for loss histories of one call to the workers, unless one epoch needs more. */
export const HISTORY_BYTES = 2 ** 22;

/** Sizes of what is placed together, in bytes by name. */
type Parts = Readonly<Record<string, number>>;

/** Addresses of parts, by the kind that {@linkcode partsOf} has. */
export type Placed<K extends keyof ReturnType<typeof partsOf>> = Readonly<
  ReturnType<typeof partsOf>[K]
>;

/** Each part begins at a cache line of its own. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Bytes of parts one behind the other. */
export function span(parts: Parts): number {
  return Object.values(parts).reduce((sum, bytes) => sum + aligned(bytes), 0);
}

/** Hands out addresses behind the constants. */
export class Placer {
  /** Bytes so far. */
  end = aligned(CONSTANTS.address + 16 * CONSTANTS.count);

  /** The address of each part. */
  place<P extends Parts>(parts: P): P {
    const addresses: Record<string, number> = {};
    for (const [name, bytes] of Object.entries(parts)) {
      addresses[name] = this.end;
      this.end += aligned(bytes);
    }
    return addresses as P;
  }
}

/** What the sizes of parts depend on. */
export interface Extent extends ModelSize {
  /** Connections in the list, with padding, and in the transposed list. */
  readonly listed: number;
  readonly back: number;
  /** T */
  readonly steps: number;
  /** Chunks of all batches, and how many gradients of them are kept. */
  readonly chunks: number;
  readonly buffers: number;
  /** Numbers for the updates of an epoch. */
  readonly numbers: number;
  /** Epochs for whose scores and numbers there is room. */
  readonly epochs: number;
}

/** Sizes of all parts in bytes, by what has them. */
export function partsOf(extent: Extent) {
  const { hiddenSize: H, inputSize, outputSize: O } = extent;
  const { listed, back, steps, chunks, buffers, numbers, epochs } = extent;
  return {
    /** A list of connections; all its numbers are places and offsets in bytes. */
    topology: {
      start: 4 * (H + O + 1),
      startInput: 4 * H,
      // Of each sender's row.
      offset: 4 * listed,
      // In the transposed list, and there the offsets of receivers' rows.
      backStart: 4 * (H + 1),
      backStartReadout: 4 * H,
      backOffset: 4 * back,
      // Of each connection in the transposed list; behind its end if it is none of it.
      backPlace: 4 * listed,
    },
    /** A model: its weights and moments, its trials by chunks, what its chunks gave, and what the host computes for its updates. */
    model: {
      control: 16,
      weight: 4 * listed,
      firstMoment: 4 * listed,
      secondMoment: 4 * listed,
      trials: chunks * chunkBytes(inputSize, steps),
      scores: 16 * chunks * epochs,
      numbers: 4 * numbers * epochs,
    },
    /** A model in training: its gradients, one for each chunk that is under way and their sum, and its weights in the transposed order. */
    slot: {
      gradient: 4 * listed,
      chunkGradients: buffers * gradientBytes(listed),
      // The connections that are in no transposed list write behind its end.
      backWeight: 4 * (back + 1),
    },
    /** A worker: the states of one chunk over all time steps, δ of two, and the outputs. */
    worker: {
      states: (steps + 1) * stateRows(extent) * ROW,
      deltas: 2 * deltaRows(extent) * ROW,
      outputs: steps * O * ROW,
    },
  };
}

/** Rows of a state. */
export function stateRows({ hiddenSize, inputSize }: ModelSize): number {
  return hiddenSize + inputSize + 2;
}

/** Rows of what is propagated back: δ and dy. */
export function deltaRows({ hiddenSize, outputSize }: ModelSize): number {
  return hiddenSize + outputSize;
}

/** A chunk's inputs with a row of ones at each step, then its targets. */
export function chunkBytes(inputSize: number, steps: number): number {
  return steps * (inputSize + 2) * ROW;
}

/** One gradient of several that lie side by side. */
export function gradientBytes(listed: number): number {
  return aligned(4 * listed);
}
