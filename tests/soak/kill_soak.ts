/**
 * Kills real trainings (SIGKILL) at random moments, also while they write, and
 * starts them again until they are finished. Every result must be the same to
 * the byte as that of a training that nobody disturbed, and whoever is refused
 * must be told a way out.
 *
 *     deno run -A tests/soak/kill_soak.ts --kills 1000 --seed 1
 *     deno run -A tests/soak/kill_soak.ts --kills 100 --arms none,degrees,regions
 *
 * @module
 */

import { join } from "node:path";
import { parseFlags } from "../../src/compat/cli.ts";
import { createStream } from "../../src/random/stream.ts";
import { differences, filesBelow, writeTinyConfig } from "./tiny_experiment.ts";

const TRAIN = new URL("../../src/cli/train.ts", import.meta.url).pathname;

/** What is going on when a training is killed. */
export const SCENARIOS = {
  /** It goes on with `--resume`. */
  resume: "one process that is started again with --resume",
  /** Parts at once, each killed and started again. */
  shards: "parts at once, each of them killed",
  /** It replaces the results of another experiment. */
  overwrite: "one process that replaces another experiment's results",
  /** It replaces its own results, and goes on with `--resume`. */
  again: "one process that replaces its own results",
  /** Two processes want the same folder. */
  two: "two processes at once in one folder",
} as const;

/** Name of a scenario. */
export type Scenario = keyof typeof SCENARIOS;

/** How to disturb trainings. */
export interface KillSoakOptions {
  /** Kills to make; the last training of each scenario goes on to its end. */
  readonly kills: number;
  /** The moments depend on it. */
  readonly seed: number;
  /** `--device` of the trainings. */
  readonly device: string;
  /** Epochs of a training; a state is saved after each. */
  readonly epochs: number;
  /** By turns; by default all. */
  readonly scenarios?: readonly Scenario[];
  /** Parts of the scenario of that name. */
  readonly shards?: number;
  /** Null models of the arms that each training has; by default there is one arm, of `permute`. */
  readonly arms?: readonly string[];
  /** Kills no more after so many minutes. */
  readonly minutes?: number;
  /** Told of each result that is wrong, and now and then how far it is. */
  readonly report: (line: string) => void;
}

/** What came of it. */
export interface KillSoakResult {
  readonly kills: number;
  /** Kills that left a file half-written, under its temporary name. */
  readonly duringWrites: number;
  readonly trainings: number;
  /** Processes that were told that another one trains there. */
  readonly refused: number;
  /** Trainings whose results differ from the undisturbed one's, or that were refused without a reason. */
  readonly wrong: number;
}

/** How a process ended. */
interface End {
  readonly kind: "killed" | "finished" | "busy" | "failed";
  readonly stderr: string;
  readonly milliseconds: number;
}

/** Trains until the end, or the time is up. */
async function train(
  args: readonly string[],
  { device, milliseconds = 600_000 }: { device: string; milliseconds?: number },
): Promise<End> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", TRAIN, ...args],
      ...["--checkpoint_seconds", "0", "--device", device],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended by itself between the timer and the kill.
    }
  }, milliseconds);
  const { code, signal, stderr } = await child.output();
  clearTimeout(timer);
  const text = new TextDecoder().decode(stderr);
  const kind = signal === "SIGKILL"
    ? "killed"
    : code === 0
    ? "finished"
    : code === 1 && /has been training .* since .* UTC; /.test(text)
    ? "busy"
    : "failed";
  return { kind, stderr: text, milliseconds: performance.now() - began };
}

async function hasTemporaries(folder: string): Promise<boolean> {
  const names = (await filesBelow(folder).catch(() => new Map())).keys();
  return [...names].some((name: string) => name.endsWith(".tmp"));
}

