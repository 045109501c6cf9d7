/**
 * From a config file's text to an experiment.
 *
 * @module
 */

import { NULL_MODELS, type NullModel } from "../connectome/nulls/null_model.ts";
import { InputError } from "../files/input_error.ts";
import { parsePythonBoolean } from "../python/text.ts";
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
  openConfig,
  type Override,
  readList,
  readSection,
  withNet,
} from "./config.ts";
import type { Experiment } from "./experiment.ts";
import { readGrid, readTrialParams } from "./grid.ts";
import { configError, type IniFile, iniValue } from "./configparser.ts";
import { listNames, plural, quote } from "../text/words.ts";
import { MOST_ARMS, MOST_NEURONS, MOST_RUNS } from "./schema.ts";

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
  const kept = changes.filter(({ section, key }) =>
    section !== "paths" || !key.startsWith("path_to_")
  );
  const recorded = openConfig(text, { file, overrides: kept });
  const paths = readSection(ini, "paths", { folder });
  const arms = splitArms(ini);
  const nets = arms.map((arm) =>
    readNet(withNet(ini, arm), Object.keys(nullModels))
  );
  const isOriginal = nets[0]!.compatibility === "original";
  const training = readSection(ini, "trainvalidate", {
    words: {
      init: {
        names: [...initialisations.keys()],
        // To the original, every word but "default" means "auto".
        ...(isOriginal && { other: "auto" }),
      },
    },
  });
  // The original takes no note of what its config says beyond "default".
  const followed = isOriginal && ["xavier", "he"].includes(training.init)
    ? "auto"
    : training.init;
  const initialisation = initialisations.get(followed)!;
  const task = readTrialParams(ini, tasks);
  assertStimuliApply(ini, task.task, tasks);
  const grid = readGrid(ini, { task, nonlinearities, optimizers });
  assertRuns(ini, grid.combinations.length, training.iterations, arms.length);
  const { pretrainedEpoch: epoch, pretrainedIteration: iteration } =
    readSection(ini, "pretrainedparams");
  const run = readSection(ini, "run");
  const labels = labelsOf(ini, nets);
  return nets.map((net, i): Experiment => {
    const arm = labels[i];
    const own = (path: string) => arm === undefined ? path : join(path, arm);
    return {
      file,
      arm,
      paths: {
        results: own(paths.pathToResults),
        network: paths.pathToNetwork,
        pretrained: paths.pretrained && own(paths.pretrained),
        latents: paths.latents,
        images: paths.images,
      },
      net,
      nullModel: net.nullModel === "none"
        ? undefined
        : nullModels[net.nullModel],
      training,
      initialisation,
      task,
      grid,
      run,
      pretrained: { epoch, iteration },
      source: {
        text,
        // Names of keys are unique over the sections.
        lines: Object.fromEntries(
          ini.sections.values().flatMap(({ options }) =>
            options.entries().map(([key, { line }]) => [key, line])
          ),
        ),
        overrides: Object.fromEntries(
          kept.map(({ flag, value }) => [
            flag.replace(/^--(?:set )?/, ""),
            String(value),
          ]),
        ),
        effective: effectiveConfig(withNet(recorded, arms[i]!)),
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

/** A file that the task would never show is a mistake; one in `[DEFAULT]` is meant for several sections, or files. */
function assertStimuliApply(
  ini: IniFile,
  task: Task,
  tasks: ReadonlyMap<string, Task>,
): void {
  for (const key of ["latents", "images"] as const) {
    const own = ini.sections.get("paths")?.options.get(key);
    if (!own?.raw || task.stimuli === key) continue;
    const takers = [...tasks.values()].filter(({ stimuli }) => stimuli === key);
    throw iniValue(ini, { section: "paths", key })!.error(
      ` is for ${
        listNames(takers.map(({ name }) => name))
      }, but task_name is ${task.name}, which shows none`,
    );
  }
}

/** Values of an arm by their keys, where the config has lists of them. */
type Arm = Readonly<Record<string, string>>;

/** Every pair of the connectomes and the null models. */
function splitArms(ini: IniFile): Arm[] {
  const valueOf = (key: string) => iniValue(ini, { section: "net", key });
  const names = readList(valueOf("net_name"), "string");
  const size = valueOf("rnn_size");
  const sizes = readList(size, "integer");
  const models = readList(valueOf("null_model"), "string");
  if (sizes !== undefined && sizes.length !== names?.length) {
    throw size!.error(
      ` lists ${plural(sizes.length, "number")}, and net_name ${
        names === undefined ? "is no list" : `lists ${names.length}`
      }: give one number, or one for each connectome`,
    );
  }
  const random = valueOf("random_w");
  if (models && random && parsePythonBoolean(random.text)) {
    throw random.error(
      " = True is null_model = permute, but null_model is a list; set random_w = False",
    );
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

/**
 * Names the arms, and so their results folders: by connectome, by null model (`bio` where there
 * is none), or by both where there are several of both. One arm has no name.
 */
function labelsOf(
  ini: IniFile,
  nets: readonly Experiment["net"][],
): (string | undefined)[] {
  if (nets.length === 1) return [undefined];
  const several = (key: "name" | "nullModel") =>
    new Set(nets.map((net) => net[key])).size > 1;
  const labels = nets.map(({ name, nullModel }) =>
    [
      ...(several("name") ? [name] : []),
      ...(several("nullModel")
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
  const {
    netName: name,
    rnnSize: regions,
    nrNeurons: neuronsPerRegion,
    randomW,
    nullModel,
    inputRegions,
    outputRegions,
    ...rest
  } = readSection(ini, "net", {
    words: { null_model: { names: ["none", ...nullModels] } },
  });
  const header = ini.sections.get("net")!;
  if (randomW && nullModel !== "none" && nullModel !== "permute") {
    throw configError(
      { file: ini.file, line: header.options.get("null_model")?.line },
      `[net] random_w = True is null_model = permute, but null_model is ${nullModel}; set random_w = False`,
    );
  }
  const neurons = regions * neuronsPerRegion;
  if (neurons > MOST_NEURONS) {
    throw configError(
      { file: ini.file, line: header.line },
      `[net] rnn_size × nr_neurons must be at most ${MOST_NEURONS} neurons, found ${regions} × ${neuronsPerRegion} = ${neurons}`,
    );
  }
  return {
    name,
    regions,
    neuronsPerRegion,
    ...rest,
    nullModel: randomW ? "permute" : nullModel,
    ...(inputRegions && { inputRegions }),
    ...(outputRegions && { outputRegions }),
  };
}

function assertRuns(
  ini: IniFile,
  combinations: number,
  iterations: number,
  arms: number,
): void {
  const runs = combinations * iterations * arms;
  if (runs <= MOST_RUNS) return;
  const [what, count] = arms === 1 ? ["", ""] : [" × arms", ` × ${arms}`];
  throw configError(
    { file: ini.file },
    `combinations × iterations${what} must be at most ${MOST_RUNS} runs, found ${combinations} × ${iterations}${count} = ${runs}`,
  );
}
