import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { differences, writeTinyConfig } from "../soak/tiny_experiment.ts";
import { runTask, startTask } from "./run_task.ts";
import { withFolder } from "../with_folder.ts";

const adapter = await createWebGpuEngine();
const missing = adapter === undefined
  ? "this machine has no WebGPU adapter"
  : adapter.gpu.device.features.has("timestamp-query")
  ? undefined
  : "this adapter has no timestamp queries";
adapter?.destroy();

/** Expects the table and the busy share, and returns the share in percent. */
function readShare(stdout: string, device: "gpu" | "cpu"): number {
  assert.match(stdout, /^kernel +calls +ms +GFLOP\/s +share$/m);
  assert.match(stdout, /^gradient(?:16)? +\d+ +\d+\.\d +\d+\.\d +\d+\.\d %$/m);
  const optimizer = device === "gpu" ? "readout" : "update Adam";
  assert.match(
    stdout,
    new RegExp(`^${optimizer} +\\d+ +\\d+\\.\\d +\\d+\\.\\d %$`, "m"),
  );
  const [, who, share] =
    /^(GPU|\d workers? on the CPU) busy: (\d+\.\d) % of \d+\.\d s .*; not busy: /m
      .exec(stdout) ?? [];
  assert.equal(who === "GPU" ? "gpu" : "cpu", device);
  return Number(share);
}

describe("deno task train --profile", () => {
  for (const device of ["gpu", "cpu"] as const) {
    itNeeds(
      `--device ${device}: prints the kernels and how busy it was; the results are the same`,
      device === "gpu" ? missing : undefined,
      async () => {
        await withFolder(async (folder) => {
          const plain = join(folder, "plain"), timed = join(folder, "timed");
          const args = ["--device", device];
          const without = await runTask("train", [
            await writeTinyConfig(plain),
            ...args,
          ]);
          assert.equal(without.code, 0, without.stderr);
          const result = await runTask("train", [
            await writeTinyConfig(timed),
            ...args,
            "--profile",
          ]);
          assert.equal(result.code, 0, result.stderr);
          const share = readShare(result.stdout, device);
          assert.ok(share > 0 && share < 100, `${share}`);
          assert.match(result.stdout, /^Done in/m);
          assert.deepEqual(
            await differences(join(plain, "results"), join(timed, "results")),
            [],
          );
        });
      },
    );
  }

  it("prints them after Ctrl-C, too", async () => {
    await withFolder(async (folder) => {
      const config = await writeTinyConfig(folder, { epochs: 1_000_000 });
      const { child, result } = startTask("train", [
        config,
        ...["--device", "cpu"],
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
      const share = readShare(stdout, "cpu");
      assert.ok(share > 0 && share < 100, `${share}`);
    });
  });

  it("says in a sentence that the reference engine has no kernels", async () => {
    await withFolder(async (folder) => {
      const result = await runTask("train", [
        await writeTinyConfig(folder, { epochs: 2 }),
        "--device",
        "reference",
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
