import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import {
  differences,
  filesBelow,
  tinyConfig,
} from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";
import { runTask, startTask, type TaskResult } from "./run_task.ts";

const adapter = await createWebGpuEngine();
adapter?.destroy();
const missing = adapter === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;

/** Regions of a connectome in which each sends to two others. */
const REGIONS = 20;

/** A config and its connectome, sparse enough that whole matrices would be a waste. */
async function writeSparseConfig(
  folder: string,
  { neurons, sparsity, randomW, epochs }: {
    readonly neurons: number;
    readonly sparsity: number;
    readonly randomW: boolean;
    readonly epochs: number;
  },
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const rows = Array.from(
    { length: REGIONS },
    (_, i) =>
      Array.from(
        { length: REGIONS },
        (_, j) =>
          (j - i + REGIONS) % REGIONS === 1 || (j - i + REGIONS) % REGIONS === 5
            ? 0.1 + i / 100
            : 0,
      ).join(","),
  );
  await Deno.writeTextFile(join(folder, "C_Ring.csv"), rows.join("\n"));
  let text = tinyConfig({ epochs, randomW });
  for (
    const [from, to] of [
      ["[paths]", "[paths]\npath_to_network = ."],
      ["Synthetic_Macaque_29", "Ring"],
      ["rnn_size = 29", `rnn_size = ${REGIONS}`],
      [
        "nr_neurons = 1",
        `nr_neurons = ${neurons}
target_sparsity = ${sparsity}
target_sparsity_intrinsic = ${sparsity}`,
      ],
    ] as const
  ) {
    assert.ok(text.includes(from), from);
    text = text.replace(from, to);
  }
  const config = join(folder, "config.ini");
  await Deno.writeTextFile(config, text);
  return config;
}

async function train(...args: string[]): Promise<TaskResult> {
  const result = await runTask("train", [...args, "--device", "gpu"]);
  assert.equal(result.code, 0, result.stderr);
  return result;
}

const CASES = [
  {
    what: "blocks",
    net: { neurons: 4, sparsity: 0.8, randomW: false },
    // A neuron reaches 3 in each of 2 other regions, and 3 of its own.
    connections: REGIONS * 4 * 9,
    line:
      /^memory plan +4 models in 1 ensemble of .*: blocks of 4 × 4 weights, as 15 % of them hold a connection; all models fit in one ensemble$/m,
  },
  {
    what: "single connections, a random topology for each run",
    net: { neurons: 8, sparsity: 0.125, randomW: true },
    connections: REGIONS * 8 * 3,
    line:
      /^memory plan .*: single connections, as 1\.9 % of all possible exist; /m,
  },
] as const;

describe("deno task train with few connections", () => {
  for (const { what, net, connections, line } of CASES) {
    itNeeds(
      `says how weights lie on the device, and gives the same bytes: ${what}`,
      missing,
      async () => {
        await withFolder(async (root) => {
          const place = async (name: string, epochs = 12) => ({
            config: await writeSparseConfig(join(root, name), {
              ...net,
              epochs,
            }),
            results: join(root, name, "results"),
          });
          const dry = await place("dry");
          const { stdout } = await train(dry.config, "--dry-run");
          assert.match(stdout, line);
          assert.equal(stdout.match(/^weights /gm)?.length, 1);
          // 4 models of 5 steps; 24 trials train, in three products, and 6 validate.
          const work = 12 * 4 * 5 * 2 * connections * (3 * 24 + 6);
          assert.ok(
            stdout.includes(`${(work / 1e6).toPrecision(3)} MFLOP`),
            stdout,
          );
          assert.deepEqual(
            [...(await filesBelow(join(root, "dry"))).keys()].sort(),
            ["C_Ring.csv", "config.ini"],
          );

          const calm = await place("calm");
          assert.match((await train(calm.config)).stdout, line);
          const again = await place("again");
          await train(again.config);
          assert.deepEqual(await differences(calm.results, again.results), []);

          const parts = await place("parts");
          await train(parts.config, "--shard", "0/3");
          await train(parts.config, "--shard", "1/3");
          await train(parts.config, "--shard", "2/3");
          assert.deepEqual(await differences(calm.results, parts.results), []);
        });
      },
    );

    itNeeds(
      `goes on to the same bytes with --resume: ${what}`,
      missing,
      async () => {
        await withFolder(async (root) => {
          const options = { ...net, epochs: 400 };
          const calm = await writeSparseConfig(join(root, "calm"), options);
          await train(calm);
          const config = await writeSparseConfig(
            join(root, "stopped"),
            options,
          );
          const results = join(root, "stopped", "results");
          const { child, result } = startTask("train", [
            config,
            ...["--device", "gpu", "--checkpoint_seconds", "0"],
          ]);
          const hasState = async () =>
            [...(await filesBelow(results).catch(() => new Map())).keys()]
              .some((name) => name.includes(".states_"));
          let ended = false;
          result.then(() => ended = true);
          while (!ended && !await hasState()) {
            await new Promise((resolve) => setTimeout(resolve, 10));
          }
          assert.ok(!ended, "the training ended without a saved state");
          child.kill("SIGINT");
          const stopped = await result;
          assert.equal(stopped.code, 130, stopped.stderr);
          await train(config, "--resume");
          assert.deepEqual(
            await differences(join(root, "calm", "results"), results),
            [],
          );
        });
      },
    );
  }
});
