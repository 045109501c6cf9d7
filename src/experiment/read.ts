/**
 * From a config file's text to an experiment.
 *
 * @module
 */

import { NULL_MODELS, type NullModel } from "../connectome/nulls/null_model.ts";
import { InputError } from "../files/input_error.ts";
import { join } from "../files/path.ts";
import {
  type Initialisation,
  INITIALISATIONS,
} from "../rnn/initialisations.ts";
import { NONLINEARITIES, type Nonlinearity } from "../rnn/nonlinearities.ts";
import { type Optimizer, OPTIMIZERS } from "../rnn/optimizers.ts";
import { TASKS } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";
import {
  effectiveConfig,
  needValue,
  openConfig,
  type Override,
  readBoolean,
  readChoice,
  readNumber,
  readPath,
  valueError,
  withValues,
} from "./config.ts";
import type { Compatibility, Experiment } from "./experiment.ts";
import { readList, readRegions } from "./dict.ts";
import { readGrid, readTrialParams } from "./grid.ts";
import { configError, type IniFile, iniValue } from "./configparser.ts";
import { listNames, plural, quote } from "../text/words.ts";
import { CONFIG_SCHEMA, MOST_ARMS, MOST_NEURONS, MOST_RUNS } from "./schema.ts";

/** Values that stand in for the config's. */
export interface ExperimentOverrides {
  /** `--path_to_results`, from `folder`. */
  readonly pathToResults?: string | undefined;
  /** `--path_to_network`, from `folder`. */
  readonly pathToNetwork?: string | undefined;
  /** `--seed` */
  readonly seed?: number | string | undefined;
  /** `--epochs` */
  readonly epochs?: number | string | undefined;
  /** `--iterations` */
  readonly iterations?: number | string | undefined;
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
  /** The optimizers that it may name; default {@linkcode OPTIMIZERS}. */
  readonly optimizers?: ReadonlyMap<string, Optimizer>;
  /** The nonlinearities that it may name; default {@linkcode NONLINEARITIES}. */
  readonly nonlinearities?: ReadonlyMap<string, Nonlinearity>;
  /** The initialisations that it may name; default {@linkcode INITIALISATIONS}. */
  readonly initialisations?: ReadonlyMap<string, Initialisation>;
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
 * Also if the config has several arms: {@linkcode readArms} reads those.
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
  options: ReadExperimentOptions = {},
): Experiment {
  const [arm, ...more] = readArms(text, options);
  if (more.length === 0) return arm!;
  throw configError(
    { file: arm!.file, line: arm!.source.lines.null_model },
    `it has ${more.length + 1} arms (${
      listNames([arm!, ...more].map((each) => each.arm!), "and")
    }), and one experiment is asked for; give [net] net_name and null_model one value each`,
  );
}

/**
 * Reads and checks a config file that may have several arms: connectomes or null
 * models in lists. Each pair is an arm, an experiment of its own with a results folder of
 * its own, and all are trained together.
 *
 * @returns The arms, the null models of the first connectome first; of a config without lists the one experiment.
 * @throws {InputError} As {@linkcode readExperiment}.
 *
 * @example
 * ```ts
 * import { readArms } from "@biornn/biornn";
 *
 * const file = "config/config_seq_mem.ini";
 * const set = { "net.null_model": "['none', 'degrees']", "net.random_w": "False" };
 * const arms = readArms(Deno.readTextFileSync(file), { file, overrides: { set } });
 * arms.map(({ arm }) => arm); // ["bio", "degrees"]
 * ```
 */
