import assert from "node:assert/strict";
import { join } from "node:path";
import { parquetReadObjects } from "npm:hyparquet@1.31.5";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { readNpy } from "../../src/files/npy.ts";
import { findPython } from "../find_python.ts";
import { makeResults } from "../viz/make_results.ts";
import { withFolder } from "../with_folder.ts";
import { assertRefuses, runTask } from "./run_task.ts";

async function withResults(
  use: (folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const common = { iterations: 2, epochs: 3 };
    await makeResults({
      ...common,
      folder: join(folder, "seq"),
      grid: { lr: [0.001], pattern_length: [3, 5] },
    });
    await makeResults({
      ...common,
      folder: join(folder, "nback"),
      task: "nback_mem",
      grid: { lr: [0.001], n_back: [2] },
    });
    await use(folder);
  });
}

async function write(folder: string, args: string[]): Promise<void> {
  const { code, stderr } = await runTask("table", [
    ...["seq", "nback"].map((name) => join(folder, name)),
    ...args,
  ]);
  assert.equal(code, 0, stderr);
}

/** Runs a program of another language; undefined where it isn't there. */
async function output(
  command: string,
  args: string[],
): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args })
      .output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const python = await findPython("pandas");
const r = await output("Rscript", ["-e", "cat(1)"]);

describe("deno task table", () => {
  it("writes a row a run and epoch, with the numbers of the curves", async () => {
    await withResults(async (folder) => {
      const out = join(folder, "results.csv");
      await write(folder, ["--out", out]);
      const [head, ...rows] = (await Deno.readTextFile(out)).trim().split("\n");
      assert.equal(
        head,
        "results,combination,lr,pattern_length,iteration,epoch,train_loss,validation_loss,n_back,train_accuracy,validation_accuracy",
      );
      assert.equal(rows.length, 3 * 2 * 3);
      const name = join(folder, "seq/1/validate_loss_all.npy");
      const { data } = readNpy(await Deno.readFile(name), { name });
      const row = rows.find((text) => text.startsWith("seq,1,0.001,5,1,2,"));
      assert.equal(Number(row?.split(",")[7]), data[5]);
    });
  });

  it("writes Parquet with the same values", async () => {
    await withResults(async (folder) => {
      const out = join(folder, "results.parquet");
      await write(folder, ["--out", out, "--rows", "run"]);
      const { buffer } = await Deno.readFile(out);
      const rows = await parquetReadObjects({ file: buffer });
      assert.equal(rows.length, 3 * 2);
      const [first] = rows;
      assert.equal(first?.results, "seq");
      assert.equal(first?.null_model, "none");
      assert.equal(first?.pattern_length, 3n);
      assert.equal(first?.n_back, null);
      assert.equal(first?.diverged, false);
      assert.ok(Number(first?.min_validation_loss) > 0);
    });
  });

  itNeeds(
    "is read by pandas",
    python === undefined ? "no Python with pandas" : undefined,
    async () => {
      await withResults(async (folder) => {
        const out = join(folder, "results.csv");
        await write(folder, ["--out", out]);
        const runs = join(folder, "runs.csv");
        await write(folder, ["--out", runs, "--rows", "run"]);
        const said = await output(python!, [
          "-c",
          `import pandas
table = pandas.read_csv(${JSON.stringify(out)})
last = table[table.epoch == table.epoch.max()]
runs = pandas.read_csv(${JSON.stringify(runs)})
print(len(table), runs.diverged.dtype, last.groupby("results").validation_loss.mean().notna().all(), table.n_back.isna().sum())`,
        ]);
        assert.equal(said, "18 bool True 12");
      });
    },
  );

  itNeeds(
    "is read by R",
    r === undefined ? "no R" : undefined,
    async () => {
      await withResults(async (folder) => {
        const out = join(folder, "results.csv");
        await write(folder, ["--out", out, "--rows", "run"]);
        const said = await output("Rscript", [
          "-e",
          `table <- read.csv(${JSON.stringify(out)})
cat(nrow(table), is.numeric(table$min_validation_loss), sum(is.na(table$n_back)), is.logical(table$diverged))`,
        ]);
        assert.equal(said, "6 TRUE 4 TRUE");
      });
    },
  );

  it("says in a sentence what is wrong", async () => {
    await assertRefuses("table", [
      [["--out", "a.csv"], /name a results folder/],
      [["nowhere", "--out", "a.txt"], /ends in \.csv or \.parquet/],
      [
        ["a/b", "c/b", "--out", "a.csv"],
        /two folders have the label "b"; name each by --results_labels$/,
      ],
      [["nowhere", "--out", "a.csv"], /there is no such folder/],
    ]);
  });
});
