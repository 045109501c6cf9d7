/**
 * Trains what was prepared, for notebooks and other programs: into folders, or in
 * memory.
 *
 * @module
 */

import { join } from "node:path";
import type { Engine, Model } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import type { RecordedFailure } from "../results/experiment_record.ts";
import { type RunId, runKey } from "../results/layout.ts";
import {
  readResultsFolder,
  type ResultsFolder,
} from "../results/results_folder.ts";
import {
  factsOf,
  type RunFacts,
  type RunHistory,
} from "../results/run_file.ts";
import { type PreparedExperiment, runName, runsOf } from "./build_run.ts";
import { chooseEngine } from "./choose_engine.ts";
import {
  combinationResult,
  experimentRecord,
  failuresOf,
  networkKey,
} from "./record_experiment.ts";
import type { TrainingStatus } from "./progress.ts";
import { readModel } from "./read_model.ts";
import { openArms } from "./results_writer.ts";
import { trainArms, type TrainOutcome } from "./train_arms.ts";
import type { ArmResults } from "./groups.ts";

/** How to train. */
export interface TrainOptions {
  /** What trains; by default one that {@linkcode chooseEngine} opens, and that is closed at the end. */
  readonly engine?: Engine;
  /** The results folder; by default all stays in memory. */
  readonly folder?: string;
  /** Replace the results that are in the folder. */
  readonly overwrite?: boolean;
  /** Go on where an interrupted training of the same experiment stood in the folder. */
  readonly resume?: boolean;
  /** Seconds between two saved states in the folder, default 60. */
  readonly checkpointSeconds?: number;
  /** The runs to train, where not all of the experiment's; only in memory. */
  readonly runs?: readonly RunId[];
  /** Is told now and then how far the training is. */
  readonly onProgress?: (status: TrainingStatus) => void;
  /** Is told, in a line, what the user may not expect. */
  readonly onLine?: (line: string) => void;
  /** Stops the training after the epoch under way. */
  readonly signal?: AbortSignal;
}

/** A training that has ended. */
export interface TrainedExperiment {
  /** The curves of every combination whose runs are all finished, as `readResultsFolder()` gives them. */
  readonly results: ResultsFolder;
  /** Whether all runs were trained to their end. */
  readonly finished: boolean;
  /** Runs whose loss became NaN or infinite. */
  readonly failures: readonly RecordedFailure[];
  /**
   * A model as it was after the last epoch.
   *
   * @throws {InputError} If it was not trained to its end.
   */
  model(run: RunId): Promise<Model>;
}

/**
 * Trains all runs of an experiment side by side, into a results folder or in
 * memory; or those of several arms, each into a folder of its name in the folder.
 *
 * @param prepared What `prepare()` gave; or `prepareArms()`, and a result for each arm comes back.
 * @throws {InputError} If the folder holds something else, a file can't be written, or a model does not fit the device.
 * @throws {DeviceError} If the device fails. What was saved in the folder is kept.
 *
 * @example
 * ```ts
 * import { prepare, train } from "@biornn/biornn";
 *
 * const prepared = await prepare("config/quickstart.ini", {
 *   overrides: { epochs: 2 },
 * });
 * const { results } = await train(prepared, {
 *   runs: [{ combination: 0, iteration: 0 }],
 *   onProgress: ({ done, total }) => console.log(done / total),
 * });
 * results.combinations[0]?.validateLoss.values; // a loss for each of 2 epochs
 * ```
 */
export async function train(
  prepared: PreparedExperiment,
  options?: TrainOptions,
): Promise<TrainedExperiment>;
/** Trains several arms side by side. */
export async function train(
  prepared: readonly PreparedExperiment[],
  options?: TrainOptions,
): Promise<TrainedExperiment[]>;
export async function train(
  prepared: PreparedExperiment | readonly PreparedExperiment[],
  options: TrainOptions = {},
): Promise<TrainedExperiment | TrainedExperiment[]> {
  const arms = [prepared].flat();
  const labels = arms.map(({ experiment }) => experiment.arm);
  if (arms.length > 1 && new Set(labels).size < arms.length) {
    throw new TypeError(
      "Cannot train these experiments together: they are not arms of one config, as prepareArms() gives them",
    );
  }
  const engine = options.engine ??
    await chooseEngine("auto", options.onLine && { warn: options.onLine });
  const training: Parameters<typeof trainArms>[1] = {
    engine,
    signal: options.signal ?? new AbortController().signal,
    checkpointSeconds: options.checkpointSeconds ?? 60,
    progress: {
      update: options.onProgress ?? (() => {}),
      line: options.onLine ?? (() => {}),
      finish() {},
    },
  };
  try {
    const trained = options.folder === undefined
      ? await trainInMemory(arms, options.runs, training)
      : await trainIntoFolders(arms, options.folder, options, training);
    return Array.isArray(prepared) ? trained : trained[0]!;
  } finally {
    if (options.engine === undefined) engine.destroy();
  }
}

