/**
 * One batch of trials in the order in which time runs; its loss and accuracy,
 * and the gradient of the loss in the outputs.
 *
 * @module
 */

import type { LossName, Trials } from "../tasks/task.ts";

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

/** Collects the trials of a batch, by their numbers. */
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

/** Puts log(eʸ / Σ eʸ) in place of each row y of `output`, [rows, size]. */
export function logSoftmaxRows(output: Float64Array, size: number): void {
  for (let row = 0; row < output.length; row += size) {
    const y = output.subarray(row, row + size);
    const largest = y.reduce((a, b) => Math.max(a, b));
    const sum = y.reduce(
      (total, value) => total + Math.exp(value - largest),
      0,
    );
    const shift = largest + Math.log(sum);
    for (let o = 0; o < size; o++) y[o]! -= shift;
  }
}

/** Outputs and what they should be. */
interface Scored {
  readonly loss: LossName;
  /** O */
  readonly outputSize: number;
  /** [rows, O]; log-probabilities where the loss is "nll". */
  readonly output: Float64Array;
  /** [rows]; 0 = not scored; for "nll" the class, 1…O − 1. */
  readonly targets: Float64Array;
}

/** What {@linkcode scoreBatch} gives. */
export interface Score {
  /** Mean over the scored rows; NaN where there are none, as in PyTorch. */
  readonly loss: number;
  /** Share of right answers in %; undefined where the loss is "mse". */
  readonly accuracy: number | undefined;
  /** [rows, O]: dLoss / dy, for "nll" in the outputs y before the log-softmax. */
  readonly gradient: Float64Array;
}

/** Scores the rows whose target is not 0. */
export function scoreBatch(
  { loss, outputSize: O, output, targets }: Scored,
): Score {
  const gradient = new Float64Array(output.length);
  const scored = targets.reduce((n, target) => n + (target === 0 ? 0 : 1), 0);
  // As in the original: a target is one number, compared with every output.
  const n = loss === "mse" ? scored * O : scored;
  let sum = 0;
  let correct = 0;
  for (const [row, target] of targets.entries()) {
    if (target === 0) continue;
    const y = output.subarray(row * O, (row + 1) * O);
    const dy = gradient.subarray(row * O, (row + 1) * O);
    if (loss === "mse") {
      for (let o = 0; o < O; o++) {
        const error = y[o]! - target;
        sum += error * error;
        dy[o] = 2 * error / n;
      }
    } else {
      sum -= y[target]!;
      if (y.indexOf(Math.max(...y)) === target) correct++;
      for (let o = 0; o < O; o++) {
        dy[o] = (Math.exp(y[o]!) - (o === target ? 1 : 0)) / n;
      }
    }
  }
  const accuracy = loss === "mse" ? undefined : 100 * correct / n;
  return { loss: sum / n, accuracy, gradient };
}
