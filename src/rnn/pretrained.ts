/**
 * Starts a model from a trained one (`pretrained` in the config): a network
 * that has learnt one task goes on with another.
 *
 * @module
 */

import { join } from "node:path";
import { sha256Hex } from "../files/checksum.ts";
import { InputError } from "../files/input_error.ts";
import { readFileBytes } from "../files/read.ts";
import type { RandomStream } from "../random/stream.ts";
import type { Connections } from "../graph/connections.ts";
import { checkpointName, decodeCheckpoint } from "./checkpoint.ts";
import { drawReadout } from "./initialise.ts";
import {
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
} from "./parameters.ts";

/** Which model to load, and for what. */
export interface PretrainedOptions {
  /** Number of the combination: combination i starts from combination i. */
  readonly combination: number;
  /** `pretrained_epoch`, counted from 0. */
  readonly epoch: number;
  /** `pretrained_iteration`, counted from 0. */
  readonly iteration: number;
  /** Size of the new model. */
  readonly size: ModelSize;
  /** The run's stream of purpose "readout". */
  readonly stream: RandomStream;
}

/** A model to start from. */
export interface PretrainedModel {
  readonly parameters: Parameters<Float32Array>;
  /** Where the loaded W_hh is not 0; of a sparse one, those that its file lists. */
  readonly connections: Connections;
  /** Whether the read-out is a fresh one. */
  readonly freshReadout: boolean;
  /** The file it was loaded from. */
  readonly file: string;
  /** SHA-256 of the file. */
  readonly sha256: string;
}

/** How many names a message lists at most. */
const LISTED = 6;

/**
 * Loads the model of a combination from a results folder, ours
 * (`.safetensors`) or the original's (`.pth`). The recurrent part is kept,
 * connections with a weight of exactly 0 in a dense W_hh stay absent; the read-out is replaced by a
 * fresh one where the new task has another number of outputs, as between
 * seq_mem and nback_mem.
 *
 * @throws {InputError} If there is no such file, it can't be read or the model's size does not fit.
 *
 * @example
 * ```ts no-eval
 * import { createStream } from "./src/random/stream.ts";
 * import { loadPretrained } from "./src/rnn/pretrained.ts";
 *
 * const { parameters, connections } = await loadPretrained("results_seq_mem", {
 *   combination: 0,
 *   epoch: 499,
 *   iteration: 0,
 *   size: { hiddenSize: 220, inputSize: 2, outputSize: 3 },
 *   stream: createStream({ seed: 1, purpose: "readout" }),
 * });
 * ```
 */
export async function loadPretrained(
  folder: string,
  options: PretrainedOptions,
): Promise<PretrainedModel> {
  const { size, stream } = options;
  const file = await findCheckpoint(folder, options);
  const bytes = await readFileBytes(file, { what: "the pretrained model" });
  const loaded = decodeCheckpoint(bytes, { name: file });
  if (
    loaded.size.hiddenSize !== size.hiddenSize ||
    loaded.size.inputSize !== size.inputSize
  ) {
    throw new InputError(
      `Cannot use the pretrained model "${file}": it has ${loaded.size.hiddenSize} hidden units and ${loaded.size.inputSize} inputs, but this experiment has ${size.hiddenSize} and ${size.inputSize}`,
    );
  }
  for (const name of PARAMETER_NAMES) {
    if (!loaded.parameters[name].every(Number.isFinite)) {
      throw new InputError(
        `Cannot use the pretrained model "${file}": some of its weights are NaN or infinite`,
      );
    }
  }
  const freshReadout = loaded.size.outputSize !== size.outputSize;
  return {
    parameters: {
      ...loaded.parameters,
      ...(freshReadout ? drawReadout(size, { scheme: "default", stream }) : {}),
    },
    connections: loaded.connections,
    freshReadout,
    file,
    sha256: await sha256Hex(bytes),
  };
}

async function findCheckpoint(
  folder: string,
  { combination, epoch, iteration }: PretrainedOptions,
): Promise<string> {
  const fail = (what: string): never => {
    throw new InputError(`Cannot load the pretrained models: ${what}`);
  };
  const found = await namesIn(folder, fail);
  if (found === undefined) return fail(`there is no folder "${folder}"`);
  const inside = join(folder, String(combination));
  const names = await namesIn(inside, fail);
  if (names === undefined) {
    const others = found.filter((name) => /^\d+$/.test(name));
    return fail(
      `"${folder}" has no folder "${combination}" for combination ${combination}${
        others.length === 0
          ? "; it is no results folder"
          : `; it has ${list(others.map(Number))}`
      }`,
    );
  }
  const wanted = checkpointName(epoch, iteration);
  const original = wanted.replace(/\.safetensors$/, ".pth");
  for (const name of [wanted, original]) {
    if (names.includes(name)) return join(inside, name);
  }
  return fail(
    `"${inside}" has no model of epoch ${epoch}, iteration ${iteration} (${wanted} or .pth); ${
      describeCheckpoints(names)
    }`,
  );
}

/** Names of a folder's entries; undefined where there is no such folder. */
async function namesIn(
  folder: string,
  fail: (what: string) => never,
): Promise<string[] | undefined> {
  try {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(folder)) names.push(name);
    return names;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return undefined;
    if (
      error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable
    ) fail(`reading "${folder}" is not permitted`);
    throw error;
  }
}

function describeCheckpoints(names: readonly string[]): string {
  const epochs = new Set<number>();
  const iterations = new Set<number>();
  for (const name of names) {
    const match =
      /^model_state_dict_epoch_(\d+)_iter_(\d+)\.(?:safetensors|pth)$/.exec(
        name,
      );
    if (match === null) continue;
    epochs.add(Number(match[1]));
    iterations.add(Number(match[2]));
  }
  return epochs.size === 0
    ? "it has none at all"
    : `there are epochs ${list([...epochs])} of iterations ${
      list([...iterations])
    }`;
}

function list(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  if (sorted.length <= LISTED) return sorted.join(", ");
  return `${sorted.slice(0, LISTED - 1).join(", ")} … ${sorted.at(-1)}`;
}
