/**
 * Reads a results folder: one of this program, or one that the original
 * Python program wrote.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readNpy } from "../files/npy.ts";
import { readFileBytes, readTextFile } from "../files/read.ts";
import {
  EXPERIMENT_FILE,
  type ExperimentRecord,
  parseExperimentRecord,
} from "./experiment_record.ts";
import {
  INDEX_FILE,
  type IndexEntry,
  parseFolderIndex,
} from "./folder_index.ts";
import { inferGridKeys } from "./grid_keys.ts";
import type { Plain } from "./json_fields.ts";

/** One quantity over the epochs of every iteration. */
export interface Curves {
  readonly iterations: number;
  readonly epochs: number;
  /** [iterations, epochs], row-major; NaN where it was not defined. */
  readonly values: Float64Array;
}

/** Files of a combination, by what they hold. */
export const CURVE_FILES = {
  trainLoss: "train_loss_all.npy",
  validateLoss: "validate_loss_all.npy",
  trainMetrics: "train_metrics_all.npy",
  validateMetrics: "validate_metrics_all.npy",
} as const;

/** What was measured of a combination. */
export interface CombinationCurves {
  readonly trainLoss: Curves;
  readonly validateLoss: Curves;
  /** Accuracy in %; it may have fewer iterations than the losses. */
  readonly trainMetrics?: Curves;
  readonly validateMetrics?: Curves;
}

/** A combination of the grid and its runs. */
export interface CombinationResult extends CombinationCurves {
  /** Number in `folder_index.txt`. */
  readonly index: number;
  /** As in `folder_index.txt`, e.g. `(0.0001, 'relu', 'Adam', 3)`. */
  readonly title: string;
  /** Value by key of the grid, e.g. `{ lr: 0.0001, nonlinearity: "relu", … }`. */
  readonly parameters: Readonly<Record<string, Plain>>;
}

