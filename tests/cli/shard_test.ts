import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { soakWithShards } from "../soak/shard_soak.ts";
import { differences, writeTinyConfig } from "../soak/tiny_experiment.ts";
import { runTask } from "./run_task.ts";

describe("deno task train --shard", () => {
  it("gives the same bytes for any number of shards at once", async () => {
    const lines: string[] = [];
    const wrong = await soakWithShards({
      rounds: 1,
      shards: [1, 2, 4, 5],
      device: "cpu",
      tiny: { epochs: 3 },
      report: (line) => lines.push(line),
    });
    assert.equal(wrong, 0, lines.join("\n"));
  });

  it("takes its part from Slurm or Kubernetes, and tells what is still to come", async () => {
    const folder = await Deno.makeTempDir({ prefix: "biornn_shard_" });
    try {
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
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
