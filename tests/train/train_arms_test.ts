import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { DeviceError } from "../../src/engine/ensemble.ts";
import type { Engine } from "../../src/engine/ensemble.ts";
import { InputError } from "../../src/files/input_error.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { readSparseNpz } from "../../src/files/npz.ts";
import { readExperimentRecord } from "../../src/results/experiment_record.ts";
import { topologyPath } from "../../src/results/layout.ts";
import { readResultsFolder } from "../../src/results/results_folder.ts";
import {
  decodeRuns,
  encodeRunRecord,
  encodeRunStates,
} from "../../src/results/run_file.ts";
import { readStatus } from "../../src/results/status.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { readModel } from "../../src/train/read_model.ts";
import { differences, filesBelow } from "../soak/tiny_experiment.ts";
import {
  type EngineCall,
  inGroupsOf,
  interrupted,
  trainTiny,
  withCalm,
} from "./tiny_training.ts";
import { withFolder } from "../with_folder.ts";

const TINY = { epochs: 8, storeEveryEpoch: 3 };

const withFolders = (engine: Engine, use: Parameters<typeof withCalm>[1]) =>
  withCalm({ engine, tiny: TINY }, use);

function lost(): DeviceError {
  return new DeviceError("the device was lost", { reason: "lost" });
}

function full(): DeviceError {
  return new DeviceError("no memory is left", { reason: "out-of-memory" });
}

/** Throws at the calls whose numbers, from 0, are given. */
function failingAt(numbers: readonly number[], kind: EngineCall["kind"]) {
  let count = 0;
  return (call: EngineCall) => {
    if (call.kind === kind && numbers.includes(count++)) throw lost();
  };
}

const adapter = await createWebGpuEngine();
const missing = adapter === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;
adapter?.destroy();

async function openGpu() {
  const engine = await createWebGpuEngine();
  if (engine === undefined) throw new Error("the adapter has gone");
  return engine;
}

describe("trainArms()", () => {
  itNeeds(
    "gives the same bytes from one ensemble and from many, on WebGPU",
    missing,
    async () => {
      const engine = await openGpu();
      await withFolders(engine, async (place, calm) => {
        const { outcome, updates } = await trainTiny(place, {
          engine: inGroupsOf(1, engine),
          tiny: TINY,
        });
        assert.equal(outcome.finished, true);
        assert.equal(updates.at(-1)?.ensembles, 4);
        assert.equal(updates.at(-1)?.done, updates.at(-1)?.total);
        assert.deepEqual(await differences(calm, join(place, "results")), []);
      });
      engine.destroy();
    },
  );

  it("stops after the epoch under way and goes on with the same result", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place, calm) => {
      for (let epoch = 2; epoch <= 6; epoch += 2) {
        const stop = new AbortController();
        let calls = 0;
        const { outcome } = await trainTiny(place, {
          engine: interrupted(engine, ({ kind }) => {
            if (kind === "train" && ++calls === 3) stop.abort();
          }),
          tiny: TINY,
          resume: true,
          signal: stop.signal,
          checkpointSeconds: 0,
        });
        assert.equal(outcome.finished, false);
        assert.equal(outcome.assembly.missing.length, 4);
      }
      const { outcome, updates } = await trainTiny(place, {
        engine,
        tiny: TINY,
        resume: true,
      });
      assert.equal(outcome.finished, true);
      assert.equal(updates.at(-1)?.total, 4 * 2, "two epochs were left");
      assert.deepEqual(await differences(calm, join(place, "results")), []);
    });
  });

  it("brings runs that were saved at different epochs together again", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place, calm) => {
      // All stop after 4 epochs, and half of them go on to 5.
      for (const [most, calls] of [[4, 5], [2, 2]] as const) {
        const stop = new AbortController();
        let trained = 0;
        await trainTiny(place, {
          engine: interrupted(inGroupsOf(most, engine), ({ kind }) => {
            if (kind === "train" && ++trained === calls) stop.abort();
          }),
          tiny: TINY,
          resume: true,
          signal: stop.signal,
          checkpointSeconds: 0,
        });
      }
      const { updates } = await trainTiny(place, {
        engine,
        tiny: TINY,
        resume: true,
      });
      assert.equal(updates[0]?.models, 4);
      assert.equal(updates[0]?.ensembles, 1);
      assert.equal(updates[0]?.total, 4 * (TINY.epochs - 4));
      assert.deepEqual(await differences(calm, join(place, "results")), []);
    });
  });
});

