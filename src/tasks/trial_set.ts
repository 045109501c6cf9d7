/**
 * Trials, and the fixed batches of them that one model trains on.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { RandomStream } from "../random/stream.ts";

/**
 * Trials of one run. A target of 0 means "not scored". Where the loss is "mse"
 * a target is the number the network should give; where it is "nll" it is the
 * class, from 1.
 */
export interface Trials {
  /** Number of trials. */
  readonly trialCount: number;
  /** T, the time steps of a trial. */
  readonly steps: number;
  /** I, the numbers shown at each time step. */
  readonly inputSize: number;
  /** [trialCount, T, I], row-major. */
  readonly inputs: Float32Array;
  /** [trialCount, T], row-major; 0 = not scored. */
  readonly targets: Float32Array;
}

/** Trials, split into training and validation batches. */
export interface TrialSet extends Trials {
  /** Trial numbers of every training batch, in the order of training; the same in every epoch. */
  readonly trainBatches: readonly Uint32Array[];
  /** Trial numbers of every validation batch. */
  readonly validateBatches: readonly Uint32Array[];
}

/** How to split. */
export interface SplitOptions {
  /** Share of the trials that train, above 0 and below 1. */
  readonly trainSize: number;
  /** Trials of a batch; the last batch may be smaller. */
  readonly batchSize: number;
  /** The run's stream of purpose "split". */
  readonly stream: RandomStream;
}

/**
 * Shuffles whole trials once; the first ⌊trainSize · n⌋ of them train and all
 * others validate, in this order, batch after batch, in every epoch. The number
 * is that of scikit-learn's `GroupShuffleSplit`
 * (https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.GroupShuffleSplit.html).
 *
 * @throws {InputError} If no trial is left to train on.
 * @throws {RangeError} If `trainSize` or `batchSize` is out of range.
 *
 * @example
 * ```ts
 * import { createStream } from "@biornn/biornn";
 * import { seqMem } from "./src/tasks/seq_mem.ts";
 * import { splitTrials } from "./src/tasks/trial_set.ts";
 *
 * const trials = seqMem.generate(
 *   { pattern_length: 3, nr_of_trials: 1000 },
 *   { stream: createStream({ seed: 1, purpose: "trials" }) },
 * );
 * const set = splitTrials(trials, {
 *   trainSize: 0.8,
 *   batchSize: 128,
 *   stream: createStream({ seed: 1, purpose: "split" }),
 * });
 * set.trainBatches.length; // 7: six batches of 128 trials and one of 32
 * ```
 */
export function splitTrials(
  trials: Trials,
  { trainSize, batchSize, stream }: SplitOptions,
): TrialSet {
  if (!(trainSize > 0 && trainSize < 1)) {
    throw new RangeError(
      `Cannot split trials: trainSize must be above 0 and below 1, found ${trainSize}`,
    );
  }
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new RangeError(
      `Cannot split trials: batchSize must be a whole number from 1, found ${batchSize}`,
    );
  }
  const { trialCount } = trials;
  const trainCount = countTrained(trialCount, trainSize);
  if (trainCount === 0) {
    throw new InputError(
      `Cannot split ${trialCount} trial${
        trialCount === 1 ? "" : "s"
      } with train_size ${trainSize}: none is left to train on; use more trials or a larger train_size`,
    );
  }
  const order = stream.permutation(trialCount);
  return {
    ...trials,
    trainBatches: cut(order.subarray(0, trainCount), batchSize),
    validateBatches: cut(order.subarray(trainCount), batchSize),
  };
}

/** How many of some trials train; the others validate. */
export function countTrained(trialCount: number, trainSize: number): number {
  return Math.floor(trainSize * trialCount);
}

function cut(order: Uint32Array, batchSize: number): Uint32Array[] {
  const batches: Uint32Array[] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    batches.push(order.slice(start, start + batchSize));
  }
  return batches;
}
