/**
 * Trains the arms of an experiment, or the part of them that is left or falls to
 * this process, ensemble by ensemble.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";
import { MEASURES_FILE, runKey } from "../results/layout.ts";
import {
  engineName,
  type RunFacts,
  type RunRecord,
  thenBy,
} from "../results/run_file.ts";
import { plural } from "../text/words.ts";
import { buildRun } from "./build_run.ts";
import { EngineKeeper } from "./choose_engine.ts";
import {
  type ArmResults,
  type ArmRun,
  type Assembly,
  planGroups,
  type RunGroup,
} from "./groups.ts";
import { Measurer } from "./measure.ts";
import {
  createTally,
  createTimeSheet,
  type Progress,
  type TimeSheet,
} from "./progress.ts";
import { PROGRAM } from "./record_experiment.ts";
import { eachOf, measurementOf, trainGroup } from "./train_group.ts";

interface TrainArmsOptions {
  readonly engine: Engine;
  /** Stops the training after the epoch under way. */
  readonly signal: AbortSignal;
  /** Seconds between two saved states. */
  readonly checkpointSeconds: number;
  readonly progress: Progress;
  /** Opens the device again when it was lost; without it a lost device ends the training. */
  readonly reopen?: (() => Promise<Engine>) | undefined;
  /** For tests. */
  readonly wait?: (milliseconds: number) => Promise<void>;
  readonly sheet?: TimeSheet;
}

/** How the training of an arm ended. */
export interface TrainOutcome {
  /** Whether every run of this process was trained to its end. */
  readonly finished: boolean;
  /** How far the whole arm is, the other shards' runs included. */
  readonly assembly: Assembly;
}

/**
 * Trains what is not finished of this process's runs, those of all arms side by side, and
 * writes the results of all that is.
 *
 * @returns An outcome for each arm.
 * @throws {InputError} If a file can't be written.
 * @throws {DeviceError} If the device fails and there is nothing to be done about it. What was saved is kept.
 */
export async function trainArms(
  arms: readonly ArmResults[],
  options: TrainArmsOptions,
): Promise<TrainOutcome[]> {
  const { signal, progress, sheet = createTimeSheet() } = options;
  const keeper = new EngineKeeper(options.engine, {
    ...options,
    warn: progress.line,
  });
  const all = arms.flatMap((results) =>
    results.ids.map((id): ArmRun => ({ results, id }))
  );
  const finished = () =>
    Array.fromAsync(all, ({ results, id }) => results.store.finished(id));
  const warnOfChange = createWarner(progress.line);
  const queue = await planGroups(all, keeper);
  const tally = createTally(queue, progress);
  if (queue.length > 0) warnOfChange("program", await finished(), PROGRAM);
  const assemble = (some: Iterable<ArmResults>, atEnd = false) =>
    sheet.time("saving", () => eachOf(some, (arm) => arm.assemble({ atEnd })));
  await assemble(arms);
  const measurer = new Measurer();
  let assemblies: Assembly[];
  try {
    for (
      let group = queue.shift();
      group !== undefined && !signal.aborted;
      group = queue.shift()
    ) {
      const resumed = await statesOf(group);
      if (resumed === undefined) {
        queue.unshift(...await planGroups(group.runs, keeper));
        continue;
      }
      const { engine } = keeper;
      warnOfChange("engine", resumed, engineName(engine));
      warnOfChange("program", resumed, PROGRAM);
      tally.begin(group, queue.length);
      group.plan.prepare();
      const [next] = queue;
      try {
        await trainGroup(group, {
          engine,
          resumed,
          signal,
          sheet,
          measurer,
          checkpointInterval: options.checkpointSeconds * 1000,
          onEpochs(event) {
            keeper.losses = 0;
            tally.add(event);
          },
          async whileBusy(milliseconds) {
            if (signal.aborted) return;
            const end = performance.now() + milliseconds;
            await sheet.time("beside", async () => {
              await next?.drawer.drawFor(milliseconds);
              await measurer.work(end - performance.now());
            });
          },
        });
      } catch (error) {
        const left = [group, ...queue.splice(0)].flatMap(({ runs }) => runs);
        await keeper.recover(error, group.runs);
        queue.push(...await planGroups(left, keeper));
        continue;
      }
      await assemble(new Set(group.runs.map(({ results }) => results)));
    }
    // Where nothing was left to train, measuring is what there is to do.
    const { training } = sheet.totals().phases;
    const milliseconds = training > 0
      ? Math.max(LEAST_MEASURING, training)
      : Infinity;
    await sheet.time(
      "measuring",
      () => measureLeft(all, { measurer, signal, milliseconds }),
    );
    const facts = (await finished()).filter((one) => one !== undefined);
    const unmeasured = facts.filter((one) => one.networkStates === undefined);
    if (facts.length === all.length && unmeasured.length > 0) {
      // Tables of some runs alone would depend on the machine's speed.
      progress.line(
        `note: spectral radius and activity of ${
          plural(unmeasured.length, "run")
        } were not measured, ${
          signal.aborted
            ? "as the training was stopped"
            : "which would take longer than the training"
        }; ${MEASURES_FILE} is written when they are, by --resume`,
      );
    }
    assemblies = await assemble(arms, true);
  } finally {
    progress.finish();
    if (keeper.engine !== options.engine) keeper.engine.destroy();
  }
  return assemblies.map((assembly, i) => {
    const own = new Set(arms[i]!.ids.map(runKey));
    const finished = assembly.missing.every((id) => !own.has(runKey(id)));
    return { finished, assembly };
  });
}

