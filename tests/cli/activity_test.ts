import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { readNpy, writeNpy } from "../../src/files/npy.ts";
import { readExperimentRecord } from "../../src/results/experiment_record.ts";
import {
  keepActivity,
  readModel,
  readTrials,
} from "../../src/train/read_model.ts";
import { prepare } from "../../src/train/prepare.ts";
import { buildRun } from "../../src/train/build_run.ts";
import { simulate } from "../../src/reference/simulate.ts";
import { decodePng } from "../viz/decode_png.ts";
import { withFolder } from "../with_folder.ts";
import { errorLines, runTask } from "./run_task.ts";

const PAGE = new URL("../../docs/regions.md", import.meta.url);

/** Words of a command of the manual, as a shell takes them. */
function wordsOf(line: string): string[] {
  return Array.from(
    line.matchAll(/"([^"]*)"|(\S+)/g),
    ([, quoted, plain]) => quoted ?? plain!,
  );
}

/** Does what the page's example says, with fewer epochs, in that folder. */
async function runExample(folder: string): Promise<string> {
  const page = await Deno.readTextFile(PAGE);
  const [, commands = ""] = /^```sh\n([^`]*)^```/m.exec(page) ?? [];
  const [train = "", activity = ""] = commands.trim().split("\n");
  const argsOf = (line: string) =>
    wordsOf(line).slice(3).map((word) =>
      word.replace(/^(?=(results|figs)\/)/, `${folder}/`)
    );
  const trained = await runTask("train", [
    ...argsOf(train),
    ...["--epochs", "2", "--device", "cpu"],
  ]);
  assert.equal(trained.code, 0, trained.stderr);
  assert.match(trained.stdout, /input at S01, S02; read-out from S09, S10/);
  const { code, stdout, stderr } = await runTask("activity", argsOf(activity));
  assert.equal(code, 0, stderr);
  return stdout;
}

describe("deno task activity", () => {
  it("does what the manual's example says, and refuses what makes no sense", async () => {
    await withFolder(async (folder) => {
      const said = await runExample(folder);
      const out = join(folder, "figs/regions");
      const results = join(folder, "results/regions");
      const run = { combination: 1, iteration: 0 };
      const load = async (name: string) =>
        readNpy(await Deno.readFile(join(out, `${name}.npy`)), { name });

      // The trials are those that the run validated on.
      const record = await readExperimentRecord(results);
      assert.deepEqual(record.inputRegions, [0, 1]);
      const prepared = await prepare("config/quickstart.ini");
      const { trials } = await buildRun(prepared, run);
      assert.deepEqual(await readTrials(results, run), trials);
      for (const combination of [-1, 0.5, 99]) {
        await assert.rejects(
          readTrials(results, { ...run, combination }),
          /combination must be below \d+, found /,
        );
      }
      const inputs = await load("inputs");
      assert.deepEqual(inputs.shape, [100, 7, 2]);
      const [first] = trials.validateBatches[0]!;
      assert.deepEqual(
        inputs.data.slice(0, 14),
        Float64Array.from(trials.inputs.slice(14 * first!, 14 * first! + 14)),
      );

      const model = await readModel(results, run);
      const { hidden, output } = simulate(model, {
        trialCount: 100,
        steps: 7,
        inputSize: 2,
        inputs: new Float32Array(inputs.data),
      });
      const states = await load("hidden");
      assert.deepEqual(states.shape, [100, 7, 58]);
      assert.equal(states.dtype, "f4");
      assert.deepEqual(new Float32Array(states.data), new Float32Array(hidden));
      const said1 = await load("outputs");
      assert.deepEqual(said1.shape, [100, 7, 1]);
      assert.deepEqual(new Float32Array(said1.data), new Float32Array(output));

      const means = await load("region_means");
      assert.deepEqual(means.shape, [100, 7, 29]);
      assert.equal(means.data[1], (states.data[2]! + states.data[3]!) / 2);
      const coactivation = await load("coactivation");
      assert.deepEqual(coactivation.shape, [29, 29]);
      assert.ok(coactivation.data.some((r) => r > 0.3));
      assert.ok(coactivation.data.some((r) => r < -0.3));
      const rows = (await Deno.readTextFile(join(out, "regions.csv")))
        .trim().split("\n");
      assert.deepEqual(rows.slice(0, 3), [
        "neuron,region,name,input,output",
        "0,0,S01,1,0",
        "1,0,S01,1,0",
      ]);
      assert.equal(rows[18], "17,8,S09,0,1");
      for (const name of ["activity", "coactivation"]) {
        const { width, height } = decodePng(
          await Deno.readFile(join(out, `${name}.png`)),
        );
        assert.ok(width > 900 && height > 900);
      }
      assert.match(
        said,
        /100 trials of 7 time steps: .* 58 neurons take 162 kB/,
      );

      // One's own inputs: zeros, after which nothing differs between trials.
      const own = join(folder, "own.npy");
      const write = (shape: number[], fill = 0) => {
        const length = shape.reduce((a, b) => a * b);
        const data = new Float64Array(length).fill(fill);
        return Deno.writeFile(own, writeNpy({ shape, data }));
      };
      await write([5, 4, 2]);
      const ownArgs = [
        results,
        ...["--trials", own, "--limit", "3", "--epoch", "initial"],
        ...["--out", join(folder, "own")],
      ];
      const { code, stderr } = await runTask("activity", ownArgs);
      assert.equal(code, 0, stderr);
      const figure = await Deno.readTextFile(join(folder, "own/activity.svg"));
      assert.match(figure, /before training/);
      const name = "own/hidden.npy";
      const { shape, data } = readNpy(
        await Deno.readFile(join(folder, name)),
        { name },
      );
      assert.deepEqual(shape, [3, 4, 58]);
      assert.deepEqual(data.slice(0, 4 * 58), data.slice(4 * 58, 8 * 58));

      await write([5, 4, 3]);
      const wrong = await runTask("activity", ownArgs);
      assert.equal(wrong.code, 2);
      assert.match(
        errorLines(wrong).join(),
        /own\.npy": it must be an array \[trial, time, input\] with 2 inputs, found shape \(5, 4, 3\)/,
      );
      await write([1, 1, 2], NaN);
      const broken = await runTask("activity", ownArgs);
      assert.equal(broken.code, 2);
      assert.match(
        errorLines(broken).join(),
        /input 0 of trial 0, time step 0 is NaN/,
      );
    });
  });

  it("says how many trials the memory has room for", () => {
    const hiddenSize = 139_255;
    const model = {
      hiddenSize,
      inputSize: 2,
      outputSize: 1,
      activation: "tanh",
      loss: "mse",
      connections: {
        receivers: hiddenSize,
        senders: hiddenSize,
        start: new Uint32Array(hiddenSize + 1),
        sender: new Uint32Array(),
      },
      parameters: {
        weightIh: new Float32Array(2 * hiddenSize),
        weightHh: new Float32Array(),
        biasIh: new Float32Array(hiddenSize),
        biasHh: new Float32Array(hiddenSize),
        weightFc: new Float32Array(hiddenSize),
        biasFc: new Float32Array(1),
      },
    } as const;
    const trials = {
      trialCount: 100,
      steps: 21,
      inputSize: 2,
      inputs: new Float32Array(100 * 21 * 2),
    };
    assert.throws(
      () => keepActivity(model, trials),
      /hidden states of 100 trials: 100 × 21 time steps × 139255 neurons take 1.17 GB, and allowed are 1.07 GB; take at most 91 trials with --limit/,
    );
  });
});
