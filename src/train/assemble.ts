/**
 * From finished runs to the files that plotting programs read. Whichever
 * process sees a combination complete writes its files; as they depend on the
 * runs alone, it does no harm when two do.
 *
 * @module
 */

import type { RecordedFailure } from "../results/experiment_record.ts";
import type { CombinationCurves, Curves } from "../results/results_folder.ts";
import {
  writeCombination,
  writeExperimentRecord,
} from "../results/write_results.ts";
import { failureOf } from "./failure.ts";
import type { PreparedExperiment } from "./prepare.ts";
import { experimentRecord } from "./record_experiment.ts";
import type { RunHistory, RunRecord } from "./run_file.ts";
import type { RunStore } from "./run_store.ts";
import type { RunUnit } from "./run_unit.ts";

/** How far an experiment is. */
export interface Assembly {
  /** Numbers of the combinations whose files are written. */
  readonly complete: readonly number[];
  /** Runs that are not finished. */
  readonly missing: readonly RunUnit[];
  /** Finished runs whose loss became NaN or infinite. */
  readonly failures: readonly RecordedFailure[];
}

/**
 * Makes the function that writes the files of every combination whose runs are
 * all finished and that it has not written yet, and when all are, the final
 * `experiment.json`.
 *
 * @throws {InputError} If a file can't be written.
 */
export function createAssembler(
  prepared: PreparedExperiment,
  { store, folder }: { readonly store: RunStore; readonly folder: string },
): () => Promise<Assembly> {
  const { experiment } = prepared;
  const { iterations } = experiment.training;
  const written = new Set<number>();
  return async () => {
    const complete: number[] = [];
    const missing: RunUnit[] = [];
    const failures: RecordedFailure[] = [];
    const engines = new Set<string>();
    for (const { index } of experiment.grid.combinations) {
      const records: RunRecord[] = [];
      for (let iteration = 0; iteration < iterations; iteration++) {
        const unit = { combination: index, iteration };
        const record = await store.finished(unit);
        if (record === undefined) missing.push(unit);
        else records.push(record);
      }
      for (const { unit, history, engine } of records) {
        engines.add(engine);
        const failure = failureOf(history);
        if (failure !== undefined) failures.push({ ...unit, ...failure });
      }
      if (records.length < iterations) continue;
      complete.push(index);
      if (written.has(index)) continue;
      await writeCombination(
        folder,
        index,
        curvesOf(records.map(({ history }) => history)),
      );
      written.add(index);
    }
    if (missing.length === 0) {
      await writeExperimentRecord(
        folder,
        experimentRecord(prepared, { engines: [...engines].sort(), failures }),
      );
    }
    return { complete, missing, failures };
  };
}

/** The curves of a combination: a row a run. */
export function curvesOf(histories: readonly RunHistory[]): CombinationCurves {
  const stack = (name: keyof RunHistory): Curves | undefined => {
    const rows = histories.map((history) => history[name]);
    const epochs = rows[0]?.length;
    if (epochs === undefined) return undefined;
    const values = new Float64Array(rows.length * epochs);
    for (const [i, row] of rows.entries()) {
      if (row !== undefined) values.set(row, i * epochs);
    }
    return { iterations: rows.length, epochs, values };
  };
  const trainMetrics = stack("trainAccuracy");
  const validateMetrics = stack("validateAccuracy");
  return {
    trainLoss: stack("trainLoss") as Curves,
    validateLoss: stack("validateLoss") as Curves,
    ...(trainMetrics === undefined ? {} : { trainMetrics }),
    ...(validateMetrics === undefined ? {} : { validateMetrics }),
  };
}
