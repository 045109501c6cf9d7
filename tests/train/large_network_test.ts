import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "../../src/compat/testing.ts";
import { readSparseNpz } from "../../src/files/npz.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { decodeCheckpoint } from "../../src/rnn/checkpoint.ts";
import {
  countConnections,
  findConnectionProblem,
} from "../../src/graph/connections.ts";
import { buildRun } from "../../src/train/build_run.ts";
import { train } from "../../src/train/train.ts";
import { tinyConfig, type TinyExperiment } from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";
import { prepareText } from "./tiny_training.ts";

/** Prepares the tiny experiment with more neurons a region, and few connections of each. */
function prepareTiny(
  { folder, tiny, neurons, sparsity }: {
    readonly folder: string;
    readonly tiny?: TinyExperiment;
    readonly neurons: number;
    readonly sparsity: readonly [between: number, within: number];
  },
) {
  const text = tinyConfig(tiny).replace(
    "nr_neurons = 1",
    `nr_neurons = ${neurons}
target_sparsity = ${sparsity[0]}
target_sparsity_intrinsic = ${sparsity[1]}`,
  );
  return prepareText(text, folder);
}

/** Seconds that this process has computed: those of other processes do not count. */
function processSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

describe("an experiment with 20,000 neurons and 2 million connections", () => {
  for (const randomW of [false, true]) {
    it(
      `is prepared in seconds and without a dense matrix${
        randomW ? ", with random_w" : ""
      }`,
      async () => {
        const before = Deno.memoryUsage().rss;
        const began = processSeconds();
        const prepared = await prepareTiny({
          folder: "results",
          tiny: { randomW },
          neurons: 690,
          sparsity: [0.0075, 0.02],
        });
        const { connections, initial } = await buildRun(prepared, {
          combination: 0,
          iteration: 0,
        });
        const seconds = processSeconds() - began;
        assert.equal(connections.receivers, 20_010);
        assert.equal(findConnectionProblem(connections), undefined);
        const count = 29 * 690 * 14 + 536 * 690 * 5;
        assert.equal(countConnections(connections), count);
        assert.equal(initial.weightHh.length, count);
        // It takes 2 s here; a dense matrix in double precision takes 3.2 GB.
        assert.ok(seconds < 20, `${seconds} s`);
        const grown = Deno.memoryUsage().rss - before;
        assert.ok(grown < 1.2e9, `${grown} bytes more`);
      },
    );
  }
});

describe("an experiment with more than 4,096 neurons", () => {
  it("is trained, and written as sparse matrices that another one can begin with", async () => {
    await withFolder(async (folder) => {
      const large = {
        folder,
        neurons: 142,
        sparsity: [0.005, 0.01],
      } as const;
      const prepared = await prepareTiny({
        ...large,
        tiny: { epochs: 1, iterations: 1 },
      });
      const engine = createWasmEngine();
      const results = prepared.experiment.paths.results;
      await train(prepared, { engine, folder: results, onLine: assert.fail });
      engine.destroy();
      const names = await Array.fromAsync(
        Deno.readDir(results),
        ({ name }) => name,
      );
      assert.ok(!names.includes("network.npy"));
      assert.ok(!names.includes("network_mask.npy"));
      const file = join(results, "network.npz");
      const { shape, column, values } = readSparseNpz(
        await Deno.readFile(file),
        { name: file },
      );
      const count = 29 * 142 + 536 * 142;
      assert.deepEqual(shape, [4118, 4118]);
      assert.equal(column.length, count);
      assert.deepEqual(
        Float64Array.from(values).sort(),
        prepared.network.weight.toSorted(),
      );

      const run = await buildRun(prepared, { combination: 1, iteration: 0 });
      const read = async (epoch: string) => {
        const name = `model_state_dict_epoch_${epoch}_iter_0.safetensors`;
        const bytes = await Deno.readFile(join(results, "1", name));
        return decodeCheckpoint(bytes, { name });
      };
      const initial = await read("initial");
      assert.deepEqual(initial.connections, run.connections);
      assert.deepEqual(initial.parameters, run.initial);
      const trained = await read("0");
      assert.deepEqual(trained.connections, run.connections);
      assert.notDeepEqual(trained.parameters, run.initial);

      const next = await prepareTiny({
        ...large,
        tiny: {
          results: "fine_tuned",
          pretrained: "results",
          pretrainedEpoch: 0,
        },
      });
      const going = await buildRun(next, { combination: 1, iteration: 0 });
      assert.deepEqual(going.connections, trained.connections);
      assert.deepEqual(going.initial, trained.parameters);
    });
  });
});
