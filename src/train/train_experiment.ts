/**
 * Trains an experiment, or the part of it that is left or falls to this
 * process, ensemble by ensemble.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";
import { type RunId, runKey } from "../results/layout.ts";
import { engineName, type RunFacts, thenBy } from "../results/run_file.ts";
import { createRunDrawer, type RunDrawer } from "./draw_runs.ts";
import { createEngineKeeper } from "./engine_keeper.ts";
import { planGroups, type RunGroup } from "./plan_groups.ts";
import { createTally, type Progress } from "./progress.ts";
import { PROGRAM } from "./record_experiment.ts";
import type { Assembly, ResultsWriter } from "./results_writer.ts";
import { createTimeSheet, type TimeSheet } from "./time_sheet.ts";
import { trainGroup } from "./train_group.ts";

/** What a training needs. */
export interface TrainOptions {
  readonly engine: Engine;
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
 * Trains what is not finished of this process's runs, and writes the results of
 * all that is.
 *
 * @throws {InputError} If a file can't be written.
 * @throws {DeviceError} If the device fails and there is nothing to be done about it. What was saved is kept.
 */
export async function trainExperiment(
  results: ResultsWriter,
  options: TrainOptions,
): Promise<TrainOutcome> {
  const { prepared, store, ids } = results;
  const { experiment } = prepared;
  const { signal, progress, sheet = createTimeSheet() } = options;
  const keeper = createEngineKeeper(options.engine, {
    ...options,
    reopen: options.reopen,
    warn: progress.line,
  });
  const plan = (left: readonly RunId[]) =>
    planGroups(prepared, left, {
      store,
      engine: keeper.engine,
      mostModels: keeper.mostModels,
    });
  const warnOfChange = createWarner(progress.line);
  const queue = await plan(ids);
  const tally = createTally(queue, {
    epochs: experiment.training.epochs,
    progress,
  });
  if (queue.length > 0) {
    for (const id of ids) {
      warnOfChange([await store.finished(id)], { program: PROGRAM });
    }
  }
  let assembly = await results.assemble();
  let progressed = false;
  /** The group after the one that trains, and its runs as far as they are drawn. */
  let ahead: { group: RunGroup; drawer: RunDrawer } | undefined;
  try {
    for (
      let group = queue.shift();
      group !== undefined && !signal.aborted;
      group = queue.shift()
    ) {
      const resumed = group.epoch === 0
        ? group.ids.map(() => undefined)
        : await store.statesAt(group.ids, group.epoch);
      if (resumed === undefined) {
        queue.unshift(...await plan(group.ids));
        continue;
      }
      warnOfChange(resumed, {
        program: PROGRAM,
        engine: engineName(keeper.engine),
      });
      tally.begin(group.ids, queue.length);
      group.plan.prepare();
      const drawer = ahead?.group === group
        ? ahead.drawer
        : createRunDrawer(prepared, group.ids);
      const [next] = queue;
      const following = next && createRunDrawer(prepared, next.ids);
      ahead = next && following && { group: next, drawer: following };
      try {
        await trainGroup({
          results,
          signal,
          engine: keeper.engine,
          plan: group.plan,
          ids: group.ids,
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
        const left = [group, ...queue.splice(0)].flatMap((g) => g.ids);
        await keeper.recover(error, { ids: group.ids, progressed });
        progressed = false;
        queue.push(...await plan(left));
        continue;
      }
      assembly = await sheet.time("saving", () => results.assemble());
    }
  } finally {
    progress.finish();
    keeper.destroy();
  }
  const own = new Set(ids.map(runKey));
  const finished = assembly.missing.every((id) => !own.has(runKey(id)));
  return { finished, assembly };
}

/** Tells once that runs go on by another engine or another program: each group would say the same. */
function createWarner(tell: (line: string) => void) {
  const told = new Set<string>();
  const endings = {
    engine: "their last digits will be those of neither alone",
    program:
      "where the program computes otherwise now, they are the results of neither",
  };
  return (
    before: readonly (RunFacts | undefined)[],
    now: { readonly program: string; readonly engine?: string },
  ): void => {
    for (const kind of ["engine", "program"] as const) {
      const next = now[kind];
      const other = next === undefined
        ? undefined
        : before.find((facts) =>
          facts !== undefined && thenBy(facts[kind], next) !== facts[kind]
        );
      if (other === undefined || told.has(kind)) continue;
      told.add(kind);
      tell(
        `warning: runs that were trained ${kind === "engine" ? "on" : "by"} ${
          other[kind]
        } go on ${kind === "engine" ? "on" : "by"} ${next}; ${endings[kind]}`,
      );
    }
  };
}
