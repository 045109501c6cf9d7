/**
 * Writes the results of a training: what is known before it, where its runs
 * stand, models, curves, and at last the record of the experiment.
 *
 * @module
 */

import { basename, join } from "node:path";
import denoConfig from "../../deno.json" with { type: "json" };
import type {
  Engine,
  Ensemble,
  ModelRun,
  ModelState,
} from "../engine/ensemble.ts";
import { writeNpy } from "../files/npy.ts";
import { writeSparseNpz } from "../files/npz.ts";
import { readFileBytes, readIfThere } from "../files/read.ts";
import { makeFolder, writeFileWhole } from "../files/write.ts";
import {
  type Graph,
  maskOfGraph,
  matrixOfGraph,
  rowsOf,
} from "../graph/graph.ts";
import {
  encodeExperimentRecord,
  type ExperimentRecord,
  NUMERICS,
  type Plain,
  type RecordedFailure,
} from "../results/experiment_record.ts";
import { formatFolderIndex } from "../results/folder_index.ts";
import {
  CONNECTOME_FILE,
  CURVE_FILES,
  EXPERIMENT_FILE,
  INDEX_FILE,
  MEASURES_FILE,
  modelPath,
  NETWORK_FILE,
  NETWORK_MASK_FILE,
  NULL_MODEL_FILE,
  type RunId,
  runKey,
  SPARSE_NETWORK_FILE,
  SUMS_FILE,
  topologyPath,
} from "../results/layout.ts";
import { type FolderLock, readLocks } from "../results/lock.ts";
import { openFolder, sweep } from "../results/open_folder.ts";
import {
  type CombinationCurves,
  type Curves,
  writeCombination,
} from "../results/results_folder.ts";
import {
  engineName,
  fileSum,
  type NetworkStates,
  type RunFailure,
  type RunHistory,
  type RunRecord,
  thenBy,
} from "../results/run_file.ts";
import { RunStore } from "../results/run_store.ts";
import { encodeCheckpoint } from "../rnn/checkpoint.ts";
import { PARAMETER_NAMES, type Parameters } from "../rnn/parameters.ts";
import { MOST_DENSE_NEURONS } from "../rnn/tensors.ts";
import { syntheticNote } from "../tasks/stimuli.ts";
import {
  hasNullModel,
  meanStates,
  type MeasuredRun,
  measuresTable,
  nullModelTable,
} from "./network_tables.ts";
import { networkStates } from "./networks.ts";
import { type PreparedExperiment, runsOf } from "./prepare.ts";
import { runsOfShard, type Shard } from "./shard.ts";

/** Names this program in records, e.g. "biornn 0.1.0, numerics 2". */
export const PROGRAM = `biornn ${denoConfig.version}, numerics ${NUMERICS}`;

/** How to open a results folder. */
export interface OpenResultsOptions {
  readonly engine: Pick<Engine, "kind" | "description">;
  /** Replace what is there. */
  readonly overwrite: boolean;
  /** Join what is there, if it belongs to the same experiment. */
  readonly resume: boolean;
  /** The part that this process trains: others may be writing to the folder now. */
  readonly shard: Shard | undefined;
  readonly warn: (line: string) => void;
}

/** How far an experiment is. */
export interface Assembly {
  /** Numbers of the combinations whose files are written. */
  readonly complete: readonly number[];
  /** Runs that are not finished. */
  readonly missing: readonly RunId[];
  /** Finished runs that went wrong. */
  readonly failures: readonly RecordedFailure[];
}

/** Runs that train together, all at the same epoch. */
export interface GroupOfRuns {
  readonly engine: Pick<Engine, "kind" | "description">;
  readonly ids: readonly RunId[];
  /** Where each run stood at first; undefined for one that started anew. */
  readonly resumed: readonly (RunRecord | undefined)[];
}

