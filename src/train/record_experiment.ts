/**
 * The files of a results folder that are not of one run: what was trained, the networks
 * before training, what networks were and did.
 *
 * @module
 */

import { signsText } from "../connectome/connectome.ts";
import type { Network } from "../connectome/scale.ts";
import denoConfig from "../../deno.json" with { type: "json" };
import type { ModelRun } from "../engine/ensemble.ts";
import { basename } from "../files/path.ts";
import { graphFiles, type NamedFiles, sparseFile } from "../graph/graph.ts";
import {
  encodeExperimentRecord,
  type ExperimentRecord,
  type NetworkState,
  type NetworkStates,
  NUMERICS,
  type Plain,
  type RecordedFailure,
} from "../results/experiment_record.ts";
import { curvesOf, formatFolderIndex } from "../results/data_files.ts";
import {
  CONNECTOME_FILE,
  EXPERIMENT_FILE,
  INDEX_FILE,
  MEASURES_FILE,
  NETWORK_FILE,
  NETWORK_MASK_FILE,
  NULL_MODEL_FILE,
  type RunId,
  SPARSE_CONNECTOME_FILE,
  SPARSE_NETWORK_FILE,
} from "../results/layout.ts";
import type { CombinationResult } from "../results/results_folder.ts";
import {
  fileSum,
  type RunFacts,
  type RunHistory,
} from "../results/run_file.ts";
import { encodeCheckpoint } from "../rnn/checkpoint.ts";
import type { Parameters as Weights } from "../rnn/parameters.ts";
import { syntheticNote } from "../tasks/synthetic_stimuli.ts";
import type { PreparedExperiment } from "./build_run.ts";
import { nullReport } from "../connectome/nulls/null_model.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { Papa } from "../text/csv.ts";

/** Names this program in records, e.g. "biornn 0.1.0, numerics 2". */
export const PROGRAM = `biornn ${denoConfig.version}, numerics ${NUMERICS}`;

/**
 * What `experiment.json` says of an experiment, as far as its runs tell it.
 *
 * @param engines What trained it; several where shards ran on different machines.
 */
export function experimentRecord(
  prepared: PreparedExperiment,
  runs: readonly RunFacts[],
  engines = namesOf(runs, "engine"),
): ExperimentRecord {
  const { experiment, connectome, network, stimuli, size } = prepared;
  const { stimuliSha256, pretrained, chosenRegions, fingerprint } = prepared;
  const states = meanStates(runs);
  const { net, training, task, grid, run } = experiment;
  const [first = "none"] = engines;
  const kind = first.slice(0, Math.max(0, first.indexOf(":")));
  return {
    format: "biornn-results/1",
    program: {
      name: "biornn",
      version: denoConfig.version,
      numerics: NUMERICS,
      deno: "Deno" in globalThis ? Deno.version.deno : "none: a browser",
    },
    trainedBy: namesOf(runs, "program"),
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
    ...pick(training, "epochs", "iterations"),
    ...pick(run, "batchSize", "seed", "storeEveryEpoch"),
    compatibility: net.compatibility,
    ...pick(training, "init", "freezeLayer", "remapW"),
    randomW: net.nullModel !== "none",
    nullModel: net.nullModel,
    ...(net.nullModel !== "none" && net.nullSamples > 0 &&
      pick(net, "nullSamples")),
    ...pick(net, "match", "sharedInit", "freshNetwork", "randPartition"),
    ...pick(net, "targetSparsity", "targetSparsityIntrinsic"),
    ...(chosenRegions.input && { inputRegions: chosenRegions.input }),
    ...(chosenRegions.output && { outputRegions: chosenRegions.output }),
    orientation: {
      network: "row = from, column = to",
      weight_hh: net.compatibility === "original"
        ? "row = to, column = from; made of the network as it stands, so that each connection is reversed"
        : "row = to, column = from; made of the network's transpose",
    },
    connectome: {
      ...pick(connectome, "name", "species", "regions"),
      neurons: net.neuronsPerRegion,
      sha256: connectome.sha256,
      source: basename(connectome.source),
      ...pick(connectome, "synthetic", "citations", "regionNames"),
      ...(connectome.signs && { signs: signsText(connectome.signs) }),
    },
    ...(stimuli && {
      stimuli: {
        source: basename(stimuli.source),
        synthetic: stimuli.synthetic,
        ...(stimuli.synthetic && { note: syntheticNote(task.task) }),
        ...(stimuliSha256 !== undefined && { sha256: stimuliSha256 }),
      },
    }),
    ...(pretrained && { pretrained: pretrained.record }),
    engine: {
      kind,
      description: engines.map((name) => name.slice(name.indexOf(":") + 2))
        .join("; "),
    },
    size: { ...size, hiddenSize: network.nodes },
    failures: failuresOf(runs),
    ...(states && { networkStates: states }),
  };
}

