/**
 * One batch of trials in the order in which time runs.
 *
 * @module
 */

import type { Trials } from "../tasks/task.ts";

/** B trials of T steps; row t · B + b is trial b at step t. */
export interface Batch {
  /** B */
  readonly size: number;
  /** T */
  readonly steps: number;
  /** [T · B, I] */
  readonly inputs: Float64Array;
  /** [T · B]; 0 = not scored. */
  readonly targets: Float64Array;
}

/**
 * Collects the trials of a batch.
 *
 * @param trials Numbers of the trials.
 *
 * @example
 * ```ts
 * import { gatherBatch } from "./src/reference/batch.ts";
 *
 * gatherBatch({
 *   trialCount: 2,
 *   steps: 2,
 *   inputSize: 1,
 *   inputs: Float32Array.of(1, 2, 3, 4),
 *   targets: new Float32Array(4),
 * }, Uint32Array.of(0, 1)).inputs; // [1, 3, 2, 4]
 * ```
 */
export function gatherBatch(set: Trials, trials: Uint32Array): Batch {
  const { steps, inputSize } = set;
  const size = trials.length;
  const inputs = new Float64Array(steps * size * inputSize);
  const targets = new Float64Array(steps * size);
  for (let b = 0; b < size; b++) {
    for (let t = 0; t < steps; t++) {
      const from = trials[b]! * steps + t;
      const to = t * size + b;
      targets[to] = set.targets[from]!;
      for (let i = 0; i < inputSize; i++) {
        inputs[to * inputSize + i] = set.inputs[from * inputSize + i]!;
      }
    }
  }
  return { size, steps, inputs, targets };
}

/** [T · B, n] as [B, T, n]: a trial's steps side by side, as callers have them. */
export function byTrial(
  values: Float64Array,
  { size, steps }: Pick<Batch, "size" | "steps">,
): Float64Array {
  const n = values.length / (size * steps);
  const ordered = new Float64Array(values.length);
  for (let t = 0; t < steps; t++) {
    for (let b = 0; b < size; b++) {
      const from = (t * size + b) * n;
      ordered.set(values.subarray(from, from + n), (b * steps + t) * n);
    }
  }
  return ordered;
}
