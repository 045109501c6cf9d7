import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import type { Engine } from "../../src/engine/ensemble.ts";
import { readArms } from "../../src/experiment/read.ts";
import { InputError, RetryError } from "../../src/files/input_error.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createStream } from "../../src/random/stream.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { lockFolder } from "../../src/results/lock.ts";
import { readExperimentRecord } from "../../src/results/experiment_record.ts";
import { buildRun } from "../../src/train/build_run.ts";
import { planTogether } from "../../src/train/groups.ts";
import { prepareArms } from "../../src/train/prepare.ts";
import type { Shard } from "../../src/train/shard.ts";
import { train, type TrainOptions } from "../../src/train/train.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import {
  differences,
  filesBelow,
  tinyConfig,
  type TinyExperiment,
} from "../soak/tiny_experiment.ts";
import { interrupted } from "./tiny_training.ts";
import { withFolder } from "../with_folder.ts";

/** Keys of `[net]` in place of the tiny experiment's. */
type Net = Readonly<Record<string, string>>;

const ARMS: Net = { null_model: "['none', 'degrees', 'permute']" };

/** A config in the folder, and the arms that it has. */
function arms(folder: string, net: Net, tiny: TinyExperiment = {}) {
  const set = Object.fromEntries(
    Object.entries(net).map(([key, value]) => [`net.${key}`, value]),
  );
  const text = tinyConfig({ epochs: 4, ...tiny });
  return readArms(text, {
    file: join(folder, "config.ini"),
    overrides: { set },
  });
}

const prepare = (experiments: ReturnType<typeof arms>) =>
  prepareArms(experiments);

/** Trains all arms into folders; the results lie in `folder`/NAME. */
async function trainAll(
  folder: string,
  name: string,
  { net, tiny = {}, ...options }: {
    readonly net: Net;
    readonly tiny?: TinyExperiment;
  } & TrainOptions,
) {
  const prepared = await prepare(arms(folder, net, tiny));
  return await train(prepared, { ...options, folder: join(folder, name) });
}

/** What differs between an arm and the same experiment alone, what the records say of the config apart. */
async function differing(arm: string, alone: string): Promise<string[]> {
  const named = ["experiment.json", "SHA256SUMS"];
  return (await differences(arm, alone)).filter((line) =>
    !named.some((name) => line.startsWith(name))
  );
}

/** Writes a connectome of so many regions. */
async function writeConnectome(folder: string, name: string, regions: number) {
  const stream = createStream({ seed: regions, purpose: "connectome" });
  const data = Float64Array.from({ length: regions ** 2 }, (_, i) => {
    const weight = stream.uniform();
    return i % (regions + 1) === 0 || weight < 0.4 ? 0 : weight;
  });
  await Deno.writeFile(
    join(folder, `C_${name}.npy`),
    writeNpy({ shape: [regions, regions], data }),
  );
}

const gpu = await createWebGpuEngine();
const missing = gpu === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;
gpu?.destroy();

const ENGINES: [string, () => Promise<Engine>, string | undefined][] = [
  [
    "the reference engine",
    () => Promise.resolve(createReferenceEngine()),
    undefined,
  ],
  [
    "WebAssembly",
    () => Promise.resolve(createWasmEngine({ workers: 2 })),
    undefined,
  ],
  ["WebGPU", async () => (await createWebGpuEngine())!, missing],
];

