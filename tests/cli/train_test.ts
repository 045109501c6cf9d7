import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { readNpy } from "../../src/files/npy.ts";
import { decodeCheckpoint } from "../../src/rnn/checkpoint.ts";
import { denseMatrix } from "../../src/graph/connections.ts";
import {
  differences,
  filesBelow,
  tinyConfig,
  type TinyExperiment,
  writeTinyConfig,
} from "../soak/tiny_experiment.ts";
import {
  assertRefused,
  errorLines,
  runTask,
  type TaskResult,
} from "./run_task.ts";
import { withFolder } from "../with_folder.ts";

async function train(
  folder: string,
  tiny: TinyExperiment,
  args: readonly string[] = [],
): Promise<TaskResult> {
  return await runTask("train", [await writeTinyConfig(folder, tiny), ...args]);
}

/** Trains on the reference engine and expects it to succeed. */
async function trainOnCpu(
  folder: string,
  tiny: TinyExperiment,
  args: readonly string[] = [],
): Promise<TaskResult> {
  const result = await train(folder, tiny, ["--device", "cpu", ...args]);
  assert.equal(result.code, 0, result.stderr);
  return result;
}

async function namesBelow(folder: string): Promise<string[]> {
  return [...(await filesBelow(folder)).keys()].sort();
}

async function readJson(file: string) {
  return JSON.parse(await Deno.readTextFile(file)) as Record<string, unknown>;
}

async function readCurves(results: string, name: string) {
  const file = join(results, name);
  return readNpy(await Deno.readFile(file), { name: file });
}

async function readModel(results: string, name: string) {
  const file = join(results, name);
  return decodeCheckpoint(await Deno.readFile(file), { name: file });
}

