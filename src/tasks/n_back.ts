/**
 * What the n-back tasks share: their parameters, their classes, and which
 * trials match.
 *
 * @module
 */

import { countParameter } from "./parameter_value.ts";
import type { ParameterSchema, TaskParameters } from "./task.ts";

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
  description: "how many items a trial shows; the last one is the probe",
};

/** `n_back`, as the n-back tasks have it. */
export const N_BACK: ParameterSchema = {
  kind: "integer",
  from: 1,
  to: LONGEST - 1,
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
