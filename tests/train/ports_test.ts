import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { createConnectome } from "../../src/connectome/connectome.ts";
import {
  describeExperiment,
  type Experiment,
} from "../../src/experiment/experiment.ts";
import { readExperiment } from "../../src/experiment/read.ts";
import { InputError } from "../../src/files/input_error.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { readExperimentRecord } from "../../src/results/experiment_record.ts";
import {
  closePorts,
  hasPort,
  type Parameters,
  type Ports,
} from "../../src/rnn/parameters.ts";
import { buildRun } from "../../src/train/build_run.ts";
import { readModel } from "../../src/train/read_model.ts";
import { prepare } from "../../src/train/prepare.ts";
import { train } from "../../src/train/train.ts";
import { tinyConfig, type TinyExperiment } from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";

const IN = "input_regions = ['S03', 'S01']";
const OUT = "output_regions = [9, 28, 10]";

function experimentOf(
  keys: string,
  { file = "config.ini", set = {}, ...tiny }: TinyExperiment & {
    readonly file?: string;
    readonly set?: Readonly<Record<string, string>>;
  } = {},
): Experiment {
  const text = tinyConfig(tiny).replace("[net]", `[net]\n${keys}`)
    .replace("nr_neurons = 1", "nr_neurons = 2");
  return readExperiment(text, { file, overrides: { set } });
}

const prepareWith = (...keys: string[]) =>
  prepare(experimentOf(keys.join("\n")));
const run = { combination: 0, iteration: 0 };

/** Neurons with a port, by region: two of each. */
function regionsWith(ports: Ports, kind: "input" | "output"): number[] {
  const neurons = [...ports.keys()].filter((i) => hasPort(ports, i, kind));
  return neurons.map((i) => i / 2);
}

