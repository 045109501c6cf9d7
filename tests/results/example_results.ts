/**
 * Small results folders for tests, and what tests of them ask.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../../src/files/input_error.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  encodeExperimentRecord,
  type ExperimentRecord,
} from "../../src/results/experiment_record.ts";
import {
  type CombinationCurves,
  curveFiles,
  type Curves,
  formatFolderIndex,
} from "../../src/results/data_files.ts";
import { EXPERIMENT_FILE, INDEX_FILE } from "../../src/results/layout.ts";
import type {
  CombinationResult,
  ResultsFolder,
} from "../../src/results/results_folder.ts";
import { filesBelow } from "../soak/tiny_experiment.ts";

/** Asserts that something is refused: an error of that class, in a sentence on one line. */
export async function assertRefused(
  attempt: Promise<unknown>,
  message: RegExp,
  type: new (message: string) => Error = InputError,
): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof type, String(error));
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n"));
    return true;
  });
}

/** Paths of all files in a folder, sorted. */
export async function namesIn(folder: string): Promise<string[]> {
  return [...(await filesBelow(folder)).keys()].sort();
}

/** Changes a bit of a file, so many bytes before its end. */
export async function flipBit(file: string, fromEnd = 1): Promise<void> {
  const bytes = await Deno.readFile(file);
  bytes[bytes.length - fromEnd]! ^= 1;
  await Deno.writeFile(file, bytes);
}

/** A row of values an iteration. */
export function curves(...rows: number[][]): Curves {
  return {
    iterations: rows.length,
    epochs: rows[0]?.length ?? 0,
    values: Float64Array.from(rows.flat()),
  };
}

/** Losses that fall from 1 to each given end. */
export function falling(ends: readonly number[], epochs = 12): Curves {
  return curves(
    ...ends.map((end) =>
      Array.from(
        { length: epochs },
        (_, epoch) => end + (1 - end) * 0.5 ** epoch,
      )
    ),
  );
}

/** Training and validation the same. */
export function alike(loss: Curves, accuracy?: Curves): CombinationCurves {
  return {
    trainLoss: loss,
    validateLoss: loss,
    ...(accuracy === undefined
      ? {}
      : { trainMetrics: accuracy, validateMetrics: accuracy }),
  };
}

/** Results in memory. */
export function resultsOf(
  combinations: readonly (CombinationCurves & Partial<CombinationResult>)[],
  { path = "", experiment }: {
    readonly path?: string;
    readonly experiment?: ExperimentRecord;
  } = {},
): ResultsFolder {
  return {
    path,
    experiment,
    combinations: combinations.map((own, index) => ({
      index,
      title: `(${index})`,
      parameters: {},
      ...own,
    })),
    warnings: [],
  };
}

/** So many numbers around a mean, the same each time. */
export function scatter(
  n: number,
  { mean, sd, seed }: { mean: number; sd: number; seed: number },
): number[] {
  const stream = createStream({ seed, purpose: "trials" });
  return Array.from({ length: n }, () => mean + sd * stream.normal());
}

/** Titles of an experiment with two combinations. */
export const TITLES = [
  "(0.0001, 'relu', 'Adam', 3)",
  "(1e-06, 'tanh', 'SGD', 10)",
];

/** The record of such an experiment. */
export function exampleRecord(
  changes: Partial<ExperimentRecord> = {},
): ExperimentRecord {
  return {
    format: "biornn-results/1",
    program: {
      name: "biornn",
      version: "0.1.0",
      numerics: 2,
      deno: "2.9.6",
    },
    trainedBy: ["biornn 0.1.0, numerics 2"],
    fingerprint: "f".repeat(64),
    config: { file: "example.ini", text: "[net]\nrnn_size = 2\n" },
    overrides: { seed: 7 },
    task: {
      name: "seq_mem",
      loss: "mse",
      parameters: { nr_of_trials: 100, train_size: 0.8 },
    },
    grid: {
      keys: ["lr", "nonlinearity", "optimizer", "pattern_length"],
      combinations: [[0.0001, "relu", "Adam", 3], [1e-6, "tanh", "SGD", 10]],
    },
    epochs: 12,
    iterations: 3,
    batchSize: 128,
    seed: 7,
    storeEveryEpoch: 0,
    compatibility: "described",
    init: "default",
    freezeLayer: false,
    remapW: true,
    randomW: false,
    randPartition: true,
    targetSparsity: 0.8,
    targetSparsityIntrinsic: 1,
    connectome: {
      name: "Example",
      species: "none",
      regions: 2,
      neurons: 1,
      sha256: "0".repeat(64),
      source: "embedded",
      synthetic: true,
      citations: ["Nobody, 2024"],
      regionNames: ["A", "B"],
    },
    engine: { kind: "reference", description: "float64" },
    size: { hiddenSize: 2, inputSize: 2, outputSize: 1 },
    failures: [{ combination: 1, iteration: 0, epoch: 3, what: "NaN" }],
    ...changes,
  };
}

/** Writes a results folder inside a folder, and returns its path. */
export async function writeExample(
  folder: string,
  name: string,
  { titles = TITLES, combinations, record }: {
    titles?: readonly string[];
    combinations: readonly (CombinationCurves | undefined)[];
    record?: ExperimentRecord;
  },
): Promise<string> {
  const path = join(folder, name);
  await Deno.mkdir(path);
  await Deno.writeTextFile(join(path, INDEX_FILE), formatFolderIndex(titles));
  if (record !== undefined) {
    await Deno.writeTextFile(
      join(path, EXPERIMENT_FILE),
      encodeExperimentRecord(record),
    );
  }
  for (const [index, curves] of combinations.entries()) {
    if (curves !== undefined) await writeCurves(path, index, curves);
  }
  return path;
}

/** Writes the files of a combination. */
export async function writeCurves(
  path: string,
  index: number,
  curves: CombinationCurves,
): Promise<void> {
  await Deno.mkdir(join(path, String(index)), { recursive: true });
  for (const [file, content] of curveFiles(path, index, curves)) {
    await Deno.writeFile(file, content());
  }
}
