/**
 * Trains an experiment, or the part of it that is left or falls to this
 * process, ensemble by ensemble.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";
import { assembleResults, type Assembly } from "./assemble.ts";
import { ensembleSize, type PreparedExperiment } from "./prepare.ts";
import type { Progress } from "./progress.ts";
import type { RunStore } from "./run_store.ts";
import { allRuns, type RunUnit } from "./run_unit.ts";
import { runsOfShard, type Shard } from "./shard.ts";
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

/** Runs that stand at the same epoch and train in one ensemble. */
interface Group {
  readonly units: readonly RunUnit[];
  readonly epoch: number;
}

/** Trains what is not finished, and writes the results of all that is. */
export async function trainExperiment(
  prepared: PreparedExperiment,
  options: TrainOptions,
): Promise<TrainOutcome> {
  const { experiment } = prepared;
  const { store, signal, progress } = options;
  const { epochs, iterations } = experiment.training;
  const units = runsOfShard(
    allRuns(experiment.grid.combinations.length, iterations),
    options.shard,
  );
  const groups = await planGroups(prepared, units, options);
  const total = sum(groups.map((g) => g.units.length * (epochs - g.epoch)));
  let done = 0;
  let steps = 0;
  let best: { loss: number; unit: RunUnit } | undefined;
  let assembly = await assembleResults(prepared, options);
  for (const [number, group] of groups.entries()) {
    if (signal.aborted) break;
    const resumed = group.epoch === 0
      ? group.units.map(() => undefined)
      : await Promise.all(group.units.map((unit) => store.newestState(unit)));
    await trainGroup({
      ...options,
      prepared,
      units: group.units,
      resumed,
      checkpointInterval: options.checkpointSeconds * 1000,
      onEpochs(event) {
        done += event.count * event.models;
        steps += event.steps;
        if (
          event.best !== undefined && !(best && best.loss <= event.best.loss)
        ) {
          best = event.best;
        }
        progress.update({
          done,
          total,
          epoch: event.epoch,
          epochs,
          models: event.models,
          ensemble: number,
          ensembles: groups.length,
          steps,
          best,
        });
      },
    });
    assembly = await assembleResults(prepared, options);
  }
  progress.finish();
  const own = new Set(
    units.map((unit) => `${unit.combination} ${unit.iteration}`),
  );
  const finished = assembly.missing.every((unit) =>
    !own.has(`${unit.combination} ${unit.iteration}`)
  );
  return { finished, assembly };
}

/** Cuts the runs that are left into ensembles; those of one ensemble stand at the same epoch. */
async function planGroups(
  prepared: PreparedExperiment,
  units: readonly RunUnit[],
  { store, engine }: TrainOptions,
): Promise<Group[]> {
  const byEpoch = new Map<number, RunUnit[]>();
  for (const unit of units) {
    if (await store.finished(unit) !== undefined) continue;
    const epoch = (await store.newestState(unit))?.state?.epoch ?? 0;
    byEpoch.set(epoch, [...byEpoch.get(epoch) ?? [], unit]);
  }
  const groups: Group[] = [];
  for (const [epoch, left] of byEpoch) {
    const plan = engine.plan(ensembleSize(prepared, left));
    for (const numbers of plan.groups) {
      groups.push({ epoch, units: numbers.map((i) => left[i] as RunUnit) });
    }
  }
  return groups;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