describe("train() with several arms", () => {
  for (const [name, open, without] of ENGINES) {
    itNeeds(
      `gives each run of each arm the numbers that it has alone, on ${name}`,
      without,
      async () => {
        await withFolder(async (folder) => {
          await writeConnectome(folder, "Small", 13);
          await writeConnectome(folder, "Other", 29);
          const engine = await open();
          const net = {
            null_model: "['none', 'degrees']",
            net_name: "['Synthetic_Macaque_29', 'Small', 'Other']",
            rnn_size: "[29, 13, 29]",
          };
          const tiny = { network: folder, iterations: 1 };
          const all = await trainAll(folder, "all", { net, tiny, engine });
          assert.equal(all.length, 6);
          const experiments = arms(folder, net, tiny);
          for (const experiment of [0, 3, 5].map((i) => experiments[i]!)) {
            const { name, regions, nullModel } = experiment.net;
            const alone = await trainAll(folder, "alone", {
              net: {
                net_name: name,
                rnn_size: String(regions),
                null_model: nullModel,
              },
              tiny,
              engine,
              overwrite: true,
            });
            assert.equal(alone[0]?.finished, true);
            const found = await differing(
              join(folder, "all", experiment.arm!),
              join(folder, "alone"),
            );
            assert.deepEqual(found, [], experiment.arm);
          }
          engine.destroy();
        });
      },
    );
  }

  it("trains 50 arms in one run, an ensemble for each size", async () => {
    await withFolder(async (folder) => {
      const names = Array.from({ length: 25 }, (_, i) => `Net${i}`);
      for (const [i, name] of names.entries()) {
        await writeConnectome(folder, name, 10 + i % 2);
      }
      const experiments = arms(folder, {
        null_model: "('none', 'degrees')",
        net_name: JSON.stringify(names),
        rnn_size: JSON.stringify(names.map((_, i) => 10 + i % 2)),
      }, { network: folder, epochs: 2 });
      const prepared = await prepare(experiments);
      const engine = createWasmEngine({ workers: 1 });
      const runs = [{ combination: 0, iteration: 0 }, {
        combination: 1,
        iteration: 1,
      }];
      const ensembles = new Set<number>();
      const all = await train(prepared, {
        engine,
        runs,
        onProgress: ({ models, total }) => {
          ensembles.add(models);
          assert.equal(total, 50 * 2 * 2);
        },
      });
      assert.deepEqual([...ensembles].sort(), [48, 52]);
      for (const i of [0, 7, 24, 49]) {
        const alone = await train(prepared[i]!, { engine, runs });
        for (const run of runs) {
          assert.deepEqual(
            (await all[i]!.model(run)).parameters,
            (await alone.model(run)).parameters,
          );
        }
      }
      engine.destroy();
    });
  });

  it("goes on where it was interrupted, also an arm by itself", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      await trainAll(folder, "calm", { net: ARMS, engine });
      const stop = new AbortController();
      let calls = 0;
      const stopped = await trainAll(folder, "place", {
        net: ARMS,
        engine: interrupted(engine, ({ kind }) => {
          if (kind === "train" && ++calls === 2) stop.abort();
        }),
        signal: stop.signal,
        checkpointSeconds: 0,
      });
      assert.deepEqual(stopped.map(({ finished }) => finished), [
        false,
        false,
        false,
      ]);
      const place = join("place", "degrees");
      const alone = { null_model: "degrees" };
      await trainAll(folder, place, { net: alone, engine, resume: true });
      const updates: number[] = [];
      const resumed = await trainAll(folder, "place", {
        net: ARMS,
        engine,
        resume: true,
        onProgress: ({ total }) => updates.push(total),
      });
      assert.ok(resumed.every(({ finished }) => finished));
      // The runs of two arms, of 4 epochs those that were left.
      assert.equal(updates.at(-1), 2 * 4 * 3);
      for (const arm of ["bio", "degrees", "permute"]) {
        assert.deepEqual(
          await differing(
            join(folder, "place", arm),
            join(folder, "calm", arm),
          ),
          [],
        );
      }
      await assert.rejects(
        trainAll(folder, "place", { net: ARMS, engine }),
        /holds results already/,
      );
    });
  });

  it("refuses to put arms into the results folder of an experiment, and leaves no lock", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      const one = { null_model: "permute" };
      await trainAll(folder, "one", { net: one, engine });
      await assert.rejects(
        trainAll(folder, "one", { net: ARMS, engine }),
        (error) =>
          error instanceof InputError &&
          /is itself the results folder of an experiment/.test(error.message),
      );
      // The last arm's folder is another experiment's.
      await trainAll(folder, join("two", "permute"), { net: one, engine });
      await assert.rejects(
        trainAll(folder, "two", { net: ARMS, engine }),
        /two.permute.*holds results already/,
      );
      const made = [...Deno.readDirSync(join(folder, "two"))];
      assert.deepEqual(made.map(({ name }) => name), ["permute"]);
    });
  });

  it("overwrites no arm where the folder of another is not to be touched", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      const all = join(folder, "all");
      await trainAll(folder, "all", { net: ARMS, engine });
      const overwrite = () =>
        trainAll(folder, "all", { net: ARMS, engine, overwrite: true });
      const before = await filesBelow(join(all, "bio"));
      await Deno.rename(join(all, "permute"), join(folder, "elsewhere"));
      await Deno.mkdir(join(all, "permute"));
      await Deno.writeTextFile(join(all, "permute", "notes.txt"), "");
      await assert.rejects(overwrite, /it holds "notes.txt"/);
      assert.deepEqual(await filesBelow(join(all, "bio")), before);
      await Deno.remove(join(all, "permute"), { recursive: true });
      await Deno.rename(join(folder, "elsewhere"), join(all, "permute"));
      await Deno.rename(join(all, "permute", "0"), join(folder, "0"));
      await Deno.symlink(join(folder, "0"), join(all, "permute", "0"));
      await assert.rejects(overwrite, /"0" in it is a link/);
      assert.deepEqual(await filesBelow(join(all, "bio")), before);
    });
  });

  it("says in what an arm's finished results are another experiment's", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      const net = { null_model: "['none', 'permute']", null_samples: "1" };
      await trainAll(folder, "all", { net, engine });
      const other = { ...net, null_samples: "2" };
      const bio = join(folder, "all", "bio");
      const before = await filesBelow(bio);
      await assert.rejects(
        trainAll(folder, "all", { net: other, engine, resume: true }),
        /permute": it holds .* experiment \(nullSamples is 1 there and 2 here\);/,
      );
      assert.deepEqual(await filesBelow(bio), before);
    });
  });

  it("touches no arm where another process trains one", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      await trainAll(folder, "all", { net: ARMS, engine });
      const bio = join(folder, "all", "bio");
      const before = await filesBelow(bio);
      const lock = await lockFolder(join(folder, "all", "permute"), {
        part: undefined,
        warn: assert.fail,
      });
      for (const how of [{ overwrite: true }, { resume: true }]) {
        await assert.rejects(
          trainAll(folder, "all", { net: ARMS, engine, ...how }),
          RetryError,
        );
      }
      await lock.release();
      assert.deepEqual(await filesBelow(bio), before);
    });
  });

  it("names the arm whose start can't be matched", async () => {
    await withFolder(async (folder) => {
      const data = Float64Array.of(0, 1, 0, 0, 0, 1, 0, 0, 0);
      await Deno.writeFile(
        join(folder, "C_Chain.npy"),
        writeNpy({ shape: [3, 3], data }),
      );
      const net = {
        null_model: "['none', 'degrees']",
        match: "spectral_radius",
        net_name: "Chain",
        rnn_size: "3",
      };
      const engine = createReferenceEngine();
      await assert.rejects(
        trainAll(folder, "all", { net, engine, tiny: { network: folder } }),
        /^InputError: Cannot match the start of degrees, combination 0, iteration 0 by \[net\] match = spectral_radius: .* has no cycle/,
      );
    });
  });

  it("records each arm so that it can be repeated alone", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      await trainAll(folder, "all", { net: ARMS, engine });
      const record = await readExperimentRecord(join(folder, "all", "degrees"));
      assert.match(record.config.effective!, /^null_model = degrees$/m);
      const [again, ...others] = readArms(record.config.effective!);
      assert.equal(others.length, 0);
      const [prepared] = await prepare([again!]);
      assert.equal(prepared!.fingerprint, record.fingerprint);
    });
  });

  it("begins each arm with the models of its own folder", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      await trainAll(folder, "first", {
        net: ARMS,
        engine,
        tiny: { epochs: 1 },
      });
      const tiny = { pretrained: "first", task: "nback_mem" } as const;
      const prepared = await prepare(arms(folder, ARMS, tiny));
      assert.deepEqual(
        prepared.map(({ pretrained }) => pretrained!.record.folder),
        ["bio", "degrees", "permute"],
      );
    });
  });
});