const largest = (values: Float32Array) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe("input_regions and output_regions", () => {
  it("are ports of the neurons of those regions", async () => {
    const { ports, chosenRegions } = await prepareWith(IN, OUT);
    assert.deepEqual(chosenRegions, { input: [0, 2], output: [9, 10, 28] });
    assert.deepEqual(regionsWith(ports!, "input"), [0, 0.5, 2, 2.5]);
    assert.deepEqual(
      regionsWith(ports!, "output"),
      [9, 9.5, 10, 10.5, 28, 28.5],
    );
    const one = await prepareWith(OUT);
    assert.equal(regionsWith(one.ports!, "input").length, 58);
    assert.equal((await prepareWith()).ports, undefined);
  });

  it("leave all draws in their places, and give the weights that exist the bounds of their matrices", async () => {
    for (const init of ["default", "xavier", "he"] as const) {
      const build = async (keys: string) => {
        const experiment = experimentOf(keys, {
          set: { "trainvalidate.init": init },
        });
        const prepared = await prepare(experiment);
        return await buildRun(prepared, run);
      };
      const { initial: all } = await build("");
      const { initial, ports } = await build(`${IN}\n${OUT}`);
      for (const name of ["weightHh", "biasIh", "biasHh"] as const) {
        assert.deepEqual(initial[name], all[name]);
      }
      assert.equal(closePorts(initial, ports), 0);
      // H = 58, I = 2, O = 1, K = 4 with input, R = 6 that are read out.
      const bounds = {
        default: [1 / Math.sqrt(58), 1 / Math.sqrt(58), 1 / Math.sqrt(6)],
        xavier: [
          Math.sqrt(6 / (58 + 2)),
          Math.sqrt(6 / (4 + 2)),
          Math.sqrt(6 / (6 + 1)),
        ],
        he: [Math.sqrt(6 / 58), Math.sqrt(6 / 4), Math.sqrt(6 / 1)],
      }[init];
      const scale = bounds[1]! / bounds[0]!;
      for (const [at, weight] of initial.weightIh.entries()) {
        if (!hasPort(ports, Math.floor(at / 2), "input")) continue;
        assert.ok(Math.abs(weight / all.weightIh[at]! - scale) < 1e-6);
      }
      assert.ok(largest(initial.weightFc) <= Math.fround(bounds[2]!));
      assert.equal(initial.weightFc.filter((w) => w !== 0).length, 6);
      assert.ok(largest(initial.biasFc) <= 1 / Math.sqrt(6));
    }
  });

  it("are a part of the fingerprint where they choose, by whatever names", async () => {
    const of = async (...keys: string[]) =>
      (await prepareWith(...keys)).fingerprint;
    const plain = await of();
    const chosen = await of(IN);
    assert.notEqual(chosen, plain);
    assert.equal(await of("input_regions = (0, 'S03')"), chosen);
    assert.notEqual(await of("output_regions = (0, 2)"), chosen);
    const all = Array.from({ length: 29 }, (_, i) => i).join();
    assert.equal(await of(`input_regions = [${all}]`), plain);
  });

  it("hold in training, in stored models, after a resume and in a task that begins with them", async () => {
    await withFolder(async (folder) => {
      const engine = createReferenceEngine();
      const name = `${folder}/config.ini`;
      const first = await prepare(
        experimentOf(`${IN}\n${OUT}`, { file: name, epochs: 3, iterations: 1 }),
      );
      const results = join(folder, "results");
      const ended = await train(first, { engine, folder: results });
      assert.equal(ended.finished, true);
      const closed = (parameters: Parameters) =>
        closePorts({
          weightIh: parameters.weightIh.slice(),
          weightFc: parameters.weightFc.slice(),
        }, first.ports) === 0;
      const { parameters } = await readModel(results, run);
      assert.ok(closed(parameters));
      const { initial } = await buildRun(first, run);
      assert.notDeepEqual(parameters.weightIh, initial.weightIh);
      const record = await readExperimentRecord(results);
      assert.deepEqual(record.inputRegions, [0, 2]);
      assert.deepEqual(record.outputRegions, [9, 10, 28]);
      const resumed = await train(first, {
        engine,
        folder: results,
        resume: true,
      });
      assert.deepEqual((await resumed.model(run)).parameters, parameters);

      const going = (keys: string) =>
        experimentOf(keys, {
          file: name,
          task: "nback_mem",
          pretrained: "results",
          pretrainedEpoch: 2,
          results: "second",
          epochs: 2,
          iterations: 1,
          freezeLayer: true,
        });
      const next = await prepare(going(`input_regions = ['S01']\n${OUT}`));
      const start = await buildRun(next, run);
      assert.equal(closePorts(start.initial, next.ports), 0);
      assert.deepEqual(
        start.initial.weightIh.slice(0, 4),
        parameters.weightIh.slice(0, 4),
      );
      assert.ok(start.initial.weightIh.slice(4).every((w) => w === 0));
      assert.ok(largest(start.initial.weightFc) > 1 / Math.sqrt(58));
      const trained = await train(next, { engine });
      const model = await trained.model(run);
      assert.equal(closePorts(model.parameters, next.ports), 0);
      assert.deepEqual(
        new Float32Array(model.parameters.weightHh),
        parameters.weightHh,
      );
      // Where there was no port, weights begin at 0 and are trained.
      const open = await (await train(await prepare(going("")), { engine }))
        .model(run);
      assert.ok(closePorts(open.parameters, first.ports) > 50);
    });
  });

  it("are told before a training", () => {
    assert.match(
      describeExperiment(experimentOf(`${IN}\n${OUT}`)),
      /^regions {6}input at S03, S01; read-out from 9, 28, 10$/m,
    );
    assert.doesNotMatch(describeExperiment(experimentOf("")), /^regions/m);
  });

  it("must be regions of the connectome, each once", async () => {
    const wrong = [
      ["[]", /line 7: \[net\] input_regions is empty; leave it out for all/],
      ["S01", /input_regions is no Python list: found the name S01/],
      ["'S01'", /input_regions must be a Python list of regions, .* 'S01'$/],
      ["[1.0]", /names in quotes or whole numbers from 0, found 1.0/],
      ["[-1]", /found -1/],
      ["[True]", /found True/],
      [
        "['S1']",
        /names "S1", which is no region of Synthetic_Macaque_29 \(did/,
      ],
      ["['V1']", /line 7: .*names "V1", .* "deno task connectome show Synth/],
      ["['S02', 1]", /names region 1 \(S02\) twice/],
      ["[3, 29]", /names region 29, but those of Synth\w+ are 0 to 28/],
    ] as const;
    for (const [value, message] of wrong) {
      await assert.rejects(
        async () => await prepareWith(`input_regions = ${value}`),
        (error) => error instanceof InputError && message.test(error.message),
        value,
      );
    }
    await assert.rejects(
      async () =>
        await prepare(
          experimentOf("", { set: { "net.output_regions": "[99]" } }),
        ),
      /^InputError: Cannot use --set net.output_regions: \[net\] output_regions names region 99/,
    );
  });

  it("come with a warning where the read-out can't see the input", async () => {
    // A chain 0 → 1 → … → 7, of twins at the end.
    const edges = 7;
    const chain = await createConnectome({
      nodes: 8,
      from: Uint32Array.from({ length: edges }, (_, i) => i),
      to: Uint32Array.from({ length: edges }, (_, i) => i + 1),
      weight: new Float64Array(edges).fill(1),
    }, {
      name: "Chain",
      regionNames: ["a", "b", "c", "d", "e", "f", "twin", "twin"],
    });
    const linesOf = async (keys: string) => {
      const lines: string[] = [];
      const experiment = experimentOf(keys, { regions: 8 });
      await prepare(experiment, {
        connectome: chain,
        onLine: (line) => lines.push(line),
      });
      return lines.filter((line) => line.startsWith("warning"));
    };
    // seq_mem of 2 values takes 5 time steps.
    const cases = [
      ["input_regions = ['a']\noutput_regions = ['e']", undefined],
      [
        "input_regions = ['a']\noutput_regions = ['f']",
        "warning: the read-out can't see the input of combination 0: the shortest path from input_regions (a) to output_regions (f) has 5 connections, and a trial has 5 time steps",
      ],
      ["input_regions = ['a', 'c']\noutput_regions = ['f']", undefined],
      [
        "input_regions = [7, 'f']\noutput_regions = ['a', 'b']",
        "warning: the read-out can't see the input: no path of connections leads from input_regions (7, f) to output_regions (a, b)",
      ],
      ["output_regions = ['a']", undefined],
    ] as const;
    for (const [keys, line] of cases) {
      assert.deepEqual(
        await linesOf(keys),
        line === undefined ? [] : [line],
        keys,
      );
    }
    await assert.rejects(
      linesOf("input_regions = ['twin']"),
      /names "twin", of which \S+ has several; give the number of one, 6 or 7/,
    );
  });
});
