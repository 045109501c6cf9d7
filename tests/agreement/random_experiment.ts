/**
 * Small random experiments, each from its number.
 *
 * @module
 */

import { join } from "node:path";
import type { EnsembleSpec } from "../../src/engine/ensemble.ts";
import { readExperiment } from "../../src/experiment/read.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { createStream, type RandomStream } from "../../src/random/stream.ts";
import { INITIALISATIONS } from "../../src/rnn/initialisations.ts";
import { NONLINEARITIES } from "../../src/rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../../src/rnn/optimizers.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import { buildRun, runsOf } from "../../src/train/build_run.ts";
import { prepare } from "../../src/train/prepare.ts";

/** An experiment, its runs ready to train. */
export interface RandomExperiment {
  readonly config: string;
  readonly spec: EnsembleSpec;
  readonly epochs: number;
}

/** Draws the experiment of that number; its connectome and pictures go into the folder. */
export async function randomExperiment(
  number: number,
  { folder }: { readonly folder: string },
): Promise<RandomExperiment> {
  const stream = createStream({ seed: number, purpose: "bootstrap" });
  // Drawn apart, so that all else of an experiment is what it was without.
  const regions = createStream({ seed: number, purpose: "weights" });
  const config = (await writeConfig(stream, folder))
    .replace("[net]", (net) => `${net}${chosenRegions(regions)}`);
  const file = join(folder, "config.ini");
  const experiment = readExperiment(config, { file, tasks: TASKS });
  const prepared = await prepare(experiment);
  const runs = [];
  for (const unit of runsOf(experiment)) {
    runs.push(await buildRun(prepared, unit));
  }
  const { loss } = experiment.task.task;
  return {
    config,
    spec: { ...prepared.size, loss, runs },
    epochs: experiment.training.epochs,
  };
}

/** In every second experiment, which of the first two regions get input, and which are read out. */
function chosenRegions(stream: RandomStream): string {
  const choice = (key: string) =>
    ["", `\n${key} = [0]`, `\n${key} = [1]`, ""][stream.integer(4)]!;
  return `${choice("input_regions")}${choice("output_regions")}`;
}

async function writeConfig(
  stream: RandomStream,
  folder: string,
): Promise<string> {
  const pick = <T>(...values: readonly T[]): T =>
    values[stream.integer(values.length)]!;
  const some = <T>(most: number, draw: () => T): T[] => [
    ...new Set(Array.from({ length: 1 + stream.integer(most) }, draw)),
  ];
  const between = (low: number, high: number) =>
    low + stream.integer(high - low + 1);
  const bool = () => pick("True", "False");
  const list = (values: readonly unknown[]) =>
    `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;

  const regions = between(2, 9);
  await writeConnectome(stream, { folder, regions });
  const trialLength = between(2, 7);
  const ownOf: Record<string, [trial: string, grid: () => string]> = {
    seq_mem: [
      pick("", '"low":-1,', '"low":-1e5, "high":1e5,', '"low":0.999,'),
      () => `"pattern_length":${list(some(2, () => between(1, 6)))}`,
    ],
    match_to_sample: [
      pick("", '"directions":2,'),
      () => `"delay":${list(some(2, () => between(0, 5)))}`,
    ],
    context_decision: [
      pick("", '"noise":0,', '"noise":1e4, "evidence":1e4,'),
      () => `"evidence_length":${list(some(2, () => between(1, 8)))}`,
    ],
    memory_capacity: [
      `"trial_length":${trialLength},`,
      () => `"lag":${list(some(2, () => between(0, trialLength - 1)))}`,
    ],
  };
  const task = pick(...TASKS.keys());
  const [parameters, gridOf] = ownOf[task] ?? [
    `"trial_length":${trialLength},`,
    () => `"n_back":${list(some(2, () => between(1, trialLength - 1)))}`,
  ];
  if (task.startsWith("pic")) await writePictures(stream, folder);
  const grid = gridOf();
  const rates = some(
    3,
    () => Number((10 ** (-6 + 9 * stream.uniform())).toPrecision(3)),
  );
  return `
[paths]
path_to_results = results
path_to_network = .
${task === "pic_mem" ? "images = pictures.npy" : ""}
${task === "pic_latent_mem" ? "latents = pictures.npy" : ""}
[net]
net_name = Own
rnn_size = ${regions}
nr_neurons = ${between(1, 6)}
rand_partition = ${bool()}
random_w = ${bool()}
target_sparsity = ${pick(0.2, 0.8, 1)}
compatibility = ${pick("described", "original")}
[trainvalidate]
epochs = ${between(1, 12)}
iterations = ${between(1, 2)}
init = ${pick(...INITIALISATIONS.keys())}
freeze_layer = ${pick("True", "False", "False", "False")}
remap_w = ${bool()}
[trialparams]
trial_params = {"task_name":"${task}", ${parameters} "nr_of_trials":${
    between(4, 14)
  }, "train_size":0.7${task.startsWith("pic") ? `, "rescale":${bool()}` : ""}}
[combosparams]
combos_params = {"lr":${list(rates)}, "nonlinearity":${
    list(some(2, () => pick(...NONLINEARITIES.keys())))
  }, "optimizer":${list(some(2, () => pick(...OPTIMIZERS.keys())))}, ${grid}}
[run]
seed = ${stream.integer(2 ** 31)}
batch_size = ${between(1, 9)}
`;
}

async function writeConnectome(
  stream: RandomStream,
  { folder, regions }: { readonly folder: string; readonly regions: number },
): Promise<void> {
  const density = 0.2 + 0.8 * stream.uniform();
  const data = Float64Array.from(
    { length: regions ** 2 },
    (_, i) =>
      i % (regions + 1) !== 0 && (i === 1 || stream.uniform() < density)
        ? 10 ** (-4 * stream.uniform())
        : 0,
  );
  const shape = [regions, regions];
  await Deno.writeFile(join(folder, "C_Own.npy"), writeNpy({ shape, data }));
}

/** Twelve pictures of five pixels from 0 to 255, of three labels. */
async function writePictures(
  stream: RandomStream,
  folder: string,
): Promise<void> {
  const count = 30;
  const pixels = Float64Array.from(
    { length: count * 5 },
    (_, i) => i === 0 ? 255 : stream.integer(256),
  );
  const labels = Float64Array.from({ length: count }, (_, i) => i % 3);
  const write = (name: string, shape: number[], data: Float64Array) =>
    Deno.writeFile(join(folder, name), writeNpy({ shape, data }));
  await write("pictures.npy", [count, 5], pixels);
  await write("pictures_labels.npy", [count], labels);
}
