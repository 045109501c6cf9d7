/**
 * How far an experiment is, read from its results folder alone.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readFileBytes, readTextFile } from "../files/read.ts";
import { type ExperimentRecord } from "../results/experiment_record.ts";
import { INDEX_FILE, parseFolderIndex } from "../results/folder_index.ts";
import {
  readExperimentRecord,
  readResultsFolder,
} from "../results/results_folder.ts";
import { failureOf } from "./failure.ts";
import { finishedName, listRuns, RUNS_FOLDER, stateName } from "./list_runs.ts";
import { decodeRunRecord } from "./run_file.ts";
import { runKey } from "./run_unit.ts";

/** How far one run is. */
export type RunStatus =
  | { readonly kind: "done" }
  /** Trained to its end, but a loss became NaN or infinite. */
  | { readonly kind: "failed"; readonly epoch: number; readonly what: string }
  /** Begun and saved after so many epochs; `saved` is the file's time. */
  | {
    readonly kind: "running";
    readonly epoch: number;
    readonly saved: Date | undefined;
  }
  | { readonly kind: "missing" };

/** How far one combination is. */
export interface CombinationStatus {
  /** Number in `folder_index.txt`. */
  readonly index: number;
  /** As in `folder_index.txt`, e.g. `(0.0001, 'relu', 'Adam', 3)`. */
  readonly title: string;
  /** A status an iteration; for the original program's folders those that are there. */
  readonly runs: readonly RunStatus[];
}

/** How far an experiment is. */
export interface ResultsStatus {
  readonly path: string;
  /** `experiment.json`; undefined for folders of the original program. */
  readonly experiment: ExperimentRecord | undefined;
  readonly combinations: readonly CombinationStatus[];
  /** One sentence each, e.g. on damaged files. */
  readonly warnings: readonly string[];
}

/**
 * Reads how far an experiment is. Trainings may be writing to the folder.
 *
 * @throws {InputError} If there is no such folder, or it is no results folder.
 *
 * @example
 * ```ts no-eval
 * import { readStatus } from "./src/train/read_status.ts";
 *
 * const { combinations } = await readStatus("results/bio");
 * combinations[0]?.runs; // e.g. [{ kind: "done" }, { kind: "missing" }]
 * ```
 */
export async function readStatus(path: string): Promise<ResultsStatus> {
  let experiment: ExperimentRecord;
  try {
    experiment = await readExperimentRecord(path);
  } catch (error) {
    if (isMissing(error)) return await readOriginalStatus(path);
    throw error;
  }
  const titles = await readTitles(path, experiment);
  const files = await listRuns(path);
  const warnings: string[] = [];
  const combinations: CombinationStatus[] = [];
  for (const [index, title] of titles.entries()) {
    const runs: RunStatus[] = [];
    for (let iteration = 0; iteration < experiment.iterations; iteration++) {
      const unit = { combination: index, iteration };
      const { finished = false, states = [] } = files.get(runKey(unit)) ?? {};
      const folder = join(path, RUNS_FOLDER);
      let status: RunStatus | undefined;
      if (finished) {
        const file = join(folder, finishedName(unit));
        status = await readFinished(file, { experiment, warnings });
      }
      const [epoch] = states;
      if (epoch !== undefined) {
        const file = join(folder, stateName(unit, epoch));
        status ??= { kind: "running", epoch, saved: await timeOf(file) };
      }
      runs.push(status ?? { kind: "missing" });
    }
    combinations.push({ index, title, runs });
  }
  return { path, experiment, combinations, warnings };
}

function isMissing(error: unknown): boolean {
  return error instanceof InputError &&
    error.cause instanceof Deno.errors.NotFound;
}

/** The tuples of `folder_index.txt`; before it is written, the values that `experiment.json` has. */
async function readTitles(
  path: string,
  { grid }: ExperimentRecord,
): Promise<string[]> {
  const titles = grid.combinations.map((values) => `(${values.join(", ")})`);
  const name = join(path, INDEX_FILE);
  try {
    const text = await readTextFile(name, { what: "the list of combinations" });
    for (const { index, title } of parseFolderIndex(text, { name })) {
      if (index < titles.length) titles[index] = title;
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return titles;
}

/** Undefined, with a warning, where the file is damaged, so that its run will be trained again. */
async function readFinished(
  file: string,
  { experiment, warnings }: {
    experiment: ExperimentRecord;
    warnings: string[];
  },
): Promise<RunStatus | undefined> {
  try {
    const bytes = await readFileBytes(file, { what: "the run" });
    const { history } = await decodeRunRecord(bytes, {
      name: file,
      size: experiment.size,
    });
    const failure = failureOf(history);
    return failure === undefined
      ? { kind: "done" }
      : { kind: "failed", ...failure };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    warnings.push(error.message);
    return undefined;
  }
}

/** Undefined where a training has just replaced the file by a newer one. */
async function timeOf(file: string): Promise<Date | undefined> {
  const info = await Deno.stat(file).catch(() => undefined);
  return info?.mtime ?? undefined;
}

/** The original program writes the curves of a combination when all its iterations are trained. */
async function readOriginalStatus(path: string): Promise<ResultsStatus> {
  const { combinations, warnings } = await readResultsFolder(path);
  const name = join(path, INDEX_FILE);
  const entries = parseFolderIndex(
    await readTextFile(name, { what: "the list of combinations" }),
    { name },
  );
  const found = new Map(combinations.map((c) => [c.index, c]));
  return {
    path,
    experiment: undefined,
    combinations: entries.map(({ index, title }) => ({
      index,
      title,
      runs: statusOfCurves(found.get(index)?.validateLoss),
    })),
    // Which combinations are missing is in the table.
    warnings: warnings.filter((line) => !line.includes("are left out")),
  };
}

function statusOfCurves(
  curves:
    | { iterations: number; epochs: number; values: Float64Array }
    | undefined,
): RunStatus[] {
  if (curves === undefined) return [];
  const { iterations, epochs, values } = curves;
  return Array.from({ length: iterations }, (_, i): RunStatus => {
    const loss = values.subarray(i * epochs, (i + 1) * epochs);
    const failure = failureOf({ trainLoss: loss, validateLoss: loss });
    return failure === undefined
      ? { kind: "done" }
      : { kind: "failed", epoch: failure.epoch, what: "validation loss" };
  });
}