describe("planTogether()", () => {
  it("keeps arms apart that an engine computes in different ways", async () => {
    const prepared = await prepare(arms(".", ARMS));
    const runs = prepared.map((prepared) => ({
      results: { prepared },
      id: { combination: 0, iteration: 0 },
    }));
    const engine = createReferenceEngine();
    const counts = new Set<number>();
    const planned = planTogether(runs, {
      ...engine,
      plan: (shape) => {
        if (shape.way !== undefined) counts.add(shape.steps.length);
        const way = shape.connections === prepared[0]!.sample ? "a" : "b";
        return { ...engine.plan(shape), way };
      },
    });
    assert.deepEqual(planned.map(({ runs }) => runs.length), [1, 2]);
    assert.deepEqual([...counts], [2]);
  });
});

describe("null_samples", () => {
  it("gives iteration i of every combination network i mod K", async () => {
    for (const fresh of ["False", "True"]) {
      const net = {
        null_model: "degrees",
        null_samples: "2",
        fresh_network: fresh,
      };
      const [prepared] = await prepare(arms(".", net, { iterations: 4 }));
      const senders = await Promise.all(
        [[0, 0], [0, 1], [0, 2], [1, 2], [1, 3]].map(
          async ([combination, iteration]) => {
            const { connections } = await buildRun(prepared!, {
              combination: combination!,
              iteration: iteration!,
            });
            return connections.sender.join();
          },
        ),
      );
      const [first, second] = senders;
      assert.notEqual(first, second);
      assert.deepEqual(senders, [first, second, first, first, second]);
    }
  });

  it("is no part of an experiment without a null model, and another one with", async () => {
    const prints = await Promise.all(
      [["none", "0"], ["none", "3"], ["degrees", "0"], ["degrees", "3"]].map(
        async ([null_model, null_samples]) => {
          const net = { null_model: null_model!, null_samples: null_samples! };
          return (await prepare(arms(".", net)))[0]!.fingerprint;
        },
      ),
    );
    assert.equal(prints[0], prints[1]);
    assert.equal(new Set(prints).size, 3);
  });
});