function pick<T, K extends keyof T>(from: T, ...keys: readonly K[]) {
  const members = keys.map((key) => [key, from[key]] as const);
  return Object.fromEntries(members) as Pick<T, K>;
}

function namesOf(
  runs: readonly RunFacts[],
  kind: "engine" | "program",
): string[] {
  return [...new Set(runs.map((run) => run[kind]))].sort();
}

/** The runs that went wrong. */
export function failuresOf(runs: readonly RunFacts[]): RecordedFailure[] {
  return runs.flatMap(({ id, failure }) =>
    failure ? [{ ...id, ...failure }] : []
  );
}

/** What is known of a combination whose runs are in memory, in the order of iterations. */
export function combinationResult(
  { grid }: Experiment,
  { index, runs }: {
    readonly index: number;
    /** Curves, and what tells a run's network from others'. */
    readonly runs: readonly {
      readonly history: RunHistory;
      readonly network: string;
    }[];
  },
): CombinationResult {
  const { repr, values } = grid.combinations[index]!;
  return {
    index,
    title: repr,
    parameters: Object.fromEntries(
      grid.keys.map((key, i) => [key, values[i]!.value]),
    ),
    ...curvesOf(runs.map(({ history }) => history)),
    networks: runs.map(({ network }) => network),
  };
}

/** What tells a run's network from others'; of those that train the one that all share, nothing. */
export function networkKey(own: Network | undefined): string {
  return own === undefined ? "" : fileSum(sparseFile(own));
}

/** What is known before anything is trained; `experiment.json` apart. */
export function firstFiles(prepared: PreparedExperiment): NamedFiles {
  const { experiment: { grid }, connectome, network } = prepared;
  const index = formatFolderIndex(grid.combinations.map(({ repr }) => repr));
  return [
    [INDEX_FILE, () => new TextEncoder().encode(index)],
    ...graphFiles(connectome.graph, {
      dense: CONNECTOME_FILE,
      sparse: SPARSE_CONNECTOME_FILE,
    }),
    // Before any randomisation.
    ...graphFiles(network, {
      dense: NETWORK_FILE,
      sparse: SPARSE_NETWORK_FILE,
      mask: NETWORK_MASK_FILE,
    }),
  ];
}

/** What is known when all is trained. */
export function lastFiles(
  prepared: PreparedExperiment,
  runs: readonly RunFacts[],
): NamedFiles {
  const { experiment, pretrained } = prepared;
  const record = experimentRecord(prepared, runs);
  const files: NamedFiles = [[
    EXPERIMENT_FILE,
    () => new TextEncoder().encode(encodeExperimentRecord(record)),
  ]];
  // Of all runs or not at all: how many were measured in time depends on the machine.
  if (runs.every(({ networkStates }) => networkStates !== undefined)) {
    files.push([MEASURES_FILE, () => measuresTable(experiment, runs)]);
  }
  // Not at first: training need not wait for it.
  if (experiment.net.nullModel !== "none" && pretrained === undefined) {
    files.push([NULL_MODEL_FILE, () => nullModelTable(prepared)]);
  }
  return files;
}