describe("deno task train", () => {
  it("writes the original's layout, the same bytes each time", async () => {
    await withFolder(async (folder) => {
      const tiny = { epochs: 5, storeEveryEpoch: 2 };
      const one = join(folder, "one"), two = join(folder, "two");
      const first = await train(one, tiny);
      assert.equal(first.code, 0, first.stderr);
      assert.match(
        first.stdout,
        /^Done in \d+\.\d s\. The results are in .*results$/m,
      );
      const second = await train(two, tiny);
      assert.equal(second.code, 0, second.stderr);
      const results = join(one, "results");
      assert.deepEqual(await differences(results, join(two, "results")), []);

      const combination = (index: number) => [
        ...[0, 2, 4].flatMap((epoch) =>
          [0, 1].map((i) =>
            `${index}/model_state_dict_epoch_${epoch}_iter_${i}.safetensors`
          )
        ),
        `${index}/model_state_dict_epoch_initial_iter_0.safetensors`,
        `${index}/train_loss_all.npy`,
        `${index}/validate_loss_all.npy`,
      ];
      assert.deepEqual(await namesBelow(results), [
        ...combination(0),
        ...combination(1),
        "SHA256SUMS",
        "connectome.npy",
        "experiment.json",
        "folder_index.txt",
        "measures.csv",
        "network.npy",
        "network_mask.npy",
        "runs/0_0.safetensors",
        "runs/0_1.safetensors",
        "runs/1_0.safetensors",
        "runs/1_1.safetensors",
      ]);
      assert.equal(
        await Deno.readTextFile(join(results, "folder_index.txt")),
        "0 (0.001, 'relu', 'Adam', 2)\n1 (0.001, 'tanh', 'Adam', 2)\n",
      );
      for (const name of ["train_loss_all.npy", "validate_loss_all.npy"]) {
        const bytes = await Deno.readFile(join(results, "0", name));
        const header = new TextDecoder().decode(bytes.subarray(0, 128));
        assert.match(
          header,
          /'descr': '<f8', 'fortran_order': False, 'shape': \(2, 5\)/,
        );
        const { data } = readNpy(bytes, { name });
        for (let iteration = 0; iteration < 2; iteration++) {
          const losses = data.subarray(5 * iteration, 5 * iteration + 5);
          assert.ok(losses.every((loss) => loss > 0 && loss < 1), `${losses}`);
          assert.ok((losses[4] as number) < (losses[0] as number));
        }
      }
      const model = await readModel(
        results,
        "1/model_state_dict_epoch_4_iter_1.safetensors",
      );
      assert.deepEqual(model.size, {
        hiddenSize: 29,
        inputSize: 2,
        outputSize: 1,
      });
      assert.equal(model.metadata.combination, "(0.001, 'tanh', 'Adam', 2)");
      assert.equal(model.metadata.iteration, "1");
      assert.equal(model.metadata.epoch, "4");
      const { data } = await readCurves(results, "1/validate_loss_all.npy");
      assert.equal(Number(model.metadata.validate_loss), data[9]);
      const mask = await readCurves(results, "network_mask.npy");
      const weightHh = denseMatrix(
        model.connections,
        model.parameters.weightHh,
      );
      for (let from = 0; from < 29; from++) {
        for (let to = 0; to < 29; to++) {
          const connected = mask.data[29 * from + to] !== 0;
          assert.equal(weightHh[29 * to + from] !== 0, connected);
        }
      }
      const record = await readJson(join(results, "experiment.json"));
      assert.equal(record.seed, 7);
      assert.equal(record.epochs, 5);
      assert.equal(record.randPartition, true);
      assert.equal(record.targetSparsity, 0.8);
      assert.equal(record.targetSparsityIntrinsic, 1);
      assert.deepEqual(record.failures, []);
      assert.equal(
        (record.config as { text: string }).text,
        tinyConfig(tiny),
      );
    });
  });

  it("writes accuracies for an n-back task", async () => {
    await withFolder(async (folder) => {
      await trainOnCpu(folder, { task: "nback_mem", epochs: 3 });
      for (const name of ["train", "validate"]) {
        const { shape, data } = await readCurves(
          join(folder, "results"),
          `0/${name}_metrics_all.npy`,
        );
        assert.deepEqual(shape, [2, 3]);
        assert.ok(data.every((percent) => percent >= 0 && percent <= 100));
      }
    });
  });

  it("lets flags stand above the config, and records them", async () => {
    await withFolder(async (folder) => {
      const elsewhere = join(folder, "elsewhere");
      await trainOnCpu(folder, {}, [
        ...["--epochs", "2", "--iterations", "3", "--seed", "8"],
        ...["--path_to_results", elsewhere],
      ]);
      assert.deepEqual(
        await namesBelow(join(folder, "results")).catch(() => []),
        [],
      );
      const { shape } = await readCurves(elsewhere, "0/train_loss_all.npy");
      assert.deepEqual(shape, [3, 2]);
      const record = await readJson(join(elsewhere, "experiment.json"));
      assert.equal(record.seed, 8);
      assert.deepEqual(record.overrides, {
        seed: "8",
        epochs: "2",
        iterations: "3",
      });
      // The same as a config that says so, but for the config itself.
      const same = join(folder, "same");
      await trainOnCpu(same, { seed: 8, epochs: 2, iterations: 3 });
      assert.deepEqual(
        await differences(elsewhere, join(same, "results")),
        ["SHA256SUMS differs", "experiment.json differs"],
      );
    });
  });

  it("says in the log and in the record that an unchanged config shows other pictures than the original", async () => {
    await withFolder(async (folder) => {
      const { code, stderr } = await runTask("train", [
        "config/config_pic_latent_mem.ini",
        ...["--path_to_results", folder, "--device", "reference"],
        ...["--epochs", "1", "--iterations", "1"],
        ...[
          "--set",
          "net.nr_neurons=1",
          "--set",
          "trial_params.nr_of_trials=5",
        ],
        ...["--set", "combos_params.lr=[0.001]"],
        ...["--set", 'combos_params.nonlinearity=["tanh"]'],
        ...["--set", 'combos_params.optimizer=["Adam"]'],
        ...["--set", "combos_params.n_back=[2]"],
        ...["--set", "net.net_name=Synthetic_Macaque_29"],
        ...["--set", "net.rnn_size=29"],
      ]);
      assert.equal(code, 0, stderr);
      const note =
        "pic_latent_mem shows synthetic digits, where the original shows MNIST's; [paths] latents = download takes the original's";
      assert.ok(stderr.includes(`note: ${note}\n`), stderr);
      const record = await readJson(join(folder, "experiment.json"));
      const { stimuli } = record as { stimuli?: { note?: string } };
      assert.equal(stimuli?.note, note);
    });
  });

  it("shows the plan and writes nothing with --dry-run", async () => {
    await withFolder(async (folder) => {
      const { stdout } = await trainOnCpu(folder, {}, ["--dry-run"]);
      assert.match(stdout, /models +4: 2 combinations, 2 iterations of each/);
      assert.match(stdout, /memory plan +4 models in 1 ensemble/);
      assert.match(stdout, /^time +about \d+:\d\d, by a probe of 4 models$/m);
      assert.match(
        stdout,
        /^statistics +2 iterations of 2 combinations, .* p cannot fall below 0\.25$/m,
      );
      assert.deepEqual(await namesBelow(folder), ["config.ini"]);
    });
  });

  it("keeps what is in the folder unless told otherwise", async () => {
    await withFolder(async (folder) => {
      const results = join(folder, "results");
      const flags = ["--device", "cpu"];
      await trainOnCpu(folder, { epochs: 2 });
      const before = await filesBelow(results);
      assertPlanThen(
        await train(folder, { epochs: 2, seed: 1 }, flags),
        /holds results already.*--path_to_results.*--resume.*--overwrite/,
      );
      assertPlanThen(
        await train(folder, { epochs: 2, seed: 1 }, [...flags, "--resume"]),
        /another experiment.*--path_to_results.*--overwrite/,
      );
      assert.deepEqual(await filesBelow(results), before);

      await trainOnCpu(folder, { epochs: 2, seed: 1 }, ["--overwrite"]);
      const record = await readJson(join(results, "experiment.json"));
      assert.equal(record.seed, 1);
      assert.deepEqual(await namesBelow(results), [...before.keys()].sort());

      const own = join(folder, "own");
      await Deno.mkdir(own);
      await Deno.writeTextFile(join(own, "thesis.tex"), "years of work");
      assertPlanThen(
        await train(folder, {}, [
          ...["--path_to_results", own, "--overwrite"],
          ...flags,
        ]),
        /thesis\.tex/,
      );
      assert.deepEqual(await namesBelow(own), ["thesis.tex"]);
    });
  });

  it("refuses bad input in one sentence, before anything is written", async () => {
    await withFolder(async (folder) => {
      const config = await writeTinyConfig(folder);
      const text = tinyConfig();
      const cases: [string, string[], RegExp][] = [
        [text.replace("[0.001]", "[-1]"), [], /config\.ini.*lr/],
        [text.replace('"relu"', '"relo"'), [], /relo.*relu/],
        [
          text.replace("Synthetic_Macaque_29", "Synthetic_Macaqe_29"),
          [],
          /Synthetic_Macaqe_29.*Synthetic_Macaque_29/,
        ],
        [text.replace("rnn_size = 29", "rnn_size = 30"), [], /rnn_size.*29/],
        [
          text.replace("path_to_results", "pretrained = none\npath_to_results"),
          [],
          /there is no folder ".*none"/,
        ],
        [text, ["--epochs", "0"], /--epochs/],
        [text, ["--device", "tpu"], /auto, gpu, cpu and reference/],
        [text, ["--shard", "2/2"], /i\/n/],
        [text, ["--resume", "--overwrite"], /--overwrite with --resume/],
        [text, ["--checkpoint_seconds", "soon"], /--checkpoint_seconds "soon"/],
        [text, ["--checkpoint"], /--checkpoint is not a flag/],
        [text, ["twice.ini"], /one config file/],
      ];
      await Promise.all(cases.map(async ([text, args, sentence], i) => {
        const place = join(folder, String(i));
        await Deno.mkdir(place);
        const config = join(place, "config.ini");
        await Deno.writeTextFile(config, text);
        const result = await runTask("train", [config, ...args]);
        assertRefused(result, sentence);
        assert.deepEqual(await namesBelow(place), ["config.ini"]);
      }));
      assertRefused(
        await runTask("train", [`${config}.bak`]),
        /config\.ini\.bak.*there is no such file/,
      );
    });
  });

  it("reports a run whose loss is no number, and trains the others", async () => {
    await withFolder(async (folder) => {
      const calm: TinyExperiment = {
        epochs: 12,
        optimizer: "SGD",
        lr: [0.001],
      };
      const wild = { ...calm, lr: [0.001, 1e6] };
      await trainOnCpu(join(folder, "calm"), calm);
      const { stderr } = await trainOnCpu(join(folder, "wild"), wild);
      const failed = stderr.split("\n").filter((line) =>
        /^warning: (training|validation) loss became (NaN|infinite) in/.test(
          line,
        )
      );
      assert.ok(failed.length > 0, stderr);
      for (const line of failed) {
        assert.match(line, /combination [23], iteration [01] at epoch \d+;/);
      }
      for (const index of [0, 1]) {
        for (const name of ["train_loss_all.npy", "validate_loss_all.npy"]) {
          const [a, b] = await Promise.all(
            ["calm", "wild"].map((place) =>
              Deno.readFile(join(folder, place, "results", `${index}`, name))
            ),
          );
          assert.deepEqual(a, b);
        }
      }
      const results = join(folder, "wild", "results");
      const record = await readJson(join(results, "experiment.json"));
      const failures = record.failures as { combination: number }[];
      assert.equal(failures.length, failed.length);
      const status = await runTask("status", [results]);
      assert.match(status.stdout, new RegExp(`${failed.length} failed`));
    });
  });
});

