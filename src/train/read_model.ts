/**
 * What a results folder gives back: stored models, the trials that its runs trained on,
 * drawn again, and what a model does on trials.
 *
 * @module
 */

import { isAbsolute, join } from "node:path";
import type { Model } from "../engine/ensemble.ts";
import { readExperiment } from "../experiment/read.ts";
import { isCount } from "../files/bytes.ts";
import { InputError } from "../files/input_error.ts";
import { simulate } from "../reference/simulate.ts";
import { readExperimentRecord } from "../results/experiment_record.ts";
import { modelPath, parseModelName, type RunId } from "../results/layout.ts";
import { TASKS } from "../tasks/registry.ts";
import { loadStimuli } from "../tasks/stimuli.ts";
import type { Task, Trials, TrialSet } from "../tasks/task.ts";
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
  const set = {
    "net.null_model": "none",
    "net.random_w": "False",
    "net.match": "none",
  };
  const experiment = readExperiment(text, {
    file: join(folder, record.config.file),
    tasks,
    overrides: { set },
  });
  const bounds = {
    combination: experiment.grid.combinations.length,
    iteration: record.iterations,
  };
  for (const key of ["combination", "iteration"] as const) {
    const number = id[key];
    if (isCount(number) && number < bounds[key]) continue;
    fail(`${key} must be below ${bounds[key]}, found ${number}`);
  }
  const kind = experiment.task.task.stimuli;
  if (kind === undefined) {
    return drawTrials(experiment, { id, stimuli: undefined });
  }
  const shown = record.stimuli;
  // Paths of a config begin at its folder, which results do not know.
  const pathOf = () => {
    if (shown?.synthetic ?? true) return undefined;
    const [, path = ""] = new RegExp(`^${kind} = (.*)$`, "m").exec(text) ?? [];
    if (path === "download" || isAbsolute(path)) return path;
    return fail(
      `they show the ${kind} "${shown?.source}"; name its file with --stimuli`,
    );
  };
  const path = file ?? pathOf();
  const stimuli = await loadStimuli(kind, {
    seed: record.seed,
    ...(path === undefined ? {} : { file: path }),
  });
  const expected = shown?.sha256;
  if (expected !== undefined && expected !== await stimuliChecksum(stimuli)) {
    fail(
      `"${stimuli.source}" holds other pictures than those that were shown ("${shown?.source}")`,
    );
  }
  return drawTrials(experiment, { id, stimuli });
}

/** Bytes of hidden states that are kept at most. */
const MOST_STATE_BYTES = 2 ** 30;

/** Bytes of a simulation in double precision, beside what is kept. */
const WORK_BYTES = 2 ** 27;

/**
 * Runs a model on trials as `simulate()` does, some at a time, and keeps what it does in
 * single precision: hidden states [B, T, H], outputs [B, T, O].
 *
 * @throws {InputError} If the hidden states take more memory than 1 GiB; it says how many trials do not.
 */
export function keepActivity(
  model: Model,
  { trialCount, steps, inputSize, inputs }: Omit<Trials, "targets">,
) {
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
  const length = steps * inputSize;
  for (let first = 0; first < trialCount; first += atOnce) {
    const last = Math.min(first + atOnce, trialCount);
    const some = simulate(model, {
      trialCount: last - first,
      steps,
      inputSize,
      inputs: inputs.subarray(first * length, last * length),
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
  const { grid: { keys, combinations }, task: { loss }, epochs, size } = record;
  const fail = (why: string): never => {
    throw new InputError(`Cannot read a model of "${folder}": ${why}`);
  };
  const values = combinations[combination] ?? fail(
    `combination must be below ${combinations.length}, found ${combination}`,
  );
  const named = String(values[keys.indexOf("nonlinearity")]);
  const activation = NONLINEARITIES.get(named) ??
    nonlinearities.find(({ name }) => name === named) ?? fail(
      `its nonlinearity ${named} is none of biornn's; give it in "nonlinearities"`,
    );
  const id = { combination, iteration };
  const name = modelPath(folder, { ...id, epoch: epoch ?? epochs - 1 });
  const bytes = await readIfThere(name, { what: "the model" });
  if (bytes === undefined) {
    const files = await listFolder(join(folder, String(combination))) ?? [];
    const stored = files.flatMap(({ name }) => {
      const found = parseModelName(name);
      return found?.iteration === iteration ? [String(found.epoch)] : [];
    });
    throw new InputError(
      `Cannot read the model "${name}": there is no such file; of this run ${
        stored.length === 0
          ? "no model is stored"
          : `those of epoch ${listNames(stored.sort(), "and")} are stored`
      }`,
    );
  }
  const { parameters, connections } = decodeCheckpoint(bytes, { name, size });
  return { ...size, activation, loss, connections, parameters };
}
