/**
 * The data one model trains on: trials, their targets and the fixed batches.
 *
 * @module
 */

/**
 * All trials of one run, split into training and validation batches.
 *
 * A target of 0 means "not scored". For `seq_mem` a target is the value to
 * replay; for the n-back tasks it is the class, 1 (no match) or 2 (match).
 */
export interface TrialSet {
  /** Number of trials, training and validation together. */
  readonly trialCount: number;
  /** T, the time steps of a trial. */
  readonly steps: number;
  /** I, the numbers shown at each step. */
  readonly inputSize: number;
  /** [trialCount, T, I], row-major. */
  readonly inputs: Float32Array;
  /** [trialCount, T], row-major; 0 = not scored. */
  readonly targets: Float32Array;
  /** Trial numbers of every training batch, in the order of training; the same in every epoch. */
  readonly trainBatches: readonly Uint32Array[];
  /** Trial numbers of every validation batch. */
  readonly validateBatches: readonly Uint32Array[];
}
