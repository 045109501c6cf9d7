import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { differences, writeTinyConfig } from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";
import { type RunningTask, runTask, startTask } from "./run_task.ts";

const TINY = { epochs: 200_000 };
const CPU = ["--device", "cpu"];

async function withConfig(body: (config: string) => Promise<void>) {
  await withFolder(async (folder) => {
    await body(await writeTinyConfig(folder, TINY));
  });
}

const resultsOf = (config: string) => join(config, "..", "results");

/** Waits until a training has taken its folder and begun. */
async function untilItTrains(config: string): Promise<void> {
  const initial = join(
    resultsOf(config),
    "1",
    "model_state_dict_epoch_initial_iter_0.safetensors",
  );
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await Deno.stat(initial).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("nothing was trained within 12 s");
}

async function endOf({ child, result }: RunningTask) {
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const end = await result;
  clearTimeout(timer);
  return end;
}

describe("deno task train that loses its terminal", () => {
  itNeeds(
    "saves where it stands when the terminal is closed",
    Deno.build.os === "windows" ? "there are no hang-ups" : undefined,
    () =>
      withConfig(async (config) => {
        const task = startTask("train", [config, ...CPU]);
        await untilItTrains(config);
        // Some epochs.
        await new Promise((resolve) => setTimeout(resolve, 1000));
        task.child.kill("SIGHUP");
        const { code, stderr } = await endOf(task);
        assert.equal(code, 129, stderr);
        const { stdout } = await runTask("status", [resultsOf(config)]);
        assert.match(stdout, /0 of 4 runs done, 4 under way, 0 missing/);
      }),
  );

  for (
    const [what, redirect] of [
      ["nobody reads its lines", "2> >(head -c 1 >/dev/null) | head -1"],
      ["the disk of its log is full", "2>/dev/full >/dev/full"],
    ] as const
  ) {
    itNeeds(
      `trains to the end where ${what}`,
      Deno.build.os === "linux" ? undefined : "there is no /dev/full",
      () =>
        withConfig(async (config) => {
          const calm = await writeTinyConfig(join(config, "..", "calm"), {
            epochs: 40,
          });
          assert.equal((await runTask("train", [calm, ...CPU])).code, 0);
          const place = await writeTinyConfig(join(config, "..", "place"), {
            epochs: 40,
          });
          const program = [
            Deno.execPath(),
            "run",
            "-A",
            new URL("../../src/cli/train.ts", import.meta.url).pathname,
            place,
            ...CPU,
          ].map((word) => `'${word}'`).join(" ");
          const { code } = await new Deno.Command("bash", {
            args: [
              "-c",
              `set -o pipefail; ${program} ${redirect}; exit "\${PIPESTATUS[0]}"`,
            ],
          }).output();
          assert.equal(code, 0);
          assert.deepEqual(
            await differences(resultsOf(calm), resultsOf(place)),
            [],
          );
        }),
    );
  }

  itNeeds(
    "goes on under nohup",
    Deno.build.os === "windows" ? "there are no hang-ups" : undefined,
    () =>
      withConfig(async (config) => {
        const program = [
          Deno.execPath(),
          "run",
          "-A",
          new URL("../../src/cli/train.ts", import.meta.url).pathname,
          config,
          ...CPU,
          ...["--epochs", "4000"],
        ].map((word) => `'${word}'`).join(" ");
        const log = join(config, "..", "log");
        const child = new Deno.Command("bash", {
          args: ["-c", `exec nohup ${program} >'${log}' 2>&1 </dev/null`],
        }).spawn();
        await untilItTrains(config);
        child.kill("SIGHUP");
        const { code } = await child.status;
        assert.equal(code, 0, await Deno.readTextFile(log));
      }),
  );
});

describe("two deno task train in one folder", () => {
  it("says who trains there and since when, and changes nothing", () =>
    withConfig(async (config) => {
      const first = startTask("train", [config, ...CPU]);
      await untilItTrains(config);
      for (
        const how of [["--resume"], ["--overwrite"], ["--shard", "0/2"]]
      ) {
        const second = await runTask("train", [config, ...CPU, ...how]);
        assert.equal(second.code, 1, second.stderr);
        assert.match(
          second.stderr,
          /^error: Cannot train in ".*": process \d+ on \S+ has been training all of it since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; .*--path_to_results$/m,
        );
      }
      const { stdout } = await runTask("status", [resultsOf(config)]);
      assert.match(stdout, /^process \d+ on \S+ has been training all since/m);
      first.child.kill("SIGTERM");
      assert.equal((await endOf(first)).code, 143);
    }));
});
