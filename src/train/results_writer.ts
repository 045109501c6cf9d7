/**
 * Writes the results of a training: what is known before it, where its runs
 * stand, models, curves, and at last the record of the experiment.
 *
 * @module
 */

import { join } from "node:path";
import type { Engine } from "../engine/ensemble.ts";
import { readFileBytes, readIfThere } from "../files/read.ts";
import { makeFolder, writeFilesWhole, writeFileWhole } from "../files/write.ts";
import {
  changedFiles,
  type CombinationCurves,
  curveFiles,
  curvesOf,
} from "../results/data_files.ts";
import type {
  ExperimentRecord,
  NetworkStates,
  RecordedFailure,
} from "../results/experiment_record.ts";
import {
  CURVE_FILES,
  modelPath,
  type RunId,
  runKey,
  SUMS_FILE,
  topologyPath,
} from "../results/layout.ts";
import { type FolderLock, lockFolder, readLocks } from "../results/lock.ts";
import {
  findRecord,
  openFolder,
  refuseFolder,
  refuseInside,
  sweep,
} from "../results/open_folder.ts";
import {
  engineName,
  factsOf,
  fileSum,
  type RunHistory,
  type RunRecord,
  sumsOf,
  thenBy,
  weightFailure,
} from "../results/run_file.ts";
import { RunStore } from "../results/run_store.ts";
import { decodeCheckpoint } from "../rnn/checkpoint.ts";
import type { Parameters as Weights } from "../rnn/parameters.ts";
import {
  experimentRecord,
  firstFiles,
  lastFiles,
  type MeasuredRun,
  modelBytes,
  PROGRAM,
  sparse,
} from "./record_experiment.ts";
import { type PreparedExperiment, runsOf } from "./build_run.ts";
import { runsOfShard, type Shard } from "./shard.ts";
import type {
  ArmResults,
  Assembly,
  DrawnRun,
  RunAt,
  TrainedRun,
} from "./groups.ts";

/** How to open a results folder. */
interface OpenResultsOptions {
  readonly engine: Pick<Engine, "kind" | "description">;
  /** Replace what is there. */
  readonly overwrite: boolean;
  /** Join what is there, if it belongs to the same experiment. */
  readonly resume: boolean;
  /** The part that this process trains: others may be writing to the folder now. */
  readonly shard: Shard | undefined;
  readonly warn: (line: string) => void;
}

/** The results folder of a training that is under way. */
class ResultsWriter implements ArmResults {
  readonly prepared: PreparedExperiment;
  readonly folder: string;
  readonly store: RunStore;
  readonly ids: readonly RunId[];
  readonly #lock: FolderLock;
  readonly #written = new Set<number>();
  /** SHA-256 of the last models and of the topologies of the group under way, by run. */
  readonly #models = new Map<string, string>();
  readonly #topologies = new Map<string, string>();

  private constructor(
    prepared: PreparedExperiment,
    { store, ids, lock }: {
      store: RunStore;
      ids: readonly RunId[];
      lock: FolderLock;
    },
  ) {
    this.prepared = prepared;
    this.folder = prepared.experiment.paths.results;
    this.store = store;
    this.ids = ids;
    this.#lock = lock;
  }

