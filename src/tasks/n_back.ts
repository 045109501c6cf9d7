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

import { defineTask, drawValue } from "./define_task.ts";
import type { ParameterSchema, Task } from "./task.ts";

/** Class of a trial whose probe was not shown n_back time steps before. */
export const NO_MATCH = 1;

/** Class of a trial whose probe was shown n_back time steps before. */
export const MATCH = 2;

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

/**
 * What the n-back tasks share: `nr_of_trials` matching trials, then as many that do
 * not match; classes 0 (fixation, never scored), {@linkcode NO_MATCH} and {@linkcode MATCH}.
 */
export const N_BACK = {
  loss: "nll",
  outputSize: 3,
  gridParameters: {
    n_back: {
      kind: "integer",
      from: 1,
      to: LONGEST - 1,
      example: 2,
      description:
        "how many time steps before the probe the item stands that it is compared with",
    },
  },
  check: ({ n_back: nBack, trial_length: length }) =>
    Number(nBack) < Number(length)
      ? undefined
      : `n_back ${nBack} needs a trial_length above ${nBack}, found ${length}`,
  trialCount: (nrOfTrials) => 2 * nrOfTrials,
} as const satisfies Partial<Task>;

/** The task `nback_mem`. In no trial is the probe repeated by accident. */
export const nbackMem: Task = defineTask({
  ...N_BACK,
  name: "nback_mem",
  description:
    "is the last number the one `n_back` time steps before? half of the trials say yes",
  trialParameters: { trial_length: TRIAL_LENGTH },
  inputNames: ["cue", "value"],
  steps: (count) => count("trial_length") + 1,
  draw(parameters, { stream }) {
    const { n_back: nBack, nr_of_trials: matching } = parameters;
    const last = parameters.trial_length - 1;
    return ({ number, show, ask }) => {
      const matches = number < matching;
      const probe = drawValue(stream);
      for (let t = 0; t < last; t++) {
        const value = matches && t === last - nBack
          ? probe
          : drawValue(stream, { other: probe });
        show(t, [0, value]);
      }
      show(last, [1, probe]);
      ask(last + 1, matches ? MATCH : NO_MATCH);
    };
  },
});
