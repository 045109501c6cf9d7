/**
 * From a config file's text to an experiment.
 *
 * @module
 */

import { NULL_MODELS, type NullModel } from "../connectome/nulls/null_model.ts";
import { InputError } from "../files/input_error.ts";
import { TASKS } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";
import {
  effectiveConfig,
  openConfig,
  type Override,
  readBoolean,
  readChoice,
  readInteger,
  readNumber,
  readPath,
  readText,
  valueError,
} from "./config.ts";
import type { Compatibility, Experiment, InitName } from "./experiment.ts";
import { readRegions } from "./dict.ts";
import { readGrid, readTrialParams } from "./grid.ts";
import { configError, type IniFile, iniValue } from "./configparser.ts";
import { listNames, quote } from "../text/words.ts";
import { CONFIG_SCHEMA, MOST_NEURONS, MOST_RUNS } from "./schema.ts";

/** Values that stand in for the config's. */
export interface ExperimentOverrides {
  /** `--path_to_results`, from `folder`. */
  readonly pathToResults?: string;
  /** `--path_to_network`, from `folder`. */
  readonly pathToNetwork?: string;
  /** `--seed` */
  readonly seed?: number | string;
  /** `--epochs` */
  readonly epochs?: number | string;
  /** `--iterations` */
  readonly iterations?: number | string;
  /** `--set section.key=value`: any other key's value, as a config has it, by `section.key`. */
  readonly set?: Readonly<Record<string, string | number>>;
}

/** How to read a config file. */
export interface ReadExperimentOptions {
  /** The file the text is from; its folder is where relative paths begin. Default "config.ini" in the working directory. */
  readonly file?: string;
  /** The tasks that the config may name; default {@linkcode TASKS}. */
  readonly tasks?: ReadonlyMap<string, Task>;
  /** The null models that it may name; default {@linkcode NULL_MODELS}. */
  readonly nullModels?: Readonly<Record<string, NullModel>>;
  /** Values that stand in for the config's. */
  readonly overrides?: ExperimentOverrides;
  /** Where relative paths of `overrides`, and of `file` itself, begin. Default the working directory. */
  readonly folder?: string;
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
  {
    file = "config.ini",
    tasks = TASKS,
    nullModels = NULL_MODELS,
    overrides = {},
    folder = ".",
  }: ReadExperimentOptions = {},
): Experiment {
  const changes = listOverrides(overrides);
  const ini = openConfig(text, { file, overrides: changes });
  const paths = readPaths(ini, folder);
  const net = readNet(ini, Object.keys(nullModels));
  const training = readTraining(ini, net);
  const task = readTrialParams(ini, tasks);
  assertStimuliApply(ini, { task: task.task, tasks });
  const grid = readGrid(ini, task);
  assertRuns(ini, { grid, training });
  const integer = (section: string, key: string) =>
    readInteger(ini, { section, key });
  return {
    file,
    paths,
    net,
    nullModel: net.nullModel === "none" ? undefined : nullModels[net.nullModel],
    training,
    task,
    grid,
    pretrained: {
      epoch: integer("pretrainedparams", "pretrained_epoch"),
      iteration: integer("pretrainedparams", "pretrained_iteration"),
    },
    run: {
      seed: integer("run", "seed"),
      batchSize: integer("run", "batch_size"),
      storeEveryEpoch: integer("run", "store_every_epoch"),
    },
    source: {
      text,
      lines: linesOf(ini),
      ...sourceOf(text, { file, changes }),
    },
  };
}

/** What the experiment is beyond the config's text; where it lies is no part of it. */
function sourceOf(
  text: string,
  { file, changes }: { file: string; changes: readonly Override[] },
): Pick<Experiment["source"], "overrides" | "effective"> {
  const overrides = changes.filter(({ key }) => !PLACES.includes(key));
  return {
    overrides: Object.fromEntries(
      overrides.map(({ flag, value }) => [
        flag.replace(/^--(?:set )?/, ""),
        String(value),
      ]),
    ),
    effective: effectiveConfig(openConfig(text, { file, overrides })),
  };
}

