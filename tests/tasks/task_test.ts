import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { createStream } from "../../src/random/stream.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import { generateTrials, type Task } from "../../src/tasks/task.ts";

/** Two trials of three time steps; the last one is scored. */
const TASK: Task = {
  name: "mine",
  loss: "nll",
  outputSize: 3,
  trialParameters: {},
  gridParameters: {},
  steps: () => 3,
  inputSize: () => 1,
  trialCount: () => 2,
  generate: () => ({
    trialCount: 2,
    steps: 3,
    inputSize: 1,
    inputs: Float32Array.of(1, 2, 3, 4, 5, 6),
    targets: Float32Array.of(0, 0, 1, 0, 0, 2),
  }),
};

const generate = (changes: Partial<Task>) => () =>
  generateTrials({ ...TASK, ...changes }, { nr_of_trials: 2 }, {
    stream: createStream({ seed: 1, purpose: "trials" }),
  });

const trials = (changes: object) =>
  generate({
    generate: (...args) => ({ ...TASK.generate(...args), ...changes }),
  });

describe("generateTrials()", () => {
  it("gives what the task generates", () => {
    assert.deepEqual(generate({})().targets, Float32Array.of(0, 0, 1, 0, 0, 2));
  });

  it("refuses trials that are not what the task says", () => {
    for (
      const [wrong, sentence] of [
        [
          generate({ steps: () => 4 }),
          "their steps is 3, but steps() of the task says 4",
        ],
        [
          generate({ inputSize: () => 2 }),
          "their inputSize is 1, but inputSize() of the task says 2",
        ],
        [
          generate({ trialCount: () => 4 }),
          "their trialCount is 2, but trialCount() of the task says 4",
        ],
        [
          trials({ inputs: new Float32Array(5) }),
          "2 trials of 3 time steps have 6 inputs and 6 targets, found 5 and 6",
        ],
        [
          trials({ targets: new Float32Array(7) }),
          "2 trials of 3 time steps have 6 inputs and 6 targets, found 6 and 7",
        ],
        [
          trials({ inputs: Float32Array.of(1, 2, NaN, 4, 5, 6) }),
          "an input is NaN or infinite",
        ],
        [
          trials({ targets: new Float32Array(6) }),
          "all targets are 0, so that nothing is scored",
        ],
        [
          trials({ targets: Float32Array.of(0, 0, 1, 0, 3, 0) }),
          "the target of trial 1 at time step 1 is 3, allowed are classes from 1 to 2, and 0 for what is not scored",
        ],
        [
          trials({ targets: Float32Array.of(0, 0, 1, 0, -1, 0) }),
          "the target of trial 1 at time step 1 is -1, allowed are classes from 1 to 2, and 0 for what is not scored",
        ],
        [
          trials({ targets: Float32Array.of(0, 1.5, 1, 0, 0, 0) }),
          "the target of trial 0 at time step 1 is 1.5, allowed are classes from 1 to 2, and 0 for what is not scored",
        ],
      ] as const
    ) {
      assert.throws(
        wrong,
        new RangeError(
          `Cannot use the trials that the task mine generates: ${sentence}`,
        ),
      );
    }
  });

  it("allows any finite number where the loss is a squared error", () => {
    const changes = { loss: "mse", outputSize: 1 } as const;
    assert.doesNotThrow(generate({
      ...changes,
      generate: (...args) => ({
        ...TASK.generate(...args),
        targets: Float32Array.of(0, -1.5, 0, 0, 0, 7),
      }),
    }));
    assert.throws(
      generate({
        ...changes,
        generate: (...args) => ({
          ...TASK.generate(...args),
          targets: Float32Array.of(0, Infinity, 0, 0, 0, 7),
        }),
      }),
      /trial 0 at time step 1 is Infinity, allowed are finite numbers/,
    );
  });

  it("holds every task of biornn to its word", () => {
    for (const task of TASKS.values()) {
      if (task.stimuli !== undefined) continue;
      const parameters: Record<string, number | boolean> = { nr_of_trials: 4 };
      for (
        const [name, schema] of Object.entries({
          ...task.trialParameters,
          ...task.gridParameters,
        })
      ) {
        parameters[name] = schema.default ?? Math.max(3, schema.from ?? 0);
      }
      if ("trial_length" in parameters) parameters.n_back = 1;
      assert.doesNotThrow(() =>
        generateTrials(task, parameters, {
          stream: createStream({ seed: 1, purpose: "trials" }),
        }), task.name);
    }
  });
});
