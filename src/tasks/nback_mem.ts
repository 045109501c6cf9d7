/**
 * `nback_mem`: was the last number the one shown n steps before?
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

import { drawValue } from "./draw_value.ts";
import {
  checkNBack,
  MATCH,
  N_BACK,
  N_BACK_CLASSES,
  nBackParameters,
  NO_MATCH,
  TRIAL_LENGTH,
} from "./n_back.ts";
import { countParameter } from "./parameter_value.ts";
import type { Task, TaskParameters } from "./task.ts";

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
 * import { nbackMem } from "./src/tasks/nback_mem.ts";
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
  loss: "nll",
  outputSize: N_BACK_CLASSES,
  trialParameters: { trial_length: TRIAL_LENGTH },
  gridParameters: { n_back: N_BACK },
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
