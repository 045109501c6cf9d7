/**
 * Trains an experiment, or the part of it that is left or falls to this
 * process, ensemble by ensemble.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";
import { type Assembly, createAssembler } from "./assemble.ts";
import { createRunDrawer, type RunDrawer } from "./draw_runs.ts";
import { createEngineKeeper } from "./engine_keeper.ts";
import { planGroups, type RunGroup } from "./plan_groups.ts";
import type { PreparedExperiment } from "./prepare.ts";
import type { Progress } from "./progress.ts";
import { engineAfter, engineName, type RunRecord } from "./run_file.ts";
import type { RunStore } from "./run_store.ts";
import { runKey, runsOf, type RunUnit } from "./run_unit.ts";
import { runsOfShard, type Shard } from "./shard.ts";
import { createTally } from "./tally.ts";
import { removeTemporaries } from "./temporary_files.ts";
import { createTimeSheet, type TimeSheet } from "./time_sheet.ts";
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
  /** Opens the device again when it was lost; without it a lost device ends the training. */
  readonly reopen?: () => Promise<Engine>;
  /** Waits so many milliseconds; for tests. */
  readonly wait?: (milliseconds: number) => Promise<void>;
  /** Where to note what took how long. */
  readonly sheet?: TimeSheet;
}

/** How a training ended. */
export interface TrainOutcome {
  /** Whether every run of this process was trained to its end. */
  readonly finished: boolean;
  /** How far the whole experiment is, the other shards' runs included. */
  readonly assembly: Assembly;
}

/**
 * Trains what is not finished, and writes the results of all that is.
 *
 * @throws {InputError} If a file can't be written.
 * @throws {DeviceError} If the device fails and there is nothing to be done about it. What was saved is kept.
 */
export async function trainExperiment(
  prepared: PreparedExperiment,
  options: TrainOptions,
): Promise<TrainOutcome> {
  const { experiment } = prepared;
  const { store, signal, progress, sheet = createTimeSheet() } = options;
  const units = runsOfShard(runsOf(experiment), options.shard);
  const keeper = createEngineKeeper(options.engine, {
    ...options,
    reopen: options.reopen,
    warn: progress.line,
  });
  const plan = (left: readonly RunUnit[]) =>
    planGroups(prepared, left, {
      store,
      engine: keeper.engine,
      mostModels: keeper.mostModels,
    });
  /** Told once: each group would say the same. */
  let isTold = false;
  function warnOfOtherEngine(
    resumed: readonly (RunRecord | undefined)[],
    engine: Engine,
  ): void {
    const now = engineName(engine);
    const other = resumed.find((record) =>
      record !== undefined && engineAfter(record.engine, now) !== record.engine
    );
    if (other === undefined || isTold) return;
    isTold = true;
    progress.line(
      `warning: runs that were trained on ${other.engine} go on on ${now}; their last digits will be those of neither alone`,
    );
  }
  const queue = await plan(units);
  const tally = createTally(queue, {
    epochs: experiment.training.epochs,
    progress,
  });
  const assemble = createAssembler(prepared, options);
  let assembly = await assemble();
  let progressed = false;
  /** The group after the one that trains, and its runs as far as they are drawn. */
  let ahead: { group: RunGroup; drawer: RunDrawer } | undefined;
  try {
    for (
      let group = queue.shift();
      group !== undefined && !signal.aborted;
      group = queue.shift()
    ) {
      const resumed = await loadStates(group, store);
      if (resumed === undefined) {
        queue.unshift(...await plan(group.units));
        continue;
      }
      warnOfOtherEngine(resumed, keeper.engine);
      tally.begin(group.units, queue.length);
      group.plan.prepare();
      const drawer = ahead?.group === group
        ? ahead.drawer
        : createRunDrawer(prepared, group.units);
      const [next] = queue;
      const following = next && createRunDrawer(prepared, next.units);
      ahead = next && following && { group: next, drawer: following };
      try {
        await trainGroup({
          ...options,
          engine: keeper.engine,
          plan: group.plan,
          prepared,
          units: group.units,
          drawer,
          resumed,
          sheet,
          checkpointInterval: options.checkpointSeconds * 1000,
          onEpochs(event) {
            progressed = true;
            tally.add(event);
          },
          async whileBusy(milliseconds) {
            if (following === undefined || signal.aborted) return;
            await sheet.beside(() => following.drawFor(milliseconds));
          },
        });
      } catch (error) {
        ahead = undefined;
        const left = [group, ...queue.splice(0)].flatMap((g) => g.units);
        await keeper.recover(error, { units: group.units, progressed });
        progressed = false;
        queue.push(...await plan(left));
        continue;
      }
      assembly = await sheet.time("saving", assemble);
    }
  } finally {
    progress.finish();
    keeper.destroy();
  }
  if (assembly.missing.length === 0) {
    // Nobody writes the runs of a finished experiment any more.
    await removeTemporaries(options.folder, { own: runsOf(experiment) });
  }
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
