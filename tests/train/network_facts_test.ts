import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { readExperiment } from "../../src/experiment/read_experiment.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { countBlocks } from "../../src/graph/blocks.ts";
import { countConnections } from "../../src/graph/connections.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import {
  buildRun,
  ensembleSize,
  prepareExperiment,
} from "../../src/train/prepare.ts";
import { tinyConfig, type TinyExperiment } from "../soak/tiny_experiment.ts";
import { trainTiny } from "./tiny_training.ts";

/** The tiny experiment with 5 neurons a region, of which each connects to one. */
function prepare(tiny: TinyExperiment = {}, folder = ".") {
  const text = tinyConfig(tiny).replace(
    "nr_neurons = 1",
    "nr_neurons = 5\ntarget_sparsity = 0.2",
  ).replace(`"pattern_length":[2]`, `"pattern_length":[2, 6, 3]`);
  return prepareExperiment(
    readExperiment(text, { file: join(folder, "config.ini"), tasks: TASKS }),
    { onProgress: () => {} },
  );
}

describe("networkFacts()", () => {
  it("counts connections and blocks of the network that all models have", async () => {
    const prepared = await prepare();
    const { facts } = prepared;
    for (const iteration of [0, 1]) {
      const { connections } = await buildRun(prepared, {
        combination: 1,
        iteration,
      });
      assert.equal(facts.connections, countConnections(connections));
      assert.equal(facts.blocks, countBlocks(connections, 4));
    }
    assert.equal(facts.ownTopologies, false);
    // 6 numbers shown and replayed, and the cue.
    assert.equal(facts.mostSteps, 13);
  });

  it("expects the blocks of random topologies, within a percent of their mean", async () => {
    const prepared = await prepare({ randomW: true });
    const { facts } = prepared;
    assert.equal(facts.ownTopologies, true);
    let blocks = 0;
    for (let iteration = 0; iteration < 20; iteration++) {
      const { connections } = prepared.topologyOf({
        combination: 0,
        iteration,
      });
      assert.equal(facts.connections, countConnections(connections));
      blocks += countBlocks(connections, 4) / 20;
    }
    assert.ok(Math.abs(facts.blocks / blocks - 1) < 0.01, `${blocks}`);
    // The topology of the network itself has others.
    const { facts: bio } = await prepare();
    assert.ok(Math.abs(bio.blocks / blocks - 1) > 0.05);
  });

  it("counts those of pretrained models, whatever the config's network has", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const engine = createReferenceEngine();
      await trainTiny(folder, { engine, tiny: { epochs: 1, randomW: true } });
      const prepared = await prepareExperiment(
        readExperiment(
          tinyConfig({
            pretrained: "results",
            pretrainedEpoch: 0,
            task: "nback_mem",
          }),
          { file: join(folder, "config.ini"), tasks: TASKS },
        ),
        { onProgress: () => {} },
      );
      const runs = await Promise.all(
        [0, 1].map((combination) =>
          buildRun(prepared, { combination, iteration: 1 })
        ),
      );
      const most = (count: (run: typeof runs[0]) => number) =>
        Math.max(...runs.map(count));
      assert.deepEqual(prepared.facts, {
        connections: most((run) => countConnections(run.connections)),
        blocks: most((run) => countBlocks(run.connections, 4)),
        ownTopologies: true,
        mostSteps: 5,
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

describe("ensembleSize()", () => {
  it("says the largest batch that there is", async () => {
    // 30 trials, of which 24 train, in batches of 16; and in batches of 128.
    const sizes = [];
    for (const batch of [16, 24, 25, 128]) {
      const text = tinyConfig().replace(
        "batch_size = 16",
        `batch_size = ${batch}`,
      );
      const prepared = await prepareExperiment(
        readExperiment(text, { file: "config.ini", tasks: TASKS }),
        { onProgress: () => {} },
      );
      const unit = { combination: 0, iteration: 0 };
      const { trials } = await buildRun(prepared, unit);
      const { batchSize, trialCount } = ensembleSize(prepared, [unit]);
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