/** A flag of its own for what is changed most; `--set` stands above the config, and these above it. */
const FLAGS = [
  ["pathToResults", "paths", "path_to_results"],
  ["pathToNetwork", "paths", "path_to_network"],
  ["seed", "run", "seed"],
  ["epochs", "trainvalidate", "epochs"],
  ["iterations", "trainvalidate", "iterations"],
] as const;

/** Keys that say where things lie. */
const PLACES: readonly string[] = ["path_to_results", "path_to_network"];

function listOverrides(overrides: ExperimentOverrides): Override[] {
  const set = Object.entries(overrides.set ?? {}).map(([name, value]) => {
    const [, section, key] = /^([^.]+)\.([^.]+)$/.exec(name) ?? [];
    if (section === undefined || key === undefined) {
      throw new InputError(
        `Cannot use --set ${
          quote(name)
        }: it must be section.key=value, e.g. net.random_w=True`,
      );
    }
    return { section, key, flag: `--set ${name}`, value };
  });
  const flags = FLAGS.flatMap(([name, section, key]): Override[] => {
    const value = overrides[name];
    return value === undefined
      ? []
      : [{ section, key, flag: `--${key}`, value }];
  });
  return [...set, ...flags];
}

function readPaths(ini: IniFile, folder: string): Experiment["paths"] {
  const path = (key: string) =>
    readPath(ini, { section: "paths", key, folder });
  // "download" is no file beside the config, but asks for the one at the source.
  const stimuli = (key: string) =>
    iniValue(ini, { section: "paths", key })?.text === "download"
      ? "download"
      : path(key);
  return {
    results: path("path_to_results") as string,
    network: path("path_to_network"),
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
    throw valueError(ini, {
      section: "paths",
      key,
      from: option,
      what: ` is for ${
        listNames(takers.map(({ name }) => name))
      }, but task_name is ${task.name}, which shows none`,
    });
  }
}

function readNet(
  ini: IniFile,
  nullModels: readonly string[],
): Experiment["net"] {
  const section = "net";
  const inputRegions = readRegions(ini, { section, key: "input_regions" });
  const outputRegions = readRegions(ini, { section, key: "output_regions" });
  const net = {
    name: readNetName(ini),
    regions: readInteger(ini, { section, key: "rnn_size" }),
    neuronsPerRegion: readInteger(ini, { section, key: "nr_neurons" }),
    randPartition: readBoolean(ini, { section, key: "rand_partition" }),
    nullModel: readNullModel(ini, nullModels),
    match: readChoice<Experiment["net"]["match"]>(ini, {
      section,
      key: "match",
      choices: CONFIG_SCHEMA.net.match.choices,
    }),
    sharedInit: readBoolean(ini, { section, key: "shared_init" }),
    freshNetwork: readBoolean(ini, { section, key: "fresh_network" }),
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
    ...(inputRegions === undefined ? {} : { inputRegions }),
    ...(outputRegions === undefined ? {} : { outputRegions }),
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

/** What `null_model` says, or `random_w`, which asks for the first of them. */
function readNullModel(ini: IniFile, nullModels: readonly string[]): string {
  const section = "net";
  const random = readBoolean(ini, { section, key: "random_w" });
  const named = readChoice(ini, {
    section,
    key: "null_model",
    choices: ["none", ...nullModels],
  });
  if (!random) return named;
  if (named === "none" || named === "permute") return "permute";
  throw configError(
    {
      file: ini.file,
      line: ini.sections.get(section)?.options.get("null_model")?.line,
    },
    `[net] random_w = True is null_model = permute, but null_model is ${named}; set random_w = False`,
  );
}

/** The name becomes a part of file names, so it may not lead elsewhere. */
function readNetName(ini: IniFile): string {
  const allowed =
    'the name of a connectome, of letters, digits, "_", "-", "." and spaces';
  const place = { section: "net", key: "net_name" };
  const from = readText(ini, { ...place, allowed });
  const { text } = from;
  if (/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.\- ]{0,199}$/u.test(text)) return text;
  const what = ` must be ${allowed}, found ${quote(text)}`;
  throw valueError(ini, { ...place, from, what });
}

function readTraining(
  ini: IniFile,
  net: Experiment["net"],
): Experiment["training"] {
  const section = "trainvalidate";
  return {
    epochs: readInteger(ini, { section, key: "epochs" }),
    iterations: readInteger(ini, { section, key: "iterations" }),
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
