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

import { defineTask, drawValue } from "./define_task.ts";
import type { Task } from "./task.ts";

/** A smaller range would leave float32 with too few different values. */
const SMALLEST_RANGE = 1e-6;

/** The task `seq_mem`. Values are of U(`low`, `high`), but for 0, which as a target means "not scored". */
export const seqMem: Task = defineTask({
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
  steps: (count) => 2 * count("pattern_length") + 1,
  draw:
    ({ low, high, pattern_length: length }, { stream }) => ({ show, ask }) => {
      for (let t = 0; t < length; t++) {
        const value = drawValue(stream, { low, high });
        show(t, [0, value]);
        ask(t + length + 1, value);
      }
      show(length, [1]);
    },
});
