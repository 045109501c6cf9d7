/**
 * What a results folder says of an experiment before it is trained:
 * `experiment.json` and the network's files.
 *
 * @module
 */

import { basename } from "node:path";
import denoConfig from "../../deno.json" with { type: "json" };
import { writeNpy } from "../files/npy.ts";
import { writeSparseNpz } from "../files/npz.ts";
import {
  type Graph,
  maskOfGraph,
  matrixOfGraph,
  rowsOf,
} from "../graph/graph.ts";
import {
  type ExperimentRecord,
  NUMERICS,
  type Plain,
  type RecordedFailure,
} from "../results/experiment_record.ts";
import {
  CONNECTOME_FILE,
  NETWORK_FILE,
  NETWORK_MASK_FILE,
  SPARSE_CONNECTOME_FILE,
  SPARSE_NETWORK_FILE,
} from "../results/layout.ts";
import type { NetworkStates } from "../results/run_file.ts";
import { MOST_DENSE_NEURONS } from "../rnn/tensors.ts";
import { syntheticNote } from "../tasks/stimuli.ts";
import type { PreparedExperiment } from "./build_run.ts";

/** Names this program in records, e.g. "biornn 0.1.0, numerics 2". */
export const PROGRAM = `biornn ${denoConfig.version}, numerics ${NUMERICS}`;

/** What the runs say of an experiment. */
export interface Found {
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
    chosenRegions,
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
    ...(net.nullSamples === 0 || net.nullModel === "none"
      ? {}
      : { nullSamples: net.nullSamples }),
    match: net.match,
    sharedInit: net.sharedInit,
    freshNetwork: net.freshNetwork,
    randPartition: net.randPartition,
    targetSparsity: net.targetSparsity,
    targetSparsityIntrinsic: net.targetSparsityIntrinsic,
    ...(chosenRegions.input && { inputRegions: chosenRegions.input }),
    ...(chosenRegions.output && { outputRegions: chosenRegions.output }),
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

/** The connectome, a large one as SciPy's sparse matrix. */
export function connectomeFiles(
  graph: Graph,
): (readonly [string, () => Uint8Array])[] {
  if (graph.nodes > MOST_DENSE_NEURONS) {
    return [[SPARSE_CONNECTOME_FILE, () => sparse(graph)]];
  }
  const shape = [graph.nodes, graph.nodes];
  return [[
    CONNECTOME_FILE,
    () => writeNpy({ shape, data: matrixOfGraph(graph) }),
  ]];
}

/** The scaled network, before any randomisation: a large one as SciPy's sparse matrix. */
export function networkFiles(
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

export function sparse(network: Graph): Uint8Array {
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
