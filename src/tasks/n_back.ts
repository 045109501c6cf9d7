/**
 * `nback_mem`: was the last number the one shown n steps before? And what it
 * shares with the tasks that ask the same of pictures.
 *
 * A trial has T = `trial_length` + 1 steps of I = 2 numbers (cue, value):
 * `trial_length` values of U(0, 1), the last of which is the probe and comes
 * with the cue 1, then a step of zeros. The target stands at the last step: 2
 * where the probe was also shown `n_back` steps before, 1 where it was not.
 *
 * Source: the task of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @module
 */

import {
  countParameter,
  drawValue,
  type ParameterSchema,
  type Task,
  type TaskParameters,
} from "./task.ts";

/** Class of a trial whose probe was not shown n_back steps before. */
export const NO_MATCH = 1;

/** Class of a trial whose probe was shown n_back steps before. */
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
    "how many steps before the probe the item stands that it is compared with",
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
 * The parameters of an n-back task.
 *
 * @throws {RangeError} If they are missing or do not go together.
 */
export function nBackParameters(
  parameters: TaskParameters,
): { trialLength: number; nBack: number; nrOfTrials: number } {
  const wrong = checkNBack(parameters);
  if (wrong !== undefined) throw new RangeError(`Cannot make trials: ${wrong}`);
  return {
    trialLength: countParameter(parameters, "trial_length", 2),
    nBack: countParameter(parameters, "n_back"),
    nrOfTrials: countParameter(parameters, "nr_of_trials"),
  };
}

function steps(parameters: TaskParameters): number {
  return countParameter(parameters, "trial_length", 2) + 1;
}

/**
 * The task `nback_mem`: `nr_of_trials` matching trials, then as many that do
 * not match. In none is the probe repeated by accident.
 *
 * @example
 * ```ts
 * import { createStream } from "./src/random/stream.ts";
 * import { nbackMem } from "./src/tasks/n_back.ts";
 *
 * const trials = nbackMem.generate(
 *   { trial_length: 5, n_back: 2, nr_of_trials: 100 },
 *   { stream: createStream({ seed: 1, purpose: "trials" }) },
 * );
 * trials.targets; // 200 trials × 6 steps
 * ```
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
  steps,
  inputSize: () => 2,
  trialCount: (nrOfTrials) => 2 * nrOfTrials,
  generate(parameters, { stream }) {
    const { trialLength, nBack, nrOfTrials } = nBackParameters(parameters);
    const t = trialLength + 1;
    const trialCount = 2 * nrOfTrials;
    const inputs = new Float32Array(trialCount * t * 2);
    const targets = new Float32Array(trialCount * t);
    for (let trial = 0; trial < trialCount; trial++) {
      const matches = trial < nrOfTrials;
      const first = trial * t;
      const last = first + trialLength - 1;
      const probe = drawValue(stream);
      for (let step = first; step < last; step++) {
        inputs[step * 2 + 1] = matches && step === last - nBack
          ? probe
          : drawValue(stream, { other: probe });
      }
      inputs[last * 2] = 1;
      inputs[last * 2 + 1] = probe;
      targets[last + 1] = matches ? MATCH : NO_MATCH;
    }
    return { trialCount, steps: t, inputSize: 2, inputs, targets };
  },
};
