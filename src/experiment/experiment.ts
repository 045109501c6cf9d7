/**
 * What an experiment is: all that a config file says, checked.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { dirname } from "../files/path.ts";
import { plural } from "../text/words.ts";
import { configError } from "./configparser.ts";
import type { NullModel } from "../connectome/nulls/null_model.ts";
import type { Initialisation } from "../rnn/initialisations.ts";
import type { Nonlinearity } from "../rnn/nonlinearities.ts";
import type { Optimizer } from "../rnn/optimizers.ts";
import { countTrained, type Task, type TaskParameters } from "../tasks/task.ts";
import { CONFIG_SCHEMA } from "./schema.ts";

/** `compatibility`: follow the published description, or the original program where it departs from it. */
export type Compatibility = "described" | "original";

/** One value of a combination. */
export interface GridValue {
  /** The value itself. */
  readonly value: number | string | boolean;
  /** As Python writes it, which tells 1 from 1.0. */
  readonly repr: string;
}

/** One cell of the grid; it is trained `iterations` times. */
export interface Combination {
  /** Number in `folder_index.txt`, from 0. */
  readonly index: number;
  /** A value for each of the grid's keys, in their order. */
  readonly values: readonly GridValue[];
  /** The values as a Python tuple, e.g. `(0.0001, 'relu', 'Adam', 3)`. */
  readonly repr: string;
  /** `lr` */
  readonly learningRate: number;
  /** `nonlinearity` */
  readonly activation: Nonlinearity;
  /** `optimizer` */
  readonly optimizer: Optimizer;
  /** All parameters of the task, those of the grid and `nr_of_trials` included. */
  readonly parameters: TaskParameters;
}

/** A config file, checked and with all defaults filled in. */
export interface Experiment {
  /** The config file, as it was named. */
  readonly file: string;
  /** What the arm is called; undefined where the config has only one: connectome and null model in no list. */
  readonly arm: string | undefined;
  /** Absolute paths. */
  readonly paths: {
    /** Folder for the results; of an arm, the one of its name in the config's. */
    readonly results: string;
    /** Folder with connectomes; it need not exist. */
    readonly network: string | undefined;
    /** Results folder of the experiment whose models are trained on; of an arm, the one of its name in it. */
    readonly pretrained: string | undefined;
    /** File with latent vectors. */
    readonly latents: string | undefined;
    /** File with images. */
    readonly images: string | undefined;
  };
  /** `[net]` */
  readonly net: {
    /** Name of the connectome. */
    readonly name: string;
    /** `rnn_size` */
    readonly regions: number;
    /** `nr_neurons` */
    readonly neuronsPerRegion: number;
    readonly randPartition: boolean;
    /** `null_model`, or what `random_w` says: what the topology is made random by; "none" where it is not. */
    readonly nullModel: string;
    /** `null_samples`: networks that the null model makes; 0: one for each run. */
    readonly nullSamples: number;
    /** `match`: what of the start is made equal to the biological network's. */
    readonly match: "none" | "spectral_radius" | "activity";
    /** `shared_init` */
    readonly sharedInit: boolean;
    /** `fresh_network` */
    readonly freshNetwork: boolean;
    readonly compatibility: Compatibility;
    /** Share of a connected region's neurons that each neuron connects to, above 0 and at most 1. */
    readonly targetSparsity: number;
    /** The same within a region. */
    readonly targetSparsityIntrinsic: number;
    /** `input_regions`: names or numbers, from 0, of the regions whose neurons get the input; undefined: all. */
    readonly inputRegions?: readonly (string | number)[];
    /** `output_regions`: regions whose neurons the read-out sees; undefined: all. */
    readonly outputRegions?: readonly (string | number)[];
  };
  /** The null model of that name; undefined where the topology is the connectome's. */
  readonly nullModel: NullModel | undefined;
  /** `[trainvalidate]` */
  readonly training: {
    readonly epochs: number;
    readonly iterations: number;
    /** How weights begin, as the config names it. */
    readonly init: string;
    readonly freezeLayer: boolean;
    readonly remapW: boolean;
  };
  /** How weights begin. With `compatibility` "original" it is "auto" for every `init` of biornn but "default", as in the original program. */
  readonly initialisation: Initialisation;
  /** `[trialparams]` */
  readonly task: {
    readonly task: Task;
    readonly nrOfTrials: number;
    /** Share of the trials that train, above 0 and below 1. */
    readonly trainSize: number;
    /** What `trial_params` says beyond that, with the task's defaults. */
    readonly parameters: TaskParameters;
  };
  /** `[combosparams]` */
  readonly grid: {
    /** Keys of `combos_params`, in the order of the config. */
    readonly keys: readonly string[];
    /** Every combination of their values, the last key's changing fastest. */
    readonly combinations: readonly Combination[];
  };
  /** Which of the pretrained models is taken. */
  readonly pretrained: { readonly epoch: number; readonly iteration: number };
  /** `[run]` */
  readonly run: {
    readonly seed: number;
    readonly batchSize: number;
    /** Epochs between two stored models; 0 = the last epoch only. */
    readonly storeEveryEpoch: number;
  };
  /** What it was read from. */
  readonly source: {
    /** The config file's text. */
    readonly text: string;
    /** Number of the line of each key, from 1. */
    readonly lines: Readonly<Record<string, number>>;
    /** What stood in for the config's values, by flag or `section.key`; not the folders for results and connectomes. */
    readonly overrides: Readonly<Record<string, string>>;
    /** The config that counts, as INI text: with `overrides`, with defaults, and with what values refer to. */
    readonly effective: string;
  };
}

