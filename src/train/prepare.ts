/**
 * Reads an experiment's config and loads all that its runs share: the connectome, the
 * stimuli, the models to begin with.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Connectome, createConnectome } from "../connectome/connectome.ts";
import { loadConnectome } from "../connectome/load.ts";
import { NULL_MODELS, type NullModel } from "../connectome/nulls/null_model.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { type ExperimentOverrides, readArms } from "../experiment/read.ts";
import { InputError } from "../files/input_error.ts";
import { readTextFile } from "../files/read.ts";
import {
  type Initialisation,
  INITIALISATIONS,
} from "../rnn/initialisations.ts";
import { NONLINEARITIES, type Nonlinearity } from "../rnn/nonlinearities.ts";
import { type Optimizer, OPTIMIZERS } from "../rnn/optimizers.ts";
import { TASKS } from "../tasks/registry.ts";
import { loadStimuli } from "../tasks/stimuli.ts";
import { syntheticNote } from "../tasks/synthetic_stimuli.ts";
import type { Stimuli, Task } from "../tasks/task.ts";
import { type PreparedExperiment, prepareWith } from "./build_run.ts";
import { checkPretrained } from "./pretrained.ts";

/** How to prepare an experiment. */
export interface PrepareOptions {
  /** Tasks of one's own that the config may name, besides those of `TASKS`. */
  readonly tasks?: readonly Task[];
  /** Null models of one's own that the config may name, besides those of `NULL_MODELS`. */
  readonly nullModels?: Readonly<Record<string, NullModel>>;
  /** Optimizers of one's own that the config may name, besides those of `OPTIMIZERS`. */
  readonly optimizers?: readonly Optimizer[];
  /** Nonlinearities of one's own that the config may name, besides those of `NONLINEARITIES`. */
  readonly nonlinearities?: readonly Nonlinearity[];
  /** Initialisations of one's own that the config may name, besides those of `INITIALISATIONS`. */
  readonly initialisations?: readonly Initialisation[];
  /** Values that stand in for the config's, as flags of the command line do. */
  readonly overrides?: ExperimentOverrides;
  /** A connectome of one's own instead of the one that `net_name` asks for; it must have `rnn_size` regions. */
  readonly connectome?: Connectome;
  /** Is told, in a line, what takes time and what the user may not expect. */
  readonly onLine?: (line: string) => void;
}

/**
 * Reads an experiment and loads all that its runs share: the connectome, scaled
 * to a network of neurons, and the stimuli of tasks that show pictures.
 *
 * @param config The config file, or an experiment that `readExperiment()` gave.
 * @throws {InputError} If the config is wrong, or what it names can't be had: one sentence that says file, key, what was found and what is allowed. Also if it has several arms: those are for {@linkcode prepareArms}.
 *
 * @example
 * ```ts
 * import { prepare } from "@biornn/biornn";
 *
 * const prepared = await prepare("config/quickstart.ini");
 * prepared.size; // { hiddenSize: 58, inputSize: 2, outputSize: 1 }
 * ```
 */
export async function prepare(
  config: string | URL | Experiment,
  options: PrepareOptions = {},
): Promise<PreparedExperiment> {
  const [arm, ...more] = await prepareArms(config, options);
  if (more.length > 0) {
    throw new InputError(
      `Cannot prepare ${arm!.experiment.file} as one experiment: it has ${
        more.length + 1
      } arms; prepareArms() gives all of them`,
    );
  }
  return arm!;
}

/**
 * The same for a config with several arms, connectomes or null models in lists: an
 * experiment for each, to be trained together.
 *
 * @param config The config file, or experiments that `readArms()` gave.
 * @throws {InputError} As {@linkcode prepare}.
 *
 * @example
 * ```ts
 * import { prepareArms, train } from "@biornn/biornn";
 *
 * const set = { "net.null_model": "['none', 'degrees']" };
 * const arms = await prepareArms("config/quickstart.ini", {
 *   overrides: { epochs: 1, iterations: 1, set },
 * });
 * arms.map(({ experiment }) => experiment.arm); // ["bio", "degrees"]
 * const [bio, degrees] = await train(arms); // side by side
 * ```
 */
