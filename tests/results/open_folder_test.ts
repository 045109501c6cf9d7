import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { readNpy } from "../../src/files/npy.ts";
import {
  encodeExperimentRecord,
  type ExperimentRecord,
} from "../../src/results/experiment_record.ts";
import { modelPath } from "../../src/results/layout.ts";
import {
  openFolder,
  type OpenFolderOptions,
  sweep,
} from "../../src/results/open_folder.ts";
import { encodeRunRecord } from "../../src/results/run_file.ts";
import { damageAll } from "../soak/damage.ts";
import { filesBelow } from "../soak/tiny_experiment.ts";
import {
  alike,
  assertRefused,
  exampleRecord,
  falling,
  namesIn,
  writeCurves,
  writeExample,
} from "./example_results.ts";
import { withFolder } from "../with_folder.ts";

/** A record of a training that is under way. */
function begun(changes: Partial<ExperimentRecord> = {}): ExperimentRecord {
  return exampleRecord({ trainedBy: [], failures: [], ...changes });
}

/** Opens a folder as a training does, gives it free again, and returns what it was warned of. */
async function open(
  path: string,
  options: Partial<OpenFolderOptions> & Pick<OpenFolderOptions, "mode">,
): Promise<string[]> {
  const lines: string[] = [];
  const lock = await openFolder(path, {
    record: begun(),
    part: undefined,
    ids: [],
    files: [],
    warn: (line) => lines.push(line),
    ...options,
  });
  await lock.release();
  return lines;
}

/** Writes files and the folders above them. */
async function writeAll(folder: string, names: readonly string[]) {
  for (const name of names) {
    await Deno.mkdir(join(folder, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, name), "x");
  }
}

/** Writes results with all that a training leaves. */
async function writeFull(
  folder: string,
  record: ExperimentRecord = begun(),
): Promise<string> {
  const loss = alike(falling([0.1, 0.2]));
  const combinations = [loss, loss];
  const path = await writeExample(folder, "bio", { combinations, record });
  await writeAll(path, [
    "connectome.npy",
    "network.npy",
    "network_mask.npy",
    "network.npz",
    "SHA256SUMS",
    "0/random_network_iter_1.npz",
    "1/model_state_dict_epoch_initial_iter_0.safetensors",
    "1/model_state_dict_epoch_499_iter_12.safetensors",
    "1/validate_loss_all.npy.4711-3-0a1b2c3d.tmp",
    "runs/0_1.safetensors",
    "runs/1_0.states_12.safetensors",
  ]);
  return path;
}

/** Writes the file of a finished run that belongs to an experiment. */
async function writeRun(path: string, experiment: string): Promise<void> {
  const history = {
    trainLoss: Float64Array.of(1),
    validateLoss: Float64Array.of(1),
  };
  const bytes = encodeRunRecord({
    id: { combination: 0, iteration: 1 },
    experiment,
    engine: "test",
    program: "test",
    history,
  });
  await Deno.writeFile(join(path, "runs", "0_1.safetensors"), bytes);
}

describe("curveFiles()", () => {
  it("writes float64 arrays of shape (iterations, epochs), and accuracies where there are any", () =>
    withFolder(async (folder) => {
      await writeCurves(folder, 3, alike(falling([0.1, 0.2], 5)));
      assert.deepEqual(await namesIn(folder), [
        "3/train_loss_all.npy",
        "3/validate_loss_all.npy",
      ]);
      const name = join(folder, "3", "train_loss_all.npy");
      const { shape, dtype } = readNpy(await Deno.readFile(name), { name });
      assert.deepEqual(shape, [2, 5]);
      assert.equal(dtype, "f8");
      await writeCurves(
        folder,
        3,
        alike(falling([0.1]), falling([90])),
      );
      assert.ok((await namesIn(folder)).includes("3/train_metrics_all.npy"));
    }));
});

describe("modelPath()", () => {
  it("is where the original program stores its models", () => {
    assert.equal(
      modelPath("results", { combination: 3, iteration: 1, epoch: 9 }),
      join("results", "3", "model_state_dict_epoch_9_iter_1.safetensors"),
    );
  });
});

