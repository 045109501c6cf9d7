/**
 * Opens the results folder of a training: a new one, or the one that an
 * interrupted training or another shard of the same experiment has begun.
 *
 * @module
 */

import { join } from "node:path";
import type { Engine } from "../engine/ensemble.ts";
import { writeFileWhole } from "../files/write_file.ts";
import { writeNpy } from "../files/npy.ts";
import type { ExperimentRecord } from "../results/experiment_record.ts";
import {
  prepareResultsFolder,
  writeExperimentRecord,
  writeFolderIndex,
} from "../results/write_results.ts";
import type { PreparedExperiment } from "./prepare.ts";
import { openRunStore, type RunStore } from "./run_store.ts";

/** How to open it. */
export interface OpenResultsOptions {
  readonly engine: Engine;
  /** Replace what is there. */
  readonly overwrite: boolean;
  /** Join what is there, if it belongs to the same experiment. */
  readonly resume: boolean;
  readonly warn: (line: string) => void;
}

/**
 * Makes the folder with all that is known before the first epoch, and opens
 * the store of its runs.
 *
 * @throws {InputError} If it holds something else and may not be replaced.
 */
export async function openResults(
  prepared: PreparedExperiment,
  { engine, overwrite, resume, warn }: OpenResultsOptions,
): Promise<RunStore> {
  const { experiment, connectome, network, size } = prepared;
  const folder = experiment.paths.results;
  await prepareResultsFolder(folder, {
    overwrite,
    ...(resume ? { join: prepared.fingerprint } : {}),
  });
  const store = await openRunStore({
    folder,
    experiment: prepared.fingerprint,
    size,
    warn,
  });
  await writeFolderIndex(
    folder,
    experiment.grid.combinations.map((combination) => combination.repr),
  );
  const square = [connectome.regions, connectome.regions];
  await writeFileWhole(
    join(folder, "connectome.npy"),
    writeNpy({ shape: square, data: connectome.weights }),
  );
  const neurons = [network.neurons, network.neurons];
  await writeFileWhole(
    join(folder, "network.npy"),
    writeNpy({ shape: neurons, data: network.weights }),
  );
  await writeFileWhole(
    join(folder, "network_mask.npy"),
    writeNpy({ shape: neurons, data: network.mask, boolean: true }),
  );
  await writeExperimentRecord(folder, recordOf(prepared, engine));
  return store;
}
