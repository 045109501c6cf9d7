import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { createStream } from "../../src/random/stream.ts";
import { defineTask } from "../../src/tasks/define_task.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import { seqMem } from "../../src/tasks/seq_mem.ts";
import {
  generateTrials,
  splitTrials,
  type Stimuli,
  type Task,
} from "../../src/tasks/task.ts";
import { draw } from "./draw.ts";

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

const pictures = (size: number): Stimuli => ({
  size,
  count: 2,
  values: new Float32Array(2 * size),
  labels: Uint8Array.of(0, 1),
  source: "blank pictures",
  synthetic: true,
});

describe("TASKS", () => {
  it("has the tasks with their sizes, losses and grid keys", () => {
    const facts = [...TASKS].map(([name, task]) => [
      name,
      task.loss,
      task.inputSize(pictures(task.stimuli === "images" ? 784 : 50)),
      task.outputSize,
      task.steps({
        pattern_length: 3,
        trial_length: 5,
        delay: 2,
        evidence_length: 4,
      }),
      task.trialCount(500),
      Object.keys(task.gridParameters).join(),
      Object.keys(task.trialParameters).join(),
    ]);
    assert.deepEqual(facts, [
      ["seq_mem", "mse", 2, 1, 7, 500, "pattern_length", "low,high"],
      ["nback_mem", "nll", 2, 3, 6, 1000, "n_back", "trial_length"],
      [
        "pic_latent_mem",
        "nll",
        51,
        3,
        7,
        1000,
        "n_back",
        "trial_length,rescale",
      ],
      ["pic_mem", "nll", 785, 3, 7, 1000, "n_back", "trial_length,rescale"],
      ["match_to_sample", "nll", 3, 3, 5, 500, "delay", "directions"],
      [
        "context_decision",
        "nll",
        4,
        3,
        5,
        500,
        "evidence_length",
        "evidence,noise",
      ],
      ["memory_capacity", "mse", 1, 1, 5, 500, "lag", "trial_length"],
    ]);
  });
});

const trialsOf = (count: number) =>
  seqMem.generate({ pattern_length: 1, nr_of_trials: count }, {
    stream: createStream({ seed: 1, purpose: "trials" }),
  });
const split = (
  count: number,
  { trainSize = 0.8, batchSize = 128, seed = 1, iteration = 0 } = {},
) =>
  splitTrials(trialsOf(count), {
    trainSize,
    batchSize,
    stream: createStream({ seed, purpose: "split", iteration }),
  });

describe("splitTrials()", () => {
  it("puts every trial into one batch, and fills all batches but the last", () => {
    fc.assert(fc.property(
      fc.integer({ min: 2, max: 300 }),
      fc.double({ min: 0.5, max: 0.99, noNaN: true }),
      fc.integer({ min: 1, max: 150 }),
      fc.nat(1e9),
      (count, trainSize, batchSize, seed) => {
        const set = split(count, { trainSize, batchSize, seed });
        const numbers = (batches: readonly Uint32Array[]) => {
          for (const [i, batch] of batches.entries()) {
            if (i < batches.length - 1) assert.equal(batch.length, batchSize);
            else assert.ok(batch.length >= 1 && batch.length <= batchSize);
          }
          return batches.flatMap((batch) => [...batch]);
        };
        const train = numbers(set.trainBatches);
        const validate = numbers(set.validateBatches);
        assert.equal(train.length, Math.floor(trainSize * count));
        assert.ok(validate.length >= 1);
        assert.deepEqual(
          [...train, ...validate].sort((a, b) => a - b),
          Array.from({ length: count }, (_, i) => i),
        );
        assert.equal(set.inputs.length, count * 3 * 2);
      },
    ));
  });

  it("takes as many training trials as scikit-learn's GroupShuffleSplit", () => {
    // n, train_size, and floor(train_size * n) in double precision, which it takes.
    for (
      const [count, trainSize, expected] of [
        [1000, 0.8, 800],
        [100, 0.29, 28],
        [10, 0.7, 7],
        [7, 0.5, 3],
        [1000, 0.333, 333],
      ] as const
    ) {
      const { trainBatches } = split(count, { trainSize });
      const size = trainBatches.reduce((sum, batch) => sum + batch.length, 0);
      assert.equal(size, expected);
    }
  });

  it("gives the same order for a seed and another for another iteration", () => {
    assert.deepEqual(split(200), split(200));
    const first = split(200).trainBatches;
    assert.notDeepEqual(first, split(200, { iteration: 1 }).trainBatches);
    const order = first.flatMap((batch) => [...batch]);
    assert.notDeepEqual(order, order.toSorted((a, b) => a - b));
  });

  it("tells where nothing is left to train on", () => {
    assert.throws(
      () => split(3, { trainSize: 0.3 }),
      (error) =>
        error instanceof InputError &&
        /^Cannot split 3 trials with train_size 0.3: none/.test(error.message),
    );
    assert.throws(() => split(3, { trainSize: 1 }), RangeError);
    assert.throws(() => split(3, { batchSize: 0 }), RangeError);
  });
});

describe("defineTask()", () => {
  let found: unknown;
  const task = defineTask({
    name: "mine",
    loss: "nll",
    outputSize: 3,
    inputNames: ["value"],
    trialParameters: {
      noise: { kind: "number", above: 0, default: 0.5, description: "" },
      rescale: { kind: "boolean", default: true, description: "" },
    },
    gridParameters: {
      delay: { kind: "integer", from: 0, to: 9, description: "" },
    },
    check: ({ delay, noise }) =>
      Number(delay) > Number(noise) ? undefined : "delay is too short",
    steps: (count) => count("delay"),
    draw: (parameters) => {
      found = parameters;
      return ({ number, show, ask }) => {
        show(0, [number + 1]);
        ask(2, 1 + number);
      };
    },
  });

  it("gives those parameters that are there, and defaults for the others", () => {
    assert.deepEqual(draw(task, { delay: 3, nr_of_trials: 2 }), {
      trialCount: 2,
      steps: 3,
      inputSize: 1,
      inputs: Float32Array.of(1, 0, 0, 2, 0, 0),
      targets: Float32Array.of(0, 0, 1, 0, 0, 2),
    });
    assert.deepEqual(found, {
      delay: 3,
      nr_of_trials: 2,
      noise: 0.5,
      rescale: true,
    });
  });

  it("refuses what is missing, not allowed, or does not go together", () => {
    const wrong = [
      [{}, "delay must be a whole number from 0 to 9, found undefined"],
      [{ delay: 1.5 }, "delay must be a whole number from 0 to 9, found 1.5"],
      [{ delay: true }, "delay must be a whole number from 0 to 9, found true"],
      [
        { delay: 1, noise: 0 },
        "noise must be a finite number above 0, found 0",
      ],
      [
        { delay: 1 },
        "nr_of_trials must be a whole number from 1 to 10000000, found undefined",
      ],
      [{ delay: 0, nr_of_trials: 1 }, "delay is too short"],
    ] as const;
    for (const [parameters, sentence] of wrong) {
      assert.throws(
        () => draw(task, parameters),
        new RangeError(`Cannot make trials: ${sentence}`),
      );
    }
  });
});
