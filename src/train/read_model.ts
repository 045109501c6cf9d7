/**
 * What a results folder gives back: stored models, the trials that its runs trained on,
 * drawn again, and what a model does on trials.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";
import type { Model } from "../engine/ensemble.ts";
import { readExperiment } from "../experiment/read.ts";
import { InputError } from "../files/input_error.ts";
import { simulate } from "../reference/simulate.ts";
import {
  type ExperimentRecord,
  readExperimentRecord,
} from "../results/experiment_record.ts";
import { modelPath, parseModelName, type RunId } from "../results/layout.ts";
import { TASKS } from "../tasks/registry.ts";
import { loadStimuli } from "../tasks/stimuli.ts";
import type { Stimuli, Task, Trials, TrialSet } from "../tasks/task.ts";
import { formatBytes, listNames } from "../text/words.ts";
import { drawTrials, stimuliChecksum } from "./build_run.ts";
import { listFolder, readIfThere } from "../files/read.ts";
import { NONLINEARITIES, type Nonlinearity } from "../rnn/nonlinearities.ts";
import { decodeCheckpoint } from "../rnn/checkpoint.ts";

/** What the trials of a run are drawn from, beyond what its results folder says. */
export interface ReadTrialsOptions extends RunId {
  /** File of the pictures or latents that the task showed, where they were not synthetic; by default the config's, if that is an absolute path. */
  readonly stimuli?: string | undefined;
  /** The tasks that the results may be of; default {@linkcode TASKS}. */
  readonly tasks?: ReadonlyMap<string, Task>;
}

/**
 * Draws the trials of a run again, from its streams: the same as in its training.
 *
 * @param folder A results folder of biornn.
 * @throws {InputError} If the folder does not say enough, or the pictures are not those that were shown.
 *
 * @example
 * ```ts no-eval
 * import { readModel, readTrials, simulate } from "@biornn/biornn";
 *
 * const run = { combination: 0, iteration: 0 };
 * const trials = await readTrials("results/bio", run);
 * simulate(await readModel("results/bio", run), trials).hidden; // [trial, time, neuron]
 * trials.validateBatches; // which of them validated
 * ```
 */
export async function readTrials(
  folder: string,
  { stimuli: file, tasks = TASKS, ...id }: ReadTrialsOptions,
): Promise<TrialSet> {
  const record = await readExperimentRecord(folder);
  const fail = (why: string): never => {
    throw new InputError(
      `Cannot draw the trials of "${folder}" again: ${why}`,
    );
  };
  if (!tasks.has(record.task.name)) {
    fail(`there is no task ${record.task.name} here`);
  }
  const text = record.config.effective ??
    fail(
      "its experiment.json is of a version that did not record the config that counts",
    );
  // Where the results are random, what by is of no interest here.
  const experiment = readExperiment(text, {
    file: join(folder, record.config.file),
    tasks,
    overrides: {
      set: {
        "net.null_model": "none",
        "net.random_w": "False",
        "net.match": "none",
      },
    },
  });
  const { combinations } = experiment.grid;
  if (combinations[id.combination] === undefined) {
    fail(
      `combination must be below ${combinations.length}, found ${id.combination}`,
    );
  }
  if (id.iteration >= record.iterations) {
    fail(`iteration must be below ${record.iterations}, found ${id.iteration}`);
  }
  const kind = experiment.task.task.stimuli;
  const stimuli = kind === undefined ? undefined : await loadStimuli(kind, {
    seed: record.seed,
    ...stimuliFile(record, { file, kind, text, fail }),
  });
  await refuseOthers(stimuli, { record, fail });
  return drawTrials(experiment, { id, stimuli });
}

/** Paths of a config begin at its folder, which results do not know. */
function stimuliFile(
  { stimuli }: ExperimentRecord,
  { file, kind, text, fail }: {
    readonly file: string | undefined;
    readonly kind: "latents" | "images";
    readonly text: string;
    readonly fail: (why: string) => never;
  },
): { readonly file?: string } {
  if (file !== undefined) return { file };
  if (stimuli?.synthetic ?? true) return {};
  const [, path = ""] = new RegExp(`^${kind} = (.*)$`, "m").exec(text) ?? [];
  if (path === "download" || isAbsolute(path)) return { file: path };
  return fail(
    `they show the ${kind} "${stimuli?.source}"; name its file with --stimuli`,
  );
}

async function refuseOthers(
  stimuli: Stimuli | undefined,
  { record, fail }: {
    readonly record: ExperimentRecord;
    readonly fail: (why: string) => never;
  },
): Promise<void> {
  const expected = record.stimuli?.sha256;
  if (stimuli === undefined || expected === undefined) return;
  if (await stimuliChecksum(stimuli) !== expected) {
    fail(
      `"${stimuli.source}" holds other pictures than those that were shown ("${record.stimuli?.source}")`,
    );
  }
}