/** Begins a training, and stops it in its third call of the engine. */
async function beginTiny(
  place: Parameters<typeof trainTiny>[0],
  engine: Engine,
): Promise<void> {
  const stop = new AbortController();
  let calls = 0;
  await trainTiny(place, {
    engine: interrupted(engine, ({ kind }) => {
      if (kind === "train" && ++calls === 3) stop.abort();
    }),
    tiny: TINY,
    signal: stop.signal,
    checkpointSeconds: 0,
  });
}

describe("trainArms() on an engine that others began on", () => {
  it("warns once, and names both in the records", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place) => {
      await beginTiny(place, engine);
      const { lines } = await trainTiny(place, {
        engine: inGroupsOf(1, { ...engine, description: "another" }),
        tiny: TINY,
        resume: true,
      });
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? "", /warning: .*float64.* go on on .*another/);
      const record = await Deno.readTextFile(
        join(place, "results", "experiment.json"),
      );
      assert.match(
        record,
        /float64 reference engine.*, then reference: another/,
      );
    });
  });

  it("says in a sentence that a model does not fit", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place) => {
      await assert.rejects(
        trainTiny(place, {
          engine: {
            ...engine,
            plan: () => {
              throw new RangeError("Cannot train a model of H = 29: too large");
            },
          },
          tiny: TINY,
        }),
        (error) =>
          error instanceof InputError &&
          /H = 29: too large/.test(error.message),
      );
    });
  });
});

