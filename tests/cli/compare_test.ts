import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { writeTinyConfig } from "../soak/tiny_experiment.ts";
import { assertRefuses, runTask } from "./run_task.ts";
import { withFolder } from "../with_folder.ts";

describe("deno task compare", () => {
  it("trains every arm as train does, draws all, and goes on with --resume", async () => {
    await withFolder(async (folder) => {
      const config = await writeTinyConfig(folder, { epochs: 3 });
      const results = join(folder, "arms");
      const args = [
        ...[config, "--null_models", "degrees"],
        ...["--path_to_results", results, "--device", "cpu"],
        ...["--set", "net.match=spectral_radius"],
      ];
      const compared = await runTask("compare", args);
      assert.equal(compared.code, 0, compared.stderr);
      assert.match(compared.stdout, /^Done in .* 2 results folders beside/m);
      const names = [...Deno.readDirSync(results)].map(({ name }) => name);
      assert.deepEqual(names.sort(), ["bio", "degrees", "figs"]);
      await Deno.stat(join(results, "figs", "statistics.csv"));
      const alone = join(folder, "alone");
      const trained = await runTask("train", [
        ...[config, "--path_to_results", alone, "--device", "cpu"],
        ...["--set", "net.null_model=degrees"],
        ...["--set", "net.match=spectral_radius"],
      ]);
      assert.equal(trained.code, 0, trained.stderr);
      for (
        const file of [
          ...["measures.csv", "null_model.csv", "0/validate_loss_all.npy"],
          "1/model_state_dict_epoch_2_iter_1.safetensors",
        ]
      ) {
        assert.deepEqual(
          await Deno.readFile(join(results, "degrees", file)),
          await Deno.readFile(join(alone, file)),
          file,
        );
      }
      const again = await runTask("compare", args);
      assert.equal(again.code, 2);
      assert.match(again.stderr, /--resume to go on/);
      const resumed = await runTask("compare", [...args, "--resume"]);
      assert.equal(resumed.code, 0, resumed.stderr);
    });
  });

  it("compares null models with the network of their own connectome", async () => {
    await withFolder(async (folder) => {
      const config = await writeTinyConfig(folder, { epochs: 2 });
      await Deno.writeTextFile(
        join(folder, "C_Ring_29.csv"),
        Array.from(
          { length: 29 },
          (_, i) =>
            Array.from(
              { length: 29 },
              (_, j) => (j - i + 29) % 29 < 9 && i !== j ? 1 + (i * j) % 5 : 0,
            )
              .join(","),
        ).join("\n"),
      );
      const results = join(folder, "arms");
      const { code, stdout, stderr } = await runTask("compare", [
        ...[config, "--path_to_results", results, "--device", "cpu"],
        ...["--path_to_network", folder, "--null_models", "permute"],
        ...["--set", "net.net_name=['Synthetic_Macaque_29', 'Ring_29']"],
      ]);
      assert.equal(code, 0, stderr);
      for (const name of ["Synthetic_Macaque_29", "Ring_29"]) {
        const table = await Deno.readTextFile(
          join(results, "figs", name, "statistics.csv"),
        );
        assert.ok(table.includes(`${name}-bio,`));
        assert.ok(table.includes(`${name}-permute,`));
        const other = name === "Ring_29" ? "Synthetic" : "Ring";
        assert.ok(!table.includes(`${other}_`));
      }
      assert.match(stdout, /4 results folders beside/);
    });
  });

  it("tells bad input in a sentence, before anything is trained", async () => {
    await withFolder(async (folder) => {
      const config = await writeTinyConfig(folder);
      await assertRefuses("compare", [
        [[], /^error: Cannot train: give one config file/],
        [
          [config, "--null_models", "degree"],
          /^error: Cannot use --null_models "degree": .*did you mean "degrees"/,
        ],
        [
          [config, "--resume", "--overwrite"],
          /^error: Cannot use --overwrite with --resume/,
        ],
        [[config, "--set", "net.match=all"], /match/],
      ]);
      assert.deepEqual([...Deno.readDirSync(folder)].length, 1);
    });
  });
});
