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
import { makeFolder } from "../results/prepare_results_folder.ts";
import {
  prepareResultsFolder,
  writeExperimentRecord,
  writeFolderIndex,
} from "../results/write_results.ts";
import type { PreparedExperiment } from "./prepare.ts";
import { experimentRecord } from "./record_experiment.ts";
import { engineName } from "./run_file.ts";
import { openRunStore, type RunStore } from "./run_store.ts";

/** Names that writeFileWhole gives before the last step. */
const TEMPORARY = /\.[0-9]+-[0-9]+-[0-9a-f]{8}\.tmp$/;

/** How to open it. */
export interface OpenResultsOptions {
  readonly engine: Engine;
  /** Replace what is there. */
  readonly overwrite: boolean;
  /** Join what is there, if it belongs to the same experiment. */
  readonly resume: boolean;
  /** Other processes may be writing to it now. */
  readonly shared: boolean;
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
  { engine, overwrite, resume, shared, warn }: OpenResultsOptions,
): Promise<RunStore> {
  const { experiment, connectome, network, size } = prepared;
  const folder = experiment.paths.results;
  await prepareResultsFolder(folder, {
    overwrite,
    ...(resume ? { join: prepared.fingerprint } : {}),
  });
  if (resume && !shared) await removeTemporaries(folder);
  // First of all files: it tells what the folder belongs to, should this program be killed now.
  await writeExperimentRecord(
    folder,
    experimentRecord(prepared, { engines: [engineName(engine)], failures: [] }),
  );
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
  for (const { index } of experiment.grid.combinations) {
    await makeFolder(join(folder, String(index)));
  }
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
  return store;
}

/** What a killed training left of files it was writing; with shards another process may still be writing them. */
async function removeTemporaries(folder: string): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) await removeTemporaries(path);
    else if (TEMPORARY.test(entry.name)) await Deno.remove(path);
  }
}
