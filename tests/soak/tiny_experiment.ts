/**
 * A tiny experiment for tests that train for real: 29 neurons of the synthetic
 * connectome, two combinations, two iterations.
 *
 * @module
 */

import { join } from "node:path";

/** What may differ from the default. */
export interface TinyExperiment {
  readonly epochs?: number;
  readonly iterations?: number;
  readonly seed?: number;
  readonly task?: "seq_mem" | "nback_mem";
  readonly randomW?: boolean;
  /** `null_model`, of one arm or several, and how many networks each makes. */
  readonly nullModel?: string | readonly string[];
  readonly nullSamples?: number;
  readonly storeEveryEpoch?: number;
  readonly lr?: readonly number[];
  readonly optimizer?: "Adam" | "RMSprop" | "SGD";
  readonly freezeLayer?: boolean;
  /** Name of the connectome, its regions, and the folder it is in; by default a synthetic one. */
  readonly connectome?: string;
  readonly regions?: number;
  readonly network?: string;
  /** Results folder; "results" by default. */
  readonly results?: string;
  /** Results folder to start from. */
  readonly pretrained?: string;
  readonly pretrainedEpoch?: number;
}

/** The text of its config file. */
export function tinyConfig(tiny: TinyExperiment = {}): string {
  const task = tiny.task ?? "seq_mem";
  const trial = task === "seq_mem"
    ? `{"task_name":"seq_mem", "nr_of_trials":30, "train_size":0.8}`
    : `{"task_name":"nback_mem", "nr_of_trials":15, "trial_length":4, "train_size":0.8}`;
  const grid = task === "seq_mem" ? `"pattern_length":[2]` : `"n_back":[2]`;
  return `[paths]
path_to_results = ${tiny.results ?? "results"}
${tiny.pretrained === undefined ? "" : `pretrained = ${tiny.pretrained}`}
${tiny.network === undefined ? "" : `path_to_network = ${tiny.network}`}

[net]
net_name = ${tiny.connectome ?? "Synthetic_Macaque_29"}
rnn_size = ${tiny.regions ?? 29}
nr_neurons = 1
rand_partition = True
random_w = ${tiny.randomW ? "True" : "False"}
${
    tiny.nullModel === undefined
      ? ""
      : `null_model = ${JSON.stringify(tiny.nullModel)}`
  }
null_samples = ${tiny.nullSamples ?? 0}

[trainvalidate]
epochs = ${tiny.epochs ?? 12}
iterations = ${tiny.iterations ?? 2}
init = default
freeze_layer = ${tiny.freezeLayer ? "True" : "False"}
remap_w = True

[trialparams]
trial_params = ${trial}

[combosparams]
combos_params = {"lr":[${
    (tiny.lr ?? [0.001]).join(", ")
  }], "nonlinearity":["relu","tanh"], "optimizer":["${
    tiny.optimizer ?? "Adam"
  }"], ${grid}}

[pretrainedparams]
pretrained_epoch = ${tiny.pretrainedEpoch ?? 0}

[run]
seed = ${tiny.seed ?? 7}
batch_size = 16
store_every_epoch = ${tiny.storeEveryEpoch ?? 0}
`;
}

/**
 * Writes the config into a new folder and returns its path; the results will
 * be in the folder `results` beside it.
 */
export async function writeTinyConfig(
  folder: string,
  tiny: TinyExperiment = {},
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, "config.ini");
  await Deno.writeTextFile(path, tinyConfig(tiny));
  return path;
}

/** All files below a folder with their bytes, by relative path. */
export async function filesBelow(
  folder: string,
  prefix = "",
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const entry of Deno.readDir(join(folder, prefix))) {
    const name = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory) {
      for (const [path, bytes] of await filesBelow(folder, name)) {
        files.set(path, bytes);
      }
    } else files.set(name, await Deno.readFile(join(folder, name)));
  }
  return files;
}

/** Says in what two folders differ; empty where they are the same to the byte. */
export async function differences(a: string, b: string): Promise<string[]> {
  const left = await filesBelow(a), right = await filesBelow(b);
  const found: string[] = [];
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const x = left.get(name), y = right.get(name);
    if (x === undefined || y === undefined) {
      found.push(`${name} is only in ${x === undefined ? b : a}`);
    } else if (x.length !== y.length || x.some((byte, i) => byte !== y[i])) {
      found.push(`${name} differs`);
    }
  }
  return found.sort();
}
