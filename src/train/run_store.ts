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
import { writeFileWhole } from "../files/write_file.ts";
import {
  decodeRunRecord,
  encodeRunRecord,
  type RunRecord,
} from "./run_file.ts";
import { runKey, type RunUnit } from "./run_unit.ts";

/** Name of the folder. */
export const RUNS_FOLDER = "runs";

/** Reads and writes the runs of one experiment. */
export interface RunStore {
  /** The record of a finished run, or undefined where it is not finished. */
  finished(unit: RunUnit): Promise<RunRecord | undefined>;
  /** The newest sound state of a run under way. */
  newestState(unit: RunUnit): Promise<RunRecord | undefined>;
  /** Writes a finished run and removes its states. */
  saveFinished(record: RunRecord): Promise<void>;
  /** Writes a state and removes all but the one before it. */
  saveState(record: RunRecord): Promise<void>;
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

/** Opens the store of a results folder, and makes its folder. */
export async function openRunStore(
  { folder, experiment, size, warn }: RunStoreOptions,
): Promise<RunStore> {
  const path = join(folder, RUNS_FOLDER);
  await Deno.mkdir(path, { recursive: true });
  const finishedPath = (unit: RunUnit) =>
    join(path, `${runKey(unit)}.safetensors`);
  const statePath = (unit: RunUnit, epoch: number) =>
    join(path, `${runKey(unit)}.state_${epoch}.safetensors`);

  async function read(
    file: string,
    unit: RunUnit,
  ): Promise<RunRecord | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await Deno.readFile(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    const record = await decodeRunRecord(bytes, { name: file, size });
    if (record.experiment !== experiment) {
      throw new ForeignRunError(
        `Cannot go on in "${folder}": its run file ${
          runKey(unit)
        } belongs to another experiment (another config, seed or connectome); choose another folder with --path_to_results, or --overwrite`,
      );
    }
    return record;
  }

  /** A damaged file is as good as none: its run, or the epochs since the state before, train again. */
  async function readSound(
    file: string,
    unit: RunUnit,
  ): Promise<RunRecord | undefined> {
    try {
      return await read(file, unit);
    } catch (error) {
      if (!(error instanceof InputError) || error instanceof ForeignRunError) {
        throw error;
      }
      warn(`warning: ${error.message}; it is passed over`);
      return undefined;
    }
  }

  /** Epochs of a run's states, newest first. */
  async function stateEpochs(unit: RunUnit): Promise<number[]> {
    const epochs: number[] = [];
    const prefix = `${runKey(unit)}.state_`;
    for await (const { name } of Deno.readDir(path)) {
      if (!name.startsWith(prefix) || !name.endsWith(".safetensors")) continue;
      const epoch = name.slice(prefix.length, -".safetensors".length);
      if (/^\d+$/.test(epoch)) epochs.push(Number(epoch));
    }
    return epochs.sort((a, b) => b - a);
  }

  async function removeStates(unit: RunUnit, keep: number): Promise<void> {
    for (const epoch of (await stateEpochs(unit)).slice(keep)) {
      await Deno.remove(statePath(unit, epoch)).catch(() => {
        // Another process that trains the same run removed it first.
      });
    }
  }

  return {
    finished: (unit) => readSound(finishedPath(unit), unit),
    async newestState(unit) {
      for (const epoch of await stateEpochs(unit)) {
        const record = await readSound(statePath(unit, epoch), unit);
        if (record?.state !== undefined) return record;
      }
      return undefined;
    },
    async saveFinished(record) {
      const { unit, experiment, engine, history } = record;
      const bytes = await encodeRunRecord(
        { unit, experiment, engine, history },
        size,
      );
      await writeFileWhole(finishedPath(unit), bytes);
      await removeStates(unit, 0);
    },
    async saveState(record) {
      if (record.state === undefined) {
        throw new TypeError("Cannot save a state: the record has none");
      }
      const bytes = await encodeRunRecord(record, size);
      await writeFileWhole(statePath(record.unit, record.state.epoch), bytes);
      await removeStates(record.unit, 2);
    },
  };
}

/** A run file of another experiment: never passed over silently. */
class ForeignRunError extends InputError {}
