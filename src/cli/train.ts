/**
 * `deno task train CONFIG.ini`: trains an experiment.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { DeviceError, type Engine } from "../engine/ensemble.ts";
import {
  describeExperiment,
  type Experiment,
} from "../experiment/experiment.ts";
import { readOtherwise } from "../compat/ini.ts";
import { readIni } from "../experiment/configparser.ts";
import { plural } from "../text/words.ts";
import { readArms } from "../experiment/read.ts";
import { InputError, RetryError } from "../files/input_error.ts";
import { listFolder, readTextFile } from "../files/read.ts";
import { RUNS_FOLDER } from "../results/layout.ts";
import { readParts } from "../results/open_folder.ts";
import { describePower } from "../analysis/power.ts";
import type { Flags } from "../compat/cli.ts";
import { runName } from "../train/build_run.ts";
import { chooseEngine, readDeviceChoice } from "../train/choose_engine.ts";
import { describePlan, describeTime } from "../train/describe_plan.ts";
import { prepareArms } from "../train/prepare.ts";
import {
  createProgress,
  createTimeSheet,
  describeTimes,
  type Progress,
} from "../train/progress.ts";
import { openArms } from "../train/results_writer.ts";
import { readShard, resolveShard, type ShardClaim } from "../train/shard.ts";
import { trainArms, type TrainOutcome } from "../train/train_arms.ts";
import { startWatchdog } from "../train/watchdog.ts";
import { numberFlag, readOverrides } from "./flags.ts";
import {
  print,
  printError,
  runCommand,
  stopOnSignals,
  warn,
  writeLog,
} from "./run_command.ts";
import {
  shellWord,
  shownPath,
  taskLine,
  userFolder,
  userPath,
} from "./shell.ts";

const HELP =
  `Trains an experiment on the GPU, or on the CPU where there is none.

  deno task train CONFIG.ini [flags]

  --dry-run                 show the experiment, its memory plan and how long it will take
  --path_to_results DIR     results folder, instead of the config's
  --path_to_network DIR     folder with connectomes, instead of the config's
  --seed N                  seed, instead of the config's
  --epochs N                epochs, instead of the config's
  --iterations N            iterations, instead of the config's
  --set SECTION.KEY=VALUE   any other key, e.g. net.random_w=True or combos_params.lr=[0.001];
                            may stand several times
  --device NAME             auto: the GPU where there is one, else the CPU; gpu: WebGPU on any
                            adapter; cpu: WebAssembly; reference: float64, slow
  --memory GB               memory that models may take on the GPU at once (16; where it refuses,
                            fewer train together)
  --workers N               threads on the CPU (one for each core); results are the same with any
  --no-fma                  on the CPU, round as on machines without fused multiply-add
  --overwrite               replace the results that are in the folder
  --resume                  go on where an interrupted training of the same config stood
  --checkpoint_seconds N    seconds between two saved states (60)
  --shard i/n               train the i-th of n parts, i from 0 (also from Slurm and Kubernetes arrays; 0/1: all)
  --profile                 at the end, print the time of each kernel and how busy the device was
  --help                    this text

Where the config's net_name or null_model is a list, each pair is an arm: all train together, each
into a folder of its name in the results folder.
Config keys are in docs/configuration.md, the files of a results folder in docs/results.md.`;

/** The flags of all commands that train. */
export const TRAINING_HELP = HELP;

/** What is recorded as the config that counts should be the same to every reader of such files. */
async function checkEffective({ file, source }: Experiment): Promise<void> {
  const { sections } = readIni(source.effective, { file });
  const entries = new Map(
    [...sections].map(([name, { options }]) => [
      name,
      new Map([...options].map(([key, { raw }]) => [key, raw])),
    ]),
  );
  const key = await readOtherwise(source.effective, { entries });
  if (key === undefined) return;
  printError(
    `note: programs that read INI files otherwise than Python does will misread ${key} in experiment.json`,
  );
}

/** `--overwrite` would undo what the flags it stands with are for. */
function checkOverwrite(
  { boolean: { overwrite, resume } }: Flags,
  shard: ShardClaim | undefined,
): void {
  const other = resume
    ? "--resume"
    : shard && ("origin" in shard ? shard.origin : "a Slurm array");
  if (!overwrite || other === undefined) return;
  throw new InputError(
    `Cannot use --overwrite with ${other}: it would remove the runs that ${
      resume ? "are to be gone on with" : "the other parts train"
    }`,
  );
}

