/**
 * Writes the files of a results folder, each of them whole.
 *
 * @module
 */

import { join } from "node:path";
import { writeNpy } from "../files/npy.ts";
import { writeFileWhole } from "../files/write.ts";
import { checkpointName } from "../rnn/checkpoint.ts";
import {
  encodeExperimentRecord,
  EXPERIMENT_FILE,
  type ExperimentRecord,
} from "./experiment_record.ts";
import { formatFolderIndex, INDEX_FILE } from "./folder_index.ts";
import { makeFolder } from "./prepare_results_folder.ts";
import {
  type CombinationCurves,
  CURVE_FILES,
  type Curves,
} from "./results_folder.ts";

export {
  type PrepareOptions,
  prepareResultsFolder,
} from "./prepare_results_folder.ts";

/**
 * Writes `folder_index.txt`.
 *
 * @param path The results folder.
 * @param titles Each combination as a Python tuple, in the order of their numbers.
 * @throws {InputError} If it can't be written.
 *
 * @example
 * ```ts no-eval
 * import { writeFolderIndex } from "./src/results/write_results.ts";
 *
 * await writeFolderIndex("results", ["(0.0001, 'relu', 'Adam', 3)"]);
 * ```
 */
export async function writeFolderIndex(
  path: string,
  titles: readonly string[],
): Promise<void> {
  await writeFileWhole(join(path, INDEX_FILE), formatFolderIndex(titles));
}

/**
 * Writes the curves of a combination to its folder, as float64 arrays of
 * shape (iterations, epochs).
 *
 * @param path The results folder.
 * @param index Number of the combination.
 * @throws {InputError} If they can't be written.
 *
 * @example
 * ```ts no-eval
 * import { writeCombination } from "./src/results/write_results.ts";
 *
 * const curves = { iterations: 1, epochs: 2, values: Float64Array.of(0.9, 0.5) };
 * await writeCombination("results", 0, { trainLoss: curves, validateLoss: curves });
 * ```
 */
export async function writeCombination(
  path: string,
  index: number,
  curves: CombinationCurves,
): Promise<void> {
  const folder = join(path, String(index));
  await makeFolder(folder);
  for (const name of Object.keys(CURVE_FILES) as (keyof CombinationCurves)[]) {
    const curve: Curves | undefined = curves[name];
    if (curve === undefined) continue;
    await writeFileWhole(
      join(folder, CURVE_FILES[name]),
      writeNpy({
        shape: [curve.iterations, curve.epochs],
        data: curve.values,
      }),
    );
  }
}

/**
 * Writes `experiment.json`.
 *
 * @param path The results folder.
 * @throws {InputError} If it can't be written.
 */
export async function writeExperimentRecord(
  path: string,
  record: ExperimentRecord,
): Promise<void> {
  await writeFileWhole(
    join(path, EXPERIMENT_FILE),
    encodeExperimentRecord(record),
  );
}

/**
 * Path of a stored model.
 *
 * @param path The results folder.
 * @param checkpoint Its run, and the epoch counted from 0, or "initial" before the first one.
 *
 * @example
 * ```ts
 * import { checkpointPath } from "./src/results/write_results.ts";
 *
 * checkpointPath("results", { combination: 3, iteration: 0, epoch: 499 });
 * // "results/3/model_state_dict_epoch_499_iter_0.safetensors"
 * ```
 */
export function checkpointPath(
  path: string,
  { combination, iteration, epoch }: {
    readonly combination: number;
    readonly iteration: number;
    readonly epoch: number | "initial";
  },
): string {
  return join(path, String(combination), checkpointName(epoch, iteration));
}
