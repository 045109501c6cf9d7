/**
 * How far an experiment is, read from its results folder alone.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { listFolder, readIfThere } from "../files/read.ts";
import { type IndexEntry, parseFolderIndex, rowOf } from "./data_files.ts";
import { readExperimentRecord } from "./experiment_record.ts";
import {
  EXPERIMENT_FILE,
  INDEX_FILE,
  modelName,
  parseStatesName,
  type RunId,
  runKey,
  runLabel,
  RUNS_FOLDER,
} from "./layout.ts";
import {
  type CombinationResult,
  readResultsFolder,
  type ResultsFolder,
} from "./results_folder.ts";
import { describeTraining, readLocks } from "./lock.ts";
import {
  failureOf,
  readRun,
  type RunHistory,
  type RunRecord,
  runsIn,
} from "./run_file.ts";

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
export interface CombinationStatus
  extends Pick<CombinationResult, "index" | "title"> {
  /** A status an iteration; for the original program's folders those that are there. */
  readonly runs: readonly RunStatus[];
}

/** How far an experiment is. */
export interface ResultsStatus
  extends Pick<ResultsFolder, "path" | "experiment" | "warnings"> {
  readonly combinations: readonly CombinationStatus[];
  /** Who trains there now, one sentence each. */
  readonly trainings: readonly string[];
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
  const { epochs, iterations, size } = experiment;
  const warnings: string[] = [];
  const orWarn = async <T>(read: () => Promise<T>) => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      warnings.push(error.message);
      return undefined;
    }
  };
  const states = new Map<string, RunStatus & { readonly kind: "running" }>();
  for (const { name } of await listFolder(join(path, RUNS_FOLDER)) ?? []) {
    const epoch = parseStatesName(name);
    if (epoch === undefined) continue;
    const file = join(path, RUNS_FOLDER, name);
    // A training may have just replaced the file by a newer one.
    const info = await Deno.stat(file).catch(() => undefined);
    const saved = info?.mtime ?? undefined;
    for (const id of await orWarn(() => runsIn(file)) ?? []) {
      if ((states.get(runKey(id))?.epoch ?? -1) > epoch) continue;
      states.set(runKey(id), { kind: "running", epoch, saved });
    }
  }
  /** Without its model, or where its file is damaged, the run will be trained again. */
  const statusOf = async (
    id: RunId,
    models: ReadonlySet<string>,
  ): Promise<RunStatus> => {
    const run = await orWarn(() => readRun(path, { id, size }));
    const model = modelName({ iteration: id.iteration, epoch: epochs - 1 });
    if (run !== undefined && models.has(model)) return endOf(run);
    if (run !== undefined) {
      warnings.push(
        `the model of ${runLabel(id)} is gone; --resume trains the run again`,
      );
    }
    return states.get(runKey(id)) ?? { kind: "missing" };
  };
  const titles = new Map(
    (await readIndex(path)).map(({ index, title }) => [index, title]),
  );
  const combinations: CombinationStatus[] = [];
  for (const [index, values] of experiment.grid.combinations.entries()) {
    const files = await listFolder(join(path, String(index))) ?? [];
    const models = new Set(files.map(({ name }) => name));
    const runs: RunStatus[] = [];
    for (let iteration = 0; iteration < iterations; iteration++) {
      runs.push(await statusOf({ combination: index, iteration }, models));
    }
    const title = titles.get(index) ?? `(${values.join(", ")})`;
    combinations.push({ index, title, runs });
  }
  const trainings = (await readLocks(path))
    .filter(({ owner }) => owner !== undefined)
    .map((lock) => `${describeTraining(lock)}, unless it was killed`);
  return { path, experiment, combinations, trainings, warnings };
}

/** `folder_index.txt`; nothing before it is written. */
async function readIndex(path: string): Promise<IndexEntry[]> {
  const name = join(path, INDEX_FILE);
  const bytes = await readIfThere(name, { what: "the list of combinations" });
  return bytes === undefined
    ? []
    : parseFolderIndex(new TextDecoder().decode(bytes), { name });
}

/** How a run ended. */
function endOf(run: Pick<RunRecord, "history" | "failure">): RunStatus {
  const failure = failureOf(run);
  return failure === undefined
    ? { kind: "done" }
    : { kind: "failed", ...failure };
}

/** The original program writes the curves of a combination when all its iterations are trained. */
async function readOriginalStatus(path: string): Promise<ResultsStatus> {
  const { combinations, warnings } = await readResultsFolder(path);
  const curves = new Map(combinations.map((c) => [c.index, c.validateLoss]));
  return {
    path,
    experiment: undefined,
    combinations: (await readIndex(path)).map(({ index, title }) => {
      const loss = curves.get(index);
      const runs = Array.from({ length: loss?.iterations ?? 0 }, (_, i) => {
        const trainLoss = rowOf(loss!, i);
        const history: RunHistory = { trainLoss, validateLoss: trainLoss };
        const end = endOf({ history });
        return end.kind === "failed"
          ? { ...end, what: "validation loss" }
          : end;
      });
      return { index, title, runs };
    }),
    trainings: [],
    // Which combinations are missing is in the table.
    warnings: warnings.filter((line) => !line.includes("are left out")),
  };
}