function createTerminalProgress(): Progress {
  return createProgress({
    terminal: Deno.stderr.isTerminal(),
    write: writeLog,
    columns: () => {
      try {
        return Deno.consoleSize().columns || 80;
      } catch {
        return 80;
      }
    },
  });
}

/** The folder of an experiment's results, or of those of all its arms. */
function folderOf([first, ...more]: readonly Experiment[]): string {
  const { results } = first!.paths;
  return more.length === 0 ? results : dirname(results);
}

function shownFolders(arms: readonly Experiment[]): string[] {
  return arms.map(({ paths }) => shellWord(shownPath(paths.results)));
}

/** Is called when all runs of all arms are finished, those of other parts too. */
type OnDone = (
  arms: readonly Experiment[],
  seconds: number,
) => void | Promise<void>;

function tellResults(arms: readonly Experiment[], seconds: number): void {
  print(
    `Done in ${seconds.toFixed(1)} s. The results are in ${
      shownPath(folderOf(arms))
    }${arms.length === 1 ? "" : `, a folder for each of ${arms.length} arms`}`,
    `Next: ${
      taskLine("viz", [
        "--results_folders",
        ...shownFolders(arms),
        "--results_labels",
        ...arms.map((arm) => shellWord(labelOf(arm))),
        "--save_figs",
        "figs",
      ])
    }`,
  );
}

/** What figures may call an experiment. */
function labelOf({ arm, net: { nullModel } }: Experiment): string {
  const labels: Record<string, string> = { none: "bio", permute: "rand" };
  return arm ?? labels[nullModel] ?? nullModel;
}

function warnOfFailures(
  experiment: Experiment,
  { assembly }: TrainOutcome,
): void {
  warn(
    assembly.failures.map((failure) =>
      `${failure.what} in ${
        runName(experiment, failure)
      } at epoch ${failure.epoch}; the other runs are not affected (combination ${failure.combination} is ${
        experiment.grid.combinations[failure.combination]?.repr
      })`
    ),
  );
}

/** What an error in mid-training leaves. */
async function describeSaved(arms: readonly Experiment[]): Promise<string> {
  const runs = await Promise.all(
    arms.map(({ paths }) =>
      listFolder(join(paths.results, RUNS_FOLDER)).catch(() => [])
    ),
  );
  return !runs.flat().some((entry) => entry?.name.endsWith(".safetensors"))
    ? "Nothing was saved yet."
    : `What is done is saved in ${
      shownPath(folderOf(arms))
    }; add --resume to go on.`;
}

/** In how many parts the training of some of the arms was begun. */
async function readBegun(
  arms: readonly Experiment[],
): ReturnType<typeof readParts> {
  const found = await Promise.all(
    arms.map(({ paths }) => readParts(paths.results)),
  );
  return found.find((parts) => typeof parts === "object") ??
    (found.every((parts) => parts === "finished") ? "finished" : undefined);
}

/**
 * Trains all arms of a config, as the flags say, and returns the exit code.
 *
 * @param options `settings`: values that stand in for the config's, by `section.key`, for the arms that it has.
 */
export async function trainConfig(
  flags: Flags,
  { settings, done }: {
    readonly settings?: (
      arms: readonly Experiment[],
    ) => Readonly<Record<string, string>>;
    readonly done?: OnDone;
  } = {},
): Promise<number> {
  const [file, ...more] = flags.positional;
  if (file === undefined || more.length > 0) {
    throw new InputError(
      `Cannot train: give one config file, e.g. deno task train config/quickstart.ini (found ${flags.positional.length})`,
    );
  }
  const text = await readTextFile(userPath(file, "the config file"), {
    what: "config file",
  });
  const overrides = readOverrides(flags);
  const read = (set: Readonly<Record<string, string>>) =>
    readArms(text, {
      file,
      folder: userFolder(),
      overrides: { ...overrides, set: { ...overrides.set, ...set } },
    });
  const arms = read(settings?.(read({})) ?? {});
  await checkEffective(arms[0]!);
  return await trainExperiments(arms, flags, done);
}

/** What opens the engine that the flags ask for; wrong flags are told at once. */
export function engineOf(
  flags: Flags,
): (warn: (line: string) => void) => Promise<Engine> {
  const device = readDeviceChoice(flags.string.device);
  const workers = numberFlag(flags, "workers", { from: 1, whole: true });
  const gigabytes = numberFlag(flags, "memory");
  return (warn) =>
    chooseEngine(device, {
      warn,
      profile: flags.boolean.profile === true,
      workers,
      memoryBytes: gigabytes === undefined ? undefined : gigabytes * 1e9,
      fused: flags.boolean["no-fma"] !== true,
    });
}

