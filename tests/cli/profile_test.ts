import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { differences, writeTinyConfig } from "../soak/tiny_experiment.ts";
import { runTask, startTask } from "./run_task.ts";

const adapter = await createWebGpuEngine();
const missing = adapter === undefined
  ? "this machine has no WebGPU adapter"
  : adapter.gpu.device.features.has("timestamp-query")
  ? undefined
  : "this adapter has no timestamp queries";
adapter?.destroy();

async function withFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "biornn_profile_" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Expects the table and the busy share, and returns the share in percent. */
function readShare(stdout: string): number {
  assert.match(stdout, /^kernel +calls +ms +GFLOP\/s +share$/m);
  assert.match(stdout, /^gradient +\d+ +\d+\.\d +\d+\.\d +\d+\.\d %$/m);
  assert.match(stdout, /^optimizer +\d+ +\d+\.\d +\d+\.\d %$/m);
  const [, share] = /^GPU busy: (\d+\.\d) % of \d+\.\d s .*; not busy: /m
    .exec(stdout) ?? [];
  return Number(share);
}

describe("deno task train --profile", () => {
  itNeeds(
    "prints the kernels and how busy the GPU was; the results are the same",
    missing,
    async () => {
      await withFolder(async (folder) => {
        const plain = join(folder, "plain"), timed = join(folder, "timed");
        const without = await runTask("train", [await writeTinyConfig(plain)]);
        assert.equal(without.code, 0, without.stderr);
        const result = await runTask("train", [
          await writeTinyConfig(timed),
          "--profile",
        ]);
        assert.equal(result.code, 0, result.stderr);
        const share = readShare(result.stdout);
        assert.ok(share > 0 && share < 100, `${share}`);
        assert.match(result.stdout, /^Done in/m);
        assert.deepEqual(
          await differences(join(plain, "results"), join(timed, "results")),
          [],
        );
      });
    },
  );

  itNeeds("prints them after Ctrl-C, too", missing, async () => {
    await withFolder(async (folder) => {
      const config = await writeTinyConfig(folder, { epochs: 1_000_000 });
      const { child, result } = startTask("train", [
        config,
        "--profile",
        "--checkpoint_seconds",
        "0.5",
      ]);
      const runs = join(folder, "results", "runs");
      const isUnderWay = async () => {
        try {
          return (await Array.fromAsync(Deno.readDir(runs))).length > 0;
        } catch {
          return false;
        }
      };
      while (!await isUnderWay()) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      child.kill("SIGINT");
      const { code, stdout, stderr } = await result;
      assert.equal(code, 130, stderr);
      const share = readShare(stdout);
      assert.ok(share > 0 && share < 100, `${share}`);
    });
  });

  it("says in a sentence that the reference engine has no kernels", async () => {
    await withFolder(async (folder) => {
      const result = await runTask("train", [
        await writeTinyConfig(folder, { epochs: 2 }),
        "--device",
        "cpu",
        "--profile",
      ]);
      assert.equal(result.code, 0, result.stderr);
      assert.match(
        result.stdout,
        /^No kernels were timed: the reference engine .*\nTime: \d+\.\d s, of which training \d+\.\d %, drawing trials and weights/m,
      );
    });
  });
});
