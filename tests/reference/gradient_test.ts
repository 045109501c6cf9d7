import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { PARAMETER_NAMES } from "../../src/rnn/parameters.ts";
import { gatherBatch } from "../../src/reference/batch.ts";
import {
  backward,
  createNetwork,
  evaluate,
} from "../../src/reference/elman.ts";
import { inDoubles } from "../../src/reference/model.ts";
import { type ExampleOptions, exampleSpec } from "./example_runs.ts";

/** Step of the central differences; their error is its square plus 1e-16 over it. */
const STEP = 1e-5;

function checkGradients(options: ExampleOptions) {
  const spec = exampleSpec(options);
  const run = spec.runs[0]!;
  const network = createNetwork({ ...spec, ...run });
  const parameters = inDoubles(run.initial);
  const batch = gatherBatch(run.trials, run.trials.trainBatches[0]!);
  const lossOf = () => evaluate(network, parameters, batch).score.loss;
  const gradient = backward(network, parameters, {
    batch,
    ...evaluate(network, parameters, batch),
  });
  for (const name of PARAMETER_NAMES) {
    const tensor = parameters[name];
    for (let i = 0; i < tensor.length; i++) {
      const exists = name !== "weightHh" || run.trainRecurrent;
      const value = tensor[i]!;
      tensor[i] = value + STEP;
      const above = lossOf();
      tensor[i] = value - STEP;
      const below = lossOf();
      tensor[i] = value;
      const expected = exists ? (above - below) / (2 * STEP) : 0;
      const error = Math.abs(gradient[name][i]! - expected);
      assert.ok(
        exists ? error < 1e-9 : error === 0,
        `${name}[${i}] is ${gradient[name][i]}, differences give ${expected}`,
      );
    }
  }
}

describe("backward()", () => {
  for (const activation of ["tanh", "relu"] as const) {
    for (const loss of ["mse", "nll"] as const) {
      it(`is the derivative of the ${loss} loss with ${activation}`, () => {
        checkGradients({ loss, run: { activation } });
        checkGradients({ seed: 2, hiddenSize: 3, loss, run: { activation } });
      });
    }
  }

  it("is it for one unit, one input, one time step, one trial", () => {
    const one = { hiddenSize: 1, inputSize: 1, steps: 1, batchSize: 1 };
    checkGradients({ ...one, density: 1 });
    checkGradients({ ...one, density: 1, loss: "nll" });
    checkGradients({ ...one, density: 1, steps: 6 });
    checkGradients({ ...one, density: 0, steps: 3 });
  });

  it("is it for batches below, at and above eight trials", () => {
    for (const batchSize of [7, 8, 9, 17]) {
      checkGradients({ hiddenSize: 4, trainTrials: 17, batchSize });
    }
  });

  it("is 0 for all of W_hh where that is frozen", () => {
    checkGradients({ run: { trainRecurrent: false } });
  });
});