async function trainIntoFolders(
  arms: readonly PreparedExperiment[],
  folder: string,
  { runs, overwrite = false, resume = false }: TrainOptions,
  training: Parameters<typeof trainArms>[1],
): Promise<TrainedExperiment[]> {
  if (runs !== undefined) {
    throw new TypeError(
      "Cannot train some runs into a folder: without a folder they train in memory",
    );
  }
  const placed = arms.map((prepared): PreparedExperiment => {
    const { experiment } = prepared;
    const { arm, paths } = experiment;
    const results = arm === undefined ? folder : join(folder, arm);
    return {
      ...prepared,
      experiment: { ...experiment, paths: { ...paths, results } },
    };
  });
  const opened = await openArms(placed, {
    engine: training.engine,
    overwrite,
    resume,
    shard: undefined,
    warn: training.progress.line,
  });
  try {
    const outcomes = await trainArms(opened, training);
    return await Promise.all(
      outcomes.map(async ({ finished, assembly: { failures } }, i) => {
        const { folder } = opened[i]!;
        return {
          results: await readResultsFolder(folder),
          finished,
          failures,
          model: (run) => readModel(folder, run),
        };
      }),
    );
  } finally {
    for (const writer of opened) await writer.close();
  }
}

async function trainInMemory(
  arms: readonly PreparedExperiment[],
  runs: readonly RunId[] | undefined,
  training: Parameters<typeof trainArms>[1],
): Promise<TrainedExperiment[]> {
  const kept = arms.map((arm) => keepInMemory(arm, runs));
  const outcomes = await trainArms(kept, training);
  return kept.map((arm, i) => arm.trained(outcomes[i]!));
}

/** Keeps the results of an arm in memory. */
function keepInMemory(
  prepared: PreparedExperiment,
  ids: readonly RunId[] = runsOf(prepared.experiment),
): ArmResults & { trained(outcome: TrainOutcome): TrainedExperiment } {
  const { experiment, size } = prepared;
  const finished = new Map<string, {
    readonly network: string;
    readonly facts: RunFacts;
    readonly history: RunHistory;
    readonly model: Model;
  }>();
  const find = (id: RunId) => finished.get(runKey(id));
  const facts = () => ids.flatMap((id) => find(id)?.facts ?? []);
  const nothing = () => Promise.resolve();
  return {
    prepared,
    ids,
    store: {
      finished: (id) => Promise.resolve(find(id)?.facts),
      stateEpochs: () => Promise.resolve([]),
      statesAt: () => Promise.resolve(undefined),
      removeStates: nothing,
    },
    saveInitial: nothing,
    saveStates: nothing,
    saveModels: nothing,
    saveFinished(runs) {
      const { loss } = experiment.task.task;
      for (const { id, network, run, record } of runs) {
        const { activation, connections } = run;
        const { history, state: { parameters } } = record;
        finished.set(runKey(id), {
          network: networkKey(network),
          facts: factsOf(record),
          history,
          model: { ...size, activation, loss, connections, parameters },
        });
      }
      return Promise.resolve();
    },
    saveMeasured(id, networkStates) {
      const run = find(id)!;
      const facts = { ...run.facts, networkStates };
      finished.set(runKey(id), { ...run, facts });
      return Promise.resolve();
    },
    readTrained: (id) => Promise.resolve(find(id)!.model),
    assemble: () =>
      Promise.resolve({
        missing: ids.filter((id) => find(id) === undefined),
        failures: failuresOf(facts()),
      }),
    trained: (outcome) => ({
      results: {
        path: "",
        experiment: experimentRecord(prepared, facts()),
        // Those whose runs are all finished, as far as they were to be trained.
        combinations: experiment.grid.combinations.flatMap(({ index }) => {
          const own = ids.filter(({ combination }) => combination === index);
          const runs = own.flatMap((id) => find(id) ?? []);
          return runs.length === 0 || runs.length < own.length
            ? []
            : [combinationResult(experiment, { index, runs })];
        }),
        warnings: [],
      },
      finished: outcome.finished,
      failures: outcome.assembly.failures,
      model(id) {
        const run = find(id);
        return run ? Promise.resolve(run.model) : Promise.reject(
          new InputError(
            `Cannot give the model of ${
              runName(experiment, id)
            }: it was not trained`,
          ),
        );
      },
    }),
  };
}
