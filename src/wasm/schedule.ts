/**
 * In which order the work of an epoch is done, by any number of workers, so that
 * the results are the same bytes whoever does what.
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

import { LANES } from "./arithmetic.ts";

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

/** A piece of work on a model. */
export type Task =
  & {
    readonly batch: BatchPlace;
    /** Tasks of the epoch that must be done before, counted from its first. */
    readonly fence: number;
  }
  & ({
    /** Forward and backward, or forward alone, with one chunk. */
    readonly kind: "learn" | "validate";
    /** Number among all chunks. */
    readonly chunk: number;
    /** Number of the gradient's buffer. */
    readonly buffer: number;
  } | {
    /** Adds a wave's gradients to a part of the sum; after the last wave, a step of the optimizer. */
    readonly kind: "update";
    /** Buffers to add. */
    readonly buffers: number;
    readonly firstWave: boolean;
    readonly lastWave: boolean;
    /** Which of `parts` equal parts of the list. */
    readonly part: number;
  });

/** The order of the work. */
export interface Schedule {
  readonly batches: readonly BatchPlace[];
  /** Chunks of all batches together. */
  readonly chunks: number;
  /** Gradients of chunks that are kept at a time. */
  readonly buffers: number;
  /** Parts in which the list of connections is updated. */
  readonly parts: number;
  /** The tasks of an epoch. */
  readonly tasks: readonly Task[];
}

/** A part of the list that is worth a worker's while. */
const PART_CONNECTIONS = 1 << 15;

/** How many gradients of chunks to keep: all of a batch, or as many as there are workers. */
export function chunkBuffers(batchSize: number, workers: number): number {
  const chunks = Math.ceil(batchSize / LANES);
  const waves = Math.ceil(chunks / workers);
  return Math.ceil(chunks / waves);
}

/**
 * Plans an epoch.
 *
 * @param options.listed Connections of the longest list.
 */
export function createSchedule(
  { trainBatches, validateBatches }: {
    readonly trainBatches: readonly Uint32Array[];
    readonly validateBatches: readonly Uint32Array[];
  },
  { workers, listed }: { readonly workers: number; readonly listed: number },
): Schedule {
  let chunks = 0;
  const batches = [...trainBatches, ...validateBatches].map(
    ({ length: size }, number): BatchPlace => {
      const count = Math.ceil(size / LANES);
      chunks += count;
      const training = number < trainBatches.length;
      return { training, number, size, first: chunks - count, count };
    },
  );
  const most = Math.max(1, ...trainBatches.map(({ length }) => length));
  const buffers = chunkBuffers(most, workers);
  const parts = Math.max(
    1,
    Math.min(workers, Math.floor(listed / PART_CONNECTIONS)),
  );
  const tasks: Task[] = [];
  for (const batch of batches.filter(({ training }) => training)) {
    for (let from = 0; from < batch.count; from += buffers) {
      const wave = Math.min(buffers, batch.count - from);
      const fence = tasks.length;
      for (let buffer = 0; buffer < wave; buffer++) {
        const chunk = batch.first + from + buffer;
        tasks.push({ kind: "learn", batch, chunk, buffer, fence });
      }
      const done = tasks.length;
      for (let part = 0; part < parts; part++) {
        tasks.push({
          kind: "update",
          batch,
          buffers: wave,
          firstWave: from === 0,
          lastWave: from + wave === batch.count,
          part,
          fence: done,
        });
      }
    }
  }
  const fence = tasks.length;
  for (const batch of batches.filter(({ training }) => !training)) {
    for (let n = 0; n < batch.count; n++) {
      const chunk = batch.first + n;
      tasks.push({ kind: "validate", batch, chunk, buffer: 0, fence });
    }
  }
  return { batches, chunks, buffers, parts, tasks };
}

/** Numbers of a model's control block: the next task to take, tasks done, the slot it trains in (from 1; 0 before). */
export const CONTROL = { next: 0, done: 1, slot: 2, words: 4 } as const;

/** Numbers of the control block of an ensemble: models taken, whether a worker has failed. */
export const QUEUE = { next: 0, failed: 1, words: 4 } as const;
