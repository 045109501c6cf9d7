/**
 * Trials in the order of their batches, as the kernels read them.
 *
 * @module
 */

import type { TrialSet } from "../tasks/trial_set.ts";

/** Where a batch stands among the trials of a model. */
export interface BatchPlace {
  /** Trials before it. */
  readonly start: number;
  readonly size: number;
  readonly training: boolean;
}

/** The trials of one model as the kernels read them. */
export interface PackedTrials {
  /** [trials, T, I], training batches first. */
  readonly inputs: Float32Array<ArrayBuffer>;
  /** [trials, T] */
  readonly targets: Float32Array<ArrayBuffer>;
  /** 1 / number of scored entries of each batch. */
  readonly inverseScored: Float32Array<ArrayBuffer>;
  /** Number of scored entries of each batch. */
  readonly scored: Uint32Array;
  /** Steps before the first that any trial scores. */
  readonly firstScored: number;
}

/** Places of all batches of an epoch, training batches first. */
export function placeBatches(trials: TrialSet): BatchPlace[] {
  const places: BatchPlace[] = [];
  let start = 0;
  for (
    const [batches, training] of [
      [trials.trainBatches, true],
      [trials.validateBatches, false],
    ] as const
  ) {
    for (const { length: size } of batches) {
      places.push({ start, size, training });
      start += size;
    }
  }
  return places;
}

/** Puts the trials of a run in the order of their batches. */
export function packTrials(trials: TrialSet): PackedTrials {
  const { steps, inputSize } = trials;
  const batches = [...trials.trainBatches, ...trials.validateBatches];
  const count = batches.reduce((sum, { length }) => sum + length, 0);
  const inputs = new Float32Array(count * steps * inputSize);
  const targets = new Float32Array(count * steps);
  const scored = new Uint32Array(batches.length);
  let firstScored = steps;
  let at = 0;
  for (const [number, batch] of batches.entries()) {
    for (const trial of batch) {
      const values = steps * inputSize;
      inputs.set(
        trials.inputs.subarray(trial * values, (trial + 1) * values),
        at * values,
      );
      for (let t = 0; t < steps; t++) {
        const target = trials.targets[trial * steps + t] as number;
        targets[at * steps + t] = target;
        if (target === 0) continue;
        scored[number]!++;
        firstScored = Math.min(firstScored, t);
      }
      at++;
    }
  }
  return {
    inputs,
    targets,
    scored,
    inverseScored: Float32Array.from(scored, (n) => 1 / n),
    firstScored,
  };
}
