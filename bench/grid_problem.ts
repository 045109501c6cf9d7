/**
 * The original's whole `seq_mem` grid as a benchmark: every combination of its
 * config, on the marmoset's connectome where there is a folder of connectomes,
 * else on the synthetic one.
 *
 * @module
 */

import type { Flags } from "../src/compat/cli.ts";
import { InputError } from "../src/files/input_error.ts";
import { loadConnectome } from "../src/connectome/load.ts";
import type {
  EnsembleShape,
  EnsembleSpec,
  ModelRun,
} from "../src/engine/ensemble.ts";
import { readExperiment } from "../src/experiment/read.ts";
import { TASKS } from "../src/tasks/registry.ts";
import { buildRun, ensembleShape } from "../src/train/build_run.ts";
import { prepare } from "../src/train/prepare.ts";
import type { RunId } from "../src/results/layout.ts";

/** Models to train and what they are. */
export interface GridProblem {
  readonly spec: EnsembleSpec;
  /** The same sizes as the memory plan wants them. */
  readonly size: EnsembleShape;
  /** Name of the connectome. */
  readonly network: string;
  /** Share of W_hh's elements that exist. */
  readonly density: number;
}

/** Which models. */
export interface GridProblemOptions {
  /** Folder with connectomes; without it the synthetic connectome is taken. */
  readonly connectomes?: string | undefined;
  /** Name of a connectome in the folder; default Marmoset_Normalized. */
  readonly connectome?: string | undefined;
  /** Default 4 (H = 220 for the marmoset), 8 for the synthetic connectome (H = 232). */
  readonly neuronsPerRegion?: number;
  /** Default 3, 5, 10: T = 7, 11, 21. */
  readonly patternLengths?: readonly number[];
  /** Default 5. */
  readonly iterations?: number;
  /** Default 500, of which 400 train. */
  readonly trials?: number;
  /** Take the first so many models only; iteration 0 of all combinations comes first. */
  readonly most?: number;
}

const MARMOSET = "Marmoset_Normalized";
const SYNTHETIC = { name: "Synthetic_Macaque_29", regions: 29, neurons: 8 };

/** The combinations of the original's config_seq_mem.ini. */
function config(
  net: { name: string; regions: number; neurons: number },
  options: { patternLengths: readonly number[]; trials: number },
): string {
  return `[paths]
path_to_results = results

[net]
net_name = ${net.name}
rnn_size = ${net.regions}
nr_neurons = ${net.neurons}
rand_partition = True
random_w = False

[trainvalidate]
epochs = 500
iterations = 1
init = default
freeze_layer = False
remap_w = True

[trialparams]
trial_params = {"task_name":"seq_mem", "nr_of_trials":${options.trials}, "train_size":0.8}

[combosparams]
combos_params = {"lr":[0.0001,0.000001], "nonlinearity":["relu","tanh"], "optimizer":["Adam","RMSprop"], "pattern_length":[${options.patternLengths}]}
`;
}

/**
 * Draws the models of the grid.
 *
 * @throws {InputError} If the connectome cannot be read.
 *
 * @example
 * ```ts
 * import { gridProblem } from "./bench/grid_problem.ts";
 *
 * const { spec } = await gridProblem({ iterations: 1 });
 * spec.runs.length; // 24
 * ```
 */
export async function gridProblem(
  options: GridProblemOptions = {},
): Promise<GridProblem> {
  const { connectomes, iterations = 5, trials = 500 } = options;
  if (connectomes === undefined && options.connectome !== undefined) {
    throw new InputError(
      `Cannot find ${options.connectome}: the environment variable BIORNN_CONNECTOMES must name the folder it is in`,
    );
  }
  const named = connectomes === undefined
    ? SYNTHETIC
    : await inFolder(connectomes, options.connectome ?? MARMOSET);
  const net = { ...named, neurons: options.neuronsPerRegion ?? named.neurons };
  const text = config(net, {
    patternLengths: options.patternLengths ?? [3, 5, 10],
    trials,
  });
  const experiment = readExperiment(text, {
    file: "benchmark.ini",
    tasks: TASKS,
    ...(connectomes === undefined
      ? {}
      : { overrides: { pathToNetwork: connectomes } }),
  });
  const prepared = await prepare(experiment);
  const units: RunId[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    for (const { index } of experiment.grid.combinations) {
      units.push({ combination: index, iteration });
    }
  }
  const chosen = units.slice(0, options.most);
  const runs: ModelRun[] = [];
  for (const unit of chosen) runs.push(await buildRun(prepared, unit));
  const { nodes: neurons, weight } = prepared.network;
  return {
    spec: {
      ...prepared.size,
      loss: experiment.task.task.loss,
      runs,
    },
    size: ensembleShape(prepared, chosen),
    network: net.name,
    density: weight.length / neurons ** 2,
  };
}

/** The connectome that a user of a benchmark wants: `--connectome`, in the folder that BIORNN_CONNECTOMES names. */
export function wantedConnectome(
  { string }: Flags,
): Pick<GridProblemOptions, "connectome" | "connectomes"> {
  return {
    connectomes: Deno.env.get("BIORNN_CONNECTOMES"),
    connectome: string.connectome,
  };
}

/** A connectome of a folder, with the original's 4 neurons a region. */
async function inFolder(folder: string, name: string) {
  const { regions } = await loadConnectome(name, { folder });
  return { name, regions, neurons: 4 };
}
