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

import type { TrialSet } from "../tasks/task.ts";
import { LANES } from "./memory_layout.ts";

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
 * list and, after the last wave, a step of the optimizer.
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
  { trainBatches, validateBatches }: TrialSet,
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
  const worthwhile = Math.floor(listed / PART_CONNECTIONS);
  const parts = Math.max(1, Math.min(workers, worthwhile));
  const tasks: Task[] = [];
  for (const batch of batches.slice(0, trainBatches.length)) {
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
  for (const batch of batches.slice(trainBatches.length)) {
    for (let chunk = 0; chunk < batch.count; chunk++) {
      tasks.push({ batch, chunk, fence });
    }
  }
  return { batches, chunks, buffers, parts, tasks };
}

/** Numbers of a model's control block: the next task to take, tasks done, the slot it trains in (from 1; 0 before). */
export const CONTROL = { next: 0, done: 1, slot: 2, words: 4 } as const;