  /**
   * Takes the results folder for this process: a new one, or the one that an
   * interrupted training or another shard of the same experiment has begun.
   *
   * @throws {InputError} If it holds something else and may not be replaced.
   * @throws {RetryError} If another process trains there.
   */
  static async open(
    prepared: PreparedExperiment,
    { engine, overwrite, resume, shard, ids, warn }:
      & OpenResultsOptions
      & Pick<ArmResults, "ids">,
  ): Promise<ResultsWriter> {
    const { experiment, size } = prepared;
    const folder = experiment.paths.results;
    const files = firstFiles(prepared);
    const lock = await openFolder(folder, {
      record: firstRecord(prepared, engine),
      mode: modeOf({ overwrite, resume }),
      part: shard,
      ids,
      files: [...files, [SUMS_FILE, () => sumsOf(files)]],
      warn,
    });
    try {
      const store = await RunStore.open({
        folder,
        experiment: prepared.fingerprint,
        size,
        epochs: experiment.training.epochs,
        warn,
      });
      for (const { index } of experiment.grid.combinations) {
        await makeFolder(join(folder, String(index)));
      }
      const writer = new ResultsWriter(prepared, { store, ids, lock });
      if (!overwrite && resume) await writer.#mend();
      return writer;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Looks for what was lost or damaged of the runs of this process since they were trained. */
  async #mend(): Promise<void> {
    await this.store.checkModels(this.ids);
    for (const id of this.ids) {
      const facts = await this.store.finished(id);
      if (facts !== undefined) await this.#saveTopology(id, facts.topology);
    }
  }

  /** Writes a run's random topology, unless it is there with that checksum. */
  async #saveTopology(
    id: RunId,
    known: string | undefined,
    random = () => this.prepared.ownNetworkOf(id),
  ): Promise<void> {
    const { nullModel, freshNetwork } = this.prepared.experiment.net;
    if (nullModel === "none" && !freshNetwork) return;
    const path = topologyPath(this.folder, id);
    if (known !== undefined) {
      const bytes = await readIfThere(path, { what: "the topology" });
      if (bytes !== undefined && fileSum(bytes) === known) {
        this.#topologies.set(runKey(id), known);
        return;
      }
    }
    const network = random();
    if (network === undefined) return;
    const bytes = sparse(network);
    await writeFileWhole(path, bytes);
    this.#topologies.set(runKey(id), fileSum(bytes));
  }

  /** Gives the folder free. */
  async close(): Promise<void> {
    await this.#lock.release();
  }

