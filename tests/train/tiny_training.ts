/**
 * Trains the tiny experiment in this process, on an engine of the test's own.
 *
 * @module
 */

import { join } from "node:path";
import type { Engine, Ensemble } from "../../src/engine/ensemble.ts";
import { readExperiment } from "../../src/experiment/read.ts";
import type { RunId } from "../../src/results/layout.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import type { PreparedExperiment } from "../../src/train/build_run.ts";
import { prepare } from "../../src/train/prepare.ts";
import type { Progress, TrainingStatus } from "../../src/train/progress.ts";
import { openArms } from "../../src/train/results_writer.ts";
import type { Shard } from "../../src/train/shard.ts";
import { trainArms, type TrainOutcome } from "../../src/train/train_arms.ts";
import { tinyConfig, type TinyExperiment } from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";

/** How to train. */
export interface TinyTrainingOptions {
  readonly engine: Engine;
  readonly tiny?: TinyExperiment;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly shard?: Shard;
  readonly signal?: AbortSignal;
  readonly checkpointSeconds?: number;
  readonly reopen?: () => Promise<Engine>;
  /** Called before a run's topology is drawn; may throw. */
  readonly onDraw?: (id: RunId) => void;
}

/** What was told, and how it ended. */
export interface TinyTraining {
  readonly outcome: TrainOutcome;
  readonly lines: readonly string[];
  readonly updates: readonly TrainingStatus[];
}

/** Prepares the experiment of a config's text; paths in it begin at the folder. */
export function prepareText(
  text: string,
  folder = ".",
): Promise<PreparedExperiment> {
  const file = join(folder, "config.ini");
  return prepare(readExperiment(text, { file, tasks: TASKS }));
}

/** Trains undisturbed, and calls `use` with a place for another training and the results of this one. */
export async function withCalm(
  options: Pick<TinyTrainingOptions, "engine" | "tiny">,
  use: (place: string, calm: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await trainTiny(join(folder, "calm"), options);
    await use(join(folder, "place"), join(folder, "calm", "results"));
  });
}

/** Trains; the results are in the folder `results` in `folder`. */
export async function trainTiny(
  folder: string,
  options: TinyTrainingOptions,
): Promise<TinyTraining> {
  const lines: string[] = [];
  const updates: TrainingStatus[] = [];
  const progress: Progress = {
    update: (status) => updates.push(status),
    line: (text) => lines.push(text),
    finish: () => {},
  };
  const experiment = readExperiment(tinyConfig(options.tiny), {
    file: join(folder, "config.ini"),
    tasks: TASKS,
  });
  const ready = await prepare(experiment, {
    onLine: progress.line,
  });
  const prepared = {
    ...ready,
    topologyOf(id: RunId) {
      options.onDraw?.(id);
      return ready.topologyOf(id);
    },
  };
  const results = await openArms([prepared], {
    engine: options.engine,
    overwrite: options.overwrite === true,
    resume: options.resume === true || options.shard !== undefined,
    shard: options.shard,
    warn: progress.line,
  });
  try {
    const [outcome] = await trainArms(results, {
      engine: options.engine,
      signal: options.signal ?? new AbortController().signal,
      checkpointSeconds: options.checkpointSeconds ?? 60,
      progress,
      wait: () => Promise.resolve(),
      reopen: options.reopen,
    });
    return { outcome: outcome!, lines, updates };
  } finally {
    for (const arm of results) await arm.close();
  }
}

/** An engine that cuts every plan into groups of so many models. */
export function inGroupsOf(most: number, engine: Engine): Engine {
  return {
    ...engine,
    plan(size) {
      const plan = engine.plan(size);
      const groups = plan.groups.flatMap((group) =>
        Array.from(
          { length: Math.ceil(group.length / most) },
          (_, i) => group.slice(i * most, (i + 1) * most),
        )
      );
      return { ...plan, groups };
    },
  };
}

/** What is about to be done on an engine. */
export type EngineCall =
  | { readonly kind: "createEnsemble"; readonly models: number }
  | { readonly kind: "train" | "state"; readonly models: number };

/** An engine that calls `before` before each call, which may throw. */
export function interrupted(
  engine: Engine,
  before: (call: EngineCall) => void,
): Engine {
  return withEnsembles(engine, (ensemble) => {
    const { models } = ensemble;
    return {
      ...ensemble,
      train(epochs, options) {
        before({ kind: "train", models });
        return ensemble.train(epochs, options);
      },
      state(model) {
        before({ kind: "state", models });
        return ensemble.state(model);
      },
    };
  }, (models) => before({ kind: "createEnsemble", models }));
}

/** An engine that pretends that a device is busy for a second with each call of `train`. */
export function busy(engine: Engine): Engine {
  return withEnsembles(engine, (ensemble) => ({
    ...ensemble,
    async train(epochs, options) {
      await options?.whileBusy?.(1000);
      return ensemble.train(epochs, options);
    },
  }));
}

/** An engine whose ensembles are wrapped. */
function withEnsembles(
  engine: Engine,
  wrap: (ensemble: Ensemble) => Ensemble,
  before: (models: number) => void = () => {},
): Engine {
  return {
    ...engine,
    plan(shape) {
      const plan = engine.plan(shape);
      return {
        ...plan,
        async createEnsemble(runs) {
          before(runs.length);
          return wrap(await plan.createEnsemble(runs));
        },
      };
    },
  };
}
