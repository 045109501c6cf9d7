/**
 * `seq_mem`: remember a sequence of numbers and replay it after a cue.
 *
 * A trial with L = `pattern_length` has T = 2L + 1 steps of I = 2 numbers (cue,
 * value): L steps [0, v], the cue [1, 0], then zeros. The targets are the L
 * values, in the same order, on the last L steps.
 *
 * Source: the task of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @module
 */

import {
  countParameter,
  drawValue,
  numberParameter,
  type Task,
  type TaskParameters,
} from "./task.ts";

/** A smaller range would leave float32 with too few different values. */
const SMALLEST_RANGE = 1e-6;

function steps(parameters: TaskParameters): number {
  return 2 * countParameter(parameters, "pattern_length") + 1;
}

/**
 * The task `seq_mem`. Values are drawn from U(`low`, `high`), apart from
 * exactly 0, which as a target means "not scored".
 *
 * @example
 * ```ts
 * import { createStream } from "./src/random/stream.ts";
 * import { seqMem } from "./src/tasks/seq_mem.ts";
 *
 * const trials = seqMem.generate(
 *   { pattern_length: 3, low: 0, high: 1, nr_of_trials: 100 },
 *   { stream: createStream({ seed: 1, purpose: "trials" }) },
 * );
 * trials.inputs; // 100 trials × 7 steps × 2 numbers
 * ```
 */
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
  steps,
  inputSize: () => 2,
  trialCount: (nrOfTrials) => nrOfTrials,
  generate(parameters, { stream }) {
    const all = { low: 0, high: 1, ...parameters };
    const wrong = seqMem.check?.(all);
    if (wrong !== undefined) {
      throw new RangeError(`Cannot make trials: ${wrong}`);
    }
    const low = numberParameter(all, "low");
    const high = numberParameter(all, "high");
    const length = countParameter(all, "pattern_length");
    const trialCount = countParameter(all, "nr_of_trials");
    const t = steps(all);
    const inputs = new Float32Array(trialCount * t * 2);
    const targets = new Float32Array(trialCount * t);
    for (let trial = 0; trial < trialCount; trial++) {
      const first = trial * t;
      for (let step = 0; step < length; step++) {
        const value = drawValue(stream, { low, high });
        inputs[(first + step) * 2 + 1] = value;
        targets[first + length + 1 + step] = value;
      }
      inputs[(first + length) * 2] = 1;
    }
    return { trialCount, steps: t, inputSize: 2, inputs, targets };
  },
};