/** Milliseconds that networks may be measured for at the end, however short the training was. */
const LEAST_MEASURING = 20_000;

/** Milliseconds after which a signal is listened to. */
const SLICE = 200;

/** Measures what training left no time for, those of an interrupted training too, unless it would take longer than the training did. */
async function measureLeft(
  runs: readonly ArmRun[],
  { measurer, signal, milliseconds }: {
    readonly measurer: Measurer;
    readonly signal: AbortSignal;
    readonly milliseconds: number;
  },
): Promise<void> {
  const end = performance.now() + milliseconds;
  const hasTime = () => !signal.aborted && performance.now() < end;
  const work = async () => {
    const left = await measurer.work(SLICE);
    // A timer, so that a signal is heard.
    await new Promise((resolve) => setTimeout(resolve));
    return left;
  };
  while (hasTime()) {
    if (await work() === 0) break;
  }
  for (const { results, id } of runs) {
    if (!hasTime()) break;
    const facts = await results.store.finished(id);
    if (facts === undefined || facts.networkStates !== undefined) continue;
    const run = await buildRun(results.prepared, id);
    measurer.begin([measurementOf({ results, id, run })]);
    measurer.end(run.label, await results.readTrained(id));
    await work();
  }
}

/** Where the runs of a group stand; undefined where a state turned out to be damaged. */
async function statesOf(
  { runs, epoch }: RunGroup,
): Promise<(RunRecord | undefined)[] | undefined> {
  if (epoch === 0) return runs.map(() => undefined);
  const states = new Map<ArmRun, RunRecord>();
  for (const [{ store }, own] of Map.groupBy(runs, (run) => run.results)) {
    const some = await store.statesAt(own.map(({ id }) => id), epoch);
    if (some === undefined) return undefined;
    own.forEach((run, i) => states.set(run, some[i]!));
  }
  return runs.map((run) => states.get(run));
}

/** Tells once that runs go on by another engine or another program: each group would say the same. */
function createWarner(tell: (line: string) => void) {
  const words = {
    engine: ["on", "their last digits will be those of neither alone"],
    program: [
      "by",
      "where the program computes otherwise now, they are the results of neither",
    ],
  } as const;
  const told = new Set<string>();
  return (
    kind: keyof typeof words,
    before: readonly (RunFacts | undefined)[],
    now: string,
  ): void => {
    const [by, ending] = words[kind];
    const other = before.find((facts) =>
      facts !== undefined && thenBy(facts[kind], now) !== facts[kind]
    );
    if (other === undefined || told.has(kind)) return;
    told.add(kind);
    tell(
      `warning: runs that were trained ${by} ${
        other[kind]
      } go on ${by} ${now}; ${ending}`,
    );
  };
}
