/**
 * Trains what was prepared, for notebooks and other programs: into folders, or in
 * memory.
 *
 * @module
 */

import { join } from "node:path";
import type { Engine, Model } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import type {
  NetworkStates,
  RecordedFailure,
} from "../results/experiment_record.ts";
import { type RunId, runKey } from "../results/layout.ts";
import {
  readResultsFolder,
  type ResultsFolder,
} from "../results/results_folder.ts";
import {
  factsOf,
  type RunFacts,
  type RunHistory,
  weightFailure,
} from "../results/run_file.ts";
import type { Parameters as Weights } from "../rnn/parameters.ts";
import { type PreparedExperiment, runName, runsOf } from "./build_run.ts";
import { chooseEngine } from "./choose_engine.ts";
import {
  combinationResult,
  experimentRecord,
  meanStates,
  networkKey,
  PROGRAM,
} from "./record_experiment.ts";
import type { TrainingStatus } from "./progress.ts";
import { readModel } from "./read_model.ts";
import { openArms } from "./results_writer.ts";
import { trainArms } from "./train_arms.ts";
import type { ArmResults, Assembly, RunAt } from "./groups.ts";

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
  /** The curves of every combination whose runs are all finished, as `readResults()` gives them. */
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
  try {
    const trained = options.folder === undefined
      ? await trainInMemory(arms, { ...options, engine })
      : await trainIntoFolders(arms, {
        ...options,
        engine,
        folder: options.folder,
      });
    return Array.isArray(prepared) ? trained : trained[0]!;
  } finally {
    if (options.engine === undefined) engine.destroy();
  }
}

/** What both ways hand on. */
function trainingOptions(
  { engine, signal, checkpointSeconds = 60, onProgress, onLine }:
    & TrainOptions
    & { readonly engine: Engine },
) {
  return {
    engine,
    signal: signal ?? new AbortController().signal,
    checkpointSeconds,
    progress: {
      update: onProgress ?? (() => {}),
      line: onLine ?? (() => {}),
      finish() {},
    },
  };
}

async function trainIntoFolders(
  arms: readonly PreparedExperiment[],
  options: TrainOptions & { readonly engine: Engine; readonly folder: string },
): Promise<TrainedExperiment[]> {
  const { engine, folder, onLine = () => {} } = options;
  if (options.runs !== undefined) {
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
    engine,
    overwrite: options.overwrite === true,
    resume: options.resume === true,
    shard: undefined,
    warn: onLine,
  });
  try {
    const outcomes = await trainArms(opened, trainingOptions(options));
    return await Promise.all(
      outcomes.map(async ({ finished, assembly }, i) => {
        const { folder } = opened[i]!;
        return {
          results: await readResultsFolder(folder),
          finished,
          failures: assembly.failures,
          model: (run: RunId) => readModel(folder, run),
        };
      }),
    );
  } finally {
    for (const writer of opened) await writer.close();
  }
}

async function trainInMemory(
  arms: readonly PreparedExperiment[],
  options: TrainOptions & { readonly engine: Engine },
): Promise<TrainedExperiment[]> {
  const kept = arms.map((arm) => new KeptResults(arm, options.runs));
  const outcomes = await trainArms(kept, trainingOptions(options));
  return kept.map((arm, i) => arm.trained(outcomes[i]!.finished));
}

/** A finished run that stays in memory. */
interface KeptRun {
  /** Tells its network from those of other runs. */
  readonly network: string;
  readonly facts: RunFacts;
  readonly history: RunHistory;
  readonly model: Model;
}

/** Keeps the results of an arm in memory. */
class KeptResults implements ArmResults {
  readonly prepared: PreparedExperiment;
  readonly ids: readonly RunId[];
  readonly #runs = new Map<string, KeptRun>();
  readonly #networks = new Map<string, string>();
  readonly store: ArmResults["store"] = {
    finished: (id) => Promise.resolve(this.#runs.get(runKey(id))?.facts),
    stateEpochs: () => Promise.resolve([]),
    statesAt: () => Promise.resolve(undefined),
    removeStates: () => Promise.resolve(),
  };

  constructor(
    prepared: PreparedExperiment,
    runs: readonly RunId[] | undefined,
  ) {
    this.prepared = prepared;
    this.ids = runs ?? runsOf(prepared.experiment);
  }

  saveInitial(runs: Parameters<ArmResults["saveInitial"]>[0]): Promise<void> {
    for (const { id, network } of runs) {
      this.#networks.set(runKey(id), networkKey(network));
    }
    return Promise.resolve();
  }
  saveStates(): Promise<void> {
    return Promise.resolve();
  }
  saveModels(): Promise<void> {
    return Promise.resolve();
  }

  saveFinished(runs: readonly RunAt[]): Promise<void> {
    const { experiment, size, fingerprint } = this.prepared;
    const { task: { task: { loss } }, training } = experiment;
    for (const { id, engine, run, history, state: { parameters } } of runs) {
      const failure = weightFailure(parameters, training.epochs - 1);
      const facts = factsOf({
        ...{ id, engine, history, experiment: fingerprint, program: PROGRAM },
        ...(failure === undefined ? {} : { failure }),
      });
      const { activation, connections } = run;
      this.#runs.set(runKey(id), {
        network: this.#networks.get(runKey(id))!,
        facts,
        history,
        model: { ...size, activation, loss, connections, parameters },
      });
    }
    return Promise.resolve();
  }

  saveMeasured(id: RunId, networkStates: NetworkStates): Promise<void> {
    const kept = this.#runs.get(runKey(id))!;
    const facts = { ...kept.facts, networkStates };
    this.#runs.set(runKey(id), { ...kept, facts });
    return Promise.resolve();
  }

  readTrained(id: RunId): Promise<Weights> {
    return Promise.resolve(this.#runs.get(runKey(id))!.model.parameters);
  }

  assemble(): Promise<Assembly> {
    const missing = this.ids.filter((id) => !this.#runs.has(runKey(id)));
    return Promise.resolve({ complete: [], missing, failures: this.#failures });
  }

  get #failures(): RecordedFailure[] {
    return this.ids.flatMap((id) => {
      const failure = this.#runs.get(runKey(id))?.facts.failure;
      return failure === undefined ? [] : [{ ...id, ...failure }];
    });
  }

  /** What is known at the end. */
  trained(finished: boolean): TrainedExperiment {
    const { experiment } = this.prepared;
    const found = this.ids.map((id) => this.#runs.get(runKey(id)));
    const known = found.filter((run) => run !== undefined);
    return {
      results: {
        path: "",
        experiment: experimentRecord(this.prepared, {
          engines: [...new Set(known.map(({ facts }) => facts.engine))],
          programs: [PROGRAM],
          failures: this.#failures,
          states: meanStates(
            known.map(({ facts }) => [facts.id, facts.networkStates]),
          ),
        }),
        // The combinations whose runs are all finished, as far as they were to be trained.
        combinations: experiment.grid.combinations.flatMap(({ index }) => {
          const own = found.filter((_, i) =>
            this.ids[i]!.combination === index
          );
          const runs = own.filter((run) => run !== undefined);
          return own.length === 0 || runs.length < own.length
            ? []
            : [combinationResult(experiment, { index, runs })];
        }),
        warnings: [],
      },
      finished,
      failures: this.#failures,
      model: (id) => {
        const run = this.#runs.get(runKey(id));
        return run === undefined
          ? Promise.reject(
            new InputError(
              `Cannot give the model of ${
                runName(experiment, id)
              }: it was not trained`,
            ),
          )
          : Promise.resolve(run.model);
      },
    };
  }
}
