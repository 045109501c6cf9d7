/**
 * The `runs` folder of a results folder: which runs are finished, and where
 * those under way stood. Several processes on several machines may write to it
 * at once: every file belongs to one run and is written whole.
 *
 * @module
 */

import { join } from "node:path";
import type { ModelSize } from "../rnn/parameters.ts";
import { InputError } from "../files/input_error.ts";
import { readFileBytes } from "../files/read.ts";
import { writeFileWhole } from "../files/write.ts";
import { makeFolder } from "../results/prepare_results_folder.ts";
import { finishedName, listRuns, RUNS_FOLDER, stateName } from "./list_runs.ts";
import {
  decodeRunRecord,
  encodeRunRecord,
  type RunRecord,
} from "./run_file.ts";
import { runKey, runLabel, type RunUnit } from "./run_unit.ts";

/** Reads and writes the runs of one experiment. */
export interface RunStore {
  /** The record of a finished run, or undefined where it is not finished, or its file is damaged. */
  finished(unit: RunUnit): Promise<RunRecord | undefined>;
  /** Epochs of a run's states, newest first; one of them may turn out to be damaged. */
  stateEpochs(unit: RunUnit): readonly number[];
  /** A run's state after so many epochs, or undefined where there is none or it is damaged. */
  stateAt(unit: RunUnit, epoch: number): Promise<RunRecord | undefined>;
  /** The newest sound state of a run under way. */
  newestState(unit: RunUnit): Promise<RunRecord | undefined>;
  /** Writes a finished run and removes its states. */
  saveFinished(record: RunRecord): Promise<void>;
  /** Writes a state and removes all but the one before it. */
  saveState(record: RunRecord): Promise<void>;
  /** Removes the states of a finished run that a killed program left. */
  removeStates(unit: RunUnit): Promise<void>;
}

/** What a store needs to know. */
export interface RunStoreOptions {
  /** The results folder. */
  readonly folder: string;
  /** Fingerprint of the experiment; files of another one are an error. */
  readonly experiment: string;
  readonly size: ModelSize;
  /** Told in one sentence when a damaged file is passed over. */
  readonly warn: (line: string) => void;
}

/** States kept of a run: should the newest be damaged, the one before is there. */
const KEPT_STATES = 2;

/**
 * Opens the store of a results folder, and makes its folder.
 *
 * @throws {InputError} If the folder can't be made or listed.
 */
export async function openRunStore(
  { folder, experiment, size, warn }: RunStoreOptions,
): Promise<RunStore> {
  const path = join(folder, RUNS_FOLDER);
  await makeFolder(path);
  // A run is trained by one process, so that what was listed once stays true of its states.
  const states = new Map<string, readonly number[]>();
  for (const [key, run] of await listRuns(folder)) states.set(key, run.states);
  // A finished run never changes.
  const finished = new Map<string, RunRecord>();
  const damaged = new Set<string>();

  async function read(
    name: string,
    unit: RunUnit,
  ): Promise<RunRecord | undefined> {
    const file = join(path, name);
    let bytes: Uint8Array;
    try {
      bytes = await readFileBytes(file, { what: "the run" });
    } catch (error) {
      if (
        error instanceof InputError &&
        error.cause instanceof Deno.errors.NotFound
      ) return undefined;
      throw error;
    }
    let record: RunRecord;
    try {
      record = await decodeRunRecord(bytes, { name: file, size });
      if (runKey(record.unit) !== runKey(unit)) {
        throw new InputError(
          `Cannot use the run file "${file}": it holds ${
            runLabel(record.unit)
          }`,
        );
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // As good as none: the run, or the epochs since the state before, train again.
      if (!damaged.has(name)) {
        warn(`warning: ${error.message}; it is passed over`);
      }
      damaged.add(name);
      return undefined;
    }
    if (record.experiment !== experiment) {
      throw new InputError(
        `Cannot go on in "${folder}": its run file ${name} belongs to another experiment (another config, seed or connectome); choose another folder with --path_to_results, or --overwrite`,
      );
    }
    return record;
  }

  const stateEpochs = (unit: RunUnit) => states.get(runKey(unit)) ?? [];

  async function stateAt(unit: RunUnit, epoch: number) {
    const record = await read(stateName(unit, epoch), unit);
    return record?.state?.epoch === epoch ? record : undefined;
  }

  async function removeStates(unit: RunUnit, keep: number): Promise<void> {
    const epochs = stateEpochs(unit);
    for (const epoch of epochs.slice(keep)) {
      await Deno.remove(join(path, stateName(unit, epoch))).catch(() => {
        // Gone already, or it can't be removed: it does no harm beside a newer one.
      });
    }
    states.set(runKey(unit), epochs.slice(0, keep));
  }

  return {
    async finished(unit) {
      const key = runKey(unit);
      const record = finished.get(key) ?? await read(finishedName(unit), unit);
      if (record !== undefined) finished.set(key, record);
      return record;
    },
    stateEpochs,
    stateAt,
    async newestState(unit) {
      for (const epoch of stateEpochs(unit)) {
        const record = await stateAt(unit, epoch);
        if (record !== undefined) return record;
      }
      return undefined;
    },
    async saveFinished({ unit, experiment, engine, history }) {
      const record = { unit, experiment, engine, history };
      const name = finishedName(unit);
      const bytes = await encodeRunRecord(record, size);
      await writeFileWhole(join(path, name), bytes);
      damaged.delete(name);
      finished.set(runKey(unit), record);
      await removeStates(unit, 0);
    },
    async saveState(record) {
      const { unit, state } = record;
      if (state === undefined) {
        throw new TypeError("Cannot save a state: the record has none");
      }
      const name = stateName(unit, state.epoch);
      const bytes = await encodeRunRecord(record, size);
      await writeFileWhole(join(path, name), bytes);
      damaged.delete(name);
      // States after this one are those of a training that went on from before them: damaged, or given up.
      const before = stateEpochs(unit).filter((epoch) => epoch < state.epoch);
      const after = stateEpochs(unit).filter((epoch) => epoch > state.epoch);
      states.set(runKey(unit), [state.epoch, ...before, ...after]);
      await removeStates(unit, KEPT_STATES);
    },
    removeStates: (unit) => removeStates(unit, 0),
  };
}