  /** The record of a run of which so many epochs are known. */
  #recordOf(
    { id, engine, resumed, history }: TrainedRun,
    epochs: number,
  ): RunRecord {
    const topology = this.#topologies.get(runKey(id));
    return {
      id,
      ...(topology === undefined ? {} : { topology }),
      experiment: this.prepared.fingerprint,
      engine: thenBy(resumed?.engine, engine),
      program: thenBy(resumed?.program, PROGRAM),
      history: upTo(epochs, history),
    };
  }

  /**
   * Writes what the runs begin with: of each combination the first model, as
   * the original does, and of random topologies each run's.
   */
  async saveInitial(
    runs: readonly (TrainedRun & Pick<DrawnRun, "network">)[],
  ): Promise<void> {
    await this.#lock.check();
    for (const { id, resumed, network } of runs) {
      await this.#saveTopology(id, resumed?.topology, () => network);
    }
    await writeFilesWhole(runs.flatMap(({ id, run }) => {
      if (run.state !== undefined || id.iteration !== 0) return [];
      return [this.#modelFile(id, {
        epoch: "initial",
        parameters: run.initial,
        connections: run.connections,
      })];
    }));
  }

  /** Writes the states of runs as they are now. */
  async saveStates(runs: readonly RunAt[]): Promise<void> {
    await this.#lock.check();
    await this.store.saveStates(
      runs.map((run) => ({
        ...this.#recordOf(run, run.state.epoch),
        state: run.state,
      })),
    );
  }

  /** Writes a model of each run as it is now. */
  async saveModels(runs: readonly RunAt[]): Promise<void> {
    await this.#lock.check();
    await writeFilesWhole(
      runs.map(({ id, run, state, history }) =>
        this.#modelFile(id, {
          epoch: state.epoch - 1,
          parameters: state.parameters,
          connections: run.connections,
          history,
        })
      ),
    );
  }

  /** Path and bytes of a model's file. */
  #modelFile(
    id: RunId,
    model: Omit<Parameters<typeof modelBytes>[1], "id">,
  ): readonly [path: string, content: () => Uint8Array] {
    return [modelPath(this.folder, { ...id, epoch: model.epoch }), () => {
      const bytes = modelBytes(this.prepared, { id, ...model });
      this.#models.set(runKey(id), fileSum(bytes));
      return bytes;
    }];
  }

  /** Writes the runs as finished. */
  async saveFinished(runs: readonly RunAt[]): Promise<void> {
    await this.#lock.check();
    const { training } = this.prepared.experiment;
    await this.store.saveFinished(runs.map((each) => {
      const { id, state: { parameters } } = each;
      const model = this.#models.get(runKey(id));
      const failure = weightFailure(parameters, training.epochs - 1);
      return {
        ...this.#recordOf(each, training.epochs),
        ...(model === undefined ? {} : { model }),
        ...(failure === undefined ? {} : { failure }),
      };
    }));
    for (const { id } of runs) {
      this.#models.delete(runKey(id));
      this.#topologies.delete(runKey(id));
    }
  }

  /** Writes what the network of a finished run does into its file. */
  async saveMeasured(id: RunId, networkStates: NetworkStates): Promise<void> {
    await this.#lock.check();
    const record = await this.store.finishedRecord(id);
    if (record === undefined) return;
    await this.store.saveFinished([{ ...record, networkStates }]);
  }

  /** Reads the last model of a finished run. */
  async readTrained(id: RunId): Promise<Weights> {
    const epoch = this.prepared.experiment.training.epochs - 1;
    const name = modelPath(this.folder, { ...id, epoch });
    const bytes = await readFileBytes(name, { what: "the model" });
    return decodeCheckpoint(bytes, { name, size: this.prepared.size })
      .parameters;
  }

  /**
   * Writes the files of every combination whose runs are all finished and that
   * this process has not written yet, and at the end, when all are, the final
   * `experiment.json`. Whichever process sees a combination complete does it;
   * as the files depend on the runs alone, it does no harm when two do.
   *
   * @throws {InputError} If a file can't be written.
   */
  async assemble({ atEnd }: { readonly atEnd: boolean }): Promise<Assembly> {
    await this.#lock.check();
    const { experiment } = this.prepared;
    const { iterations } = experiment.training;
    const complete: number[] = [];
    const missing: RunId[] = [];
    const failures: RecordedFailure[] = [];
    const engines = new Set<string>();
    const programs = new Set<string>();
    const measured: MeasuredRun[] = [];
    const files: (readonly [string, () => Uint8Array])[] = [];
    for (const { index: combination } of experiment.grid.combinations) {
      let finished = 0;
      for (let iteration = 0; iteration < iterations; iteration++) {
        const id = { combination, iteration };
        let facts = await this.store.finished(id);
        if (atEnd && facts !== undefined && !facts.networkStates) {
          // Another process may have measured it since it was read.
          const record = await this.store.finishedRecord(id);
          facts = record && factsOf(record);
        }
        if (facts === undefined) {
          missing.push(id);
          continue;
        }
        finished++;
        engines.add(facts.engine);
        programs.add(facts.program);
        measured.push([id, facts.networkStates]);
        const { failure } = facts;
        if (failure !== undefined) failures.push({ ...id, ...failure });
      }
      if (finished < iterations) continue;
      if (!this.#written.has(combination)) {
        const curves = await this.#curvesOf(combination);
        if (!("trainLoss" in curves)) {
          missing.push(curves);
          continue;
        }
        files.push(
          ...await changedFiles(curveFiles(this.folder, combination, curves)),
        );
        this.#written.add(combination);
      }
      complete.push(combination);
    }
    await writeFilesWhole(files);
    if (atEnd && missing.length === 0) {
      await this.#finish({
        engines: [...engines].sort(),
        programs: [...programs].sort(),
        failures,
        measured,
      });
      // What another process has measured meanwhile, and written, is not to be missing again.
      for (const [id, states] of measured) {
        if (states !== undefined) continue;
        const record = await this.store.finishedRecord(id);
        if (record?.networkStates) return await this.assemble({ atEnd });
      }
    }
    return { complete, missing, failures };
  }

  /** Writes the final record, and the checksums of all files that have none within. */
  async #finish(found: Parameters<typeof lastFiles>[1]): Promise<void> {
    const { experiment } = this.prepared;
    const last = lastFiles(this.prepared, found);
    for (const [name, content] of last) {
      await writeFileWhole(join(this.folder, name), content());
    }
    const names = [
      ...[...last, ...firstFiles(this.prepared)].map(([name]) => name),
      ...experiment.grid.combinations.flatMap(({ index }) =>
        Object.entries(CURVE_FILES).flatMap(([curve, file]) =>
          experiment.task.task.loss === "nll" || curve.endsWith("Loss")
            ? [`${index}/${file}`]
            : []
        )
      ),
    ];
    const lines: string[] = [];
    for (const name of names) {
      const bytes = await readFileBytes(join(this.folder, name), {
        what: "the result",
      });
      lines.push(`${fileSum(bytes)}  ${name}\n`);
    }
    await writeFileWhole(join(this.folder, SUMS_FILE), lines.join(""));
    // Nobody writes the runs of a finished experiment any more; what all write, another part may be writing.
    const isAlone = (await readLocks(this.folder)).length === 1;
    await sweep(this.folder, isAlone ? "all" : runsOf(experiment));
    await this.store.removeAllStates();
  }

  /** The curves of a combination, or the run whose file was damaged or removed meanwhile. */
  async #curvesOf(combination: number): Promise<CombinationCurves | RunId> {
    const { iterations } = this.prepared.experiment.training;
    const histories: RunHistory[] = [];
    for (let iteration = 0; iteration < iterations; iteration++) {
      const id = { combination, iteration };
      const record = await this.store.finishedRecord(id);
      if (record === undefined) return id;
      histories.push(record.history);
    }
    return curvesOf(histories);
  }
}