/** As {@linkcode assertRefused}, where the plan has been shown before. */
function assertPlanThen(result: TaskResult, sentence: RegExp): void {
  assert.equal(result.code, 2, result.stderr);
  const lines = errorLines(result);
  assert.equal(lines.length, 1, result.stderr);
  assert.match(lines[0] ?? "", sentence);
}

describe("deno task train with pretrained models", () => {
  it("goes from seq_mem to nback_mem and back", async () => {
    await withFolder(async (folder) => {
      const places = ["seq", "nback", "again"].map((name) =>
        join(folder, name)
      );
      const [seq, nback, again] = places as [string, string, string];
      const last = "model_state_dict_epoch_2_iter_0.safetensors";
      const initial = "model_state_dict_epoch_initial_iter_0.safetensors";
      await trainOnCpu(seq, { epochs: 3 });
      await trainOnCpu(nback, {
        epochs: 3,
        task: "nback_mem",
        pretrained: join(seq, "results"),
        pretrainedEpoch: 2,
        freezeLayer: true,
      });
      await trainOnCpu(again, {
        epochs: 3,
        pretrained: join(nback, "results"),
        pretrainedEpoch: 2,
      });
      for (const combination of [0, 1]) {
        const read = (place: string, name: string) =>
          readModel(join(place, "results"), `${combination}/${name}`);
        const first = await read(seq, last);
        const taught = first.parameters;
        const before = await read(nback, initial);
        assert.deepEqual(before.parameters.weightHh, taught.weightHh);
        assert.deepEqual(before.connections, first.connections);
        assert.deepEqual(before.parameters.biasIh, taught.biasIh);
        assert.equal(before.size.outputSize, 3);
        const after = (await read(nback, last)).parameters;
        assert.deepEqual(after.weightHh, taught.weightHh, "frozen");
        assert.notDeepEqual(after.weightIh, taught.weightIh);
        const back = await read(again, initial);
        assert.deepEqual(back.parameters.weightIh, after.weightIh);
        assert.equal(back.size.outputSize, 1);
        const end = await read(again, last);
        assert.notDeepEqual(end.parameters.weightHh, taught.weightHh);
        assert.deepEqual(end.connections, first.connections);
      }
    });
  });
});
