/**
 * Trains an experiment, or the part of it that is left or falls to this
 * process, ensemble by ensemble.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";
import { type Assembly, createAssembler } from "./assemble.ts";
import { planGroups, type RunGroup } from "./plan_groups.ts";
import type { PreparedExperiment } from "./prepare.ts";
import type { Progress } from "./progress.ts";
import type { RunRecord } from "./run_file.ts";
import type { RunStore } from "./run_store.ts";
import { allRuns, runKey } from "./run_unit.ts";
import { runsOfShard, type Shard } from "./shard.ts";
import { createTally } from "./tally.ts";
import { trainGroup } from "./train_group.ts";

/** What a training needs. */
export interface TrainOptions {
  readonly engine: Engine;
  readonly store: RunStore;
  /** The results folder. */
  readonly folder: string;
  /** The part to train; all of it where undefined. */
  readonly shard: Shard | undefined;
  /** Stops the training after the epoch under way. */
  readonly signal: AbortSignal;
  /** Seconds between two saved states. */
  readonly checkpointSeconds: number;
  readonly progress: Progress;
}

/** How a training ended. */
export interface TrainOutcome {
  /** Whether every run of this process was trained to its end. */
  readonly finished: boolean;
  /** How far the whole experiment is, the other shards' runs included. */
  readonly assembly: Assembly;
}

/** Trains what is not finished, and writes the results of all that is. */
export async function trainExperiment(
  prepared: PreparedExperiment,
  options: TrainOptions,
): Promise<TrainOutcome> {
  const { experiment } = prepared;
  const { store, engine, signal, progress } = options;
  const { iterations } = experiment.training;
  const units = runsOfShard(
    allRuns(experiment.grid.combinations.length, iterations),
    options.shard,
  );
  const queue = await planGroups(prepared, units, { store, engine });
  const tally = createTally(queue, {
    epochs: experiment.training.epochs,
    progress,
  });
  const assemble = createAssembler(prepared, options);
  let assembly = await assemble();
  for (
    let group = queue.shift();
    group !== undefined && !signal.aborted;
    group = queue.shift()
  ) {
    const resumed = await loadStates(group, store);
    if (resumed === undefined) {
      queue.unshift(...await planGroups(prepared, group.units, options));
      continue;
    }
    const { units } = group;
    tally.begin(units, queue.length);
    await trainGroup({
      ...options,
      prepared,
      units,
      resumed,
      checkpointInterval: options.checkpointSeconds * 1000,
      onEpochs: tally.add,
    });
    assembly = await assemble();
  }
  progress.finish();
  const own = new Set(units.map(runKey));
  const finished = assembly.missing.every((unit) => !own.has(runKey(unit)));
  return { finished, assembly };
}

/** Where each run of a group stands; undefined where one of the states has gone since the groups were planned. */
async function loadStates(
  { units, epoch }: RunGroup,
  store: RunStore,
): Promise<(RunRecord | undefined)[] | undefined> {
  if (epoch === 0) return units.map(() => undefined);
  const records: RunRecord[] = [];
  for (const unit of units) {
    const record = await store.stateAt(unit, epoch);
    if (record === undefined) return undefined;
    records.push(record);
  }
  return records;
}