describe("shards of several arms", () => {
  it("train every run once, and the last one to come finishes all arms", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      await trainAll(folder, "calm", { net: ARMS, engine });
      const { openArms } = await import("../../src/train/results_writer.ts");
      const { trainArms } = await import("../../src/train/train_arms.ts");
      const experiments = arms(folder, ARMS).map((experiment) => ({
        ...experiment,
        paths: {
          ...experiment.paths,
          results: join(folder, "parts", experiment.arm!),
        },
      }));
      for (let index = 0; index < 5; index++) {
        const shard: Shard = {
          index,
          count: 5,
          first: 0,
          step: 1,
          origin: "test",
        };
        const opened = await openArms(await prepare(experiments), {
          engine,
          shard,
          overwrite: false,
          resume: true,
          warn: assert.fail,
        });
        const outcomes = await trainArms(opened, {
          engine,
          signal: new AbortController().signal,
          checkpointSeconds: 60,
          progress: { update() {}, line: assert.fail, finish() {} },
        });
        for (const arm of opened) await arm.close();
        assert.ok(outcomes.every(({ finished }) => finished));
      }
      for (const { arm } of experiments) {
        const found = await differing(
          join(folder, "parts", arm!),
          join(folder, "calm", arm!),
        );
        assert.deepEqual(found, [], arm);
      }
    });
  });
});