describe("trainArms() in device trouble", () => {
  it("opens a lost device again and goes on from the last saved states", async () => {
    const engine = createReferenceEngine();
    for (const kind of ["train", "state", "createEnsemble"] as const) {
      await withFolders(engine, async (place, calm) => {
        const fail = failingAt(kind === "createEnsemble" ? [0] : [3, 5], kind);
        let opened = 0;
        const { outcome, lines, updates } = await trainTiny(place, {
          engine: interrupted(engine, fail),
          tiny: TINY,
          checkpointSeconds: 0,
          reopen: () => {
            opened++;
            return Promise.resolve(interrupted(engine, fail));
          },
        });
        assert.equal(outcome.finished, true);
        assert.equal(opened, kind === "createEnsemble" ? 1 : 2);
        assert.match(
          lines[0] ?? "",
          /the device was lost; .*going on from the last saved states/,
        );
        for (const { done, total } of updates) assert.ok(done <= total);
        assert.deepEqual(await differences(calm, join(place, "results")), []);
      });
    }
  });

  itNeeds(
    "goes on when the real device is lost",
    missing,
    async () => {
      const reference = await openGpu();
      await withFolders(reference, async (place, calm) => {
        const engine = await openGpu();
        let calls = 0;
        const { outcome, lines } = await trainTiny(place, {
          engine: interrupted(engine, ({ kind }) => {
            if (kind === "train" && ++calls === 3) engine.gpu.device.destroy();
          }),
          tiny: TINY,
          checkpointSeconds: 0,
          reopen: openGpu,
        });
        assert.equal(outcome.finished, true);
        assert.match(lines.join("\n"), /was lost/);
        assert.deepEqual(await differences(calm, join(place, "results")), []);
      });
      reference.destroy();
    },
  );

  it("gives up a device that is lost again and again, and keeps what is saved", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place, calm) => {
      let calls = 0;
      const failing = interrupted(engine, ({ kind }) => {
        if (kind === "train" && ++calls > 3) throw lost();
      });
      let opened = 0;
      const reopen = () => {
        opened++;
        return Promise.resolve(failing);
      };
      await assert.rejects(
        trainTiny(place, {
          engine: failing,
          tiny: TINY,
          checkpointSeconds: 0,
          reopen,
        }),
        (error) => error instanceof DeviceError && error.reason === "lost",
      );
      assert.equal(opened, 3);
      const { updates } = await trainTiny(place, {
        engine,
        tiny: TINY,
        resume: true,
      });
      assert.equal(updates.at(-1)?.total, 4 * (TINY.epochs - 3));
      assert.deepEqual(await differences(calm, join(place, "results")), []);
    });
  });

  it("does not go on on another device than the one that was lost, but waits for that", async () => {
    const engine = createReferenceEngine();
    const other = { ...engine, description: "another" };
    await withFolders(engine, async (place, calm) => {
      const found = [other, other, engine];
      const { outcome } = await trainTiny(place, {
        engine: interrupted(engine, failingAt([1], "train")),
        tiny: TINY,
        reopen: () => Promise.resolve(found.shift()!),
      });
      assert.equal(outcome.finished, true);
      assert.deepEqual(await differences(calm, join(place, "results")), []);
    });
    await withFolders(engine, async (place) => {
      await assert.rejects(
        trainTiny(place, {
          engine: interrupted(engine, failingAt([1], "train")),
          tiny: TINY,
          reopen: () => Promise.resolve(other),
        }),
        /only reference: another now instead of reference: float64/,
      );
    });
  });

  it("makes ensembles smaller when the memory is used up", async () => {
    const engine = createReferenceEngine();
    for (const most of [3, 2, 1]) {
      await withFolders(engine, async (place, calm) => {
        const sizes: number[] = [];
        const small = interrupted(engine, ({ kind, models }) => {
          if (kind !== "createEnsemble") return;
          sizes.push(models);
          if (models > most) throw full();
        });
        const { lines } = await trainTiny(place, {
          engine: small,
          tiny: TINY,
          reopen: () => Promise.resolve(small),
        });
        assert.deepEqual(sizes, most === 1 ? [4, 2, 1, 1, 1, 1] : [4, 2, 2]);
        assert.match(
          lines[0] ?? "",
          /no memory for 4 models at once \(no memory is left\); going on with 2/,
        );
        assert.deepEqual(await differences(calm, join(place, "results")), []);
      });
    }
  });

  it("names the run that does not fit even alone", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place) => {
      const none = interrupted(engine, () => {
        throw full();
      });
      await assert.rejects(
        trainTiny(place, {
          engine: none,
          tiny: TINY,
          reopen: () => Promise.resolve(none),
        }),
        /combination 0, iteration 0 does not fit the device's memory, even alone/,
      );
    });
  });

  it("stops at once at what the device refuses", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place) => {
      let opened = 0;
      await assert.rejects(
        trainTiny(place, {
          engine: interrupted(engine, ({ kind }) => {
            if (kind !== "train") return;
            throw new DeviceError("WebGPU error in kernel gradient", {
              reason: "validation",
            });
          }),
          tiny: TINY,
          reopen: () => {
            opened++;
            return Promise.resolve(engine);
          },
        }),
        /kernel gradient/,
      );
      assert.equal(opened, 0);
    });
  });
});

