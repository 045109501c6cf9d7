/**
 * `deno task train CONFIG.ini`: trains an experiment.
 *
 * @module
 */

import { fstatSync } from "node:fs";
import { join } from "node:path";
import { DeviceError, type Engine } from "../engine/ensemble.ts";
import {
  describeExperiment,
  type Experiment,
} from "../experiment/experiment.ts";
import { readOtherwise } from "../compat/ini.ts";
import { readIni } from "../experiment/configparser.ts";
import { plural } from "../text/words.ts";
import { readExperiment } from "../experiment/read.ts";
import { InputError, RetryError } from "../files/input_error.ts";
import { listFolder, readTextFile } from "../files/read.ts";
import { runLabel, RUNS_FOLDER } from "../results/layout.ts";
import { readParts } from "../results/open_folder.ts";
import { TASKS } from "../tasks/registry.ts";
import { describePower } from "../analysis/power.ts";
import type { Flags } from "../compat/cli.ts";
import { chooseEngine, readDeviceChoice } from "../train/choose_engine.ts";
import { describePlan, describeTime } from "../train/describe_plan.ts";
import { prepareExperiment } from "../train/prepare.ts";
import { createProgress, type Progress } from "../train/progress.ts";
import { ResultsWriter } from "../train/results_writer.ts";
import { readShard, resolveShard, type ShardClaim } from "../train/shard.ts";
import {
  trainExperiment,
  type TrainOutcome,
} from "../train/train_experiment.ts";
import { createTimeSheet, describeTimes } from "../train/time_sheet.ts";
import { startWatchdog } from "../train/watchdog.ts";
import { readOverrides } from "./settings.ts";
import { print, printError, runCommand, writeLog } from "./run_command.ts";
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

The results folder, the flags and the config's keys are described in README.md.`;

/** Exit codes of a training stopped by Ctrl-C or a scheduler: 128 + the signal's number. */
const INTERRUPTED = { SIGHUP: 129, "Ctrl-C": 130, SIGTERM: 143 } as const;

function readCount(flags: Flags, name: string): number | undefined {
  const text = flags.string[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InputError(
      `Cannot use --${name} ${text}: it must be a number, 0 or more`,
    );
  }
  return value;
}

async function readConfig(flags: Flags): Promise<Experiment> {
  const [file, ...more] = flags.positional;
  if (file === undefined || more.length > 0) {
    throw new InputError(
      `Cannot train: give one config file, e.g. deno task train config/quickstart.ini (found ${flags.positional.length})`,
    );
  }
  const text = await readTextFile(userPath(file, "the config file"), {
    what: "config file",
  });
  const experiment = readExperiment(text, {
    file,
    tasks: TASKS,
    folder: userFolder(),
    overrides: readOverrides(flags),
  });
  await checkEffective(experiment);
  return experiment;
}

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

/** Milliseconds; `deno task` passes on what a scheduler sends to all processes, so that one signal arrives twice. */
const ONE_SIGNAL = 1000;

/**
 * Ctrl-C, or a scheduler's SIGTERM, ends the epoch under way; a second one
 * ends at once. The signal's reason is the exit code.
 */
function stopOnSignals(onStop: (name: string) => void): AbortController {
  const controller = new AbortController();
  let first = 0;
  const stop = (name: keyof typeof INTERRUPTED) => () => {
    if (controller.signal.aborted) {
      if (performance.now() - first < ONE_SIGNAL) return;
      Deno.exit(INTERRUPTED[name]);
    }
    first = performance.now();
    controller.abort(INTERRUPTED[name]);
    onStop(name);
  };
  Deno.addSignalListener("SIGINT", stop("Ctrl-C"));
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGTERM", stop("SIGTERM"));
    // Deno takes back what `nohup` has set, so that it has to be set again.
    Deno.addSignalListener("SIGHUP", isDetached() ? () => {} : stop("SIGHUP"));
  }
  return controller;
}

