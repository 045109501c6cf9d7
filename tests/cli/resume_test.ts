import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { soakWithKills } from "../soak/kill_soak.ts";
import {
  differences,
  filesBelow,
  type TinyExperiment,
  writeTinyConfig,
} from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";
import { errorLines, runTask, startTask } from "./run_task.ts";

/** Trains `tiny` undisturbed; `place` is for the same experiment with trouble. */
async function withFolders(
  { tiny, device }: { tiny: TinyExperiment; device: string },
  body: (
    place: { config: string; results: string; calm: string },
  ) => Promise<void>,
) {
  await withFolder(async (folder) => {
    const calm = await writeTinyConfig(join(folder, "calm"), tiny);
    const { code, stderr } = await runTask("train", [
      calm,
      ...["--device", device],
    ]);
    assert.equal(code, 0, stderr);
    const place = join(folder, "place");
    await body({
      config: await writeTinyConfig(place, tiny),
      results: join(place, "results"),
      calm: join(folder, "calm", "results"),
    });
  });
}

async function statesIn(results: string): Promise<string[]> {
  const files = await filesBelow(results).catch(() => new Map());
  return [...files.keys()].filter((name) => name.includes(".states_"));
}

/** Waits until a state was saved in the results folder besides those known. */
async function untilStateIsSaved(
  results: string,
  known: readonly string[] = [],
): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const states = await statesIn(results);
    if (states.some((name) => !known.includes(name))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("no state was saved within 12 s");
}

describe("deno task train --resume", () => {
  it("goes on after Ctrl-C and SIGTERM, to the same bytes", async () => {
    const tiny = { epochs: 60, storeEveryEpoch: 25 };
    await withFolders({ tiny, device: "auto" }, async (place) => {
      for (
        const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const
      ) {
        const known = await statesIn(place.results);
        const { child, result } = startTask("train", [
          place.config,
          "--resume",
          ...["--checkpoint_seconds", "0"],
        ]);
        await untilStateIsSaved(place.results, known);
        child.kill(signal);
        // A scheduler's signal may come twice: to the program and through `deno task`.
        await new Promise((resolve) => setTimeout(resolve, 5));
        child.kill(signal);
        const stopped = await result;
        assert.equal(stopped.code, code, stopped.stderr);
        assert.match(stopped.stderr, /Stopped\. .* add --resume to go on\.\n$/);
        const names = [...(await filesBelow(place.results)).keys()];
        assert.deepEqual(names.filter((name) => name.endsWith(".tmp")), []);
        const { stdout } = await runTask("status", [place.results]);
        assert.match(stdout, /0 of 4 runs done, 4 under way, 0 missing/);
      }
      const { code, stderr } = await runTask("train", [
        place.config,
        "--resume",
      ]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(await differences(place.calm, place.results), []);
    });
  });

  it("survives being killed at any moment, also while it writes", async () => {
    const lines: string[] = [];
    const { kills, wrong } = await soakWithKills({
      kills: 8,
      seed: 2,
      device: "cpu",
      epochs: 30,
      report: (line) => lines.push(line),
    });
    assert.equal(wrong, 0, lines.join("\n"));
    assert.ok(kills >= 5);
  });

  it("takes the state before a damaged one, and says so", async () => {
    const tiny = { epochs: 300 };
    await withFolders({ tiny, device: "cpu" }, async (place) => {
      const { child, result } = startTask("train", [
        place.config,
        ...["--device", "cpu", "--checkpoint_seconds", "0"],
      ]);
      await untilStateIsSaved(place.results);
      child.kill("SIGINT");
      await result;
      const states = (await statesIn(place.results))
        .filter((name) => name.startsWith("runs/0_0."))
        .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
      const newest = states.at(-1) as string;
      const bytes = await Deno.readFile(join(place.results, newest));
      bytes[bytes.length - 9] = (bytes[bytes.length - 9] as number) ^ 1;
      await Deno.writeFile(join(place.results, newest), bytes);
      const again = await runTask("train", [
        place.config,
        ...["--device", "cpu", "--resume"],
      ]);
      assert.equal(again.code, 0, again.stderr);
      const warnings = errorLines(again).filter((line) =>
        line.startsWith("warning")
      );
      assert.equal(warnings.length, 1, again.stderr);
      assert.ok(warnings[0]?.includes(newest), warnings[0]);
      assert.match(warnings[0] ?? "", /checksum.*damaged; it is passed over/);
      assert.deepEqual(await differences(place.calm, place.results), []);
    });
  });

  it("repairs a finished experiment whose files were damaged or lost", async () => {
    const tiny = { epochs: 4 };
    await withFolders({ tiny, device: "cpu" }, async (place) => {
      const args = [place.config, "--device", "cpu", "--resume"];
      assert.equal((await runTask("train", args)).code, 0);
      await Deno.truncate(join(place.results, "runs", "1_0.safetensors"), 99);
      await Deno.remove(join(place.results, "0", "train_loss_all.npy"));
      await Deno.writeTextFile(
        join(place.results, "runs", "0_0.safetensors.12-3-0123abcd.tmp"),
        "half a file",
      );
      const { code, stderr } = await runTask("train", args);
      assert.equal(code, 0, stderr);
      assert.deepEqual(await differences(place.calm, place.results), []);
    });
  });
});

/** Mounts a small disk; undefined where this user may not. */
async function mountSmallDisk(kilobytes: number): Promise<string | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "biornn_small_disk_" });
  const mounted = await mount([
    ...["-t", "tmpfs", "-o", `size=${kilobytes}k`],
    ...["tmpfs", folder],
  ]);
  if (mounted) return folder;
  await Deno.remove(folder);
  return undefined;
}