export async function prepareArms(
  config: string | URL | Experiment | readonly Experiment[],
  options: PrepareOptions = {},
): Promise<PreparedExperiment[]> {
  const { onLine = () => {} } = options;
  const experiments = typeof config === "string" || config instanceof URL
    ? await readConfig(config, options)
    : [config].flat();
  // Made anew: what was changed in it must not pass for the one it was made of.
  const given = options.connectome &&
    await createConnectome(options.connectome.graph, options.connectome);
  const arms: PreparedExperiment[] = [];
  for (const experiment of experiments) {
    const { net, paths } = experiment;
    // What arms share is there once.
    const known = arms.find((arm) => arm.experiment.net.name === net.name);
    const connectome = known?.connectome ?? given ??
      await loadConnectome(net.name, {
        folder: paths.network,
        // The original takes every file's rows for sources.
        orientation: net.compatibility === "original" ? "file" : "declared",
        onProgress: onLine,
      });
    const stimuli = arms[0]?.stimuli ?? await findStimuli(experiment, onLine);
    const arm = await prepareWith(experiment, {
      ...{ connectome, stimuli, onProgress: onLine, network: known?.network },
      findPretrained: (sizes) =>
        checkPretrained(experiment, { ...sizes, connectome }),
    });
    arms.push(arm);
  }
  return arms;
}

async function readConfig(
  config: string | URL,
  { nullModels = {}, overrides = {}, ...own }: PrepareOptions,
): Promise<Experiment[]> {
  const file = config instanceof URL ? fileURLToPath(config) : config;
  for (const name of Object.keys(nullModels)) {
    if (name === "none" || Object.hasOwn(NULL_MODELS, name)) {
      throw alreadyThere("null model", name);
    }
  }
  return readArms(await readTextFile(file, { what: "config file" }), {
    file,
    overrides,
    nullModels: { ...NULL_MODELS, ...nullModels },
    tasks: withOwn("task", TASKS, own.tasks),
    optimizers: withOwn("optimizer", OPTIMIZERS, own.optimizers),
    nonlinearities: withOwn(
      ...["nonlinearity", NONLINEARITIES, own.nonlinearities] as const,
    ),
    initialisations: withOwn(
      ...["initialisation", INITIALISATIONS, own.initialisations] as const,
    ),
  });
}

/** Those of biornn and one's own; results name each by its name alone, so that none may be there twice. */
function withOwn<T extends { readonly name: string }>(
  what: string,
  all: ReadonlyMap<string, T>,
  own: readonly T[] = [],
): ReadonlyMap<string, T> {
  const joined = new Map(all);
  for (const each of own) {
    if (joined.has(each.name)) throw alreadyThere(what, each.name);
    joined.set(each.name, each);
  }
  return joined;
}

function alreadyThere(what: string, name: string): InputError {
  return new InputError(
    `Cannot add the ${what} ${name}: there is one of that name already; give it another`,
  );
}

async function findStimuli(
  { net, run, paths, task: { task, parameters } }: Experiment,
  onLine: (line: string) => void,
): Promise<Stimuli | undefined> {
  if (task.stimuli === undefined) return undefined;
  const file = paths[task.stimuli];
  const stimuli = await loadStimuli(task.stimuli, {
    ...(file === undefined ? {} : { file }),
    seed: run.seed,
    onProgress: onLine,
  });
  const { compatibility } = net;
  task.checkStimuli?.(parameters, { stimuli, compatibility })
    .forEach((line) => onLine(line));
  if (stimuli.synthetic) onLine(`note: ${syntheticNote(task)}`);
  return stimuli;
}