/** Kills and starts trainings, and compares what they end with. */
export async function soakWithKills(
  options: KillSoakOptions,
): Promise<KillSoakResult> {
  const { seed, device, epochs, shards = 3, arms, report } = options;
  const scenarios = options.scenarios ??
    Object.keys(SCENARIOS) as readonly Scenario[];
  const random = createStream({ seed, purpose: "bootstrap" });
  const folder = await Deno.makeTempDir({ prefix: "biornn_kill_soak_" });
  const count = {
    kills: 0,
    duringWrites: 0,
    trainings: 0,
    refused: 0,
    wrong: 0,
  };
  const tiny = {
    epochs,
    storeEveryEpoch: 10,
    ...(arms === undefined
      ? { randomW: true }
      : { nullModel: arms, nullSamples: 2 }),
  };
  const calmOf = async (name: string, of: number) => {
    const config = await writeTinyConfig(join(folder, name), {
      ...tiny,
      seed: of,
    });
    const end = await train([config], { device });
    if (end.kind !== "finished") throw new Error(end.stderr);
    return { config, end, results: join(folder, name, "results") };
  };
  try {
    // The first training fills the driver's cache of kernels and would be too long a measure.
    const other = await calmOf("other", 8);
    const calm = await calmOf("calm", 7);
    let duration = calm.end.milliseconds;
    const lastKill = performance.now() + (options.minutes ?? Infinity) * 60_000;
    const kills = () =>
      count.kills < options.kills && performance.now() < lastKill;

    /** Trains to the end, however often it is killed: `first` says how to begin, `then` how to go on. */
    const disturb = async (
      config: string,
      { first, then }: { first: string[]; then: string[] },
    ) => {
      let args = first;
      for (let attempt = 0;; attempt++) {
        const { kind, stderr, milliseconds } = await train(
          [config, ...args],
          {
            device,
            // Before the first sixth there is nothing but Deno's own start. A busy machine needs longer.
            ...(kills()
              ? {
                milliseconds: duration * (1 + attempt / 10) *
                  (0.15 + 0.85 * random.uniform()),
              }
              : {}),
          },
        );
        if (kind === "finished") {
          // The machine was busier when the time was taken.
          if (attempt === 0) duration = Math.min(duration, milliseconds);
          return;
        }
        if (kind === "busy") {
          count.refused++;
          await new Promise((resolve) => setTimeout(resolve, 50));
        } else if (kind === "failed") {
          // What was killed before it took the folder left the other experiment's results there.
          const isOther = args === then && first.includes("--overwrite") &&
            /another experiment .* or --overwrite/.test(stderr);
          if (!isOther) throw new Error(stderr);
          args = first;
          continue;
        } else {
          count.kills++;
          if (await hasTemporaries(join(config, "..", "results"))) {
            count.duringWrites++;
          }
          if (count.kills % 50 === 0) report(JSON.stringify(count));
        }
        args = then;
      }
    };
    const resume = { first: ["--resume"], then: ["--resume"] };
    const overwrite = { first: ["--overwrite"], then: ["--resume"] };
    const scenes: Record<Scenario, (config: string) => Promise<unknown>> = {
      resume: (config) => disturb(config, resume),
      shards: (config) =>
        Promise.all(Array.from({ length: shards }, (_, i) => {
          const args = ["--shard", `${i}/${shards}`];
          return disturb(config, { first: args, then: args });
        })),
      async overwrite(config) {
        await copy(other.results, join(config, "..", "results"));
        await disturb(config, overwrite);
      },
      async again(config) {
        await copy(calm.results, join(config, "..", "results"));
        await disturb(config, overwrite);
      },
      two: (config) =>
        Promise.all([disturb(config, resume), disturb(config, resume)]),
    };
    do {
      const scenario = scenarios[count.trainings % scenarios.length]!;
      const place = join(folder, `disturbed_${count.trainings}`);
      const config = await writeTinyConfig(place, tiny);
      try {
        await scenes[scenario](config);
        const bad = await differences(calm.results, join(place, "results"));
        if (bad.length > 0) {
          throw new Error(`${bad.length} files: ${bad.slice(0, 3).join(", ")}`);
        }
      } catch (error) {
        count.wrong++;
        report(`training ${count.trainings}, ${scenario}: ${error}`);
      }
      await Deno.remove(place, { recursive: true });
      count.trainings++;
    } while (kills() || count.trainings < scenarios.length);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return count;
}

async function copy(from: string, to: string): Promise<void> {
  for (const [name, bytes] of await filesBelow(from)) {
    await Deno.mkdir(join(to, name, ".."), { recursive: true });
    await Deno.writeFile(join(to, name), bytes);
  }
}

if (import.meta.main) {
  const flags = parseFlags(Deno.args, {
    boolean: [],
    string: [
      ...["kills", "minutes", "seed", "device"],
      ...["epochs", "shards", "scenarios", "arms"],
    ],
    list: [],
  });
  const seed = Number(flags.string.seed ?? "1");
  const scenarios = flags.string.scenarios?.split(",") as Scenario[];
  const arms = flags.string.arms?.split(",");
  const write = (line: string) => {
    Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  };
  const { kills, duringWrites, trainings, refused, wrong } =
    await soakWithKills({
      kills: Number(flags.string.kills ?? "20"),
      seed,
      device: flags.string.device ?? "auto",
      epochs: Number(flags.string.epochs ?? "30"),
      shards: Number(flags.string.shards ?? "3"),
      minutes: Number(flags.string.minutes ?? "Infinity"),
      ...(scenarios === undefined ? {} : { scenarios }),
      ...(arms === undefined ? {} : { arms }),
      report: write,
    });
  write(
    `${kills} kills, ${duringWrites} of them while a file was written, of ${trainings} trainings (seed ${seed}); ${refused} were told that another process trains there: ${wrong} wrong or lost results`,
  );
  Deno.exit(wrong === 0 ? 0 : 1);
}
