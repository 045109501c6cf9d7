/**
 * From an experiment to what its runs train on: the connectome scaled to a
 * network, the stimuli, and for each run its trials, connections and initial
 * weights.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import { loadConnectome } from "../connectome/load_connectome.ts";
import { countEdges, scaleToEdges } from "../connectome/bio2art.ts";
import type { NeuronEdges } from "../connectome/scaled_network.ts";
import type { EnsembleShape, ModelRun } from "../engine/ensemble.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { regionsMismatch } from "../experiment/messages.ts";
import { CONFIG_SCHEMA } from "../experiment/schema.ts";
import { sha256Hex } from "../files/checksum.ts";
import { InputError } from "../files/input_error.ts";
import type { Connections } from "../graph/connections.ts";
import { createStream } from "../random/stream.ts";
import { initialParameters, resolveScheme } from "../rnn/initialise.ts";
import type { ModelSize } from "../rnn/parameters.ts";
import { splitTrials } from "../tasks/trial_set.ts";
import { loadStimuli } from "../tasks/stimuli.ts";
import type { Stimuli } from "../tasks/task.ts";
import {
  checkPretrained,
  pretrainedModel,
  type PretrainedModels,
} from "./pretrained_models.ts";
import { runLabel, type RunUnit } from "./run_unit.ts";
import { createTopologies, type Topology } from "./topology.ts";

/** Most connections of a network: making more takes over 4 GB. */
const MOST_CONNECTIONS = 2 ** 27;

/** An experiment with all that its runs share. */
export interface PreparedExperiment {
  readonly experiment: Experiment;
  readonly connectome: Connectome;
  /** The connectome scaled to neurons, before any randomisation. */
  readonly network: NeuronEdges;
  readonly stimuli: Stimuli | undefined;
  readonly size: ModelSize;
  /** The models that the runs begin with; undefined where they begin anew. */
  readonly pretrained: PretrainedModels | undefined;
  /** The connections of a run. */
  readonly topologyOf: (unit: RunUnit) => Topology;
  /** The connections of all models or, where each has its own, of one of them: what an engine's plan is made by. */
  readonly sample: Connections;
  /** Fingerprint of all that the numbers depend on: the same for the same results. */
  readonly fingerprint: string;
  /** What the command line said otherwise than the config, by flag; paths left out. */
  readonly overrides: Readonly<Record<string, string>>;
}

/**
 * Loads and scales what an experiment needs.
 *
 * @throws {InputError} If the connectome, the stimuli or the pretrained models cannot be had, or do not fit the config.
 */
export async function prepareExperiment(
  experiment: Experiment,
  options: {
    readonly onProgress: (line: string) => void;
    readonly overrides?: Readonly<Record<string, string>>;
    /** Instead of the one that the experiment names. */
    readonly connectome?: Connectome;
  },
): Promise<PreparedExperiment> {
  const { net, run, paths, task: { task } } = experiment;
  const connectome = options.connectome ?? await loadConnectome(net.name, {
    ...(paths.network === undefined ? {} : { folder: paths.network }),
    onProgress: options.onProgress,
  });
  if (connectome.regions !== net.regions) {
    throw new InputError(regionsMismatch(experiment, connectome.regions));
  }
  const scaling = {
    neuronDensity: new Array(net.regions).fill(net.neuronsPerRegion),
    targetSparsity: net.targetSparsity,
    intrinsicConnections: true,
    targetSparsityIntrinsic: net.targetSparsityIntrinsic,
    intrinsicWeight: 0.8,
    intrinsicFrom: net.compatibility === "original" ? "incoming" : "outgoing",
    keepDiagonal: false,
  } as const;
  const connections = countEdges(connectome.weights, scaling);
  if (connections > MOST_CONNECTIONS) {
    throw new InputError(
      `Cannot scale ${net.name} to ${
        net.regions * net.neuronsPerRegion
      } neurons: they would have ${connections} connections, and allowed are ${MOST_CONNECTIONS}; lower [net] nr_neurons or target_sparsity`,
    );
  }
  const network = scaleToEdges(connectome.weights, {
    ...scaling,
    randPartition: net.randPartition,
    stream: createStream({ seed: run.seed, purpose: "bio2art" }),
  });
  const file = task.stimuli === undefined ? undefined : paths[task.stimuli];
  const stimuli = task.stimuli === undefined
    ? undefined
    : await loadStimuli(task.stimuli, {
      ...(file === undefined ? {} : { file }),
      seed: run.seed,
      onProgress: options.onProgress,
    });
  if (stimuli !== undefined) {
    const { parameters } = experiment.task;
    const { compatibility } = net;
    task.checkStimuli?.(parameters, { stimuli, compatibility })
      .forEach((line) => options.onProgress(line));
  }
  const size: ModelSize = {
    hiddenSize: network.neurons,
    inputSize: task.inputSize(stimuli),
    outputSize: task.outputSize,
  };
  const pretrained = await checkPretrained(experiment, size);
  const topologyOf = createTopologies(experiment, network);
  return {
    experiment,
    connectome,
    network,
    stimuli,
    size,
    pretrained,
    topologyOf,
    sample: pretrained?.sample ??
      topologyOf({ combination: 0, iteration: 0 }).connections,
    fingerprint: await fingerprintOf(experiment, {
      connectome,
      stimuli,
      pretrained,
    }),
    overrides: options.overrides ?? {},
  };
}

