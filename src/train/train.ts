/**
 * An experiment in two calls, for notebooks and other programs: prepare it,
 * train it.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type Connectome, createConnectome } from "../connectome/connectome.ts";
import { NULL_MODELS, type NullModel } from "../connectome/nulls/null_model.ts";
import type { Engine, EpochHistory, Model } from "../engine/ensemble.ts";
import type { Experiment } from "../experiment/experiment.ts";
import {
  type ExperimentOverrides,
  readExperiment,
} from "../experiment/read.ts";
import { InputError } from "../files/input_error.ts";
import { readTextFile } from "../files/read.ts";
import { curvesOf } from "../results/curves.ts";
import type { RecordedFailure } from "../results/experiment_record.ts";
import {
  type CombinationResult,
  readResultsFolder,
  type ResultsFolder,
} from "../results/results_folder.ts";
import { type RunId, runKey, runLabel } from "../results/layout.ts";
import {
  engineName,
  failureOf,
  fileSum,
  type NetworkStates,
  type RunFailure,
  type RunHistory,
  weightFailure,
} from "../results/run_file.ts";
import { TASKS } from "../tasks/registry.ts";
import type { Task } from "../tasks/task.ts";
import { chooseEngine } from "./choose_engine.ts";
import { planEnsembles } from "./plan_groups.ts";
import {
  buildRun,
  ensembleShape,
  type PreparedExperiment,
  prepareExperiment,
  runsOf,
} from "./prepare.ts";
import { meanStates } from "./network_tables.ts";
import { networkStates } from "./networks.ts";
import { createTally, type TrainingStatus } from "./progress.ts";
import { readModel } from "./read_model.ts";
import { experimentRecord, PROGRAM, sparse } from "./record_experiment.ts";
import { ResultsWriter } from "./results_writer.ts";
import { trainExperiment } from "./train_experiment.ts";
import { bestOf, copyHistory, emptyHistory } from "./train_group.ts";

/** How to prepare an experiment. */
export interface PrepareOptions {
  /** Tasks of one's own that the config may name, besides those of `TASKS`. */
  readonly tasks?: readonly Task[];
  /** Null models of one's own that the config may name, besides those of `NULL_MODELS`. */
  readonly nullModels?: Readonly<Record<string, NullModel>>;
  /** Values that stand in for the config's, as flags of the command line do. */
  readonly overrides?: ExperimentOverrides;
  /** A connectome of one's own instead of the one that `net_name` asks for; it must have `rnn_size` regions. */
  readonly connectome?: Connectome;
  /** Is told, in a line, what takes time and what the user may not expect. */
  readonly onLine?: (line: string) => void;
}

/**
 * Reads an experiment and loads all that its runs share: the connectome, scaled
 * to a network of neurons, and the stimuli of tasks that show pictures.
 *
 * @param config The config file, or an experiment that `readExperiment()` gave.
 * @throws {InputError} If the config is wrong, or what it names can't be had: one sentence that says file, key, what was found and what is allowed.
 *
 * @example
 * ```ts
 * import { prepare } from "@biornn/biornn";
 *
 * const prepared = await prepare("config/quickstart.ini");
 * prepared.size; // { hiddenSize: 58, inputSize: 2, outputSize: 1 }
 * ```
 */
export async function prepare(
  config: string | URL | Experiment,
  options: PrepareOptions = {},
): Promise<PreparedExperiment> {
  const { connectome, onLine = () => {} } = options;
  return await prepareExperiment(
    typeof config === "string" || config instanceof URL
      ? await readConfig(config, options)
      : config,
    {
      onProgress: onLine,
      // Made anew: what was changed in it must not pass for the one it was made of.
      ...(connectome === undefined ? {} : {
        connectome: await createConnectome(connectome.graph, connectome),
      }),
    },
  );
}

async function readConfig(
  config: string | URL,
  { tasks = [], nullModels = {}, overrides = {} }: PrepareOptions,
): Promise<Experiment> {
  const file = config instanceof URL ? fileURLToPath(config) : config;
  // Results name a task and a null model by their names alone.
  const taken = [
    ...tasks.filter(({ name }, i) =>
      TASKS.has(name) || tasks.findIndex((task) => task.name === name) < i
    ).map(({ name }) => `task ${name}`),
    ...Object.keys(nullModels).filter((name) =>
      name === "none" || Object.hasOwn(NULL_MODELS, name)
    ).map((name) => `null model ${name}`),
  ];
  if (taken.length > 0) {
    throw new InputError(
      `Cannot add the ${
        taken[0]
      }: there is one of that name already; give it another`,
    );
  }
  return readExperiment(await readTextFile(file, { what: "config file" }), {
    file,
    tasks: new Map([
      ...TASKS,
      ...tasks.map((task) => [task.name, task] as const),
    ]),
    nullModels: { ...NULL_MODELS, ...nullModels },
    overrides,
  });
}

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
 * memory.
 *
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
  options: TrainOptions = {},
): Promise<TrainedExperiment> {
  const { engine: given, folder } = options;
  const engine = given ??
    await chooseEngine("auto", options.onLine && { warn: options.onLine });
  try {
    return folder === undefined
      ? await trainInMemory(prepared, { ...options, engine })
      : await trainIntoFolder(prepared, { ...options, engine, folder });
  } finally {
    if (given === undefined) engine.destroy();
  }
}