describe("openFolder()", () => {
  it("makes the folder and those above it, and takes an empty one", () =>
    withFolder(async (folder) => {
      const path = join(folder, "a", "b");
      await open(path, { mode: "new" });
      assert.deepEqual(await namesIn(folder), ["a/b/experiment.json"]);
      await Deno.remove(join(path, "experiment.json"));
      await open(path, { mode: "new" });
    }));

  it("refuses results that are there, names the ways out and changes nothing", () =>
    withFolder(async (folder) => {
      const path = await writeFull(folder);
      const before = await filesBelow(path);
      await assertRefused(
        open(path, { mode: "new" }),
        /holds results already; .*--path_to_results, .*--resume .*--overwrite/,
      );
      assert.deepEqual(await filesBelow(path), before);
    }));

  it("with overwrite removes what a training writes, and nothing else", () =>
    withFolder(async (folder) => {
      const path = await writeFull(folder);
      const kept = [
        "0/notes.txt",
        "figures/0.svg",
        "model_state_dict_epoch_0_iter_0.safetensors",
        "notes.txt",
        "runs/mine.safetensors",
      ];
      await writeAll(path, kept);
      await open(path, {
        mode: "overwrite",
        files: [["folder_index.txt", () => Uint8Array.of(7)]],
      });
      assert.deepEqual(
        await namesIn(path),
        [...kept, "experiment.json", "folder_index.txt"].sort(),
      );
      assert.deepEqual(
        await Deno.readFile(join(path, "folder_index.txt")),
        Uint8Array.of(7),
      );
      await assert.rejects(Deno.stat(join(path, "1")), Deno.errors.NotFound);
    }));

  it("removes nothing where the new files can't be written", () =>
    withFolder(async (folder) => {
      const path = await writeFull(folder);
      const before = await filesBelow(path);
      await assert.rejects(open(path, {
        mode: "overwrite",
        files: [["network.npy", () => {
          throw new RangeError("no memory");
        }]],
      }));
      assert.deepEqual(await filesBelow(path), before);
    }));

  it("never removes anything from a folder that holds no results", () =>
    withFolder(async (folder) => {
      for (
        const files of [
          ["0/train_loss_all.npy", "thesis.tex"],
          ["connectome.npy"],
          ["0/model_state_dict_epoch_0_iter_0.pth"],
        ]
      ) {
        const path = join(folder, files[0]!.replaceAll("/", "_"));
        await writeAll(path, files);
        for (const mode of ["new", "join", "overwrite"] as const) {
          await assertRefused(
            open(path, { mode }),
            /it is no results folder, but it is not empty \(it holds "/,
          );
        }
        assert.deepEqual(await namesIn(path), files);
      }
    }));

  it("does not follow, nor remove, a link that is named like a folder of results", () =>
    withFolder(async (folder) => {
      for (const name of ["7", "runs"]) {
        const path = await writeFull(folder);
        const elsewhere = join(folder, `elsewhere_${name}`);
        await writeAll(elsewhere, ["train_loss_all.npy", "0_1.safetensors"]);
        await Deno.remove(join(path, name), { recursive: true }).catch(
          () => {},
        );
        await Deno.symlink(elsewhere, join(path, name));
        const before = await namesIn(elsewhere);
        await assertRefused(
          open(path, { mode: "overwrite" }),
          new RegExp(`"${name}" in it is a link`),
        );
        assert.deepEqual(await namesIn(elsewhere), before);
        assert.ok((await Deno.lstat(join(path, name))).isSymlink);
        await Deno.remove(path, { recursive: true });
      }
    }));

  it("goes on with the same experiment, and keeps its results", () =>
    withFolder(async (folder) => {
      const path = await writeFull(folder);
      const before = (await namesIn(path))
        .filter((name) => !name.endsWith(".tmp"));
      await open(path, { mode: "join" });
      assert.deepEqual(await namesIn(path), before);
    }));

  it("says in what another experiment differs", () =>
    withFolder(async (folder) => {
      const path = await writeFull(folder);
      const changes = { fingerprint: "another", seed: 8, epochs: 13 };
      await assertRefused(
        open(path, { mode: "join", record: begun(changes) }),
        /another experiment \(epochs is 12 there and 13 here; seed is 7 there and 8 here\); .*--path_to_results, or --overwrite/,
      );
    }));

  it("does not go on with results of unknown origin, the original program's among them", () =>
    withFolder(async (folder) => {
      const path = await writeFull(folder);
      await Deno.remove(join(path, "experiment.json"));
      const before = await filesBelow(path);
      await assertRefused(
        open(path, { mode: "join" }),
        /it has no experiment\.json, so that it can't be told whose/,
      );
      assert.deepEqual(await filesBelow(path), before);
      const original = join(folder, "original");
      await writeAll(original, [
        "folder_index.txt",
        "0/model_state_dict_epoch_0_iter_0.pth",
      ]);
      await assertRefused(open(original, { mode: "join" }), /whose results/);
    }));

  it("writes a record that is damaged or gone again, where runs say that they belong to the experiment", () =>
    withFolder(async (folder) => {
      const path = await writeFull(folder);
      await writeRun(path, begun().fingerprint);
      const file = join(path, "experiment.json");
      const sound = await Deno.readFile(file);
      const damage: [string, () => Promise<unknown>][] = [
        ["has no", () => Deno.remove(file)],
        ["is damaged", () => Deno.truncate(file, 300)],
        ["is damaged", () => Deno.writeFile(file, Uint8Array.of(0xff, 0xfe))],
        ["is damaged", () => Deno.writeTextFile(file, "{}")],
        [
          "is not its own",
          () =>
            Deno.writeTextFile(
              file,
              encodeExperimentRecord(begun({ fingerprint: "flipped" })),
            ),
        ],
      ];
      for (const [found, damageIt] of damage) {
        await damageIt();
        const lines = await open(path, { mode: "join" });
        assert.equal(lines.length, 1);
        assert.match(lines[0]!, new RegExp(`${found}.*written again`));
        assert.deepEqual(await Deno.readFile(file), sound);
      }
      await writeRun(path, "another");
      await Deno.remove(file);
      await assertRefused(open(path, { mode: "join" }), /whose results/);
    }));

  it("goes on where a training was killed before it wrote its record", () =>
    withFolder(async (folder) => {
      await writeAll(folder, ["folder_index.txt.12-0-0a1b2c3d.tmp"]);
      await Deno.mkdir(join(folder, "runs"));
      await open(folder, { mode: "join" });
      assert.deepEqual(await namesIn(folder), ["experiment.json"]);
    }));

  it("remembers the number of parts until the whole is trained or finished", () =>
    withFolder(async (folder) => {
      const path = join(folder, "parts");
      const part = (index: number, count: number) =>
        ({ index, count, first: 0, step: 1 }) as const;
      await open(path, { mode: "join", part: part(1, 4) });
      await open(path, { mode: "join", part: part(0, 4) });
      await assertRefused(
        open(path, { mode: "join", part: part(0, 3) }),
        /Cannot train part 0 of 3 .* begun in 4 parts; use --shard i\/4 .*--array=0-3/,
      );
      await open(path, { mode: "join" });
      await open(path, { mode: "join", part: part(0, 3) });
      assert.match(
        await Deno.readTextFile(join(path, "experiment.json")),
        /"parts": \{\s+"count": 3/,
      );
      const record = exampleRecord({ trainedBy: ["biornn"] });
      await Deno.writeTextFile(
        join(path, "experiment.json"),
        encodeExperimentRecord(record),
      );
      await open(path, { mode: "join", part: part(0, 7) });
      assert.equal(
        await Deno.readTextFile(join(path, "experiment.json")),
        encodeExperimentRecord(record),
      );
    }));

  it("says in a sentence why a folder can't be made", () =>
    withFolder(async (folder) => {
      const file = join(folder, "file");
      await Deno.writeTextFile(file, "");
      await assertRefused(
        open(file, { mode: "new" }),
        /a part of its path, is a file/,
      );
      for (const path of [join(file, "below"), join(folder, "x".repeat(300))]) {
        await assertRefused(
          open(path, { mode: "new" }),
          /a part of its path, is a file|its name is too long/,
        );
      }
    }));
});

const SUFFIX = ".77-3-0123abcd.tmp";
const OF_RUN_0_1 = [
  `0/model_state_dict_epoch_9_iter_1.safetensors${SUFFIX}`,
  `0/random_network_iter_1.npz${SUFFIX}`,
  `runs/0_1.safetensors${SUFFIX}`,
  `runs/0_1.states_9.safetensors${SUFFIX}`,
];
const OF_RUN_10_1 = [
  `runs/10_1.safetensors${SUFFIX}`,
  `runs/10_1.states_9.safetensors${SUFFIX}`,
];
const OF_ALL = [`0/train_loss_all.npy${SUFFIX}`, `experiment.json${SUFFIX}`];
const OTHERS = [
  "0/train_loss_all.npy",
  `figs/plot.svg${SUFFIX}`,
  "notes.tmp",
  "runs/0_1.safetensors",
];

describe("sweep()", () => {
  const withFiles = (body: (folder: string) => Promise<void>) =>
    withFolder(async (folder) => {
      await writeAll(folder, [OF_RUN_0_1, OF_RUN_10_1, OF_ALL, OTHERS].flat());
      await body(folder);
    });
  const assertLeft = async (folder: string, names: readonly string[]) =>
    assert.deepEqual(await namesIn(folder), [...names].sort());

  it("removes all half-written files, and nothing else, where nobody else writes", () =>
    withFiles(async (folder) => {
      await sweep(folder, "all");
      await assertLeft(folder, OTHERS);
    }));

  it("leaves alone what other shards may be writing", () =>
    withFiles(async (folder) => {
      await sweep(folder, [{ combination: 0, iteration: 1 }]);
      await assertLeft(folder, [...OF_RUN_10_1, ...OF_ALL, ...OTHERS]);
    }));

  it("removes what nobody has touched for days", () =>
    withFiles(async (folder) => {
      const old = new Date(Date.now() - 3 * 24 * 60 * 60 * 1000);
      await Deno.utime(join(folder, OF_ALL[0]!), old, old);
      await sweep(folder, []);
      await assertLeft(folder, [
        ...OF_RUN_0_1,
        ...OF_RUN_10_1,
        OF_ALL[1]!,
        ...OTHERS,
      ]);
    }));
});

describe("a results folder with a flipped or missing byte", () => {
  it("is refused, warned of or sound, and gives the undisturbed bytes when it is gone on with", async () => {
    const { damages, noticed, mended } = await damageAll({ every: 809 });
    assert.ok(damages > 30, `${damages}`);
    assert.ok(noticed > 10, `${noticed} of ${damages}`);
    assert.ok(mended > 20, `${mended} of ${damages}`);
  });
});
