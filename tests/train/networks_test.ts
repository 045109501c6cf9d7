import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { stratifiedSignedRank } from "../../src/analysis/rank_tests.ts";
import type { Connectome } from "../../src/connectome/connectome.ts";
import { loadConnectome } from "../../src/connectome/load.ts";
import { readExperiment } from "../../src/experiment/read.ts";
import { InputError } from "../../src/files/input_error.ts";
import { countConnections } from "../../src/graph/connections.ts";
import { spectralRadius } from "../../src/graph/spectrum.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import type { ResultsFolder } from "../../src/results/results_folder.ts";
import { decodeRuns, encodeRunRecord } from "../../src/results/run_file.ts";
import type { Initialisation } from "../../src/rnn/initialisations.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import { chooseEngine } from "../../src/train/choose_engine.ts";
import { measuredModel, networkState } from "../../src/train/measure.ts";
import { buildRun } from "../../src/train/build_run.ts";
import { prepare } from "../../src/train/prepare.ts";
import { train } from "../../src/train/train.ts";
import { filesBelow } from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";

/** An experiment of 58 neurons with such keys in `[net]`. */
function config(
  net: Readonly<Record<string, string | number>> = {},
  { epochs = 2, iterations = 3, freeze = false } = {},
): string {
  const keys = Object.entries(net).map(([key, value]) => `${key} = ${value}`);
  return `[paths]
path_to_results = results
[net]
net_name = Synthetic_Macaque_29
rnn_size = 29
nr_neurons = 2
rand_partition = True
${"random_w" in net ? "" : "random_w = False"}
${keys.join("\n")}
[trainvalidate]
epochs = ${epochs}
iterations = ${iterations}
init = default
freeze_layer = ${freeze ? "True" : "False"}
remap_w = True
[trialparams]
trial_params = {"task_name":"seq_mem", "nr_of_trials":150, "train_size":0.8}
[combosparams]
combos_params = {"lr":[0.001], "nonlinearity":["tanh"], "optimizer":["Adam"], "pattern_length":[3]}
`;
}

const read = (text: string) =>
  readExperiment(text, { file: "config.ini", tasks: TASKS });

const prepareTiny = (net: Readonly<Record<string, string | number>> = {}) =>
  prepare(read(config(net)));

async function startOf(
  net: Readonly<Record<string, string | number>>,
  iteration = 1,
) {
  const prepared = await prepareTiny(net);
  const run = await buildRun(prepared, { combination: 0, iteration });
  const model = measuredModel(run, { size: prepared.size, loss: "mse" });
  return { run, prepared, state: networkState(model, run.initial) };
}

describe("[net] null_model", () => {
  it("is permute for random_w, to the last bit", async () => {
    const [one, other] = await Promise.all([
      startOf({ random_w: "True" }),
      startOf({ null_model: "permute" }),
    ]);
    assert.deepEqual(one.run, other.run);
    assert.equal(one.prepared.fingerprint, other.prepared.fingerprint);
    assert.throws(
      () => read(config({ random_w: "True", null_model: "degrees" })),
      (error) =>
        error instanceof InputError &&
        /random_w = True is null_model = permute, but null_model is degrees/
          .test(error.message),
    );
    assert.throws(
      () => read(config({ null_model: "degree" })),
      /null_model .*degree.*did you mean "degrees"/,
    );
  });

  it("gives each run a network of its own, and all else as the biological run has it", async () => {
    const bio = await startOf({});
    for (const name of ["degrees", "regions", "erdos_renyi", "transpose"]) {
      const null1 = await startOf({ null_model: name });
      const null2 = await startOf({ null_model: name }, 2);
      assert.notDeepEqual(null1.run.connections, bio.run.connections, name);
      if (name !== "transpose") {
        assert.notDeepEqual(null1.run.connections, null2.run.connections);
      }
      assert.deepEqual(null1.run.trials, bio.run.trials);
      assert.deepEqual(null1.run.initial.weightIh, bio.run.initial.weightIh);
      assert.deepEqual(null1.run.initial.weightFc, bio.run.initial.weightFc);
      assert.notEqual(null1.prepared.fingerprint, bio.prepared.fingerprint);
    }
  });
});

