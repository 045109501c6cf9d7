import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { readNpy } from "../../src/files/npy.ts";
import {
  checkpointPath,
  prepareResultsFolder,
  writeCombination,
} from "../../src/results/write_results.ts";
import {
  alike,
  exampleRecord,
  falling,
  inFolder,
  writeExample,
} from "./example_results.ts";

/** All files below a folder, with `/` between names. */
async function filesOf(folder: string, prefix = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) {
      files.push(...await filesOf(join(folder, name), `${prefix}${name}/`));
    } else files.push(prefix + name);
  }
  return files.sort();
}

async function assertRefused(
  promise: Promise<void>,
  message: RegExp,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** Writes results with all that a training leaves. */
async function writeFull(folder: string): Promise<string> {
  const loss = alike(falling([0.1, 0.2]));
  const path = await writeExample(folder, "bio", {
    combinations: [loss, loss],
    record: exampleRecord(),
  });
  for (
    const file of [
      "connectome.npy",
      "network.npy",
      "network_mask.npy",
      "network.npz",
      "1/model_state_dict_epoch_initial_iter_0.safetensors",
      "1/model_state_dict_epoch_499_iter_12.safetensors",
      "1/validate_loss_all.npy.4711-3-0a1b2c3d.tmp",
      "runs/0_1.safetensors",
      "runs/1_0.state_12.safetensors",
    ]
  ) {
    await Deno.mkdir(join(path, "runs"), { recursive: true });
    await Deno.writeTextFile(join(path, file), "x");
  }
  return path;
}

describe("writeCombination()", () => {
  it("writes float64 arrays of shape (iterations, epochs), and accuracies where there are any", () =>
    inFolder(async (folder) => {
      await writeCombination(folder, 3, alike(falling([0.1, 0.2], 5)));
      assert.deepEqual(await filesOf(folder), [
        "3/train_loss_all.npy",
        "3/validate_loss_all.npy",
      ]);
      const name = join(folder, "3", "train_loss_all.npy");
      const { shape, dtype } = readNpy(await Deno.readFile(name), { name });
      assert.deepEqual(shape, [2, 5]);
      assert.equal(dtype, "f8");
      await writeCombination(
        folder,
        3,
        alike(falling([0.1]), falling([90])),
      );
      assert.ok((await filesOf(folder)).includes("3/train_metrics_all.npy"));
    }));
});

describe("checkpointPath()", () => {
  it("is where the original program stores its models", () => {
    assert.equal(
      checkpointPath("results", { combination: 3, iteration: 1, epoch: 9 }),
      join("results", "3", "model_state_dict_epoch_9_iter_1.safetensors"),
    );
  });
});

describe("prepareResultsFolder()", () => {
  it("makes the folder and those above it, and takes an empty one", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a", "b");
      await prepareResultsFolder(path, { overwrite: false });
      await prepareResultsFolder(path, { overwrite: false });
      assert.deepEqual(await filesOf(folder), []);
      assert.ok((await Deno.stat(path)).isDirectory);
    }));

  it("refuses results that are there, names the ways out and changes nothing", () =>
    inFolder(async (folder) => {
      const path = await writeFull(folder);
      const before = await filesOf(path);
      await assertRefused(
        prepareResultsFolder(path, { overwrite: false }),
        /holds results already; .*--path_to_results, .*--resume .*--overwrite/,
      );
      assert.deepEqual(await filesOf(path), before);
    }));

  it("with overwrite removes what a training writes, and nothing else", () =>
    inFolder(async (folder) => {
      const path = await writeFull(folder);
      const kept = [
        "0/notes.txt",
        "figures/0.svg",
        "model_state_dict_epoch_0_iter_0.safetensors",
        "notes.txt",
        "runs/mine.safetensors",
      ];
      await Deno.mkdir(join(path, "figures"));
      for (const file of kept) await Deno.writeTextFile(join(path, file), "x");
      await prepareResultsFolder(path, { overwrite: true });
      assert.deepEqual(await filesOf(path), kept);
      await assert.rejects(Deno.stat(join(path, "1")), Deno.errors.NotFound);
    }));

  it("never removes anything from a folder that holds no results", () =>
    inFolder(async (folder) => {
      await Deno.mkdir(join(folder, "0"));
      const files = ["0/train_loss_all.npy", "thesis.tex"];
      for (const f of files) await Deno.writeTextFile(join(folder, f), "x");
      for (const overwrite of [true, false]) {
        await assertRefused(
          prepareResultsFolder(folder, { overwrite }),
          /it is no results folder, but it is not empty \(it holds "0"\)/,
        );
      }
      assert.deepEqual(await filesOf(folder), files);
    }));

  it("does not follow a link that is named like a combination", () =>
    inFolder(async (folder) => {
      const path = await writeFull(folder);
      const elsewhere = join(folder, "elsewhere");
      await Deno.mkdir(elsewhere);
      await Deno.writeTextFile(join(elsewhere, "train_loss_all.npy"), "x");
      await Deno.symlink(elsewhere, join(path, "7"));
      await prepareResultsFolder(path, { overwrite: true });
      assert.deepEqual(await filesOf(elsewhere), ["train_loss_all.npy"]);
    }));

  it("goes on with the same experiment, and keeps its results even with overwrite", () =>
    inFolder(async (folder) => {
      const path = await writeFull(folder);
      const before = await filesOf(path);
      const join = exampleRecord().fingerprint;
      for (const overwrite of [true, false]) {
        await prepareResultsFolder(path, { overwrite, join });
      }
      assert.deepEqual(await filesOf(path), before);
    }));

  it("does not go on with another experiment, or with results of unknown origin", () =>
    inFolder(async (folder) => {
      const path = await writeFull(folder);
      const options = { overwrite: false, join: "another" };
      await assertRefused(
        prepareResultsFolder(path, options),
        /results of another experiment .*--path_to_results, or use --overwrite/,
      );
      await Deno.remove(join(path, "experiment.json"));
      await assertRefused(
        prepareResultsFolder(path, options),
        /it holds results without experiment\.json/,
      );
    }));

  it("goes on where a training was killed before it wrote its record", () =>
    inFolder(async (folder) => {
      await Deno.mkdir(join(folder, "runs"));
      await Deno.writeTextFile(
        join(folder, "folder_index.txt.12-0-0a1b2c3d.tmp"),
        "0 (",
      );
      await prepareResultsFolder(folder, { overwrite: false, join: "any" });
    }));

  it("says in a sentence why a folder can't be made", () =>
    inFolder(async (folder) => {
      const file = join(folder, "file");
      await Deno.writeTextFile(file, "");
      for (const path of [file, join(file, "below")]) {
        await assertRefused(
          prepareResultsFolder(path, { overwrite: true }),
          /^Cannot make the folder ".*": a part of its path is a file$/,
        );
      }
    }));
});
