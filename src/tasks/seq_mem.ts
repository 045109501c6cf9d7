/**
 * `seq_mem`: remember a sequence of numbers and replay it after a cue.
 *
 * A trial with L = `pattern_length` has T = 2L + 1 time steps of I = 2 numbers (cue,
 * value): L time steps [0, v], the cue [1, 0], then zeros. The targets are the L
 * values, in the same order, at the last L of them.
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
  type Task,
} from "./task.ts";

/** A smaller range would leave float32 with too few different values. */
const SMALLEST_RANGE = 1e-6;

/** The task `seq_mem`. Values are of U(`low`, `high`), but for 0, which as a target means "not scored". */
export const seqMem: Task = {
  name: "seq_mem",
  description:
    "numbers are shown, then a cue, then they are to be replayed in order",
  loss: "mse",
  outputSize: 1,
  trialParameters: {
    low: {
      kind: "number",
      from: -1e6,
      to: 1e6,
      default: 0,
      description: "lower end of the range the values are drawn from",
    },
    high: {
      kind: "number",
      from: -1e6,
      to: 1e6,
      default: 1,
      description: "upper end of the range the values are drawn from",
    },
  },
  gridParameters: {
    pattern_length: {
      kind: "integer",
      from: 1,
      to: 10_000,
      example: 3,
      description: "how many values have to be remembered",
    },
  },
  inputNames: ["cue", "value"],
  check({ low = 0, high = 1 }) {
    return Number(high) - Number(low) >= SMALLEST_RANGE
      ? undefined
      : `high must be above low by ${SMALLEST_RANGE} or more, found low ${low} and high ${high}`;
  },
  steps: (parameters) => 2 * countParameter(parameters, "pattern_length") + 1,
  inputSize: () => 2,
  trialCount: (nrOfTrials) => nrOfTrials,
  generate(parameters, { stream }) {
    const { low, high, pattern_length: length, nr_of_trials: trialCount } =
      checkedParameters<"low" | "high" | "pattern_length">(seqMem, parameters);
    const steps = 2 * length + 1;
    const trials = blankTrials({ trialCount, steps, inputSize: 2 });
    for (let trial = 0; trial < trialCount; trial++) {
      const first = trial * steps;
      for (let t = first; t < first + length; t++) {
        const value = drawValue(stream, { low, high });
        trials.inputs[2 * t + 1] = value;
        trials.targets[t + length + 1] = value;
      }
      trials.inputs[2 * (first + length)] = 1;
    }
    return trials;
  },
};