describe("[net] match", () => {
  it("lets a null model begin with the biological radius, or activity", async () => {
    const bio = await startOf({});
    for (const name of ["permute", "weights", "degrees"]) {
      const naive = await startOf({ null_model: name });
      assert.ok(
        naive.state.spectralRadius < 0.75 * bio.state.spectralRadius,
        `${name} begins at ${naive.state.spectralRadius}`,
      );
      const radius = await startOf({
        null_model: name,
        match: "spectral_radius",
      });
      assert.ok(
        Math.abs(radius.state.spectralRadius / bio.state.spectralRadius - 1) <
          1e-3,
      );
      const activity = await startOf({ null_model: name, match: "activity" });
      assert.ok(
        Math.abs(activity.state.activity / bio.state.activity - 1) < 1e-3,
      );
      // One factor for all weights: their order stays.
      const factors = radius.run.initial.weightHh.map((weight, i) =>
        weight / naive.run.initial.weightHh[i]!
      );
      assert.ok(factors.every((x) => Math.abs(x / factors[0]! - 1) < 1e-6));
      assert.deepEqual(radius.run.initial.biasHh, bio.run.initial.biasHh);
    }
  });

  it("matches each run to the biological one that it is paired with, also where runs share samples", async () => {
    const fresh = { fresh_network: "True" };
    const shared = { ...fresh, null_model: "degrees", null_samples: "2" };
    for (const iteration of [1, 3]) {
      const bio = await startOf(fresh, iteration);
      const { state } = await startOf(
        { ...shared, match: "spectral_radius" },
        iteration,
      );
      assert.ok(
        Math.abs(state.spectralRadius / bio.state.spectralRadius - 1) < 1e-6,
      );
    }
  });

  it("leaves the biological network as it is", async () => {
    const [plain, matched] = await Promise.all([
      startOf({}),
      startOf({ match: "spectral_radius" }),
    ]);
    assert.deepEqual(matched.run, plain.run);
  });
});

describe("[net] shared_init", () => {
  it("gives every arm the same numbers, and leaves the other tensors alone", async () => {
    const arms = await Promise.all(
      ["none", "permute", "degrees", "regions"].map((null_model) =>
        startOf({ null_model, shared_init: "True" })
      ),
    );
    const [bio, ...others] = arms;
    for (const { run } of others) {
      assert.deepEqual(
        run.initial.weightHh.toSorted(),
        bio!.run.initial.weightHh.toSorted(),
      );
      assert.notDeepEqual(run.initial.weightHh, bio!.run.initial.weightHh);
    }
    const plain = await startOf({});
    for (const name of ["weightIh", "biasIh", "biasHh", "weightFc"] as const) {
      assert.deepEqual(bio!.run.initial[name], plain.run.initial[name]);
    }
  });
});

describe("[net] fresh_network", () => {
  it("scales the connectome anew for each iteration, and not for iteration 0", async () => {
    const fresh = { fresh_network: "True" };
    const [plain, first, second] = await Promise.all([
      startOf({}, 0),
      startOf(fresh, 0),
      startOf(fresh, 1),
    ]);
    assert.deepEqual(first.run, plain.run);
    const iteration1 = await startOf({}, 1);
    assert.notDeepEqual(
      second.run.initial.weightHh,
      iteration1.run.initial.weightHh,
    );
    assert.deepEqual(second.run.trials, iteration1.run.trials);
    assert.equal(
      countConnections(second.run.connections),
      countConnections(plain.run.connections),
    );
  });
});

/** The least validation loss of each run of an arm with frozen recurrent weights, and its results. */
async function trainArm(net: Readonly<Record<string, string>>, folder: string) {
  const text = config(net, { epochs: 30, iterations: 10, freeze: true });
  const file = join(folder, "arm.ini");
  await Deno.writeTextFile(file, text);
  const prepared = await prepare(
    readExperiment(text, {
      file,
      tasks: TASKS,
    }),
  );
  const engine = await chooseEngine("cpu", { warn: () => {} });
  const { results } = await train(prepared, { engine });
  engine.destroy();
  return { results, least: leastLosses(results) };
}

function leastLosses({ combinations }: ResultsFolder): number[] {
  const { iterations, epochs, values } = combinations[0]!.validateLoss;
  return Array.from(
    { length: iterations },
    (_, i) => Math.min(...values.subarray(i * epochs, (i + 1) * epochs)),
  );
}

describe("a null model that begins elsewhere", () => {
  it("seems to show an effect of topology, which is gone when the starts are matched", async () => {
    await withFolder(async (folder) => {
      const bio = await trainArm({}, folder);
      // The topology is the same in all three: `weights` moves weights alone.
      const naive = await trainArm({ null_model: "weights" }, folder);
      const matched = await trainArm({
        null_model: "weights",
        match: "spectral_radius",
      }, folder);
      const test = (other: { readonly least: readonly number[] }) =>
        stratifiedSignedRank([
          bio.least.map((loss, i) => Math.log(loss / other.least[i]!)),
        ]).p;
      assert.ok(test(naive) < 0.01, `p = ${test(naive)}`);
      assert.ok(test(matched) > 0.1, `p = ${test(matched)}`);
    });
  });
});

