import assert from "node:assert/strict";
import fc from "fast-check";
import { prepare, train } from "../../mod.ts";
import { describe, it } from "../../src/compat/testing.ts";
import { readExperiment } from "../../src/experiment/read.ts";
import { contextDecision } from "../../src/tasks/context_decision.ts";
import { matchToSample } from "../../src/tasks/match_to_sample.ts";
import { memoryCapacity } from "../../src/tasks/memory_capacity.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { configOf, draw, trialOf } from "./draw.ts";

/** The last loss, or accuracy in %, of validation after a training on the synthetic macaque. */
async function trainedScore(
  { trial, grid, epochs }: { trial: string; grid: string; epochs: number },
): Promise<number> {
  const config = configOf({
    trial,
    grid: `"nonlinearity":["tanh"], ${grid}`,
    epochs,
  });
  const experiment = readExperiment(config, { file: "own", tasks: TASKS });
  const engine = createWasmEngine({ workers: 1, fused: false });
  try {
    const { results } = await train(await prepare(experiment), { engine });
    const [combination] = results.combinations;
    const { validateMetrics, validateLoss } = combination!;
    return (validateMetrics ?? validateLoss).values.at(-1)!;
  } finally {
    engine.destroy();
  }
}

describe("match_to_sample", () => {
  it("shows a direction, nothing, the same or another, and asks which", () => {
    fc.assert(fc.property(
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 0, max: 6 }),
      fc.nat(1e9),
      (directions, delay, seed) => {
        const trials = 20;
        const parameters = { directions, delay, nr_of_trials: trials };
        const set = draw(matchToSample, parameters, { seed });
        const T = delay + 3;
        assert.equal(matchToSample.steps(parameters), T);
        for (let trial = 0; trial < trials; trial++) {
          const { rows, targets } = trialOf(set, trial);
          const [sample, probe] = [rows[0]!, rows.at(-2)!];
          assert.equal(sample[0], 0);
          assert.equal(probe[0], 1);
          assert.ok(
            [sample, probe].every(([, x, y]) =>
              Math.abs(Math.hypot(x!, y!) - 1) < 1e-6
            ),
          );
          assert.ok(
            [...rows.slice(1, -2), rows.at(-1)!].flat().every((x) => x === 0),
          );
          const same = sample[1] === probe[1] && sample[2] === probe[2];
          assert.equal(same, trial % 2 === 0);
          assert.equal(targets.pop(), same ? 2 : 1);
          assert.deepEqual(targets, new Array(T - 1).fill(0));
        }
      },
    ));
  });

  it("is learnt across a delay: 90 % right and more", async () => {
    const score = await trainedScore({
      trial:
        '"task_name":"match_to_sample", "directions":2, "nr_of_trials":400',
      grid: '"lr":[0.005], "delay":[2]',
      epochs: 60,
    });
    assert.ok(score >= 90, String(score));
  });
});

describe("context_decision", () => {
  it("shows a context and two streams, and asks for the sign of one", () => {
    const parameters = { evidence: 0.8, noise: 0.3, evidence_length: 400 };
    const set = draw(contextDecision, { ...parameters, nr_of_trials: 40 });
    assert.equal(set.steps, 401);
    for (let trial = 0; trial < 40; trial++) {
      const { rows, targets } = trialOf(set, trial);
      const column = (i: number) => rows.map((row) => row[i]!);
      const context = trial % 2;
      assert.ok(column(context).slice(0, -1).every((x) => x === 1));
      assert.ok(column(1 - context).every((x) => x === 0));
      const means = [2, 3].map((i) => {
        const values = column(i);
        assert.equal(values.pop(), 0);
        const mean = values.reduce((a, b) => a + b) / 400;
        const sd = Math.sqrt(
          values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 400,
        );
        assert.ok(Math.abs(sd - 0.3) < 0.06);
        // Evidence is all or half of 0.8, of either sign; five standard errors.
        assert.ok(
          [-0.8, -0.4, 0.4, 0.8].some((c) => Math.abs(mean - c) < 0.075),
        );
        return mean;
      });
      assert.equal(targets.pop(), means[context]! > 0 ? 2 : 1);
      assert.ok(targets.every((target) => target === 0));
    }
  });

  it("is learnt: 85 % right and more", async () => {
    const score = await trainedScore({
      trial: '"task_name":"context_decision", "nr_of_trials":600',
      grid: '"lr":[0.005], "evidence_length":[6]',
      epochs: 40,
    });
    assert.ok(score >= 85, String(score));
  });
});

describe("memory_capacity", () => {
  it("asks for what was shown `lag` time steps ago, and never for what was not", () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.nat(11),
      fc.nat(1e9),
      (trial_length, lag, seed) => {
        const parameters = { trial_length, lag, nr_of_trials: 5 };
        if (lag >= trial_length) {
          assert.match(
            memoryCapacity.check!(parameters)!,
            /needs a trial_length/,
          );
          assert.throws(() => draw(memoryCapacity, parameters), RangeError);
          return;
        }
        const { inputs, targets } = draw(memoryCapacity, parameters, { seed });
        for (const [i, target] of targets.entries()) {
          const t = i % trial_length;
          assert.equal(target, t < lag ? 0 : inputs[i - lag]);
        }
        assert.ok(inputs.every((u) => u !== 0 && Math.abs(u) <= 1));
      },
    ));
  });

  it("is over 0.9 at a lag of 2 after training", async () => {
    const loss = await trainedScore({
      trial:
        '"task_name":"memory_capacity", "trial_length":20, "nr_of_trials":200',
      grid: '"lr":[0.003], "lag":[2]',
      epochs: 40,
    });
    assert.ok(1 - 3 * loss > 0.9, String(loss));
  });
});
