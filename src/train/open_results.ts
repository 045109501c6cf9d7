/**
 * Opens the results folder of a training: a new one, or the one that an
 * interrupted training or another shard of the same experiment has begun.
 *
 * @module
 */

import { join } from "node:path";
import {
  edgesToNetwork,
  type NeuronEdges,
} from "../connectome/scaled_network.ts";
import { recurrentTemplate } from "../connectome/recurrent_template.ts";
import type { Engine } from "../engine/ensemble.ts";
import { writeFileWhole } from "../files/write.ts";
import { writeNpy } from "../files/npy.ts";
import { writeSparseNpz } from "../files/npz.ts";
import { EXPERIMENT_FILE } from "../results/experiment_record.ts";
import { makeFolder } from "../results/prepare_results_folder.ts";
import {
  prepareResultsFolder,
  writeExperimentRecord,
  writeFolderIndex,
} from "../results/write_results.ts";
import { MOST_DENSE_NEURONS } from "../rnn/tensors.ts";
import type { PreparedExperiment } from "./prepare.ts";
import { experimentRecord } from "./record_experiment.ts";
import { engineName } from "./run_file.ts";
import { openRunStore, type RunStore } from "./run_store.ts";
import { runsOf } from "./run_unit.ts";
import { runsOfShard, type Shard } from "./shard.ts";
import { removeTemporaries } from "./temporary_files.ts";

/** How to open it. */
export interface OpenResultsOptions {
  readonly engine: Engine;
  /** Replace what is there. */
  readonly overwrite: boolean;
  /** Join what is there, if it belongs to the same experiment. */
  readonly resume: boolean;
  /** The part that this process trains: others may be writing to the folder now. */
  readonly shard: Shard | undefined;
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
  { engine, overwrite, resume, shard, warn }: OpenResultsOptions,
): Promise<RunStore> {
  const { experiment, connectome, network, size } = prepared;
  const folder = experiment.paths.results;
  await prepareResultsFolder(folder, {
    overwrite,
    ...(resume ? { join: prepared.fingerprint } : {}),
  });
  const own = shard === undefined
    ? "all"
    : runsOfShard(runsOf(experiment), shard);
  await removeTemporaries(folder, { own });
  if (!await hasRecord(folder)) {
    // First of all files: it tells what the folder belongs to, should this program be killed now.
    await writeExperimentRecord(
      folder,
      experimentRecord(prepared, {
        engines: [engineName(engine)],
        failures: [],
      }),
    );
  }
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
  await writeNetwork(folder, network);
  return store;
}

/** Writes the scaled network, before any randomisation: a large one as SciPy's sparse matrix. */
async function writeNetwork(
  folder: string,
  network: NeuronEdges,
): Promise<void> {
  if (network.neurons > MOST_DENSE_NEURONS) {
    const { receivers, senders, start, sender, weights } = recurrentTemplate(
      network,
      { transpose: false },
    );
    await writeFileWhole(
      join(folder, "network.npz"),
      writeSparseNpz({
        shape: [receivers, senders],
        start,
        column: sender,
        values: weights,
      }),
    );
    return;
  }
  const { neurons, weights, mask } = edgesToNetwork(network);
  const shape = [neurons, neurons];
  await writeFileWhole(
    join(folder, "network.npy"),
    writeNpy({ shape, data: weights }),
  );
  await writeFileWhole(
    join(folder, "network_mask.npy"),
    writeNpy({ shape, data: mask, boolean: true }),
  );
}

/** Where the folder was joined, its record is known to be that of this experiment, and may be the final one. */
async function hasRecord(folder: string): Promise<boolean> {
  const info = await Deno.stat(join(folder, EXPERIMENT_FILE)).catch(() =>
    undefined
  );
  return info?.isFile === true;
}