/** The results folder of a training that is under way. */
export class ResultsWriter {
  readonly prepared: PreparedExperiment;
  readonly folder: string;
  readonly store: RunStore;
  /** The runs of this process. */
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
    { engine, overwrite, resume, shard, warn }: OpenResultsOptions,
  ): Promise<ResultsWriter> {
    const { experiment, connectome, network, size } = prepared;
    const folder = experiment.paths.results;
    const ids = runsOfShard(runsOf(experiment), shard);
    const { regions } = connectome;
    const lock = await openFolder(folder, {
      record: experimentRecord(prepared, {
        engines: [engineName(engine)],
        programs: [],
        failures: [],
      }),
      mode: overwrite ? "overwrite" : resume ? "join" : "new",
      part: shard,
      ids,
      files: [
        [
          INDEX_FILE,
          () =>
            new TextEncoder().encode(
              formatFolderIndex(
                experiment.grid.combinations.map((c) => c.repr),
              ),
            ),
        ],
        [
          CONNECTOME_FILE,
          () =>
            writeNpy({
              shape: [regions, regions],
              data: matrixOfGraph(connectome.graph),
            }),
        ],
        ...networkFiles(network),
        ...(hasNullModel(prepared)
          ? [[NULL_MODEL_FILE, () => nullModelTable(prepared)] as const]
          : []),
      ],
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
  async #saveTopology(id: RunId, known: string | undefined): Promise<void> {
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
    const random = this.prepared.ownNetworkOf(id);
    if (random === undefined) return;
    const bytes = sparse(random);
    await writeFileWhole(path, bytes);
    this.#topologies.set(runKey(id), fileSum(bytes));
  }

  /** Gives the folder free. */
  async close(): Promise<void> {
    await this.#lock.release();
  }

  /** The record of the i-th run of a group. */
  #recordOf(
    { engine, ids, resumed }: GroupOfRuns,
    i: number,
    history: RunHistory,
  ): RunRecord {
    const topology = this.#topologies.get(runKey(ids[i]!));
    return {
      id: ids[i]!,
      ...(topology === undefined ? {} : { topology }),
      experiment: this.prepared.fingerprint,
      engine: thenBy(resumed[i]?.engine, engineName(engine)),
      program: thenBy(resumed[i]?.program, PROGRAM),
      history,
    };
  }

  /**
   * Writes what the runs begin with: of each combination the first model, as
   * the original does, and of random topologies each run's.
   */
  async saveInitial(
    { ids, resumed }: GroupOfRuns,
    runs: readonly ModelRun[],
  ): Promise<void> {
    await this.#lock.check();
    for (const [i, id] of ids.entries()) {
      const { initial, connections, state } = runs[i]!;
      await this.#saveTopology(id, resumed[i]?.topology);
      if (state === undefined && id.iteration === 0) {
        await this.#saveModel(id, {
          epoch: "initial",
          parameters: initial,
          connections,
        });
      }
    }
  }

  /** Writes the states of all runs as they are now. */
  async saveStates(
    group: GroupOfRuns,
    ensemble: Ensemble,
    histories: readonly RunHistory[],
  ): Promise<void> {
    const states = await ensemble.state();
    await this.#lock.check();
    await this.store.saveStates(
      states.map((state, i) => ({
        ...this.#recordOf(group, i, upTo(state.epoch, histories[i]!)),
        state,
      })),
    );
  }

  /** Writes a model of each run, as after so many epochs. */
  async saveModels(
    { ids }: GroupOfRuns,
    ensemble: Ensemble,
    { runs, epoch, histories }: {
      readonly runs: readonly ModelRun[];
      readonly epoch: number;
      readonly histories: readonly RunHistory[];
    },
  ): Promise<readonly ModelState[]> {
    const states = await ensemble.state();
    await this.#lock.check();
    for (const [i, id] of ids.entries()) {
      const sum = await this.#saveModel(id, {
        epoch: epoch - 1,
        parameters: states[i]!.parameters,
        connections: runs[i]!.connections,
        history: histories[i]!,
      });
      this.#models.set(runKey(id), sum);
    }
    return states;
  }

  async #saveModel(
    id: RunId,
    { epoch, parameters, connections, history }: {
      readonly epoch: number | "initial";
      readonly parameters: Parameters;
      readonly connections: ModelRun["connections"];
      readonly history?: RunHistory;
    },
  ): Promise<string> {
    const { experiment, connectome, size, fingerprint } = this.prepared;
    const metadata: Record<string, string> = {
      combination: experiment.grid.combinations[id.combination]!.repr,
      iteration: String(id.iteration),
      epoch: String(epoch),
      seed: String(experiment.run.seed),
      experiment: fingerprint,
      task: experiment.task.task.name,
      connectome: experiment.net.name,
      connectome_sha256: connectome.sha256,
      random_w: experiment.net.nullModel === "none" ? "False" : "True",
      null_model: experiment.net.nullModel,
      compatibility: experiment.net.compatibility,
    };
    if (history !== undefined && epoch !== "initial") {
      metadata.train_loss = String(history.trainLoss[epoch]);
      metadata.validate_loss = String(history.validateLoss[epoch]);
    }
    const bytes = encodeCheckpoint(parameters, { size, connections, metadata });
    await writeFileWhole(modelPath(this.folder, { ...id, epoch }), bytes);
    return fileSum(bytes);
  }

  /** Writes the runs as finished; `states` are those of the last models. */
  async saveFinished(
    group: GroupOfRuns,
    { histories, runs, states }: {
      readonly histories: readonly RunHistory[];
      readonly runs: readonly ModelRun[];
      readonly states: readonly ModelState[];
    },
  ): Promise<void> {
    await this.#lock.check();
    const { epochs } = this.prepared.experiment.training;
    await this.store.saveFinished(histories.map((history, i) => {
      const model = this.#models.get(runKey(group.ids[i]!));
      const failure = weightFailure(states[i]!.parameters, epochs - 1);
      return {
        ...this.#recordOf(group, i, history),
        ...(model === undefined ? {} : { model }),
        networkStates: networkStates(runs[i]!, {
          trained: states[i]!.parameters,
          size: this.prepared.size,
          loss: this.prepared.experiment.task.task.loss,
        }),
        ...(failure === undefined ? {} : { failure }),
      };
    }));
    this.#models.clear();
    this.#topologies.clear();
  }

  /**
   * Writes the files of every combination whose runs are all finished and that
   * this process has not written yet, and when all are, the final
   * `experiment.json`. Whichever process sees a combination complete does it;
   * as the files depend on the runs alone, it does no harm when two do.
   *
   * @throws {InputError} If a file can't be written.
   */
  async assemble(): Promise<Assembly> {
    await this.#lock.check();
    const { experiment } = this.prepared;
    const { iterations } = experiment.training;
    const complete: number[] = [];
    const missing: RunId[] = [];
    const failures: RecordedFailure[] = [];
    const engines = new Set<string>();
    const programs = new Set<string>();
    const measured: MeasuredRun[] = [];
    for (const { index: combination } of experiment.grid.combinations) {
      let finished = 0;
      for (let iteration = 0; iteration < iterations; iteration++) {
        const id = { combination, iteration };
        const facts = await this.store.finished(id);
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
        await writeCombination(this.folder, combination, curves);
        this.#written.add(combination);
      }
      complete.push(combination);
    }
    if (missing.length === 0) {
      await this.#finish({
        engines: [...engines].sort(),
        programs: [...programs].sort(),
        failures,
        states: meanStates(measured),
      }, measured);
    }
    return { complete, missing, failures };
  }

  /** Writes the final record, and the checksums of all files that have none within. */
  async #finish(
    found: Found,
    measured: readonly MeasuredRun[],
  ): Promise<void> {
    const { experiment } = this.prepared;
    await writeFileWhole(
      join(this.folder, EXPERIMENT_FILE),
      encodeExperimentRecord(experimentRecord(this.prepared, found)),
    );
    await writeFileWhole(
      join(this.folder, MEASURES_FILE),
      measuresTable(experiment, measured),
    );
    const names = [
      EXPERIMENT_FILE,
      MEASURES_FILE,
      ...(hasNullModel(this.prepared) ? [NULL_MODEL_FILE] : []),
      INDEX_FILE,
      CONNECTOME_FILE,
      ...networkFiles(this.prepared.network).map(([name]) => name),
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

/** The curves of a combination: a row a run. */
export function curvesOf(histories: readonly RunHistory[]): CombinationCurves {
  const stack = (name: keyof RunHistory): Curves | undefined => {
    const epochs = histories[0]?.[name]?.length;
    if (epochs === undefined) return undefined;
    const values = new Float64Array(histories.length * epochs);
    for (const [i, history] of histories.entries()) {
      values.set(history[name] ?? [], i * epochs);
    }
    return { iterations: histories.length, epochs, values };
  };
  const trainMetrics = stack("trainAccuracy");
  const validateMetrics = stack("validateAccuracy");
  return {
    trainLoss: stack("trainLoss")!,
    validateLoss: stack("validateLoss")!,
    ...(trainMetrics === undefined ? {} : { trainMetrics }),
    ...(validateMetrics === undefined ? {} : { validateMetrics }),
  };
}

/** The scaled network, before any randomisation: a large one as SciPy's sparse matrix. */
function networkFiles(
  network: Graph,
): (readonly [string, () => Uint8Array])[] {
  if (network.nodes > MOST_DENSE_NEURONS) {
    return [[SPARSE_NETWORK_FILE, () => sparse(network)]];
  }
  const shape = [network.nodes, network.nodes];
  return [
    [
      NETWORK_FILE,
      () => writeNpy({ shape, data: matrixOfGraph(network) }),
    ],
    [
      NETWORK_MASK_FILE,
      () => writeNpy({ shape, data: maskOfGraph(network), boolean: true }),
    ],
  ];
}

function sparse(network: Graph): Uint8Array {
  const { receivers, senders, start, sender, weights } = rowsOf(
    network,
    { transpose: false },
  );
  return writeSparseNpz({
    shape: [receivers, senders],
    start,
    column: sender,
    values: weights,
  });
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

/** Losses may look fine where the weights are none any more: whatever computed them, such a run is no result. */
export function weightFailure(
  parameters: Parameters,
  epoch: number,
): RunFailure | undefined {
  for (const name of PARAMETER_NAMES) {
    for (const value of parameters[name]) {
      if (Number.isFinite(value)) continue;
      const became = Number.isNaN(value) ? "NaN" : "infinite";
      return { epoch, what: `weights became ${became}` };
    }
  }
  return undefined;
}

/** What the runs say of an experiment. */
interface Found {
  /** Engines that trained it; several where shards ran on different machines. */
  readonly engines: readonly string[];
  readonly programs: readonly string[];
  readonly failures: readonly RecordedFailure[];
  /** Means over the runs that have them. */
  readonly states?: NetworkStates | undefined;
}

/** What `experiment.json` says of an experiment, as far as it is known. */
export function experimentRecord(
  prepared: PreparedExperiment,
  { engines, programs, failures, states }: Found,
): ExperimentRecord {
  const {
    experiment,
    connectome,
    network,
    stimuli,
    stimuliSha256,
    pretrained,
    size,
    fingerprint,
  } = prepared;
  const { net, training, task, grid, run } = experiment;
  const [first = "none"] = engines;
  const kind = first.slice(0, Math.max(0, first.indexOf(":")));
  return {
    format: "biornn-results/1",
    program: {
      name: "biornn",
      version: denoConfig.version,
      numerics: NUMERICS,
      deno: Deno.version.deno,
    },
    trainedBy: programs,
    fingerprint,
    config: {
      file: basename(experiment.file),
      text: experiment.source.text,
      effective: experiment.source.effective,
    },
    overrides: experiment.source.overrides,
    task: {
      name: task.task.name,
      loss: task.task.loss,
      parameters: {
        nr_of_trials: task.nrOfTrials,
        train_size: task.trainSize,
        ...task.parameters,
      },
    },
    grid: {
      keys: grid.keys,
      combinations: grid.combinations.map(({ values }) =>
        values.map(({ value }): Plain => value)
      ),
    },
    epochs: training.epochs,
    iterations: training.iterations,
    batchSize: run.batchSize,
    seed: run.seed,
    storeEveryEpoch: run.storeEveryEpoch,
    compatibility: net.compatibility,
    init: training.init,
    freezeLayer: training.freezeLayer,
    remapW: training.remapW,
    randomW: net.nullModel !== "none",
    nullModel: net.nullModel,
    match: net.match,
    sharedInit: net.sharedInit,
    freshNetwork: net.freshNetwork,
    randPartition: net.randPartition,
    targetSparsity: net.targetSparsity,
    targetSparsityIntrinsic: net.targetSparsityIntrinsic,
    orientation: {
      network: "row = from, column = to",
      weight_hh: net.compatibility === "original"
        ? "row = to, column = from; made of the network as it stands, so that each connection is reversed"
        : "row = to, column = from; made of the network's transpose",
    },
    connectome: {
      name: connectome.name,
      species: connectome.species,
      regions: connectome.regions,
      neurons: net.neuronsPerRegion,
      sha256: connectome.sha256,
      source: basename(connectome.source),
      synthetic: connectome.synthetic,
      citations: connectome.citations,
      regionNames: connectome.regionNames,
    },
    ...(stimuli === undefined ? {} : {
      stimuli: {
        source: basename(stimuli.source),
        synthetic: stimuli.synthetic,
        ...(stimuli.synthetic ? { note: syntheticNote(task.task) } : {}),
        ...(stimuliSha256 === undefined ? {} : { sha256: stimuliSha256 }),
      },
    }),
    ...(pretrained === undefined ? {} : { pretrained: pretrained.record }),
    engine: {
      kind,
      description: engines.map((name) => name.slice(name.indexOf(":") + 2))
        .join("; "),
    },
    size: { ...size, hiddenSize: network.nodes },
    failures,
    ...(states === undefined ? {} : { networkStates: states }),
  };
}