async function mount(args: readonly string[]): Promise<boolean> {
  try {
    const command = new Deno.Command("mount", {
      args: [...args],
      stderr: "null",
    });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

async function unmount(folder: string): Promise<void> {
  await new Deno.Command("umount", { args: [folder] }).output();
  await Deno.remove(folder);
}

const disk = Deno.build.os === "linux" ? await mountSmallDisk(100) : undefined;
if (disk !== undefined) await unmount(disk);

describe("deno task train on a full disk", () => {
  itNeeds(
    "says so in one sentence, and goes on when there is room again",
    disk === undefined ? "this user may not mount a small disk" : undefined,
    async () => {
      const tiny = { epochs: 40, storeEveryEpoch: 5 };
      await withFolders({ tiny, device: "cpu" }, async ({ config, calm }) => {
        const small = await mountSmallDisk(150) as string;
        try {
          const results = join(small, "results");
          const args = [
            config,
            ...["--device", "cpu", "--path_to_results", results],
            ...["--checkpoint_seconds", "0"],
          ];
          const full = await runTask("train", args);
          assert.equal(full.code, 1, full.stderr);
          const errors = errorLines(full).filter((line) =>
            line.startsWith("error")
          );
          assert.equal(errors.length, 1, full.stderr);
          assert.match(errors[0] ?? "", /Cannot write ".*": the disk is full$/);
          assert.match(full.stderr, /What is done is saved in .*--resume/);
          const saved = await filesBelow(results);
          const names = [...saved.keys()];
          assert.ok(
            names.some((name) => name.includes(".states_")),
            `${names}`,
          );
          assert.deepEqual(names.filter((name) => name.endsWith(".tmp")), []);

          const stillFull = await runTask("train", [...args, "--resume"]);
          assert.equal(stillFull.code, 1, stillFull.stderr);
          for (const [name, bytes] of saved) {
            if (name.includes(".states_")) continue;
            assert.deepEqual(await Deno.readFile(join(results, name)), bytes);
          }
          assert.ok(await mount(["-o", "remount,size=4000k", small]));
          const again = await runTask("train", [...args, "--resume"]);
          assert.equal(again.code, 0, again.stderr);
          assert.deepEqual(await differences(calm, results), []);
        } finally {
          await unmount(small);
        }
      });
    },
  );
});