/** What a run's numbers depend on; neither paths nor the machine are part of it. */
async function fingerprintOf(
  { net, training, task, grid, run }: Experiment,
  { connectome, stimuli, pretrained }: Pick<
    PreparedExperiment,
    "connectome" | "stimuli" | "pretrained"
  >,
): Promise<string> {
  const stimuliHashes = stimuli === undefined ? [] : [
    await sha256Hex(bytesOf(stimuli.values)),
    await sha256Hex(stimuli.labels),
  ];
  const facts = JSON.stringify([
    "biornn-experiment/1",
    netFacts(net),
    connectome.sha256,
    training,
    [task.task.name, task.nrOfTrials, task.trainSize],
    task.parameters,
    grid.keys,
    grid.combinations.map((combination) => combination.repr),
    pretrained?.sha256 ?? "",
    [run.seed, run.batchSize],
    stimuliHashes,
  ]);
  return await sha256Hex(new TextEncoder().encode(facts));
}

/** Keys that came later are left out where they have their default, so that what was begun before them can be resumed. */
function netFacts(
  { targetSparsity, targetSparsityIntrinsic, ...net }: Experiment["net"],
): object {
  const { target_sparsity, target_sparsity_intrinsic } = CONFIG_SCHEMA.net;
  return {
    ...net,
    ...(targetSparsity === target_sparsity.default ? {} : { targetSparsity }),
    ...(targetSparsityIntrinsic === target_sparsity_intrinsic.default
      ? {}
      : { targetSparsityIntrinsic }),
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What an engine plans some runs by. */
export function ensembleShape(
  { experiment, sample, pretrained, size }: PreparedExperiment,
  units: readonly RunUnit[],
): EnsembleShape {
  const { task, nrOfTrials, trainSize } = experiment.task;
  const trialCount = task.trialCount(nrOfTrials);
  const trainCount = Math.floor(trainSize * trialCount);
  return {
    ...size,
    connections: sample,
    ownTopologies: experiment.net.randomW || pretrained !== undefined,
    loss: task.loss,
    steps: units.map((unit) =>
      task.steps(combinationOf(experiment, unit).parameters)
    ),
    mostSteps: Math.max(
      ...experiment.grid.combinations.map(({ parameters }) =>
        task.steps(parameters)
      ),
    ),
    trialCount,
    trainCount,
    // No batch is larger than all trials that train, or all that validate.
    batchSize: Math.min(
      experiment.run.batchSize,
      Math.max(trainCount, trialCount - trainCount),
    ),
  };
}

function combinationOf(experiment: Experiment, unit: RunUnit) {
  const combination = experiment.grid.combinations[unit.combination];
  if (combination === undefined) {
    throw new RangeError(`Cannot build ${runLabel(unit)}: the grid has none`);
  }
  return combination;
}

/**
 * Draws one run: its trials, its topology where that is random, and its
 * initial weights, each from the run's own stream.
 *
 * @throws {InputError} If a pretrained model is asked for and does not fit.
 */
export async function buildRun(
  prepared: PreparedExperiment,
  unit: RunUnit,
): Promise<ModelRun> {
  const { experiment, stimuli, size } = prepared;
  const { net, training, run, task: { task, trainSize } } = experiment;
  const combination = combinationOf(experiment, unit);
  const stream = (purpose: "trials" | "split" | "weights" | "readout") =>
    createStream({ seed: run.seed, purpose, ...unit });

  const trials = splitTrials(
    task.generate(combination.parameters, {
      stream: stream("trials"),
      compatibility: net.compatibility,
      ...(stimuli === undefined ? {} : { stimuli }),
    }),
    { trainSize, batchSize: run.batchSize, stream: stream("split") },
  );
  const { activation } = combination;
  const newModel = () => {
    const topology = prepared.topologyOf(unit);
    const parameters = initialParameters(size, {
      ...topology,
      scheme: resolveScheme(training.init, {
        activation,
        compatibility: net.compatibility,
      }),
      stream: stream("weights"),
    });
    return { connections: topology.connections, parameters };
  };

  const start = await pretrainedModel(experiment, {
    unit,
    size,
    stream: stream("readout"),
  }) ?? newModel();
  return {
    label: runLabel(unit),
    activation,
    optimizer: combination.optimizer,
    learningRate: combination.learningRate,
    trainRecurrent: !training.freezeLayer,
    connections: start.connections,
    initial: start.parameters,
    trials,
  };
}
