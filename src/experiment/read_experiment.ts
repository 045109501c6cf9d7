/**
 * From a config file's text to an experiment.
 *
 * @module
 */

import { TASKS } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";
import {
  openConfig,
  type Override,
  readBoolean,
  readChoice,
  readInteger,
  readNumber,
  readPath,
  readText,
} from "./config_reader.ts";
import type { Compatibility, Experiment, InitName } from "./experiment.ts";
import { readGrid } from "./grid.ts";
import type { IniFile } from "./ini.ts";
import { iniValue } from "./interpolate.ts";
import { configError } from "./messages.ts";
import { listNames, quote } from "../text/words.ts";
import { CONFIG_SCHEMA, MOST_NEURONS, MOST_RUNS } from "./schema.ts";
import { readTrialParams } from "./trial_params.ts";

/** Values from the command line that stand in for the config's. */
export interface ExperimentOverrides {
  /** `--path_to_results`, from the working directory. */
  readonly pathToResults?: string;
  /** `--path_to_network`, from the working directory. */
  readonly pathToNetwork?: string;
  /** `--seed` */
  readonly seed?: number | string;
  /** `--epochs` */
  readonly epochs?: number | string;
  /** `--iterations` */
  readonly iterations?: number | string;
}

/** How to read a config file. */
export interface ReadExperimentOptions {
  /** The file the text is from; its folder is where relative paths begin. Default "config.ini" in the working directory. */
  readonly file?: string;
  /** The tasks that the config may name; default {@linkcode TASKS}. */
  readonly tasks?: ReadonlyMap<string, Task>;
  /** Values that stand in for the config's. */
  readonly overrides?: ExperimentOverrides;
}

/**
 * Reads and checks a config file: the INI dialect of Python's configparser
 * with Python literals, as `bio_rnn_mem` has it
 * (https://github.com/AlGoulas/bio_rnn_mem). Nothing is evaluated, and no
 * other file is looked at.
 *
 * @throws {InputError} If anything is unknown, missing or impossible: one
 * sentence with file, line, section, key, what was found and what is allowed.
 *
 * @example
 * ```ts
 * import { readExperiment } from "@biornn/biornn";
 *
 * const file = "config/config_seq_mem.ini";
 * const experiment = readExperiment(Deno.readTextFileSync(file), { file });
 * experiment.grid.combinations[0]?.repr; // "(0.0001, 'relu', 'Adam', 3)"
 * ```
 */
export function readExperiment(
  text: string,
  { file = "config.ini", tasks = TASKS, overrides = {} }:
    ReadExperimentOptions = {},
): Experiment {
  const ini = openConfig(text, { file });
  const paths = readPaths(ini, overrides);
  const net = readNet(ini);
  const training = readTraining(ini, { net, overrides });
  const task = readTrialParams(ini, tasks);
  assertStimuliApply(ini, { task: task.task, tasks });
  const grid = readGrid(ini, task);
  assertRuns(ini, { grid, training });
  return {
    file,
    paths,
    net,
    training,
    task,
    grid,
    pretrained: {
      epoch: readInteger(ini, {
        section: "pretrainedparams",
        key: "pretrained_epoch",
      }),
      iteration: readInteger(ini, {
        section: "pretrainedparams",
        key: "pretrained_iteration",
      }),
    },
    run: {
      seed: readInteger(ini, {
        section: "run",
        key: "seed",
        override: toOverride("--seed", overrides.seed),
      }),
      batchSize: readInteger(ini, { section: "run", key: "batch_size" }),
      storeEveryEpoch: readInteger(ini, {
        section: "run",
        key: "store_every_epoch",
      }),
    },
    source: { text, lines: linesOf(ini) },
  };
}

function toOverride(
  flag: string,
  value: string | number | undefined,
): Override | undefined {
  return value === undefined ? undefined : { flag, value };
}

function readPaths(
  ini: IniFile,
  { pathToResults, pathToNetwork }: ExperimentOverrides,
): Experiment["paths"] {
  const path = (key: string, override?: Override) =>
    readPath(ini, { section: "paths", key, override });
  // "download" is no file beside the config, but asks for the one at the source.
  const stimuli = (key: string) =>
    iniValue(ini, { section: "paths", key })?.text === "download"
      ? "download"
      : path(key);
  return {
    results: path(
      "path_to_results",
      toOverride("--path_to_results", pathToResults),
    ) as string,
    network: path(
      "path_to_network",
      toOverride("--path_to_network", pathToNetwork),
    ),
    pretrained: path("pretrained"),
    latents: stimuli("latents"),
    images: stimuli("images"),
  };
}