describe("networks of results", () => {
  it("are told apart by their checksums, in memory as in a folder", () =>
    withFolder(async (folder) => {
      const engine = await chooseEngine("cpu", { warn: () => {} });
      const networksOf = async (net: Readonly<Record<string, string>>) => {
        const prepared = await prepareTiny(net);
        const [kept, stored] = [
          await train(prepared, { engine }),
          await train(prepared, {
            engine,
            folder: join(folder, `arm ${Object.values(net)}`),
          }),
        ].map(({ results }) => results.combinations[0]!.networks!);
        assert.deepEqual(stored, kept);
        assert.equal(kept!.length, 3);
        return kept!;
      };
      assert.deepEqual(await networksOf({}), ["", "", ""]);
      const random = await networksOf({ null_model: "permute" });
      assert.equal(new Set(random).size, 3);
      const fresh = await networksOf({ fresh_network: "True" });
      assert.equal(new Set(fresh).size, 3);
      // Turned round, all are the same.
      const turned = await networksOf({ null_model: "transpose" });
      assert.equal(new Set(turned).size, 1);
      engine.destroy();
    }));
});

describe("measures of runs", () => {
  it("are the radius and activity at the start and at the end", async () => {
    const { run, state } = await startOf({});
    assert.equal(
      state.spectralRadius,
      spectralRadius(run.connections, run.initial.weightHh),
    );
    assert.ok(state.activity > 0 && state.activity < 1);
  });

  it("are the same of models that are read again, also where weights are 0", async () => {
    const sparse: Initialisation = {
      name: "sparse",
      description: "many 0",
      source: "this test",
      draw: (tensor) =>
        tensor.each((uniform) => Math.max(0, uniform() - 0.5) / 4),
    };
    const text = config({}, { epochs: 1, freeze: true })
      .replace("init = default", "init = sparse");
    const initialisations = new Map([["sparse", sparse]]);
    await withFolder(async (folder) => {
      const file = join(folder, "config.ini");
      const experiment = readExperiment(text, {
        file,
        tasks: TASKS,
        initialisations,
      });
      const prepared = await prepare(experiment);
      const engine = createReferenceEngine();
      const trained = () => train(prepared, { engine, folder, resume: true });
      const { results } = await trained();
      const runs = join(folder, "runs");
      for (const [name, bytes] of await filesBelow(runs)) {
        const options = { name, size: prepared.size };
        const [record] = decodeRuns(bytes, options).values();
        const { networkStates: _states, ...unmeasured } = record!;
        await Deno.writeFile(join(runs, name), encodeRunRecord(unmeasured));
      }
      const { networkStates } = results.experiment!;
      assert.ok(networkStates!.trained.spectralRadius > 0);
      const again = await trained();
      assert.deepEqual(again.results.experiment!.networkStates, networkStates);
    });
  });
});

describe("signs of a connectome's regions", () => {
  it("rank what inhibits below what excites, the strongest last", async () => {
    const plain = await loadConnectome("Synthetic_Macaque_29");
    // Region 3 inhibits; of the others nothing is known.
    const signs = Int8Array.from({ length: 29 }, (_, i) => i === 3 ? -1 : 0);
    for (const null_model of ["none", "degrees"]) {
      const experiment = read(config({ null_model }));
      const start = async (connectome: Connectome) => {
        const prepared = await prepare(experiment, {
          connectome,
        });
        const run = await buildRun(prepared, { combination: 0, iteration: 0 });
        const { sender } = run.connections;
        const regionOf = prepared.network.regionOf;
        return {
          prepared,
          weights: run.initial.weightHh,
          inhibits: Array.from(sender, (j) => regionOf[j] === 3),
        };
      };
      const [without, signed] = [
        await start(plain),
        await start({ ...plain, signs }),
      ];
      assert.notEqual(
        without.prepared.fingerprint,
        signed.prepared.fingerprint,
      );
      assert.deepEqual(without.inhibits, signed.inhibits);
      // The same numbers, of which those that inhibit have the lowest.
      const sorted = without.weights.toSorted();
      assert.deepEqual(signed.weights.toSorted(), sorted);
      const count = signed.inhibits.filter((it) => it).length;
      const highest = sorted[count - 1]!;
      signed.weights.forEach((weight, c) =>
        assert.equal(weight <= highest, signed.inhibits[c], null_model)
      );
      // What was the highest of them without signs is the lowest with them.
      const own = without.weights.map((weight, c) =>
        without.inhibits[c] ? weight : -Infinity
      );
      const strongest = own.indexOf(own.reduce((a, b) => Math.max(a, b)));
      assert.equal(signed.weights[strongest], sorted[0]);
    }
  });
});
