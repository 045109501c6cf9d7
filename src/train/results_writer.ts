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
import type { Network } from "../connectome/scale.ts";
import { sparseFile } from "../graph/graph.ts";
import { changedFiles, curveFiles, curvesOf } from "../results/data_files.ts";
import type { NetworkStates } from "../results/experiment_record.ts";
import {
  CURVE_FILES,
  modelPath,
  type RunId,
  SUMS_FILE,
  topologyPath,
} from "../results/layout.ts";
import { type FolderLock, lockFolder, readLocks } from "../results/lock.ts";
import {
  findRecord,
  openFolder,
  type OpenFolderOptions,
  refuseFolder,
  refuseInside,
  sweep,
} from "../results/open_folder.ts";
import {
  engineName,
  factsOf,
  fileSum,
  type RunFacts,
  type RunHistory,
  sumsOf,
} from "../results/run_file.ts";
import { RunStore } from "../results/run_store.ts";
import { decodeCheckpoint } from "../rnn/checkpoint.ts";
import {
  experimentRecord,
  failuresOf,
  firstFiles,
  lastFiles,
  modelBytes,
} from "./record_experiment.ts";
import { type PreparedExperiment, runsOf } from "./build_run.ts";
import type { TrainedWeights } from "./measure.ts";
import { runsOfShard, type Shard } from "./shard.ts";
import type {
  ArmResults,
  Assembly,
  StandingRun,
  TrainingRun,
} from "./groups.ts";

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
  readonly folder: string;
  /** Combinations whose curves are written. */
  readonly #written = new Set<number>();

  private constructor(
    readonly prepared: PreparedExperiment,
    readonly ids: readonly RunId[],
    readonly store: RunStore,
    private readonly lock: FolderLock,
  ) {
    this.folder = prepared.experiment.paths.results;
  }

  /** Takes a new results folder, or one that an interrupted training or another shard of the same experiment has begun. */
  static async open(
    prepared: PreparedExperiment,
    { engine, shard, warn, ids, mode }:
      & OpenResultsOptions
      & Pick<OpenFolderOptions, "ids" | "mode">,
  ): Promise<ResultsWriter> {
    const { experiment, size, fingerprint } = prepared;
    const { paths: { results: folder }, training: { epochs } } = experiment;
    const files = firstFiles(prepared);
    const lock = await openFolder(folder, {
      mode,
      ids,
      warn,
      part: shard,
      // Nothing is trained yet.
      record: experimentRecord(prepared, [], [engineName(engine)]),
      files: [...files, [SUMS_FILE, () => sumsOf(files)]],
    });
    try {
      const store = await RunStore.open({
        folder,
        experiment: fingerprint,
        size,
        epochs,
        warn,
      });
      for (const { index } of experiment.grid.combinations) {
        await makeFolder(join(folder, String(index)));
      }
      const writer = new ResultsWriter(prepared, ids, store, lock);
      if (mode === "join") await writer.#mend();
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
      if (facts === undefined) continue;
      const random = () => this.prepared.ownNetworkOf(id);
      await this.#saveTopology(id, facts.topology, random);
    }
  }

  /** Writes a run's random topology, unless it is there with the checksum that is known; gives its checksum. */
  async #saveTopology(
    id: RunId,
    known: string | undefined,
    random: () => Network | undefined,
  ): Promise<string | undefined> {
    const path = topologyPath(this.folder, id);
    if (known !== undefined) {
      const bytes = await readIfThere(path, { what: "the topology" });
      if (bytes !== undefined && fileSum(bytes) === known) return known;
    }
    const network = random();
    if (network === undefined) return undefined;
    const bytes = sparseFile(network);
    await writeFileWhole(path, bytes);
    return fileSum(bytes);
  }

  /** Gives the folder free. */
  async close(): Promise<void> {
    await this.lock.release();
  }

  /** Of each combination the first model, as the original does, and of random topologies each run's. */
  async saveInitial(runs: readonly TrainingRun[]): Promise<void> {
    await this.lock.check();
    for (const { id, record, network } of runs) {
      const known = record.topology;
      const sum = await this.#saveTopology(id, known, () => network);
      if (sum === undefined) delete record.topology;
      else record.topology = sum;
    }
    const first = runs.filter(({ id, run }) =>
      run.state === undefined && id.iteration === 0
    );
    await writeFilesWhole(first.map(({ id, run }) => {
      const { initial: parameters, connections } = run;
      const model = { id, epoch: "initial", parameters, connections } as const;
      return [
        modelPath(this.folder, { ...id, epoch: "initial" }),
        () => modelBytes(this.prepared, model),
      ];
    }));
  }

  async saveStates(runs: readonly StandingRun[]): Promise<void> {
    await this.lock.check();
    await this.store.saveStates(runs.map(({ record }) => record));
  }

  async saveModels(runs: readonly StandingRun[]): Promise<void> {
    await this.lock.check();
    await writeFilesWhole(runs.map(({ id, run: { connections }, record }) => {
      const { state: { parameters }, history } = record;
      const epoch = record.state.epoch - 1;
      const model = { id, epoch, parameters, connections, history };
      return [modelPath(this.folder, { ...id, epoch }), () => {
        const bytes = modelBytes(this.prepared, model);
        record.model = fileSum(bytes);
        return bytes;
      }];
    }));
  }

  async saveFinished(runs: readonly StandingRun[]): Promise<void> {
    await this.lock.check();
    await this.store.saveFinished(runs.map(({ record }) => record));
  }

  async saveMeasured(id: RunId, networkStates: NetworkStates): Promise<void> {
    await this.lock.check();
    const record = await this.store.finishedRecord(id);
    if (record === undefined) return;
    await this.store.saveFinished([{ ...record, networkStates }]);
  }

  async readTrained(id: RunId): Promise<TrainedWeights> {
    const { experiment: { training: { epochs } }, size } = this.prepared;
    const name = modelPath(this.folder, { ...id, epoch: epochs - 1 });
    const bytes = await readFileBytes(name, { what: "the model" });
    return decodeCheckpoint(bytes, { name, size });
  }

  /**
   * Whichever process sees a combination complete writes its files, and at the end,
   * when all are, the final `experiment.json`; as these depend on the runs alone, it
   * does no harm when two do.
   */
  async assemble({ atEnd }: { readonly atEnd: boolean }): Promise<Assembly> {
    await this.lock.check();
    const missing: RunId[] = [];
    const finished: RunFacts[] = [];
    const files: (readonly [string, () => Uint8Array])[] = [];
    const all = runsOf(this.prepared.experiment);
    for (const [index, ids] of Map.groupBy(all, (id) => id.combination)) {
      const lost = missing.length;
      for (const id of ids) {
        let facts = await this.store.finished(id);
        if (atEnd && facts !== undefined && !facts.networkStates) {
          // Another process may have measured it since it was read.
          const record = await this.store.finishedRecord(id);
          facts = record && factsOf(record);
        }
        if (facts === undefined) missing.push(id);
        else finished.push(facts);
      }
      if (missing.length > lost || this.#written.has(index)) continue;
      const histories: RunHistory[] = [];
      for (const id of ids) {
        const record = await this.store.finishedRecord(id);
        // It was damaged or removed meanwhile.
        if (record === undefined) missing.push(id);
        else histories.push(record.history);
      }
      if (missing.length > lost) continue;
      const curves = curvesOf(histories);
      files.push(...await changedFiles(curveFiles(this.folder, index, curves)));
      this.#written.add(index);
    }
    await writeFilesWhole(files);
    if (atEnd && missing.length === 0) {
      await this.#finish(finished);
      // What another process has measured meanwhile, and written, is not to be missing again.
      for (const { id, networkStates } of finished) {
        if (networkStates !== undefined) continue;
        const record = await this.store.finishedRecord(id);
        if (record?.networkStates) return await this.assemble({ atEnd });
      }
    }
    return { missing, failures: failuresOf(finished) };
  }

  /** Writes the final record, and the checksums of all files that have none within. */
  async #finish(runs: readonly RunFacts[]): Promise<void> {
    const { folder, prepared: { experiment } } = this;
    const last = lastFiles(this.prepared, runs);
    for (const [name, content] of last) {
      await writeFileWhole(join(folder, name), content());
    }
    const curves = Object.entries(CURVE_FILES).filter(([curve]) =>
      experiment.task.task.loss === "nll" || curve.endsWith("Loss")
    );
    const names = [
      ...[...last, ...firstFiles(this.prepared)].map(([name]) => name),
      ...experiment.grid.combinations.flatMap(({ index }) =>
        curves.map(([, file]) => `${index}/${file}`)
      ),
    ];
    const lines = await Array.fromAsync(names, async (name) => {
      const path = join(folder, name);
      const bytes = await readFileBytes(path, { what: "the result" });
      return `${fileSum(bytes)}  ${name}\n`;
    });
    await writeFileWhole(join(folder, SUMS_FILE), lines.join(""));
    // Nobody writes the runs of a finished experiment any more; what all write, another part may be writing.
    const isAlone = (await readLocks(folder)).length === 1;
    await sweep(folder, isAlone ? "all" : runsOf(experiment));
    await this.store.removeAllStates();
  }
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
  const { engine, overwrite, resume, shard, warn } = options;
  const mode = overwrite ? "overwrite" : resume ? "join" : "new";
  // Nothing goes before it is known that all may.
  for (const { experiment: { arm, paths } } of arms) {
    if (arm !== undefined) await refuseInside(paths.results, arm);
    await refuseFolder(paths.results, mode);
  }
  if (arms.length > 1) {
    await using locks = new AsyncDisposableStack();
    for (const arm of arms) {
      const { results } = arm.experiment.paths;
      const lock = await lockFolder(results, { part: shard, warn });
      locks.defer(() => lock.release());
      if (mode !== "join") continue;
      const record = experimentRecord(arm, [], [engineName(engine)]);
      await findRecord(results, { record, warn });
    }
  }
  await using opened = new AsyncDisposableStack();
  const writers: ResultsWriter[] = [];
  for (const [i, ids] of runsOfShard(arms, shard).entries()) {
    const own = { ...options, mode, ids } as const;
    const writer = await ResultsWriter.open(arms[i]!, own);
    opened.defer(() => writer.close());
    writers.push(writer);
  }
  // They stay open.
  opened.move();
  return writers;
}
