/**
 * `memory_capacity`: how well can the network say what it was shown `lag` time
 * steps ago?
 *
 * A trial has T = `trial_length` time steps of I = 1 number u_t of U(−1, 1); the
 * target at t is u_{t − lag}, from the first t on where there is one. Always to say
 * the mean gives a loss of 1/3. The capacity at a lag is 1 − 3 · loss, and its sum
 * over the lags of a grid is the memory capacity: H of H linear neurons at most.
 * With `freeze_layer = True` it is that of the connectome's weights as they begin.
 *
 * Source: H. Jaeger, Short term memory in echo state networks, GMD report 152,
 * German National Research Center for Information Technology (2002).
 *
 * @module
 */

import { defineTask, drawValue } from "./define_task.ts";
import type { Task } from "./task.ts";

/** The task `memory_capacity`. */
export const memoryCapacity: Task = defineTask({
  name: "memory_capacity",
  description:
    "say what number was shown `lag` time steps ago; 1 − 3 · loss is the capacity at that lag",
  loss: "mse",
  outputSize: 1,
  trialParameters: {
    trial_length: {
      kind: "integer",
      from: 1,
      to: 10_000,
      default: 30,
      description: "time steps of a trial",
    },
  },
  gridParameters: {
    lag: {
      kind: "integer",
      from: 0,
      to: 9_999,
      example: 3,
      description:
        "how many time steps ago the number was shown that is asked for",
    },
  },
  inputNames: ["value"],
  check: ({ lag, trial_length: length }) =>
    Number(lag) < Number(length)
      ? undefined
      : `lag ${lag} needs a trial_length above ${lag}, found ${length}`,
  steps: (count) => count("trial_length"),
  draw: ({ lag, trial_length: length }, { stream }) => ({ show, ask }) => {
    for (let t = 0; t < length; t++) {
      const value = drawValue(stream, { low: -1 });
      show(t, [value]);
      if (t + lag < length) ask(t + lag, value);
    }
  },
});
