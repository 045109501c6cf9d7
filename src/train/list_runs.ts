/**
 * Names in the `runs` folder of a results folder, and what they tell: which
 * runs are finished, and at which epochs the others were saved.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { systemReason } from "../files/read.ts";
import { runKey, type RunUnit } from "./run_unit.ts";

/** Name of the folder. */
export const RUNS_FOLDER = "runs";

/** What is there of a run. */
export interface RunFiles {
  readonly unit: RunUnit;
  readonly finished: boolean;
  /** Epochs of its saved states, newest first. */
  readonly states: readonly number[];
}

/** Name of a finished run's file, e.g. `3_0.safetensors`. */
export function finishedName(unit: RunUnit): string {
  return `${runKey(unit)}.safetensors`;
}

/** Name of a state's file, e.g. `3_0.state_250.safetensors` after 250 epochs. */
export function stateName(unit: RunUnit, epoch: number): string {
  return `${runKey(unit)}.state_${epoch}.safetensors`;
}

const NAME =
  /^(0|[1-9]\d{0,8})_(0|[1-9]\d{0,8})(?:\.state_(0|[1-9]\d{0,8}))?\.safetensors$/;

/**
 * Lists the runs of a results folder by {@linkcode runKey}; empty where it has
 * no `runs` folder. Nothing is opened: a file that is there may be damaged.
 *
 * @param folder The results folder.
 * @throws {InputError} If the folder can't be listed.
 *
 * @example
 * ```ts
 * import { listRuns } from "./src/train/list_runs.ts";
 *
 * (await listRuns("results")).get("3_0")?.states; // e.g. [250, 240]
 * ```
 */
export async function listRuns(folder: string): Promise<Map<string, RunFiles>> {
  const path = join(folder, RUNS_FOLDER);
  const runs = new Map<
    string,
    { unit: RunUnit; finished: boolean; states: number[] }
  >();
  try {
    for await (const { name } of Deno.readDir(path)) {
      const [, combination, iteration, epoch] = NAME.exec(name) ?? [];
      if (combination === undefined) continue;
      const unit = {
        combination: Number(combination),
        iteration: Number(iteration),
      };
      const key = runKey(unit);
      const run = runs.get(key) ?? { unit, finished: false, states: [] };
      runs.set(key, run);
      if (epoch === undefined) run.finished = true;
      else run.states.push(Number(epoch));
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    const reason = systemReason(error, { path, verb: "read" });
    if (reason === undefined) throw error;
    throw new InputError(`Cannot list the folder "${path}": ${reason}`, {
      cause: error,
    });
  }
  for (const { states } of runs.values()) states.sort((a, b) => b - a);
  return runs;
}
