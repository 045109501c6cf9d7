import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { countConnections } from "../../src/graph/connections.ts";
import { buildRun, ensembleShape } from "../../src/train/build_run.ts";
import { tinyConfig, type TinyExperiment } from "../soak/tiny_experiment.ts";
import { prepareText, trainTiny } from "./tiny_training.ts";
import { withFolder } from "../with_folder.ts";

/** The tiny experiment with 5 neurons a region, of which each connects to one. */
function prepareTiny(tiny: TinyExperiment = {}, folder = ".") {
  const text = tinyConfig(tiny).replace(
    "nr_neurons = 1",
    "nr_neurons = 5\ntarget_sparsity = 0.2",
  ).replace(`"pattern_length":[2]`, `"pattern_length":[2, 6, 3]`);
  return prepareText(text, folder);
}

describe("ensembleShape()", () => {
  const unit = { combination: 1, iteration: 1 };

  it("has the connections of all models, where these have the same", async () => {
    const prepared = await prepareTiny();
    const shape = ensembleShape(prepared, [unit]);
    const { connections } = await buildRun(prepared, unit);
    assert.equal(shape.connections, connections);
    assert.equal(shape.ownTopologies, false);
    // 6 numbers shown and replayed, and the cue.
    assert.equal(shape.mostSteps, 13);
  });

  it("has the connections of one of them, where topologies are random", async () => {
    const prepared = await prepareTiny({ randomW: true });
    const shape = ensembleShape(prepared, [unit]);
    assert.equal(shape.ownTopologies, true);
    assert.deepEqual(
      shape.connections,
      prepared.topologyOf({ combination: 0, iteration: 0 }).connections,
    );
  });

  it("has those of a pretrained model, whatever the config's network has", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      await trainTiny(folder, { engine, tiny: { epochs: 1, randomW: true } });
      const prepared = await prepareText(
        tinyConfig({
          randomW: true,
          results: "fine_tuned",
          pretrained: "results",
          pretrainedEpoch: 0,
          task: "nback_mem",
        }),
        folder,
      );
      const runs = await Promise.all(
        [0, 1].map((combination) =>
          buildRun(prepared, { combination, iteration: 1 })
        ),
      );
      const shape = ensembleShape(prepared, [unit]);
      assert.equal(
        countConnections(shape.connections),
        Math.max(...runs.map((run) => countConnections(run.connections))),
      );
      assert.deepEqual([shape.ownTopologies, shape.mostSteps], [true, 5]);
    });
  });

  it("says the largest batch that there is", async () => {
    // 30 trials, of which 24 train, in batches of 16; and in batches of 128.
    const sizes = [];
    for (const batch of [16, 24, 25, 128]) {
      const text = tinyConfig().replace(
        "batch_size = 16",
        `batch_size = ${batch}`,
      );
      const prepared = await prepareText(text);
      const { trials } = await buildRun(prepared, unit);
      const { batchSize, trialCount } = ensembleShape(prepared, [unit]);
      const batches = [...trials.trainBatches, ...trials.validateBatches];
      assert.equal(
        batchSize,
        Math.max(...batches.map(({ length }) => length)),
      );
      assert.equal(trialCount, trials.trialCount);
      sizes.push(batchSize);
    }
    assert.deepEqual(sizes, [16, 24, 24, 24]);
  });
});