/**
 * The experiment in a few lines, for `--dry-run` and the log.
 *
 * @param arms All arms of its config, by default itself.
 *
 * @example
 * ```ts
 * import { describeExperiment, readExperiment, TASKS } from "@biornn/biornn";
 *
 * const file = "config/quickstart.ini";
 * const experiment = readExperiment(Deno.readTextFileSync(file), { file, tasks: TASKS });
 * describeExperiment(experiment); // "config       config/quickstart.ini\n…"
 * ```
 */
export function describeExperiment(
  experiment: Experiment,
  arms: readonly Experiment[] = [experiment],
): string {
  const { paths, net, training, task, grid, pretrained, run } = experiment;
  const several = arms.length > 1;
  const lines: string[] = [];
  const say = (label: string, ...parts: (string | false)[]) =>
    lines.push(`${label.padEnd(13)}${joined(parts)}`);
  say("config", experiment.file);
  say("results", several ? dirname(paths.results) : paths.results);
  if (several) {
    const names = shownSome(arms.map(({ arm }) => arm));
    say("arms", `${arms.length}, each in a folder of its name: ${names}`);
  }
  const trials = task.task.trialCount(task.nrOfTrials);
  const trained = countTrained(trials, task.trainSize);
  say(
    "task",
    task.task.name,
    ...Object.entries(task.parameters).map((pair) => pair.join(" ")),
    `${trained} trials to train and ${trials - trained} to validate`,
  );
  const nets = arms.map((arm) => describeNet(arm.net, several));
  for (const each of new Set(nets)) say("net", each);
  const ports = [net.inputRegions, net.outputRegions];
  if (ports.some((regions) => regions !== undefined)) {
    const [input, output] = ports.map(listRegions);
    say("regions", `input at ${input}; read-out from ${output}`);
  }
  say(
    "weights",
    paths.pretrained === undefined
      ? `init ${training.init}`
      : `pretrained, epoch ${pretrained.epoch} of iteration ${pretrained.iteration} in ${paths.pretrained}`,
    net.match !== "none" &&
      `matched to the biological ${net.match.replace("_", " ")}`,
    net.sharedInit && "the same in all networks",
    // A pretrained model keeps its own order.
    training.remapW && paths.pretrained === undefined &&
      "remapped to the connectome's ranks",
    training.freezeLayer && "recurrent layer frozen",
  );
  const every = run.storeEveryEpoch === 0
    ? ""
    : `every ${plural(run.storeEveryEpoch, "epoch")} and `;
  say(
    "training",
    plural(training.epochs, "epoch"),
    `batches of ${run.batchSize}`,
    `seed ${run.seed}`,
    `models stored ${every}at the end`,
  );
  for (const [i, key] of grid.keys.entries()) {
    const reprs = grid.combinations.map(({ values }) => values[i]!.repr);
    const shown = shownSome([...new Set(reprs)]);
    say(i === 0 ? "grid" : "", `${key}: ${shown}`);
  }
  const { length } = grid.combinations;
  const models = arms.length * length * training.iterations;
  say(
    "models",
    `${models}: ${several ? `${arms.length} arms, ` : ""}${
      plural(length, "combination")
    }`,
    `${plural(training.iterations, "iteration")} of each`,
  );
  return lines.join("\n");
}

/** Those that are there. */
function joined(parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(", ");
}

/** Regions as the config names them, not too many. */
export function listRegions(
  regions: readonly (string | number)[] | undefined,
): string {
  return regions === undefined ? "all" : shownSome(regions);
}

/** What the models' networks are; which null model is told of an arm by its name. */
function describeNet(net: Experiment["net"], isArm: boolean): string {
  const { target_sparsity, target_sparsity_intrinsic } = CONFIG_SCHEMA.net;
  const { targetSparsity, targetSparsityIntrinsic } = net;
  const isRandom = net.nullModel !== "none";
  return joined([
    net.name,
    `${net.regions} regions of ${plural(net.neuronsPerRegion, "neuron")}`,
    net.randPartition ? "random partition" : "equal partition",
    targetSparsity !== target_sparsity.default &&
    `target sparsity ${targetSparsity}`,
    targetSparsityIntrinsic !== target_sparsity_intrinsic.default &&
    `target sparsity ${targetSparsityIntrinsic} within regions`,
    net.freshNetwork && "scaled anew for each iteration",
    isRandom && !isArm && `random topology (null model ${net.nullModel})`,
    net.nullSamples !== 0 && (isRandom || isArm) &&
    `${plural(net.nullSamples, "network")} of each null model`,
    net.compatibility === "original" && "compatibility original",
  ]);
}

function shownSome(all: readonly unknown[]): string {
  const most = 12;
  return all.slice(0, most).join(", ") +
    (all.length > most ? `, … (${all.length})` : "");
}

/** What is wrong with a key of `[net]` that reads well by itself, told where its value stands. */
export function netError(
  { file, source: { lines, overrides } }: Experiment,
  { key, problem }: { readonly key: string; readonly problem: string },
): InputError {
  return Object.hasOwn(overrides, `net.${key}`)
    ? new InputError(`Cannot use --set net.${key}: ${problem}`)
    : configError({ file, line: lines[key] }, problem);
}

/**
 * The error of a config whose `rnn_size` is not the number of regions of its
 * connectome.
 *
 * @param regions Number of regions of the connectome.
 */
export function regionsMismatch(
  experiment: Experiment,
  regions: number,
): InputError {
  const { name, regions: found } = experiment.net;
  return netError(experiment, {
    key: "rnn_size",
    problem:
      `[net] rnn_size must be ${regions}, the number of regions of ${name}, found ${found}`,
  });
}