/** What the statistics of experiments that are planned can show. */
function describeStatistics(experiments: readonly Experiment[]): string {
  const { grid, training: { iterations }, task: { task } } = experiments[0]!;
  const networks = Math.min(
    ...experiments.map(({ net: { nullModel, nullSamples, freshNetwork } }) =>
      nullModel !== "none" && nullSamples > 0
        ? Math.min(nullSamples, iterations)
        : freshNetwork
        ? iterations
        : Infinity
    ),
  );
  const what = describePower({
    iterations,
    combinations: grid.combinations.length,
    networks: networks === Infinity ? undefined : networks,
    measures: task.loss === "nll" ? 3 : 2,
  });
  return `${"statistics".padEnd(13)}${what}`;
}

/** Trains experiments side by side, as the flags say, and returns the exit code. */
export async function trainExperiments(
  experiments: readonly Experiment[],
  flags: Flags,
  done: OnDone = tellResults,
): Promise<number> {
  const start = performance.now();
  const { boolean: { overwrite = false, resume, profile } } = flags;
  const openEngine = engineOf(flags);
  const checkpointSeconds = numberFlag(flags, "checkpoint_seconds") ?? 60;
  const claim = readShard(flags.string.shard, (name) => Deno.env.get(name));
  checkOverwrite(flags, claim);
  const shard = resolveShard(claim, {
    folder: folderOf(experiments),
    begun: await readBegun(experiments),
  });
  const progress = createTerminalProgress();
  const arms = await prepareArms(experiments, { onLine: progress.line });
  const engine = await openEngine(progress.line);
  try {
    print(
      describeExperiment(experiments[0]!, experiments),
      describePlan(arms, { engine, shard, shownPath }),
    );
    if (flags.boolean["dry-run"]) {
      print(
        await describeTime(arms, { engine, shard }),
        describeStatistics(experiments),
      );
      return 0;
    }
    const results = await openArms(arms, {
      engine,
      overwrite,
      resume: resume === true || shard !== undefined,
      shard,
      warn: progress.line,
    }).catch((error) => {
      throw /the disk is full$|quota is used up$/.test(error.message)
        ? new RetryError(error.message, { cause: error })
        : error;
    });
    const { signal, release } = stopOnSignals((name) =>
      progress.line(
        `${name}: stopping after the epoch under way (once more: at once)`,
      )
    );
    const watchdog = startWatchdog();
    const sheet = createTimeSheet();
    let outcomes: TrainOutcome[];
    try {
      outcomes = await trainArms(results, {
        engine,
        signal,
        checkpointSeconds,
        progress: {
          ...progress,
          update(status) {
            watchdog.beat();
            progress.update(status);
          },
        },
        reopen: () => openEngine(() => {}),
        sheet,
      });
    } catch (error) {
      if (error instanceof InputError || error instanceof DeviceError) {
        progress.line(await describeSaved(experiments));
      }
      throw isPassing(error)
        ? new RetryError(error.message, { cause: error })
        : error;
    } finally {
      watchdog.stop();
      release();
      for (const arm of results) await arm.close();
    }
    if (profile) {
      print(describeTimes(sheet.totals(), { engine: engine.kind }));
    }
    const seconds = (performance.now() - start) / 1000;
    for (const [i, outcome] of outcomes.entries()) {
      warnOfFailures(experiments[i]!, outcome);
    }
    if (signal.aborted && outcomes.some(({ finished }) => !finished)) {
      printError(`Stopped. ${await describeSaved(experiments)}`);
      return Number(signal.reason);
    }
    const others = outcomes.flatMap(({ assembly }) => assembly.missing).length;
    if (others === 0) await done(experiments, seconds);
    else {
      print(
        `This part is done in ${seconds.toFixed(1)} s; ${
          plural(others, "run")
        } of other parts still to come (a config that is none of parts: --shard 0/1). The results gather in ${
          shownPath(folderOf(experiments))
        }`,
        `Next: ${taskLine("status", shownFolders(experiments))}`,
      );
    }
    return 0;
  } finally {
    engine.destroy();
  }
}

/** A disk that is full or away may be better later: nothing is wrong with what was given. */
function isPassing(error: unknown): error is InputError {
  return error instanceof InputError && error.cause instanceof Error &&
    !(error.cause instanceof RangeError);
}

if (import.meta.main) {
  await runCommand({
    help: HELP,
    onlyLogs: true,
    run: (flags) => trainConfig(flags),
  });
}