describe("trainArms() on results that are no longer what they were", () => {
  it("trains a finished run again whose model is gone, damaged or another's", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place, calm) => {
      await trainTiny(place, { engine, tiny: TINY });
      const folder = join(place, "results", "1");
      const [first, second, early] = [
        "model_state_dict_epoch_7_iter_0.safetensors",
        "model_state_dict_epoch_7_iter_1.safetensors",
        "model_state_dict_epoch_3_iter_0.safetensors",
      ].map((name) => join(folder, name)) as [string, string, string];
      const damage: [RegExp, () => Promise<unknown>][] = [
        [
          /model of combination 1, iteration 0 .* is gone/,
          () => Deno.remove(first),
        ],
        [/does not fit its content.*trained again/, async () => {
          const bytes = await Deno.readFile(first);
          bytes[bytes.length - 5]! ^= 4;
          await Deno.writeFile(first, bytes);
        }],
        [/not the one that was trained/, () => Deno.copyFile(second, first)],
        [/epoch_3_iter_0.*trained again/, () => Deno.truncate(early, 50)],
      ];
      for (const [sentence, damageIt] of damage) {
        await damageIt();
        const { lines, updates } = await trainTiny(place, {
          engine,
          tiny: TINY,
          resume: true,
        });
        assert.equal(lines.length, 1, lines.join("\n"));
        assert.match(lines[0]!, sentence);
        assert.equal(updates.at(-1)?.total, TINY.epochs);
        assert.deepEqual(await differences(calm, join(place, "results")), []);
      }
    });
  });

  it("measures networks that an interrupted training left unmeasured", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place, calm) => {
      await trainTiny(place, { engine, tiny: TINY });
      const runs = join(place, "results", "runs");
      const size = { hiddenSize: 29, inputSize: 2, outputSize: 1 };
      for (const [name, bytes] of await filesBelow(runs)) {
        const [run] = decodeRuns(bytes, { name, size }).values();
        const { networkStates, ...record } = run!;
        assert.ok(networkStates!.trained.spectralRadius > 0);
        await Deno.writeFile(join(runs, name), encodeRunRecord(record));
      }
      const { updates } = await trainTiny(place, {
        engine,
        tiny: TINY,
        resume: true,
      });
      assert.deepEqual(updates, []);
      assert.deepEqual(await differences(calm, join(place, "results")), []);
    });
  });

  it("writes measures of all runs or of none, also where parts measure apart", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place, calm) => {
      const results = join(place, "results");
      const part = (index: number, signal?: AbortSignal) =>
        trainTiny(place, {
          // Models are read after epochs 0, 3, 6 and 7: then all is trained.
          engine: interrupted(engine, ({ kind }) => {
            if (kind === "state" && ++states === 4) stop.abort();
          }),
          tiny: TINY,
          shard: { index, count: 2, first: 0, step: 1, origin: "test" },
          ...(signal && { signal }),
        });
      let states = 0;
      const stop = new AbortController();
      const stopped = await part(0, stop.signal);
      assert.ok(stopped.outcome.finished);
      assert.deepEqual(stopped.lines, [
        "note: spectral radius and activity of 2 runs were not measured, as the training was stopped; measures.csv is written when they are, by --resume",
      ]);
      await part(1);
      assert.deepEqual(
        (await differences(calm, results)).map((line) => line.split(" ")[0]),
        [
          ...["SHA256SUMS", "experiment.json", "measures.csv"],
          ...["runs/0_0.safetensors", "runs/1_0.safetensors"],
        ],
      );
      const { networkStates } = await readExperimentRecord(results);
      assert.equal(networkStates, undefined);
      assert.deepEqual((await part(0)).lines, []);
      assert.deepEqual(await differences(calm, results), []);
    });
  });

  it("warns where another program trained the runs, and names both", async () => {
    const engine = createReferenceEngine();
    await withFolders(engine, async (place) => {
      await beginTiny(place, engine);
      const runs = join(place, "results", "runs");
      const size = { hiddenSize: 29, inputSize: 2, outputSize: 1 };
      for (const [name, bytes] of await filesBelow(runs)) {
        const program = "biornn 0.0.1, numerics 1";
        const records = [...decodeRuns(bytes, { name, size }).values()].map(
          (record) => ({ ...record, program, state: record.state! }),
        );
        await Deno.writeFile(join(runs, name), encodeRunStates(records));
      }
      const { lines } = await trainTiny(place, {
        engine: inGroupsOf(1, engine),
        tiny: TINY,
        resume: true,
      });
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.match(
        lines[0]!,
        /^warning: .* by biornn 0\.0\.1, numerics 1 go on by biornn .*, numerics \d+;/,
      );
      const { trainedBy } = await readExperimentRecord(join(place, "results"));
      assert.equal(trainedBy.length, 1);
      assert.match(trainedBy[0]!, /^biornn 0\.0\.1, numerics 1, then biornn/);
    });
  });

  it("reports a run whose weights are no numbers, however good its losses look", async () => {
    const engine = createReferenceEngine();
    const broken: Engine = {
      ...engine,
      plan(shape) {
        const plan = engine.plan(shape);
        return {
          ...plan,
          async createEnsemble(runs) {
            const ensemble = await plan.createEnsemble(runs);
            return {
              ...ensemble,
              async state(model) {
                const states = await ensemble.state(model);
                states[2]!.parameters.weightHh[5] = NaN;
                return states;
              },
            };
          },
        };
      },
    };
    await withFolders(engine, async (place) => {
      const { outcome } = await trainTiny(place, {
        engine: broken,
        tiny: TINY,
      });
      assert.deepEqual(outcome.assembly.failures, [{
        combination: 1,
        iteration: 0,
        epoch: 7,
        what: "weights became NaN",
      }]);
      const results = join(place, "results");
      const { combinations } = await readStatus(results);
      assert.deepEqual(
        combinations.map(({ runs }) => runs.map(({ kind }) => kind)),
        [["done", "done"], ["failed", "done"]],
      );
      const { combinations: [, curves] } = await readResultsFolder(results);
      const { values, epochs } = curves!.validateLoss;
      assert.ok(values.subarray(0, epochs).every(Number.isNaN));
      assert.ok(values.subarray(epochs).every(Number.isFinite));
    });
  });
});

