/**
 * Small random experiments, each from its number.
 *
 * @module
 */

import { join } from "node:path";
import { NULL_MODEL_NAMES } from "../../src/connectome/nulls/null_model.ts";
import type { EnsembleSpec, ModelRun } from "../../src/engine/ensemble.ts";
import { readArms } from "../../src/experiment/read.ts";
import { InputError } from "../../src/files/input_error.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { createStream, type RandomStream } from "../../src/random/stream.ts";
import { INITIALISATIONS } from "../../src/rnn/initialisations.ts";
import { NONLINEARITIES } from "../../src/rnn/nonlinearities.ts";
import type { ModelSize } from "../../src/rnn/parameters.ts";
import { OPTIMIZERS } from "../../src/rnn/optimizers.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import { buildRun, runsOf } from "../../src/train/build_run.ts";
import { prepareArms } from "../../src/train/prepare.ts";

/** An experiment, its runs ready to train. */
export interface RandomExperiment {
  readonly config: string;
  /** Where the config would be. */
  readonly file: string;
  /** Runs of all arms, those of one size together. */
  readonly specs: readonly EnsembleSpec[];
  readonly epochs: number;
}

/** Draws the experiment of that number; its connectomes and pictures go into a folder of its own. */
export async function randomExperiment(
  number: number,
  options: { readonly folder: string },
): Promise<RandomExperiment> {
  const folder = join(options.folder, String(number));
  await Deno.mkdir(folder);
  const stream = createStream({ seed: number, purpose: "bootstrap" });
  // Drawn apart, so that all else of an experiment is what it was without.
  const regions = createStream({ seed: number, purpose: "weights" });
  const arms = createStream({ seed: number, purpose: "topology" });
  let config = (await writeConfig(stream, folder))
    .replace("[net]", (net) => `${net}${chosenRegions(regions)}`);
  if (arms.integer(3) > 0) config = await withArms(config, { arms, folder });
  const file = join(folder, "config.ini");
  try {
    return { config, file, ...await build(config, file) };
  } catch (error) {
    // A null model's network may have no cycle, and then no radius to match.
    if (!(error instanceof InputError && /no cycle/.test(error.message))) {
      throw error;
    }
    config = config.replace("match = spectral_radius", "match = activity");
    return { config, file, ...await build(config, file) };
  }
}

/** Runs of an experiment, evenly spread where it has more: single precision is slow. */
const MOST_RUNS = 4;

async function build(config: string, file: string) {
  const experiments = readArms(config, { file });
  const prepared = await prepareArms(experiments);
  const all: { size: ModelSize; run: ModelRun }[] = [];
  for (const arm of prepared) {
    for (const id of runsOf(arm.experiment)) {
      all.push({ size: arm.size, run: await buildRun(arm, id) });
    }
  }
  const { loss } = experiments[0]!.task.task;
  const every = Math.ceil(all.length / MOST_RUNS);
  const specs = Map.groupBy(
    all.filter((_, i) => i % every === 0),
    ({ size }) => size.hiddenSize,
  ).values().map((some): EnsembleSpec => ({
    ...some[0]!.size,
    loss,
    runs: some.map(({ run }) => run),
  }));
  const { epochs } = experiments[0]!.training;
  return { specs: [...specs], epochs };
}

/** In every second experiment, which of the first two regions get input, and which are read out. */
function chosenRegions(stream: RandomStream): string {
  const choice = (key: string) =>
    ["", `\n${key} = [0]`, `\n${key} = [1]`, ""][stream.integer(4)]!;
  return `${choice("input_regions")}${choice("output_regions")}`;
}

/** The config with null models, often several, sometimes of several connectomes. */
async function withArms(
  config: string,
  { arms: stream, folder }: {
    readonly arms: RandomStream;
    readonly folder: string;
  },
): Promise<string> {
  const pick = <T>(...values: readonly T[]): T =>
    values[stream.integer(values.length)]!;
  const size = Number(/rnn_size = (\d+)/.exec(config)![1]);
  const other = pick(0, 0, size, 2 + stream.integer(8));
  for (const [name, regions] of [["Own", size], ["Other", other]] as const) {
    if (regions === 0) continue;
    if (name === "Other") {
      await writeConnectome(stream, { folder, name, regions });
    }
    await writeDistances(stream, { folder, name, regions });
  }
  const names = [
    ...new Set(
      Array.from(
        { length: 1 + stream.integer(3) },
        () => pick("none", ...NULL_MODEL_NAMES),
      ),
    ),
  ];
  const keys = {
    random_w: "False",
    null_model: names.length === 1 && pick(true, false)
      ? names[0]!
      : JSON.stringify(names),
    null_samples: pick(0, 0, 1, 2, 3),
    match: pick("none", "spectral_radius", "activity"),
    shared_init: pick("True", "False"),
    fresh_network: pick("True", "False"),
    ...(other === 0 ? {} : {
      net_name: '["Own", "Other"]',
      rnn_size: other === size ? size : `[${size}, ${other}]`,
    }),
  };
  const kept = config.replace(
    /^(random_w|net_name|rnn_size) = .*\n/gm,
    (line, key) => key in keys ? "" : line,
  ).replace(/iterations = \d/, `iterations = ${1 + stream.integer(3)}`);
  const lines = Object.entries(keys).map(([key, value]) => `${key} = ${value}`);
  return kept.replace("[net]", `[net]\n${lines.join("\n")}`);
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
  { folder, regions, name = "Own" }: {
    readonly folder: string;
    readonly regions: number;
    readonly name?: string;
  },
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
  await Deno.writeFile(
    join(folder, `C_${name}.npy`),
    writeNpy({ shape, data }),
  );
}

async function writeDistances(
  stream: RandomStream,
  { folder, regions, name }: {
    readonly folder: string;
    readonly regions: number;
    readonly name: string;
  },
): Promise<void> {
  const at = Array.from({ length: regions }, () => stream.uniform());
  const data = Float64Array.from(
    { length: regions ** 2 },
    (_, i) => Math.abs(at[i % regions]! - at[Math.floor(i / regions)]!),
  );
  const shape = [regions, regions];
  await Deno.writeFile(
    join(folder, `D_${name}.npy`),
    writeNpy({ shape, data }),
  );
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