/** Whether all that is read and written are files, as under `nohup`, which is to outlive its terminal. */
function isDetached(): boolean {
  try {
    return !Deno.stdin.isTerminal() &&
      [1, 2].every((output) => fstatSync(output).isFile());
  } catch {
    return false;
  }
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

async function report(
  experiment: Experiment,
  outcome: TrainOutcome,
  { signal, seconds }: { signal: AbortSignal; seconds: number },
): Promise<number> {
  const { assembly, finished } = outcome;
  for (const failure of assembly.failures) {
    printError(
      `warning: ${failure.what} in ${
        runLabel(failure)
      } at epoch ${failure.epoch}; the other runs are not affected (combination ${failure.combination} is ${
        experiment.grid.combinations[failure.combination]?.repr
      })`,
    );
  }
  const results = shownPath(experiment.paths.results);
  if (signal.aborted && !finished) {
    printError(`Stopped. ${await describeSaved(experiment.paths.results)}`);
    return Number(signal.reason);
  }
  const others = assembly.missing.length;
  if (others > 0) {
    print(
      `This part is done in ${seconds.toFixed(1)} s; ${
        plural(others, "run")
      } of other parts still to come (a config that is none of parts: --shard 0/1). The results gather in ${results}
Next: ${taskLine("status", [shellWord(results)])}`,
    );
  } else {
    const { nullModel } = experiment.net;
    const label = nullModel === "none"
      ? "bio"
      : nullModel === "permute"
      ? "rand"
      : nullModel;
    print(
      `Done in ${seconds.toFixed(1)} s. The results are in ${results}
Next: ${
        taskLine("viz", [
          "--results_folders",
          shellWord(results),
          "--results_labels",
          label,
          "--save_figs",
          "figs",
        ])
      }`,
    );
  }
  return 0;
}

async function train(flags: Flags): Promise<number> {
  const start = performance.now();
  const experiment = await readConfig(flags);
  const device = readDeviceChoice(flags.string.device);
  const checkpointSeconds = readCount(flags, "checkpoint_seconds") ?? 60;
  const claim = readShard(flags.string.shard, (name) => Deno.env.get(name));
  checkOverwrite(flags, claim);
  const folder = experiment.paths.results;
  const shard = resolveShard(claim, { folder, begun: await readParts(folder) });
  const progress = createTerminalProgress();
  const prepared = await prepareExperiment(experiment, {
    onProgress: progress.line,
  });
  const workers = readCount(flags, "workers");
  if (workers !== undefined && !(Number.isInteger(workers) && workers > 0)) {
    throw new InputError(
      `Cannot use --workers ${workers}: it must be a whole number, 1 or more`,
    );
  }
  const gigabytes = readCount(flags, "memory");
  const openEngine = (warn: (line: string) => void) =>
    chooseEngine(device, {
      warn,
      profile: flags.boolean.profile === true,
      workers,
      memoryBytes: gigabytes === undefined ? undefined : gigabytes * 1e9,
      fused: flags.boolean["no-fma"] !== true,
    });
  const engine: Engine = await openEngine(progress.line);
  try {
    print(describeExperiment(experiment));
    print(describePlan(prepared, { engine, shard }));
    if (flags.boolean["dry-run"]) {
      print(await describeTime(prepared, { engine, shard }));
      const { grid, training, task } = experiment;
      const what = describePower({
        iterations: training.iterations,
        combinations: grid.combinations.length,
        measures: task.task.loss === "nll" ? 3 : 2,
      });
      print(`${"statistics".padEnd(13)}${what}`);
      return 0;
    }
    const results = await ResultsWriter.open(prepared, {
      engine,
      overwrite: flags.boolean.overwrite === true,
      resume: flags.boolean.resume === true || shard !== undefined,
      shard,
      warn: progress.line,
    }).catch((error) => {
      throw /the disk is full$|quota is used up$/.test(error.message)
        ? new RetryError(error.message, { cause: error })
        : error;
    });
    const { signal } = stopOnSignals((name) =>
      progress.line(
        `${name}: stopping after the epoch under way (once more: at once)`,
      )
    );
    const watchdog = startWatchdog();
    const sheet = createTimeSheet();
    let outcome: TrainOutcome;
    try {
      outcome = await trainExperiment(results, {
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
        progress.line(await describeSaved(folder));
      }
      throw isPassing(error)
        ? new RetryError(error.message, { cause: error })
        : error;
    } finally {
      watchdog.stop();
      await results.close();
    }
    if (flags.boolean.profile) {
      print(describeTimes(sheet.totals(), { engine: engine.kind }));
    }
    return await report(experiment, outcome, {
      signal,
      seconds: (performance.now() - start) / 1000,
    });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    printError(`error: ${error.message}`);
    return 1;
  } finally {
    engine.destroy();
  }
}

/** What an error in mid-training leaves. */
async function describeSaved(folder: string): Promise<string> {
  const runs = await listFolder(join(folder, RUNS_FOLDER)).catch(() => []);
  return !runs?.some(({ name }) => name.endsWith(".safetensors"))
    ? "Nothing was saved yet."
    : `What is done is saved in ${shownPath(folder)}; add --resume to go on.`;
}

/** A disk that is full or away may be better later: nothing is wrong with what was given. */
function isPassing(error: unknown): error is InputError {
  return error instanceof InputError && error.cause instanceof Error &&
    !(error.cause instanceof RangeError);
}

if (import.meta.main) {
  await runCommand({
    help: HELP,
    flags: {
      boolean: ["dry-run", "overwrite", "resume", "profile", "no-fma"],
      string: [
        "path_to_results",
        "path_to_network",
        "seed",
        "epochs",
        "iterations",
        "device",
        "workers",
        "memory",
        "shard",
        "checkpoint_seconds",
      ],
      list: [],
      each: ["set"],
    },
    onlyLogs: true,
    run: train,
  });
}
