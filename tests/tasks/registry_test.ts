import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import type { Stimuli } from "../../src/tasks/task.ts";

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
        ...{ pattern_length: 3, trial_length: 5 },
        ...{ delay: 2, evidence_length: 4 },
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