describe("trainArms() at a learning rate beyond all measure", () => {
  for (
    const [name, engine] of [
      ["the reference engine", createReferenceEngine()],
      ["the WebAssembly engine", createWasmEngine({ workers: 1 })],
    ] as const
  ) {
    it(`fails where single precision ends, on ${name} too`, async () => {
      await withFolders(engine, async (place) => {
        const { outcome } = await trainTiny(place, {
          engine,
          tiny: { epochs: 2, lr: [1e30], iterations: 1 },
        });
        assert.deepEqual(
          outcome.assembly.failures.map(({ combination, epoch }) => ({
            combination,
            epoch,
          })),
          [0, 1].map((combination) => ({ combination, epoch: 0 })),
        );
      });
    });
  }
});

describe("trainArms() with random topologies", () => {
  it("keeps each run's, as a matrix from rows to columns", async () => {
    const engine = createReferenceEngine();
    await withFolder(async (folder) => {
      const tiny = { ...TINY, randomW: true };
      await trainTiny(folder, { engine, tiny });
      const seen = new Set<string>();
      for (const iteration of [0, 1]) {
        const results = join(folder, "results");
        const path = topologyPath(results, { combination: 1, iteration });
        const bytes = await Deno.readFile(path);
        const { shape, start, column } = readSparseNpz(bytes, { name: path });
        assert.deepEqual(shape, [29, 29]);
        const { connections } = await readModel(results, {
          combination: 1,
          iteration,
        });
        const places: string[] = [];
        for (let from = 0; from < 29; from++) {
          for (let c = start[from]!; c < start[from + 1]!; c++) {
            places.push(`${from} ${column[c]}`);
          }
        }
        const trained: string[] = [];
        for (let to = 0; to < 29; to++) {
          for (
            let c = connections.start[to]!;
            c < connections.start[to + 1]!;
            c++
          ) trained.push(`${connections.sender[c]} ${to}`);
        }
        assert.deepEqual(trained.sort(), places.sort());
        seen.add(places.join());
      }
      assert.equal(seen.size, 2);
    });
  });
});