async function trainIntoFolder(
  prepared: PreparedExperiment,
  options: TrainOptions & { readonly engine: Engine; readonly folder: string },
): Promise<TrainedExperiment> {
  const { engine, folder, onLine: line = () => {} } = options;
  const { experiment } = prepared;
  if (options.runs !== undefined) {
    throw new TypeError(
      "Cannot train some runs into a folder: without a folder they train in memory",
    );
  }
  const placed: PreparedExperiment = {
    ...prepared,
    experiment: {
      ...experiment,
      paths: { ...experiment.paths, results: folder },
    },
  };
  const results = await ResultsWriter.open(placed, {
    engine,
    overwrite: options.overwrite === true,
    resume: options.resume === true,
    shard: undefined,
    warn: line,
  });
  const { finished, assembly } = await trainExperiment(results, {
    engine,
    signal: options.signal ?? new AbortController().signal,
    checkpointSeconds: options.checkpointSeconds ?? 60,
    progress: { update: options.onProgress ?? (() => {}), line, finish() {} },
  }).finally(() => results.close());
  return {
    results: await readResultsFolder(folder),
    finished,
    failures: assembly.failures,
    model: (run) => readModel(folder, run),
  };
}

async function trainInMemory(
  prepared: PreparedExperiment,
  options: TrainOptions & { readonly engine: Engine },
): Promise<TrainedExperiment> {
  const { engine, onProgress, signal } = options;
  const { experiment, size } = prepared;
  const { epochs } = experiment.training;
  const { loss } = experiment.task.task;
  const runs = options.runs ?? runsOf(experiment);
  const plan = planEnsembles(engine, ensembleShape(prepared, runs));
  const groups = plan.groups.map((numbers) => ({
    epoch: 0,
    plan,
    ids: numbers.map((n) => runs[n]!),
  }));
  const tally = createTally(groups, {
    epochs,
    progress: { update: onProgress ?? (() => {}), line() {}, finish() {} },
  });
  const histories = new Map<string, RunHistory>();
  const models = new Map<string, Model>();
  const spoilt = new Map<string, RunFailure>();
  const states = new Map<string, NetworkStates>();
  const networks = new Map<string, string>();
  for (const [i, { ids }] of groups.entries()) {
    if (signal?.aborted) break;
    tally.begin(ids, groups.length - 1 - i);
    const built = [];
    for (const id of ids) {
      built.push(await buildRun(prepared, id));
      const own = prepared.ownNetworkOf(id);
      networks.set(runKey(id), own === undefined ? "" : fileSum(sparse(own)));
    }
    const batches = built[0]!.trials.trainBatches.length;
    const own = ids.map(() => emptyHistory(epochs, loss === "nll"));
    const ensemble = await plan.createEnsemble(built);
    let epoch = 0;
    try {
      await ensemble.train(epochs, {
        ...(signal === undefined ? {} : { signal }),
        onEpochs(history: EpochHistory) {
          copyHistory(history, own, epoch);
          epoch += history.epochs;
          tally.add({
            count: history.epochs,
            epoch,
            models: ids.length,
            steps: history.epochs * batches * ids.length,
            best: bestOf(history, ids),
          });
        },
      });
      if (epoch < epochs) break;
      for (const [m, { parameters }] of (await ensemble.state()).entries()) {
        const { activation, connections } = built[m]!;
        const key = runKey(ids[m]!);
        const failure = weightFailure(parameters, epochs - 1);
        if (failure !== undefined) spoilt.set(key, failure);
        histories.set(key, own[m]!);
        states.set(
          key,
          networkStates(built[m]!, { trained: parameters, size, loss }),
        );
        models.set(key, { ...size, activation, loss, connections, parameters });
      }
    } finally {
      ensemble.destroy();
    }
  }
  const failures = runs.flatMap((run) => {
    const history = histories.get(runKey(run));
    const weights = spoilt.get(runKey(run));
    const failure = history && failureOf({
      history,
      ...(weights === undefined ? {} : { failure: weights }),
    });
    return failure === undefined ? [] : [{ ...run, ...failure }];
  });
  return {
    results: {
      path: "",
      experiment: experimentRecord(prepared, {
        engines: [engineName(engine)],
        programs: [PROGRAM],
        failures,
        states: meanStates(runs.map((run) => [run, states.get(runKey(run))])),
      }),
      combinations: combinationsOf(prepared, { runs, histories, networks }),
      warnings: [],
    },
    finished: histories.size === runs.length,
    failures,
    model: (run) => {
      const model = models.get(runKey(run));
      return model === undefined
        ? Promise.reject(
          new InputError(
            `Cannot give the model of ${runLabel(run)}: it was not trained`,
          ),
        )
        : Promise.resolve(model);
    },
  };
}

/** The curves of the combinations whose runs are all finished, as far as they were to be trained. */
function combinationsOf(
  { experiment: { grid } }: PreparedExperiment,
  { runs, histories, networks }: {
    readonly runs: readonly RunId[];
    readonly histories: ReadonlyMap<string, RunHistory>;
    readonly networks: ReadonlyMap<string, string>;
  },
): CombinationResult[] {
  return grid.combinations.flatMap(({ index, repr, values }) => {
    const own = runs.filter(({ combination }) => combination === index);
    const finished = own.map((run) => histories.get(runKey(run)))
      .filter((history) => history !== undefined);
    return own.length === 0 || finished.length < own.length ? [] : [{
      index,
      title: repr,
      parameters: Object.fromEntries(
        grid.keys.map((key, i) => [key, values[i]!.value]),
      ),
      ...curvesOf(finished),
      networks: own.map((run) => networks.get(runKey(run))!),
    }];
  });
}
