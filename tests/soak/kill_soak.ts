/**
 * Kills real trainings (SIGKILL) at random moments, also while they write, and
 * resumes them until they are finished; every result must be the same to the
 * byte as that of a training that nobody disturbed.
 *
 *     deno run -A tests/soak/kill_soak.ts --kills 1000 --seed 1
 *
 * @module
 */

import { join } from "node:path";
import { parseFlags } from "../../src/compat/cli.ts";
import { createStream } from "../../src/random/stream.ts";
import { differences, filesBelow, writeTinyConfig } from "./tiny_experiment.ts";

const TRAIN = new URL("../../src/cli/train.ts", import.meta.url).pathname;

/** How to disturb trainings. */
export interface KillSoakOptions {
  /** Kills to make; the last training goes on to its end. */
  readonly kills: number;
  /** The moments depend on it. */
  readonly seed: number;
  /** `--device` of the trainings. */
  readonly device: string;
  /** Epochs of a training; a state is saved after each. */
  readonly epochs: number;
  /** Processes that train a part of each training at once, all of them killed. */
  readonly shards?: number;
  /** Told of each result that is wrong, and now and then how far it is. */
  readonly report: (line: string) => void;
}

/** What came of it. */
export interface KillSoakResult {
  readonly kills: number;
  /** Kills that left a file half-written, under its temporary name. */
  readonly duringWrites: number;
  readonly trainings: number;
  /** Trainings whose results differ from the undisturbed one's. */
  readonly wrong: number;
}

function start(
  config: string,
  { device, shard }: { device: string; shard?: string | undefined },
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      TRAIN,
      config,
      "--resume",
      "--checkpoint_seconds",
      "0",
      "--device",
      device,
      ...(shard === undefined ? [] : ["--shard", shard]),
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function endOf(child: Deno.ChildProcess): Promise<"killed" | "finished"> {
  const { code, signal, stderr } = await child.output();
  if (signal === "SIGKILL") return "killed";
  if (code !== 0) {
    throw new Error(
      `a training failed with code ${code}: ${
        new TextDecoder().decode(stderr)
      }`,
    );
  }
  return "finished";
}

/** Kills a training after a while; "finished" where it had ended before. */
async function runAndKill(
  config: string,
  { milliseconds, ...how }: {
    milliseconds: number;
    device: string;
    shard: string | undefined;
  },
): Promise<"killed" | "finished"> {
  const child = start(config, how);
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended by itself between the timer and the kill.
    }
  }, milliseconds);
  try {
    return await endOf(child);
  } finally {
    clearTimeout(timer);
  }
}

async function hasTemporaries(folder: string): Promise<boolean> {
  const names = (await filesBelow(folder).catch(() => new Map())).keys();
  return [...names].some((name: string) => name.endsWith(".tmp"));
}

/** Kills and resumes trainings, and compares what they end with. */
export async function soakWithKills(
  { kills: wanted, seed, device, epochs, shards = 1, report }: KillSoakOptions,
): Promise<KillSoakResult> {
  const random = createStream({ seed, purpose: "bootstrap" });
  const folder = await Deno.makeTempDir({ prefix: "biornn_kill_soak_" });
  let kills = 0, duringWrites = 0, trainings = 0, wrong = 0;
  try {
    const tiny = { epochs, storeEveryEpoch: 10 };
    // The first training fills the driver's cache of kernels and would be too long a measure.
    const first = await writeTinyConfig(join(folder, "first"), tiny);
    await endOf(start(first, { device }));
    const calm = await writeTinyConfig(join(folder, "calm"), tiny);
    const began = performance.now();
    await endOf(start(calm, { device }));
    let duration = performance.now() - began;

    /** Trains one part to its end, however often it is killed. */
    const disturb = async (config: string, shard: string | undefined) => {
      const results = join(config, "..", "results");
      for (let attempt = 0;; attempt++) {
        // Before the first sixth there is nothing but Deno's own start.
        const milliseconds = kills < wanted
          ? duration * (0.15 + 0.85 * random.uniform())
          : 600_000;
        const began = performance.now();
        const end = await runAndKill(config, { device, milliseconds, shard });
        if (end === "finished") {
          // The machine was busier when the time was taken.
          const whole = performance.now() - began;
          if (attempt === 0) duration = Math.min(duration, whole);
          return;
        }
        kills++;
        if (await hasTemporaries(results)) duringWrites++;
        if (kills % 50 === 0) {
          report(`${kills} kills, ${trainings} trainings, ${wrong} wrong`);
        }
      }
    };
    while (kills < wanted) {
      const place = join(folder, `disturbed_${trainings}`);
      const config = await writeTinyConfig(place, tiny);
      await Promise.all(
        Array.from(
          { length: shards },
          (_, i) =>
            disturb(config, shards === 1 ? undefined : `${i}/${shards}`),
        ),
      );
      const found = await differences(
        join(folder, "calm", "results"),
        join(place, "results"),
      );
      // What all shards write may be in writing when one is killed; nobody knows for a day that it is dead.
      const bad = shards === 1
        ? found
        : found.filter((line) => !/\.tmp is only in/.test(line));
      if (bad.length > 0) {
        wrong++;
        report(
          `training ${trainings}: ${bad.length} files, ${
            bad.slice(0, 3).join(", ")
          }`,
        );
      }
      await Deno.remove(place, { recursive: true });
      trainings++;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { kills, duringWrites, trainings, wrong };
}

if (import.meta.main) {
  const flags = parseFlags(Deno.args, {
    boolean: [],
    string: ["kills", "seed", "device", "epochs", "shards"],
    list: [],
  });
  const seed = Number(flags.string.seed ?? "1");
  const write = (line: string) => {
    Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  };
  const { kills, duringWrites, trainings, wrong } = await soakWithKills({
    kills: Number(flags.string.kills ?? "20"),
    seed,
    device: flags.string.device ?? "auto",
    epochs: Number(flags.string.epochs ?? "30"),
    shards: Number(flags.string.shards ?? "1"),
    report: write,
  });
  write(
    `${kills} kills, ${duringWrites} of them while a file was written, of ${trainings} trainings (seed ${seed}): ${wrong} wrong or lost results`,
  );
  Deno.exit(wrong === 0 ? 0 : 1);
}