/** Bytes of hidden states that are kept at most. */
const MOST_STATE_BYTES = 2 ** 30;

/** Bytes of a simulation in double precision, beside what is kept. */
const WORK_BYTES = 2 ** 27;

/** What a model does on some trials, in single precision. */
interface KeptActivity {
  readonly trialCount: number;
  readonly steps: number;
  readonly hiddenSize: number;
  readonly outputSize: number;
  /** [B, T, H] */
  readonly hidden: Float32Array<ArrayBuffer>;
  /** [B, T, O] */
  readonly output: Float32Array<ArrayBuffer>;
}

/**
 * Runs a model on trials as `simulate()` does, some at a time.
 *
 * @throws {InputError} If the hidden states take more memory than 1 GiB; it says how many trials do not.
 */
export function keepActivity(
  model: Model,
  { trialCount, steps, inputSize, inputs }: Omit<Trials, "targets">,
): KeptActivity {
  const { hiddenSize, outputSize } = model;
  const each = 4 * steps * hiddenSize;
  if (trialCount * each > MOST_STATE_BYTES) {
    const most = Math.floor(MOST_STATE_BYTES / each);
    throw new InputError(
      `Cannot keep the hidden states of ${trialCount} trials: ${trialCount} × ${steps} time steps × ${hiddenSize} neurons take ${
        formatBytes(trialCount * each)
      }, and allowed are ${formatBytes(MOST_STATE_BYTES)}; ${
        most === 0
          ? "a single trial takes more"
          : `take at most ${most} trials with --limit`
      }`,
    );
  }
  const hidden = new Float32Array(trialCount * steps * hiddenSize);
  const output = new Float32Array(trialCount * steps * outputSize);
  const atOnce = Math.max(1, Math.floor(WORK_BYTES / (8 * each)));
  for (let first = 0; first < trialCount; first += atOnce) {
    const count = Math.min(atOnce, trialCount - first);
    const length = steps * inputSize;
    const some = simulate(model, {
      trialCount: count,
      steps,
      inputSize,
      inputs: inputs.subarray(first * length, (first + count) * length),
    });
    hidden.set(some.hidden, first * steps * hiddenSize);
    output.set(some.output, first * steps * outputSize);
  }
  return { trialCount, steps, hiddenSize, outputSize, hidden, output };
}

/** Which model of a results folder. */
export interface ReadModelOptions extends RunId {
  /** Epochs after which it was stored, counted from 0, or "initial"; by default the last one. */
  readonly epoch?: number | "initial" | undefined;
  /** Nonlinearities of one's own that it may have, besides those of `NONLINEARITIES`. */
  readonly nonlinearities?: readonly Nonlinearity[];
}

/**
 * Reads a model that an experiment has stored.
 *
 * @param folder A results folder of biornn.
 * @param options Combination and iteration, both from 0. Of what models begin with, only iteration 0 is stored.
 * @throws {InputError} If there is no such model, or a file is damaged.
 *
 * @example
 * ```ts no-eval
 * import { readModel } from "@biornn/biornn";
 *
 * const model = await readModel("results/bio", { combination: 0, iteration: 0 });
 * model.parameters.weightHh; // a weight for each connection
 * ```
 */
export async function readModel(
  folder: string,
  { combination, iteration, epoch, nonlinearities = [] }: ReadModelOptions,
): Promise<Model> {
  const record = await readExperimentRecord(folder);
  const { grid, task, epochs, size } = record;
  const values = grid.combinations[combination];
  if (values === undefined) {
    throw new InputError(
      `Cannot read a model of "${folder}": combination must be below ${grid.combinations.length}, found ${combination}`,
    );
  }
  const activation = String(values[grid.keys.indexOf("nonlinearity")]);
  const all = [...NONLINEARITIES.values(), ...nonlinearities];
  const nonlinearity = all.find(({ name }) => name === activation);
  if (nonlinearity === undefined) {
    throw new InputError(
      `Cannot read a model of "${folder}": its nonlinearity ${activation} is none of biornn's; give it in "nonlinearities"`,
    );
  }
  const name = modelPath(folder, {
    combination,
    iteration,
    epoch: epoch ?? epochs - 1,
  });
  const bytes = await readIfThere(name, { what: "the model" });
  if (bytes === undefined) {
    const files = await listFolder(join(folder, String(combination))) ?? [];
    const stored = files.map(({ name }) => parseModelName(name))
      .filter((found) => found?.iteration === iteration)
      .map((found) => String(found!.epoch));
    throw new InputError(
      `Cannot read the model "${name}": there is no such file; of this run ${
        stored.length === 0
          ? "no model is stored"
          : `those of epoch ${listNames(stored.sort(), "and")} are stored`
      }`,
    );
  }
  const { parameters, connections } = decodeCheckpoint(bytes, { name, size });
  return {
    ...size,
    activation: nonlinearity,
    loss: task.loss,
    connections,
    parameters,
  };
}
