import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { soakWithKills } from "../soak/kill_soak.ts";
import { differences, writeTinyConfig } from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";
import { runTask } from "./run_task.ts";

describe("deno task train --shard", () => {
  it("gives the same bytes for any number of shards at once, with arms too", async () => {
    const lines: string[] = [];
    for (const shards of [1, 2, 5]) {
      const { wrong } = await soakWithKills({
        kills: 0,
        seed: 1,
        device: "cpu",
        epochs: 3,
        scenarios: ["shards"],
        shards,
        ...(shards === 2 ? { arms: ["none", "degrees"] } : {}),
        report: (line) => lines.push(line),
      });
      assert.equal(wrong, 0, lines.join("\n"));
    }
  });

  it("takes its part from Slurm or Kubernetes, and tells what is still to come", async () => {
    await withFolder(async (folder) => {
      const tiny = { epochs: 3 };
      const whole = await writeTinyConfig(join(folder, "whole"), tiny);
      const parts = await writeTinyConfig(join(folder, "parts"), tiny);
      const cpu = ["--device", "cpu"];
      assert.equal((await runTask("train", [whole, ...cpu])).code, 0);
      const results = join(folder, "parts", "results");

      const slurm = await runTask("train", [parts, ...cpu], {
        env: {
          SLURM_ARRAY_TASK_ID: "1",
          SLURM_ARRAY_TASK_MIN: "1",
          SLURM_ARRAY_TASK_COUNT: "2",
        },
      });
      assert.equal(slurm.code, 0, slurm.stderr);
      assert.match(slurm.stdout, /shard .*SLURM_ARRAY_TASK_ID/);
      assert.match(
        slurm.stdout,
        /This part is done .* 2 runs of other parts still to come/,
      );
      const halfway = await runTask("status", [results]);
      assert.match(
        halfway.stdout,
        /2 of 4 runs done, 0 under way, 2 missing, 0 failed/,
      );

      const kubernetes = await runTask("train", [parts, ...cpu], {
        env: { JOB_COMPLETION_INDEX: "1", JOB_COMPLETIONS: "2" },
      });
      assert.equal(kubernetes.code, 0, kubernetes.stderr);
      assert.match(kubernetes.stdout, /shard .*JOB_COMPLETION_INDEX/);
      assert.match(kubernetes.stdout, /^Done in/m);
      assert.deepEqual(
        await differences(join(folder, "whole", "results"), results),
        [],
      );
    });
  });

  it("trains a lost part of a Slurm array again, and no other", async () => {
    await withFolder(async (folder) => {
      const config = await writeTinyConfig(folder, { epochs: 3 });
      const results = join(folder, "results");
      const cpu = ["--device", "cpu", "--resume"];
      const task = (id: number, array: readonly number[]) =>
        runTask("train", [config, ...cpu], {
          env: {
            SLURM_ARRAY_TASK_ID: String(id),
            SLURM_ARRAY_TASK_COUNT: String(array.length),
            SLURM_ARRAY_TASK_MIN: String(Math.min(...array)),
            SLURM_ARRAY_TASK_MAX: String(Math.max(...array)),
            SLURM_ARRAY_TASK_STEP: "1",
          },
        });
      for (const id of [0, 3]) {
        assert.equal((await task(id, [0, 1, 2, 3])).code, 0);
      }
      // Another part is writing it just now.
      const foreign = join(
        results,
        "runs",
        "0_1.states_5.safetensors.4242-0-abcdef12.tmp",
      );
      await Deno.writeTextFile(foreign, "half");
      const lost = await task(2, [2]);
      assert.equal(lost.code, 0, lost.stderr);
      assert.match(lost.stdout, /shard +2\/4 /);
      assert.equal(await Deno.readTextFile(foreign), "half");
      const wrong = await task(5, [0, 1, 5]);
      assert.equal(wrong.code, 2);
      assert.match(
        wrong.stderr,
        /begun in 4 parts; use --shard i\/4 .*--array=0-3/,
      );
      const rest = await task(1, [1, 3]);
      assert.equal(rest.code, 0, rest.stderr);
      assert.match(rest.stdout, /^Done in/m);
    });
  });
});
