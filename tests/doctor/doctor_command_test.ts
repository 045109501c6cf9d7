import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { errorLines, runTask } from "../cli/run_task.ts";
import { withFolder } from "../with_folder.ts";

const CASE = "train_seq_mem_relu_sgd.json";
const TEXT = await Deno.readTextFile(
  new URL(`../../src/doctor/cases/${CASE}`, import.meta.url),
);

describe("deno task doctor", () => {
  it("replays our own cases and exits with 0", async () => {
    for (
      const [device, kind, engine] of [
        ["cpu", "wasm", "float32 WebAssembly SIMD"],
        ["reference", "reference", "float64 reference engine"],
      ] as const
    ) {
      const { code, stdout } = await runTask("doctor", ["--device", device]);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^engine: ${engine}`, "m"));
      assert.match(stdout, /^case +losses +gradients +weights$/m);
      assert.equal(stdout.match(/^train_.* ok$/gm)?.length, 31);
      assert.match(
        stdout,
        new RegExp(`^All 31 cases are ok on the ${kind} engine\\.$`, "m"),
      );
    }
  });

  it("exits with 1 and says what is off where a number differs", async () => {
    await withFolder(async (folder) => {
      const golden = JSON.parse(TEXT);
      golden.expected.float64.epochs[2].validate_loss *= 1.001;
      await Deno.writeTextFile(
        join(folder, "off.json"),
        JSON.stringify(golden),
      );
      await Deno.writeTextFile(join(folder, CASE), TEXT);
      await Deno.writeTextFile(join(folder, "notes.json"), "{}");
      const args = ["--device", "reference", "--cases", folder];
      const result = await runTask("doctor", args);
      assert.equal(result.code, 1);
      assert.match(
        result.stdout,
        /OFF: losses \(epoch 3, validate loss\) 1\.0e-3, allowed 1e-12$/m,
      );
      assert.match(result.stdout, / ok$/m);
      assert.match(
        result.stdout,
        /^1 of 2 cases are off on the reference engine\.$/m,
      );
      assert.deepEqual(errorLines(result), []);
    });
  });

  it("exits with 2 and one sentence where there is nothing to replay", async () => {
    await withFolder(async (folder) => {
      const wrong: [string[], RegExp][] = [
        [["--cases", folder], /^error: Cannot find a reference case in /],
        [["--cases", join(folder, "x")], /there is no such folder$/],
        [["--device", "tpu"], /allowed are auto, gpu, cpu and reference$/],
        [[folder], /give a folder of cases with --cases DIR$/],
        [["--case", folder], /--case is not a flag of this command/],
      ];
      await Promise.all(wrong.map(async ([args, message]) => {
        const result = await runTask("doctor", args);
        assert.equal(result.code, 2);
        assert.equal(result.stdout, "");
        const lines = errorLines(result);
        assert.equal(lines.length, 1);
        assert.match(lines[0]!, message);
      }));
    });
  });

  it("lists its flags", async () => {
    const { code, stdout } = await runTask("doctor", ["--help"]);
    assert.equal(code, 0);
    assert.match(stdout, /--cases DIR/);
  });
});
