/**
 * Saves where the runs of a group stand: checkpoints for the user, states to
 * go on from, finished runs.
 *
 * @module
 */

import type { PreparedExperiment } from "./prepare.ts";
import type {
  Engine,
  Ensemble,
  ModelRun,
  ModelState,
} from "../engine/ensemble.ts";
import { writeFileWhole } from "../files/write.ts";
import { checkpointPath } from "../results/write_results.ts";
import { encodeCheckpoint } from "../rnn/checkpoint.ts";
import type { Connections } from "../graph/connections.ts";
import type { Parameters } from "../rnn/parameters.ts";
import {
  engineAfter,
  engineName,
  type RunHistory,
  type RunRecord,
} from "./run_file.ts";
import type { RunStore } from "./run_store.ts";
import type { RunUnit } from "./run_unit.ts";

/** What saving needs to know of a group. */
export interface SavedGroup {
  readonly prepared: PreparedExperiment;
  readonly engine: Engine;
  /** Runs of the group; all stand at the same epoch. */
  readonly units: readonly RunUnit[];
  /** Where each run stood at first; undefined for one that started anew. */
  readonly resumed: readonly (RunRecord | undefined)[];
  readonly store: RunStore;
  /** The results folder, for checkpoints. */
  readonly folder: string;
}

/** The record of the i-th run of the group. */
function recordOf(
  { prepared, engine, units, resumed }: SavedGroup,
  i: number,
  history: RunHistory,
): RunRecord {
  return {
    unit: units[i] as RunUnit,
    experiment: prepared.fingerprint,
    engine: engineAfter(resumed[i]?.engine, engineName(engine)),
    history,
  };
}

/** Writes what the runs begin with; of each combination the first one, as the original does. */
export async function saveInitial(
  options: SavedGroup,
  runs: readonly ModelRun[],
): Promise<void> {
  for (const [i, unit] of options.units.entries()) {
    const { initial, connections, state } = runs[i] as ModelRun;
    if (unit.iteration !== 0 || state !== undefined) continue;
    await saveCheckpoint(options, unit, {
      epoch: "initial",
      parameters: initial,
      connections,
    });
  }
}

/** Writes the states of all runs as they are now. */
export async function saveStates(
  options: SavedGroup,
  ensemble: Ensemble,
  histories: readonly RunHistory[],
): Promise<void> {
  const states = await ensemble.state();
  for (const [i, state] of states.entries()) {
    const history = histories[i] as RunHistory;
    await options.store.saveState({ ...recordOf(options, i, history), state });
  }
}

/** Writes a checkpoint of each run, as after so many epochs. */
export async function saveCheckpoints(
  options: SavedGroup,
  ensemble: Ensemble,
  { runs, epoch, histories }: {
    runs: readonly ModelRun[];
    epoch: number;
    histories: readonly RunHistory[];
  },
): Promise<void> {
  const states = await ensemble.state();
  for (const [i, unit] of options.units.entries()) {
    const { parameters } = states[i] as ModelState;
    await saveCheckpoint(options, unit, {
      epoch: epoch - 1,
      parameters,
      connections: (runs[i] as ModelRun).connections,
      history: histories[i] as RunHistory,
    });
  }
}

async function saveCheckpoint(
  { prepared, folder }: SavedGroup,
  unit: RunUnit,
  { epoch, parameters, connections, history }: {
    epoch: number | "initial";
    parameters: Parameters;
    connections: Connections;
    history?: RunHistory;
  },
): Promise<void> {
  const { experiment, size, fingerprint } = prepared;
  const metadata: Record<string, string> = {
    combination: experiment.grid.combinations[unit.combination]?.repr ?? "",
    iteration: String(unit.iteration),
    epoch: String(epoch),
    seed: String(experiment.run.seed),
    experiment: fingerprint,
    task: experiment.task.task.name,
    connectome: experiment.net.name,
  };
  if (history !== undefined && epoch !== "initial") {
    metadata.train_loss = String(history.trainLoss[epoch]);
    metadata.validate_loss = String(history.validateLoss[epoch]);
  }
  await writeFileWhole(
    checkpointPath(folder, { ...unit, epoch }),
    encodeCheckpoint(parameters, { size, connections, metadata }),
  );
}

/** Writes the runs as finished. */
export async function saveFinished(
  options: SavedGroup,
  histories: readonly RunHistory[],
): Promise<void> {
  for (const [i, history] of histories.entries()) {
    await options.store.saveFinished(recordOf(options, i, history));
  }
}
