/**
 * `nback_mem`: was the last number the one shown n time steps before? And what it
 * shares with the tasks that ask the same of pictures.
 *
 * A trial has T = `trial_length` + 1 time steps of I = 2 numbers (cue, value):
 * `trial_length` values of U(0, 1), the last of which is the probe and comes
 * with the cue 1, then zeros. The target stands at the last time step: 2 where
 * the probe was also shown `n_back` time steps before, 1 where it was not.
 *
 * Source: the task of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @module
 */

import {
  blankTrials,
  checkedParameters,
  countParameter,
  drawValue,
  type ParameterSchema,
  type Task,
  type TaskParameters,
} from "./task.ts";

/** Class of a trial whose probe was not shown n_back time steps before. */
export const NO_MATCH = 1;

/** Class of a trial whose probe was shown n_back time steps before. */
export const MATCH = 2;

/** Classes 0 (fixation, never scored), {@linkcode NO_MATCH} and {@linkcode MATCH}. */
export const N_BACK_CLASSES = 3;

/** Longest trial that a config may ask for. */
const LONGEST = 10_000;

/** `trial_length`, as the n-back tasks have it. */
export const TRIAL_LENGTH: ParameterSchema = {
  kind: "integer",
  from: 2,
  to: LONGEST,
  example: 5,
  description: "how many items a trial shows; the last one is the probe",
};

/** `n_back`, as the n-back tasks have it. */
export const N_BACK: ParameterSchema = {
  kind: "integer",
  from: 1,
  to: LONGEST - 1,
  example: 2,
  description:
    "how many time steps before the probe the item stands that it is compared with",
};

/** Says what is wrong where the probe would be compared with what was before the trial. */
export function checkNBack(parameters: TaskParameters): string | undefined {
  const { n_back: nBack, trial_length: length } = parameters;
  if (typeof nBack !== "number" || typeof length !== "number") return undefined;
  return nBack < length
    ? undefined
    : `n_back ${nBack} needs a trial_length above ${nBack}, found ${length}`;
}

/**
 * The task `nback_mem`: `nr_of_trials` matching trials, then as many that do
 * not match. In none is the probe repeated by accident.
 */
export const nbackMem: Task = {
  name: "nback_mem",
  description:
    "is the last number the one `n_back` time steps before? half of the trials say yes",
  loss: "nll",
  outputSize: N_BACK_CLASSES,
  trialParameters: { trial_length: TRIAL_LENGTH },
  gridParameters: { n_back: N_BACK },
  inputNames: ["cue", "value"],
  check: checkNBack,
  steps: (parameters) => countParameter(parameters, "trial_length", 2) + 1,
  inputSize: () => 2,
  trialCount: (nrOfTrials) => 2 * nrOfTrials,
  generate(parameters, { stream }) {
    const { trial_length: length, n_back: nBack, nr_of_trials: matching } =
      checkedParameters<"trial_length" | "n_back">(nbackMem, parameters);
    const steps = length + 1;
    const trialCount = 2 * matching;
    const trials = blankTrials({ trialCount, steps, inputSize: 2 });
    for (let trial = 0; trial < trialCount; trial++) {
      const matches = trial < matching;
      const last = trial * steps + length - 1;
      const probe = drawValue(stream);
      for (let t = trial * steps; t < last; t++) {
        trials.inputs[2 * t + 1] = matches && t === last - nBack
          ? probe
          : drawValue(stream, { other: probe });
      }
      trials.inputs.set([1, probe], 2 * last);
      trials.targets[last + 1] = matches ? MATCH : NO_MATCH;
    }
    return trials;
  },
};