/** A model as it lies in a results folder. */
export function modelBytes(
  { experiment, connectome, size, fingerprint }: PreparedExperiment,
  { id, epoch, parameters, connections, history }: {
    readonly id: RunId;
    readonly epoch: number | "initial";
    readonly parameters: Weights;
    readonly connections: ModelRun["connections"];
    readonly history?: RunHistory;
  },
): Uint8Array {
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
  return encodeCheckpoint(parameters, { size, connections, metadata });
}

/** Samples of a null model that its report is about. */
const MOST_SAMPLES = 3;

/** `null_model.csv`: figures of the network before and after the null model, with the relative change. */
function nullModelTable(
  { experiment, network, ownNetworkOf }: PreparedExperiment,
): Uint8Array {
  const { training: { iterations }, net: { nullSamples } } = experiment;
  const samples = Array.from(
    { length: Math.min(iterations, nullSamples || Infinity, MOST_SAMPLES) },
    (_, iteration) => ownNetworkOf({ combination: 0, iteration }),
  ).filter((sample) => sample !== undefined);
  const name = experiment.net.nullModel;
  return csvBytes(nullReport(network, { samples, name }));
}

/** `measures.csv`: a row a run, with the values of its combination. */
function measuresTable(
  { net, grid }: Experiment,
  runs: readonly RunFacts[],
): Uint8Array {
  const figure = (value: number | undefined) =>
    value === undefined ? "" : String(Number(value.toPrecision(6)));
  const sampled = net.nullModel !== "none" && net.nullSamples > 0;
  return csvBytes(
    runs.map(({ id: { combination, iteration }, networkStates }) => {
      const { initial, trained } = networkStates!;
      const { values } = grid.combinations[combination]!;
      return {
        combination,
        ...Object.fromEntries(
          values.map(({ value }, i) => [grid.keys[i], value]),
        ),
        iteration,
        null_model: net.nullModel,
        ...(sampled && { null_sample: iteration % net.nullSamples }),
        spectral_radius_initial: figure(initial.spectralRadius),
        spectral_radius_trained: figure(trained.spectralRadius),
        spectral_radius_error: figure(largestError([initial, trained])),
        activity_initial: figure(initial.activity),
        activity_trained: figure(trained.activity),
      };
    }),
  );
}

/** Means over the runs whose weights stayed numbers; undefined where there are none, or a run was not measured. */
function meanStates(runs: readonly RunFacts[]): NetworkStates | undefined {
  const measured = runs.flatMap(({ networkStates }) => networkStates ?? []);
  const known = measured.filter(({ initial, trained }) =>
    [initial, trained].every(({ spectralRadius, activity }) =>
      Number.isFinite(spectralRadius) && Number.isFinite(activity)
    )
  );
  if (measured.length < runs.length || known.length === 0) return undefined;
  const mean = (state: keyof NetworkStates): NetworkState => {
    const states = known.map((each) => each[state]);
    const of = (figure: "spectralRadius" | "activity") =>
      states.reduce((sum, each) => sum + each[figure], 0) / states.length;
    const error = largestError(states);
    return {
      spectralRadius: of("spectralRadius"),
      ...(error === undefined ? {} : { spectralRadiusError: error }),
      activity: of("activity"),
    };
  };
  return { initial: mean("initial"), trained: mean("trained") };
}

/** The largest relative error of spectral radii; undefined where one is not known. */
function largestError(states: readonly NetworkState[]): number | undefined {
  const errors = states.map(({ spectralRadiusError }) => spectralRadiusError);
  return errors.reduce((a, b) =>
    a === undefined || b === undefined ? undefined : Math.max(a, b)
  );
}

function csvBytes(
  rows: Parameters<typeof Papa.unparse>[0],
): Uint8Array {
  const text = Papa.unparse(rows, { newline: "\r\n" });
  return new TextEncoder().encode(`${text}\r\n`);
}
