import assert from "node:assert/strict";
import {
  buildRun,
  createReferenceEngine,
  prepareExperiment,
  readExperiment,
  TASKS,
} from "../mod.ts";
import { describe, it } from "../src/compat/testing.ts";

describe("mod.ts", () => {
  it("trains a model of a config file in a few lines", async () => {
    const file = new URL("../config/quickstart.ini", import.meta.url).pathname;
    const experiment = readExperiment(await Deno.readTextFile(file), {
      file,
      tasks: TASKS,
    });
    const prepared = await prepareExperiment(experiment, {
      onProgress: () => {},
    });
    const run = await buildRun(prepared, { combination: 1, iteration: 0 });
    const engine = createReferenceEngine();
    const ensemble = await engine.createEnsemble({
      ...prepared.size,
      loss: "mse",
      runs: [run],
    });
    const { validateLoss } = await ensemble.train(10);
    assert.ok(validateLoss[9] as number < (validateLoss[0] as number));
    ensemble.destroy();
    engine.destroy();
  });
});