export function readArms(
  text: string,
  {
    file = "config.ini",
    tasks = TASKS,
    nullModels = NULL_MODELS,
    optimizers = OPTIMIZERS,
    nonlinearities = NONLINEARITIES,
    initialisations = INITIALISATIONS,
    overrides = {},
    folder = ".",
  }: ReadExperimentOptions = {},
): Experiment[] {
  const changes = listOverrides(overrides);
  const ini = openConfig(text, { file, overrides: changes });
  const kept = changes.filter(({ key }) => !PLACES.includes(key));
  const recorded = openConfig(text, { file, overrides: kept });
  const paths = readPaths(ini, folder);
  const arms = splitArms(ini);
  const nets = arms.map((arm) =>
    readNet(withArm(ini, arm), Object.keys(nullModels))
  );
  const training = readTraining(ini, { net: nets[0]!, initialisations });
  // The original takes no note of what its config says beyond "default".
  const followed = nets[0]!.compatibility === "original" &&
      ["xavier", "he"].includes(training.init)
    ? "auto"
    : training.init;
  const initialisation = initialisations.get(followed)!;
  const task = readTrialParams(ini, tasks);
  assertStimuliApply(ini, { task: task.task, tasks });
  const grid = readGrid(ini, { task, nonlinearities, optimizers });
  assertRuns(ini, { grid, training, arms: arms.length });
  const number = (section: string, key: string) =>
    readNumber(ini, { section, key });
  const pretrained = {
    epoch: number("pretrainedparams", "pretrained_epoch"),
    iteration: number("pretrainedparams", "pretrained_iteration"),
  };
  const run = {
    seed: number("run", "seed"),
    batchSize: number("run", "batch_size"),
    storeEveryEpoch: number("run", "store_every_epoch"),
  };
  const labels = labelsOf(ini, nets);
  return nets.map((net, i): Experiment => {
    const arm = labels[i];
    return {
      file,
      arm,
      paths: arm === undefined ? paths : {
        ...paths,
        results: join(paths.results, arm),
        pretrained: paths.pretrained && join(paths.pretrained, arm),
      },
      net,
      nullModel: net.nullModel === "none"
        ? undefined
        : nullModels[net.nullModel],
      ...{ training, initialisation, task, grid, pretrained, run },
      source: {
        text,
        lines: linesOf(ini),
        overrides: Object.fromEntries(
          kept.map(({ flag, value }) => [
            flag.replace(/^--(?:set )?/, ""),
            String(value),
          ]),
        ),
        effective: effectiveConfig(withArm(recorded, arms[i]!)),
      },
    };
  });
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

/** Values of an arm by their keys, where the config has lists of them. */
type Arm = Readonly<Record<string, string>>;

const NET_NAME = { section: "net", key: "net_name" };
const RNN_SIZE = { section: "net", key: "rnn_size" };
const NULL_MODEL = { section: "net", key: "null_model" };
const RANDOM_W = { section: "net", key: "random_w" };

/** Every pair of the connectomes and the null models. */
function splitArms(ini: IniFile): Arm[] {
  const names = readList(ini, { ...NET_NAME, kind: "string" });
  const sizes = readList(ini, { ...RNN_SIZE, kind: "integer" });
  const models = readList(ini, { ...NULL_MODEL, kind: "string" });
  if (sizes !== undefined && sizes.length !== names?.length) {
    throw valueError(ini, {
      ...RNN_SIZE,
      from: iniValue(ini, RNN_SIZE)!,
      what: ` lists ${plural(sizes.length, "number")}, and net_name ${
        names === undefined ? "is no list" : `lists ${names.length}`
      }: give one number, or one for each connectome`,
    });
  }
  if (models !== undefined && readBoolean(ini, RANDOM_W)) {
    throw valueError(ini, {
      ...RANDOM_W,
      from: iniValue(ini, RANDOM_W)!,
      what:
        " = True is null_model = permute, but null_model is a list; set random_w = False",
    });
  }
  const arms = (names ?? [undefined]).flatMap((name, i) =>
    (models ?? [undefined]).map((model): Arm => ({
      ...(name !== undefined && { net_name: name }),
      ...(sizes && { rnn_size: sizes[i]! }),
      ...(model !== undefined && { null_model: model }),
    }))
  );
  if (arms.length > MOST_ARMS) {
    throw configError(
      { file: ini.file },
      `connectomes × null models must be at most ${MOST_ARMS} arms, found ${arms.length}`,
    );
  }
  return arms;
}

function withArm(ini: IniFile, arm: Arm): IniFile {
  return withValues(ini, { section: "net", values: arm });
}

/**
 * Names the arms, and so their results folders: by connectome, by null model (`bio` where there
 * is none), or by both where there are several of both. One arm has no name.
 */
function labelsOf(
  ini: IniFile,
  nets: readonly Experiment["net"][],
): (string | undefined)[] {
  const count = (key: "name" | "nullModel") =>
    new Set(nets.map((net) => net[key])).size;
  if (nets.length === 1) return [undefined];
  const labels = nets.map(({ name, nullModel }) =>
    [
      ...(count("name") > 1 ? [name] : []),
      ...(count("nullModel") > 1
        ? [nullModel === "none" ? "bio" : nullModel]
        : []),
    ].join("-")
  );
  // Some file systems hold "a" and "A" for the same.
  const known = labels.map((label) => label.toLowerCase());
  const twice = labels.find((_, i) => known.indexOf(known[i]!) < i);
  if (twice === undefined) return labels;
  throw configError(
    { file: ini.file },
    `two arms would have the results folder ${
      quote(twice)
    }; train them by configs of their own`,
  );
}

function readNet(
  ini: IniFile,
  nullModels: readonly string[],
): Experiment["net"] {
  const section = "net";
  const number = (key: string) => readNumber(ini, { section, key });
  const boolean = (key: string) => readBoolean(ini, { section, key });
  const inputRegions = readRegions(ini, { section, key: "input_regions" });
  const outputRegions = readRegions(ini, { section, key: "output_regions" });
  const net = {
    name: readNetName(ini),
    regions: number("rnn_size"),
    neuronsPerRegion: number("nr_neurons"),
    randPartition: boolean("rand_partition"),
    nullModel: readNullModel(ini, nullModels),
    nullSamples: number("null_samples"),
    match: readChoice<Experiment["net"]["match"]>(ini, {
      section,
      key: "match",
      choices: CONFIG_SCHEMA.net.match.choices,
    }),
    sharedInit: boolean("shared_init"),
    freshNetwork: boolean("fresh_network"),
    compatibility: readChoice<Compatibility>(ini, {
      section,
      key: "compatibility",
      choices: CONFIG_SCHEMA.net.compatibility.choices,
    }),
    targetSparsity: number("target_sparsity"),
    targetSparsityIntrinsic: number("target_sparsity_intrinsic"),
    ...(inputRegions && { inputRegions }),
    ...(outputRegions && { outputRegions }),
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
  const random = readBoolean(ini, RANDOM_W);
  const named = readChoice(ini, {
    ...NULL_MODEL,
    choices: ["none", ...nullModels],
  });
  if (!random) return named;
  if (named === "none" || named === "permute") return "permute";
  throw configError(
    {
      file: ini.file,
      line: ini.sections.get("net")?.options.get("null_model")?.line,
    },
    `[net] random_w = True is null_model = permute, but null_model is ${named}; set random_w = False`,
  );
}

/** The name becomes a part of file names, so it may not lead elsewhere. */
function readNetName(ini: IniFile): string {
  const allowed =
    'the name of a connectome, of letters, digits, "_", "-", "." and spaces';
  const from = needValue(ini, { ...NET_NAME, allowed });
  const { text } = from;
  if (/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.\- ]{0,199}$/u.test(text)) return text;
  const what = ` must be ${allowed}, found ${quote(text)}`;
  throw valueError(ini, { ...NET_NAME, from, what });
}

function readTraining(
  ini: IniFile,
  { net, initialisations }: {
    readonly net: Experiment["net"];
    readonly initialisations: ReadonlyMap<string, Initialisation>;
  },
): Experiment["training"] {
  const section = "trainvalidate";
  return {
    epochs: readNumber(ini, { section, key: "epochs" }),
    iterations: readNumber(ini, { section, key: "iterations" }),
    // To the original, every word but "default" means "auto".
    init: readChoice<string>(ini, {
      section,
      key: "init",
      choices: [...initialisations.keys()],
      other: net.compatibility === "original" ? "auto" : undefined,
    }),
    freezeLayer: readBoolean(ini, { section, key: "freeze_layer" }),
    remapW: readBoolean(ini, { section, key: "remap_w" }),
  };
}

function assertRuns(
  ini: IniFile,
  { grid, training, arms }: Pick<Experiment, "grid" | "training"> & {
    readonly arms: number;
  },
): void {
  const combinations = grid.combinations.length;
  const runs = combinations * training.iterations * arms;
  if (runs <= MOST_RUNS) return;
  throw configError(
    { file: ini.file },
    `combinations × iterations${
      arms === 1 ? "" : " × arms"
    } must be at most ${MOST_RUNS} runs, found ${combinations} × ${training.iterations}${
      arms === 1 ? "" : ` × ${arms}`
    } = ${runs}`,
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