/** What a results folder holds. */
export interface ResultsFolder {
  readonly path: string;
  /** `experiment.json`; undefined for folders of the original program. */
  readonly experiment: ExperimentRecord | undefined;
  /** Those that are finished, in the order of `folder_index.txt`. */
  readonly combinations: readonly CombinationResult[];
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads a results folder. Combinations whose losses are not there yet are
 * left out with a warning.
 *
 * @throws {InputError} If there is no such folder, it is no results folder, or a file in it is damaged.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "./src/results/results_folder.ts";
 *
 * const { combinations } = await readResultsFolder("results/bio");
 * combinations[0]?.validateLoss.values; // [iterations, epochs]
 * ```
 */
export async function readResultsFolder(path: string): Promise<ResultsFolder> {
  const names = await listFolder(path);
  if (!names.has(INDEX_FILE)) {
    throw new InputError(
      `Cannot read the results in "${path}": it is no results folder, as it has no ${INDEX_FILE}`,
    );
  }
  const index = join(path, INDEX_FILE);
  const entries = parseFolderIndex(
    await readTextFile(index, { what: "the list of combinations" }),
    { name: index },
  );
  if (entries.length === 0) {
    throw new InputError(
      `Cannot read the results in "${path}": its ${INDEX_FILE} lists no combination`,
    );
  }
  const experiment = names.has(EXPERIMENT_FILE)
    ? await readExperimentRecord(path)
    : undefined;

  const warnings: string[] = [];
  const unfinished: number[] = [];
  const finished: { entry: IndexEntry; curves: CombinationCurves }[] = [];
  for (const entry of entries) {
    const curves = await readCombination(path, entry.index);
    if (curves === undefined) {
      unfinished.push(entry.index);
      continue;
    }
    finished.push({ entry, curves });
    warnings.push(...differencesOf(curves, entry).map((w) => `${path}: ${w}`));
  }
  if (unfinished.length > 0) {
    warnings.unshift(
      `${path}: ${unfinished.length} of ${entries.length} combinations have no losses yet and are left out: ${
        unfinished.join(", ")
      }`,
    );
  }
  const keys = experiment?.grid.keys ??
    inferGridKeys(entries.map((entry) => entry.values), {
      accuracy: finished.some(({ curves }) =>
        (curves.trainMetrics ?? curves.validateMetrics) !== undefined
      ),
    });
  const combinations = finished.map(({ entry, curves }) => ({
    index: entry.index,
    title: entry.title,
    parameters: parametersOf(entry, { keys, path }),
    ...curves,
  }));
  return { path, experiment, combinations, warnings };
}

async function listFolder(path: string): Promise<Set<string>> {
  const names = new Set<string>();
  try {
    for await (const { name } of Deno.readDir(path)) names.add(name);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : error instanceof Deno.errors.NotADirectory ||
          (error as { code?: unknown }).code === "ENOTDIR"
      ? "it is a file, not a folder"
      : error instanceof Deno.errors.PermissionDenied
      ? "reading it is not permitted"
      : error instanceof Deno.errors.NotCapable
      ? "this program was started without the permission to read it"
      : undefined;
    if (reason === undefined) throw error;
    throw new InputError(`Cannot read the results in "${path}": ${reason}`, {
      cause: error,
    });
  }
  return names;
}

/**
 * Reads `experiment.json` of a results folder.
 *
 * @throws {InputError} If there is none or it is damaged.
 */
export async function readExperimentRecord(
  path: string,
): Promise<ExperimentRecord> {
  const name = join(path, EXPERIMENT_FILE);
  const text = await readTextFile(name, { what: "the experiment" });
  return parseExperimentRecord(text, { name });
}

/** The curves of a combination; undefined where a loss is missing. */
async function readCombination(
  path: string,
  index: number,
): Promise<CombinationCurves | undefined> {
  const folder = join(path, String(index));
  const trainLoss = await readCurves(join(folder, CURVE_FILES.trainLoss));
  const validateLoss = await readCurves(join(folder, CURVE_FILES.validateLoss));
  if (trainLoss === undefined || validateLoss === undefined) return undefined;
  const trainMetrics = await readCurves(join(folder, CURVE_FILES.trainMetrics));
  const validateMetrics = await readCurves(
    join(folder, CURVE_FILES.validateMetrics),
  );
  return {
    trainLoss,
    validateLoss,
    ...(trainMetrics === undefined ? {} : { trainMetrics }),
    ...(validateMetrics === undefined ? {} : { validateMetrics }),
  };
}

/** Undefined where there is no such file, or it is empty, as the original's is for a task without accuracy. */
async function readCurves(file: string): Promise<Curves | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileBytes(file, { what: "the curves" });
  } catch (error) {
    if (
      error instanceof InputError && error.cause instanceof Deno.errors.NotFound
    ) return undefined;
    throw error;
  }
  const { shape, data } = readNpy(bytes, { name: file });
  if (data.length === 0) return undefined;
  const [first = 0, second] = shape;
  if (shape.length > 2 || shape.length === 0) {
    throw new InputError(
      `Cannot read "${file}": its shape must be (iterations, epochs), found (${
        shape.join(", ")
      })`,
    );
  }
  return second === undefined
    ? { iterations: 1, epochs: first, values: data }
    : { iterations: first, epochs: second, values: data };
}

/** Sentences on what does not go together within a combination. */
function differencesOf(
  curves: CombinationCurves,
  { index }: IndexEntry,
): string[] {
  const { trainLoss, validateLoss, trainMetrics, validateMetrics } = curves;
  const sentences: string[] = [];
  if (
    trainLoss.iterations !== validateLoss.iterations ||
    trainLoss.epochs !== validateLoss.epochs
  ) {
    sentences.push(
      `combination ${index} has training losses of ${
        size(trainLoss)
      } but validation losses of ${size(validateLoss)}`,
    );
  }
  const metrics = validateMetrics ?? trainMetrics;
  if (metrics !== undefined && metrics.iterations !== validateLoss.iterations) {
    sentences.push(
      `combination ${index} has accuracies of ${metrics.iterations} of its ${validateLoss.iterations} iterations`,
    );
  }
  return sentences;
}

function size({ iterations, epochs }: Curves): string {
  return `${iterations} x ${epochs} (iterations x epochs)`;
}

function parametersOf(
  { index, values }: IndexEntry,
  { keys, path }: { keys: readonly string[]; path: string },
): Record<string, Plain> {
  if (values.length > keys.length) {
    throw new InputError(
      `Cannot read the results in "${path}": combination ${index} has ${values.length} values in ${INDEX_FILE}, but ${EXPERIMENT_FILE} names ${keys.length}`,
    );
  }
  return Object.fromEntries(
    values.map((value, i) => [keys[i] as string, value]),
  );
}