/** The epochs that were trained. */
function upTo(epoch: number, history: RunHistory): RunHistory {
  return Object.fromEntries(
    Object.entries(history).map(([name, curve]) => [
      name,
      curve.subarray(0, epoch),
    ]),
  ) as unknown as RunHistory;
}

/**
 * Takes the results folders of all arms of an experiment for this process; of a config
 * with one arm it is the config's own.
 *
 * @throws {InputError} If one holds something else and may not be replaced.
 * @throws {RetryError} If another process trains in one of them.
 */
export async function openArms(
  arms: readonly PreparedExperiment[],
  options: OpenResultsOptions,
): Promise<ResultsWriter[]> {
  // Nothing goes before it is known that all may.
  for (const { experiment: { arm, paths } } of arms) {
    if (arm !== undefined) await refuseInside(paths.results, arm);
    await refuseFolder(paths.results, modeOf(options));
  }
  if (arms.length > 1) await tryFolders(arms, options);
  const opened: ResultsWriter[] = [];
  try {
    for (const [i, ids] of runsOfShard(arms, options.shard).entries()) {
      opened.push(await ResultsWriter.open(arms[i]!, { ...options, ids }));
    }
    return opened;
  } catch (error) {
    for (const writer of opened) await writer.close();
    throw error;
  }
}

/** What becomes of results that are there. */
function modeOf(
  { overwrite, resume }: Pick<OpenResultsOptions, "overwrite" | "resume">,
): "new" | "join" | "overwrite" {
  return overwrite ? "overwrite" : resume ? "join" : "new";
}

/**
 * Holds all folders at once, and looks whose results are there.
 *
 * @throws {InputError} If those in one are another experiment's.
 * @throws {RetryError} If another process trains in one.
 */
async function tryFolders(
  arms: readonly PreparedExperiment[],
  options: OpenResultsOptions,
): Promise<void> {
  const { engine, shard: part, warn } = options;
  const locks: FolderLock[] = [];
  try {
    for (const arm of arms) {
      const { results } = arm.experiment.paths;
      locks.push(await lockFolder(results, { part, warn }));
      if (modeOf(options) !== "join") continue;
      await findRecord(results, { record: firstRecord(arm, engine), warn });
    }
  } finally {
    for (const lock of locks) await lock.release();
  }
}

/** What is known of an experiment before it is trained. */
function firstRecord(
  prepared: PreparedExperiment,
  engine: OpenResultsOptions["engine"],
): ExperimentRecord {
  return experimentRecord(prepared, {
    engines: [engineName(engine)],
    programs: [],
    failures: [],
  });
}
