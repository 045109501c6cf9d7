/**
 * The plan of an ensemble: where everything lies in the one memory that all
 * workers share, how much of it that takes, and in which order the work of an
 * epoch is done, so that results are the same bytes whoever does what.
 *
 * A batch is cut into chunks of 32 trials. Each chunk's gradient is computed on
 * its own, and the gradients are added in the order of the chunks: first those
 * of one *wave*, for which there are buffers, then those of the next. The tasks
 * of an epoch are numbered; a worker takes the next number of its model, waits
 * until all tasks before the task's `fence` are done, and does it. So one model
 * may be trained by one worker or by several, who may join at any time.
 *
 * @module
 */

import type { EnsembleShape } from "../engine/ensemble.ts";
import { batchSizes, groupBySize } from "../engine/engine_parts.ts";
import { countConnections } from "../graph/connections.ts";
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

/** Sizes in bytes, or addresses, of what is placed together, by name. */
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
function span(parts: Parts | readonly number[]): number {
  return Object.values(parts).reduce((sum, bytes) => sum + aligned(bytes), 0);
}

/** Hands out addresses behind the constants. */
export class Placer {
  /** Bytes so far. */
  end = aligned(CONSTANTS.address + 16 * CONSTANTS.count);

  /** The address of each part. */
  place<P extends Parts>(parts: P): P {
    const addresses = Object.entries(parts).map(([name, bytes]) => {
      const address = this.end;
      this.end += aligned(bytes);
      return [name, address];
    });
    return Object.fromEntries(addresses);
  }
}

/** What the sizes of parts depend on. */
interface Extent extends ModelSize {
  /** Connections in the longest list, with padding, and in the transposed list. */
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
  const { inputSize, outputSize: O } = extent;
  const { listed, back, steps, chunks, buffers, numbers, epochs } = extent;
  return {
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

/** A batch, common to all models of an ensemble. */
export interface BatchPlace {
  readonly training: boolean;
  /** Number among all batches, those of training first. */
  readonly number: number;
  /** Trials. */
  readonly size: number;
  /** Its chunks are first…first + count − 1 of all chunks. */
  readonly first: number;
  readonly count: number;
}

/**
 * A piece of work on a model: forward and, in training, backward with one chunk.
 * Where there is a `part`, the sum of a wave's gradients in that part of the
 * list and, after the last wave, the update.
 */
export interface Task {
  readonly batch: BatchPlace;
  /** Tasks of the epoch that must be done before, counted from its first. */
  readonly fence: number;
  /** The chunk, or the first of the wave, counted from the batch's first. */
  readonly chunk: number;
  readonly part?: number;
}

/** The order of the work. */
export type Schedule = ReturnType<typeof createSchedule>;

/** A part of the list that is worth a worker's while. */
const PART_CONNECTIONS = 1 << 15;

/**
 * Plans an epoch: batches of so many trials, the chunks of all of them, how many
 * chunks' gradients are kept at a time, all of a batch or as many as there are
 * workers, in how many parts the list of connections, of `listed` at most, is
 * updated, and the tasks.
 */
export function createSchedule(
  { train, validate }: Readonly<
    Record<"train" | "validate", readonly number[]>
  >,
  { workers, listed }: { readonly workers: number; readonly listed: number },
) {
  let chunks = 0;
  const batches = [...train, ...validate].map((size, number): BatchPlace => {
    const count = Math.ceil(size / LANES);
    chunks += count;
    const training = number < train.length;
    return { training, number, size, first: chunks - count, count };
  });
  const most = Math.ceil(Math.max(1, ...train) / LANES);
  const buffers = Math.ceil(most / Math.ceil(most / workers));
  const worthwhile = Math.floor(listed / PART_CONNECTIONS);
  const parts = Math.max(1, Math.min(workers, worthwhile));
  const tasks: Task[] = [];
  for (const batch of batches.slice(0, train.length)) {
    for (let from = 0; from < batch.count; from += buffers) {
      const end = Math.min(from + buffers, batch.count);
      const fence = tasks.length;
      for (let chunk = from; chunk < end; chunk++) {
        tasks.push({ batch, chunk, fence });
      }
      const done = tasks.length;
      for (let part = 0; part < parts; part++) {
        tasks.push({ batch, chunk: from, part, fence: done });
      }
    }
  }
  const fence = tasks.length;
  for (const batch of batches.slice(train.length)) {
    for (let chunk = 0; chunk < batch.count; chunk++) {
      tasks.push({ batch, chunk, fence });
    }
  }
  return { batches, chunks, buffers, parts, tasks };
}

/** Numbers of a model's control block: the next task to take, tasks done, the slot it trains in (from 1; 0 before). */
export const CONTROL = { next: 0, done: 1, slot: 2, words: 4 } as const;

/** Cuts runs into groups, and says how many of all workers there is memory for: each needs states and gradients of its own. */
export function planMemory(
  shape: EnsembleShape,
  { all, memoryBytes, numbers }: {
    readonly all: number;
    readonly memoryBytes: number;
    /** Numbers that an update is given at most. */
    readonly numbers: number;
  },
) {
  const { connections, others = [], ownTopologies = false, steps: T } = shape;
  const { hiddenSize: H, outputSize: O, batchSize, trainCount } = shape;
  const length = Math.max(...[connections, ...others].map(countConnections));
  const listed = mostListed(shape, length);
  const train = batchSizes(trainCount, batchSize);
  const validate = batchSizes(shape.trialCount - trainCount, batchSize);
  const { chunks, buffers } = createSchedule({ train, validate }, {
    workers: all,
    listed,
  });
  const back = length + O * H;
  const extent = {
    ...shape,
    listed,
    back,
    chunks,
    buffers,
    epochs: 1,
    steps: Math.max(...T),
    numbers: numbers * train.length,
  };
  const parts = partsOf(extent);
  const slot = span(parts.slot);
  const own = span(parts.worker);
  // The lists that `listRows` makes.
  const lists = [H + O + 1, H, listed, H + 1, H, back, listed];
  const topology = span(lists.map((length) => 4 * length));
  const fit = Math.floor(memoryBytes / 2 / (slot + own));
  const workers = Math.max(1, Math.min(all, fit));
  const shared = HISTORY_BYTES + 2 ** 16 + (ownTopologies ? 0 : topology) +
    workers * own + Math.min(workers, T.length) * slot;
  const models = T.map((steps) =>
    span(partsOf({ ...extent, steps }).model) + (ownTopologies ? topology : 0)
  );
  const most = shared + Math.max(...models);
  if (most > MOST_BYTES) {
    const [needed, limit] = [most, MOST_BYTES].map((bytes) =>
      `${(bytes / 2 ** 30).toFixed(1)} GiB`
    );
    throw new RangeError(
      `Cannot train a model of ${H} hidden units and ${length} connections on the CPU: it needs ${needed}, the limit is ${limit}`,
    );
  }
  return { ...groupBySize(models, { shared, memoryBytes }), workers };
}

/** How long the list is at most, with padding. */
export function mostListed(
  { hiddenSize: H, inputSize: I, outputSize: O }: ModelSize,
  connections: number,
): number {
  return connections + 3 * H + H * padded(I + 2) + O * padded(H + 1);
}

/** Connections with those that fill a receiver up to a multiple of four. */
export function padded(connections: number): number {
  return Math.ceil(connections / 4) * 4;
}
