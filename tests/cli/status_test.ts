import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { listConnections } from "../../src/graph/connections.ts";
import { createStream } from "../../src/random/stream.ts";
import { encodeRunStates, readRun } from "../../src/results/run_file.ts";
import { initialParameters } from "../../src/rnn/initialise.ts";
import { writeTinyConfig } from "../soak/tiny_experiment.ts";
import { assertRefuses, runTask } from "./run_task.ts";
import { withFolder } from "../with_folder.ts";

function rows(stdout: string): string[][] {
  return stdout.split("\n").filter((line) => /^ *\d+ +\(/.test(line))
    .map((line) => line.trim().split(/ {2,}/));
}

describe("deno task status", () => {
  it("tells what is done, under way, missing and failed", async () => {
    await withFolder(async (folder) => {
      const config = await writeTinyConfig(folder, {
        lr: [0.001, 0.01],
        epochs: 4,
      });
      const results = join(folder, "results");
      const trained = await runTask("train", [config, "--device", "cpu"]);
      assert.equal(trained.code, 0, trained.stderr);
      const done = await runTask("status", [results]);
      assert.equal(done.code, 0, done.stderr);
      assert.match(
        done.stdout,
        /seq_mem, Synthetic_Macaque_29, 4 combinations × 2 iterations, 4 epochs/,
      );
      assert.deepEqual(rows(done.stdout), [
        ["0", "(0.001, 'relu', 'Adam', 2)", "2/2"],
        ["1", "(0.001, 'tanh', 'Adam', 2)", "2/2"],
        ["2", "(0.01, 'relu', 'Adam', 2)", "2/2"],
        ["3", "(0.01, 'tanh', 'Adam', 2)", "2/2"],
      ]);
      assert.match(
        done.stdout,
        /8 of 8 runs done, 0 under way, 0 missing, 0 failed/,
      );

      const both = await runTask("status", [folder]);
      assert.equal(both.code, 0, both.stderr);
      assert.match(both.stdout, /results: .*8 of 8 runs done/s);

      const runs = join(results, "runs");
      await Deno.remove(join(runs, "1_0.safetensors"));
      const size = { hiddenSize: 29, inputSize: 2, outputSize: 1 };
      const id = { combination: 1, iteration: 1 };
      const record = (await readRun(join(runs, ".."), { id, size }))!;
      const weights = initialParameters(size, {
        connections: listConnections({ receivers: 29, senders: 29 }),
        initialisation: "default",
        stream: createStream({ seed: 0, purpose: "weights" }),
      });
      const state = {
        epoch: 3,
        updates: 6,
        parameters: weights,
        firstMoment: weights,
        secondMoment: weights,
      };
      await Deno.writeFile(
        join(runs, "1_1.states_3.safetensors"),
        encodeRunStates([{ ...record, state }]),
      );
      await Deno.remove(join(runs, "1_1.safetensors"));
      await Deno.truncate(join(runs, "2_1.safetensors"), 100);
      const partly = await runTask("status", [results]);
      assert.equal(partly.code, 0);
      const [, one, two] = rows(partly.stdout);
      assert.equal(one?.[2], "0/2");
      assert.match(one?.[3] ?? "", /^1 at epoch 3\/4, saved 0:\d\d ago$/);
      assert.equal(one?.[4], "1");
      assert.deepEqual(two?.slice(2), ["1/2", "1"]);
      assert.match(partly.stdout, /warning: .*2_1\.safetensors/);
      assert.match(
        partly.stdout,
        /5 of 8 runs done, 1 under way, 2 missing, 0 failed/,
      );
    });
  });

  it("reads a folder of the original program", async () => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(
        join(folder, "folder_index.txt"),
        "0 (0.0001, 'relu', 'Adam', 3)\n1 (1e-06, 'relu', 'Adam', 3)\n",
      );
      await Deno.mkdir(join(folder, "0"));
      for (const name of ["train_loss_all.npy", "validate_loss_all.npy"]) {
        await Deno.writeFile(
          join(folder, "0", name),
          writeNpy({ shape: [2, 2], data: Float64Array.of(3, 2, 3, NaN) }),
        );
      }
      const { code, stdout } = await runTask("status", [folder]);
      assert.equal(code, 0);
      assert.match(stdout, /results of the original program, 2 combinations/);
      const [first, second] = rows(stdout);
      assert.deepEqual(first?.slice(0, 3), [
        "0",
        "(0.0001, 'relu', 'Adam', 3)",
        "2/2",
      ]);
      assert.match(first?.[3] ?? "", /iteration 1: .* at epoch 1/);
      assert.deepEqual(second?.slice(2), ["0", "all"]);
      assert.match(stdout, /1 of 2 combinations done, 1 missing, 1 failed/);
    });
  });

  it("says in one sentence what is no results folder", async () => {
    await withFolder(async (folder) => {
      await assertRefuses("status", [
        [[], /name a results folder/],
        [[join(folder, "nowhere")], /there is no such folder/],
        [[folder], /it is no results folder/],
        [["--verbose", folder], /--verbose is not a flag/],
      ]);
    });
  });
});
