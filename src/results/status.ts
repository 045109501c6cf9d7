/**
 * How far an experiment is, read from its results folder alone.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { listFolder, readFileBytes, readIfThere } from "../files/read.ts";
import {
  type ExperimentRecord,
  readExperimentRecord,
} from "./experiment_record.ts";
import {
  EXPERIMENT_FILE,
  finishedName,
  INDEX_FILE,
  modelName,
  parseStatesName,
  type RunId,
  runKey,
  runLabel,
  RUNS_FOLDER,
} from "./layout.ts";
import { parseFolderIndex } from "./data_files.ts";
import { readResultsFolder } from "./results_folder.ts";
import { describeOwner, readLocks } from "./lock.ts";
import { decodeRunRecord, failureOf, runsIn } from "./run_file.ts";

/** How far one run is. */
export type RunStatus =
  | { readonly kind: "done" }
  /** Trained to its end, but a loss or the weights became NaN or infinite. */
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
  /** Who trains there now, one sentence each. */
  readonly trainings: readonly string[];
  /** One sentence each, e.g. on damaged files. */
  readonly warnings: readonly string[];
}

/**
 * Reads how far an experiment is. Trainings may be writing to the folder.
 *
 * @throws {InputError} If there is no such folder, or it is no results folder.
 */
export async function readStatus(path: string): Promise<ResultsStatus> {
  const record = path !== "" &&
    await readIfThere(join(path, EXPERIMENT_FILE), { what: "the experiment" });
  if (!record) return await readOriginalStatus(path);
  const experiment = await readExperimentRecord(path);
  const titles = await readTitles(path, experiment);
  const warnings: string[] = [];
  const states = await newestStates(path, warnings);
  const combinations: CombinationStatus[] = [];
  for (const [index, title] of titles.entries()) {
    const models = new Set(
      (await listFolder(join(path, String(index))) ?? []).map(({ name }) =>
        name
      ),
    );
    const runs: RunStatus[] = [];
    for (let iteration = 0; iteration < experiment.iterations; iteration++) {
      const id = { combination: index, iteration };
      runs.push(
        await readFinished(id, { path, experiment, models, warnings }) ??
          states.get(runKey(id)) ?? { kind: "missing" },
      );
    }
    combinations.push({ index, title, runs });
  }
  const trainings = await readTrainings(path);
  return { path, experiment, combinations, trainings, warnings };
}

async function readTrainings(path: string): Promise<string[]> {
  return (await readLocks(path)).flatMap(({ part, owner }) =>
    owner === undefined ? [] : [
      `${describeOwner(owner)} has been training ${
        part === "all" ? "all" : `part ${part.index}/${part.count}`
      } since ${
        owner.since.slice(0, 19).replace("T", " ")
      } UTC, unless it was killed`,
    ]
  );
}

/** Where each run under way was saved last; files that can't be read are warned of. */
async function newestStates(
  path: string,
  warnings: string[],
): Promise<Map<string, RunStatus>> {
  const newest = new Map<string, RunStatus & { readonly kind: "running" }>();
  const folder = join(path, RUNS_FOLDER);
  for (const { name } of await listFolder(folder) ?? []) {
    const epoch = parseStatesName(name);
    if (epoch === undefined) continue;
    try {
      const saved = await timeOf(join(folder, name));
      for (const id of await runsIn(join(folder, name))) {
        const key = runKey(id);
        if ((newest.get(key)?.epoch ?? -1) > epoch) continue;
        newest.set(key, { kind: "running", epoch, saved });
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      warnings.push(error.message);
    }
  }
  return newest;
}

/** The tuples of `folder_index.txt`; before it is written, the values that `experiment.json` has. */
async function readTitles(
  path: string,
  { grid }: ExperimentRecord,
): Promise<string[]> {
  const titles = grid.combinations.map((values) => `(${values.join(", ")})`);
  const name = join(path, INDEX_FILE);
  const bytes = await readIfThere(name, { what: "the list of combinations" });
  if (bytes === undefined) return titles;
  const text = new TextDecoder().decode(bytes);
  for (const { index, title } of parseFolderIndex(text, { name })) {
    if (index < titles.length) titles[index] = title;
  }
  return titles;
}

/** Undefined, with a warning, where its file or its model is damaged or gone, so that the run will be trained again. */
async function readFinished(
  id: RunId,
  { path, experiment, models, warnings }: {
    path: string;
    experiment: ExperimentRecord;
    models: ReadonlySet<string>;
    warnings: string[];
  },
): Promise<RunStatus | undefined> {
  const file = join(path, RUNS_FOLDER, finishedName(id));
  const bytes = await readIfThere(file, { what: "the run" });
  if (bytes === undefined) return undefined;
  const { iteration } = id;
  if (!models.has(modelName({ iteration, epoch: experiment.epochs - 1 }))) {
    warnings.push(
      `the model of ${runLabel(id)} is gone; --resume trains the run again`,
    );
    return undefined;
  }
  try {
    const { size } = experiment;
    const failure = failureOf(decodeRunRecord(bytes, { name: file, size }));
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
  const bytes = await readFileBytes(name, { what: "the list of combinations" });
  const entries = parseFolderIndex(new TextDecoder().decode(bytes), { name });
  const found = new Map(combinations.map((c) => [c.index, c]));
  return {
    path,
    experiment: undefined,
    combinations: entries.map(({ index, title }) => ({
      index,
      title,
      runs: statusOfCurves(found.get(index)?.validateLoss),
    })),
    trainings: [],
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
    const history = { trainLoss: loss, validateLoss: loss };
    const failure = failureOf({ history });
    return failure === undefined
      ? { kind: "done" }
      : { kind: "failed", epoch: failure.epoch, what: "validation loss" };
  });
}