/** A file that the task would never show is a mistake; one in `[DEFAULT]` is meant for several sections, or files. */
function assertStimuliApply(
  ini: IniFile,
  { task, tasks }: { task: Task; tasks: ReadonlyMap<string, Task> },
): void {
  for (const key of ["latents", "images"] as const) {
    const option = ini.sections.get("paths")?.options.get(key);
    if (option === undefined || option.raw === "" || task.stimuli === key) {
      continue;
    }
    const takers = [...tasks.values()].filter(({ stimuli }) => stimuli === key);
    throw configError(
      { file: ini.file, line: option.line },
      `[paths] ${key} is for ${
        listNames(takers.map(({ name }) => name))
      }, but task_name is ${task.name}, which shows none`,
    );
  }
}

function readNet(ini: IniFile): Experiment["net"] {
  const section = "net";
  const net = {
    name: readNetName(ini),
    regions: readInteger(ini, { section, key: "rnn_size" }),
    neuronsPerRegion: readInteger(ini, { section, key: "nr_neurons" }),
    randPartition: readBoolean(ini, { section, key: "rand_partition" }),
    randomW: readBoolean(ini, { section, key: "random_w" }),
    compatibility: readChoice<Compatibility>(ini, {
      section,
      key: "compatibility",
      choices: CONFIG_SCHEMA.net.compatibility.choices,
    }),
    targetSparsity: readNumber(ini, { section, key: "target_sparsity" }),
    targetSparsityIntrinsic: readNumber(ini, {
      section,
      key: "target_sparsity_intrinsic",
    }),
  };
  const neurons = net.regions * net.neuronsPerRegion;
  if (neurons > MOST_NEURONS) {
    throw configError(
      { file: ini.file, line: ini.sections.get(section)?.line },
      `[net] rnn_size × nr_neurons must be at most ${MOST_NEURONS} neurons, found ${net.regions} × ${net.neuronsPerRegion} = ${neurons}`,
    );
  }
  return net;
}

/** The name becomes a part of file names, so it may not lead elsewhere. */
function readNetName(ini: IniFile): string {
  const allowed =
    'the name of a connectome, of letters, digits, "_", "-", "." and spaces';
  const { text, line } = readText(ini, {
    section: "net",
    key: "net_name",
    allowed,
  });
  if (/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.\- ]{0,199}$/u.test(text)) return text;
  throw configError(
    { file: ini.file, line },
    `[net] net_name must be ${allowed}, found ${quote(text)}`,
  );
}

function readTraining(
  ini: IniFile,
  { net, overrides: { epochs, iterations } }: {
    net: Experiment["net"];
    overrides: ExperimentOverrides;
  },
): Experiment["training"] {
  const section = "trainvalidate";
  return {
    epochs: readInteger(ini, {
      section,
      key: "epochs",
      override: toOverride("--epochs", epochs),
    }),
    iterations: readInteger(ini, {
      section,
      key: "iterations",
      override: toOverride("--iterations", iterations),
    }),
    // To the original, every word but "default" means "auto".
    init: readChoice<InitName>(ini, {
      section,
      key: "init",
      choices: CONFIG_SCHEMA.trainvalidate.init.choices,
      ...(net.compatibility === "original" ? { other: "auto" } : {}),
    }),
    freezeLayer: readBoolean(ini, { section, key: "freeze_layer" }),
    remapW: readBoolean(ini, { section, key: "remap_w" }),
  };
}

function assertRuns(
  ini: IniFile,
  { grid, training }: Pick<Experiment, "grid" | "training">,
): void {
  const combinations = grid.combinations.length;
  const runs = combinations * training.iterations;
  if (runs <= MOST_RUNS) return;
  throw configError(
    { file: ini.file },
    `combinations × iterations must be at most ${MOST_RUNS} runs, found ${combinations} × ${training.iterations} = ${runs}`,
  );
}

/** The lines of all keys; names are unique over the sections. */
function linesOf(ini: IniFile): Record<string, number> {
  return Object.fromEntries(
    [...ini.sections.values()].flatMap(({ options }) =>
      [...options].map(([key, { line }]): [string, number] => [key, line])
    ),
  );
}
