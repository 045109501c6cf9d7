/**
 * Where everything lies in the one memory that all workers share, and how much
 * of it an ensemble needs: the memory plan adds up what the layout places.
 *
 * @module
 */

import type { ModelSize } from "../rnn/parameters.ts";
import { CONSTANTS, ROW } from "./arithmetic.ts";
import { deltaRows, stateRows } from "./connection_rows.ts";

/** Largest memory of a WebAssembly module with addresses of 32 bits. */
export const MOST_BYTES = 2 ** 32;

/** Bytes for loss histories of one call to the workers, unless one epoch needs more. */
export const HISTORY_BYTES = 2 ** 22;

/** Each part begins at a cache line of its own. */
const ALIGNMENT = 64;

/** Sizes of what is placed together, in bytes by name. */
type Parts = Readonly<Record<string, number>>;

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Bytes of parts one behind the other. */
export function span(parts: Parts): number {
  return Object.values(parts).reduce((sum, bytes) => sum + aligned(bytes), 0);
}

/** Hands out addresses. */
export interface Placer {
  /** The address of each part. */
  place<P extends Parts>(parts: P): { readonly [K in keyof P]: number };
  /** Bytes so far. */
  readonly end: number;
}

/** Begins behind the constants. */
export function createPlacer(): Placer {
  let end = aligned(CONSTANTS.address + 16 * CONSTANTS.count);
  return {
    place<P extends Parts>(parts: P) {
      const addresses: Record<string, number> = {};
      for (const [name, bytes] of Object.entries(parts)) {
        addresses[name] = end;
        end += aligned(bytes);
      }
      return addresses as { readonly [K in keyof P]: number };
    },
    get end() {
      return end;
    },
  };
}

/** A list of connections: `listed` of them with padding, `back` in the transposed list. */
export function topologyParts(
  { hiddenSize: H, outputSize: O }: ModelSize,
  { listed, back }: { readonly listed: number; readonly back: number },
) {
  return {
    start: 4 * (H + O + 1),
    startInput: 4 * (H + O),
    offset: 4 * listed,
    backStart: 4 * (H + 1),
    backStartReadout: 4 * H,
    backOffset: 4 * back,
    backPlace: 4 * listed,
  };
}

/** A model: its weights and moments, its trials by chunks, and what its chunks gave in `epochs` epochs. */
export function modelParts(
  { inputSize }: ModelSize,
  { listed, steps, chunks, epochs }: {
    readonly listed: number;
    readonly steps: number;
    readonly chunks: number;
    readonly epochs: number;
  },
) {
  return {
    control: 16,
    weight: 4 * listed,
    firstMoment: 4 * listed,
    secondMoment: 4 * listed,
    trials: chunks * chunkBytes(inputSize, steps),
    scores: 16 * chunks * epochs,
  };
}

/** A model in training needs its gradients, one for each chunk that is under way and their sum, and its weights in the transposed order. */
export function slotParts(
  { listed, back, buffers }: {
    readonly listed: number;
    readonly back: number;
    readonly buffers: number;
  },
) {
  return {
    gradient: 4 * listed,
    chunkGradients: buffers * gradientBytes(listed),
    // The connections that are in no transposed list write behind its end.
    backWeight: 4 * (back + 1),
  };
}

/** A worker needs the states of one chunk over all time steps, δ of two, and the outputs. */
export function workerParts(size: ModelSize, steps: number) {
  return {
    states: (steps + 1) * stateRows(size) * ROW,
    deltas: 2 * deltaRows(size) * ROW,
    outputs: steps * size.outputSize * ROW,
  };
}

/** A chunk's inputs with a row of ones at each step, then its targets. */
export function chunkBytes(inputSize: number, steps: number): number {
  return steps * (inputSize + 2) * ROW;
}

/** One gradient of several that lie side by side. */
export function gradientBytes(listed: number): number {
  return aligned(4 * listed);
}
