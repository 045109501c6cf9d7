/**
 * From an experiment to what its runs train on: the connectome scaled to a
 * network, the stimuli, and for each run its trials, mask and initial weights.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import { loadConnectome } from "../connectome/load_connectome.ts";
import { scaleConnectome, type ScaledNetwork } from "../connectome/bio2art.ts";
import { randomizeNetwork } from "../connectome/randomize_network.ts";
import { recurrentTemplate } from "../connectome/recurrent_template.ts";
import type { EnsembleSize, ModelRun } from "../engine/ensemble.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { regionsMismatch } from "../experiment/messages.ts";
import { sha256Hex } from "../files/checksum.ts";
import { InputError } from "../files/input_error.ts";
import { createStream } from "../random/stream.ts";
import { initialParameters, resolveScheme } from "../rnn/initialise.ts";
import { type ModelSize, PARAMETER_NAMES } from "../rnn/parameters.ts";
import { loadPretrained } from "../rnn/transfer.ts";
import { splitTrials } from "../tasks/split.ts";
import { loadStimuli } from "../tasks/stimuli.ts";
import type { Stimuli } from "../tasks/task.ts";
import { runLabel, type RunUnit } from "./run_unit.ts";

/** An experiment with all that its runs share. */
export interface PreparedExperiment {
  readonly experiment: Experiment;
  readonly connectome: Connectome;
  /** The connectome scaled to neurons, before any randomisation. */
  readonly network: ScaledNetwork;
  readonly stimuli: Stimuli | undefined;
  readonly size: ModelSize;
  /** Fingerprint of all that the numbers depend on: the same for the same results. */
  readonly fingerprint: string;
  /** What the command line said otherwise than the config, by flag; paths left out. */
  readonly overrides: Readonly<Record<string, string>>;
}

/**
 * Loads and scales what an experiment needs.
 *
 * @throws {InputError} If the connectome or the stimuli cannot be had, or do not fit the config.
 */
export async function prepareExperiment(
  experiment: Experiment,
  options: {
    readonly onProgress: (line: string) => void;
    readonly overrides?: Readonly<Record<string, string>>;
  },
): Promise<PreparedExperiment> {
  const { net, run, paths, task: { task } } = experiment;
  const connectome = await loadConnectome(net.name, {
    ...(paths.network === undefined ? {} : { folder: paths.network }),
    onProgress: options.onProgress,
  });
  if (connectome.regions !== net.regions) {
    throw new InputError(regionsMismatch(experiment, connectome.regions));
  }
  const network = scaleConnectome(connectome.weights, {
    neuronDensity: new Array(net.regions).fill(net.neuronsPerRegion),
    targetSparsity: 0.8,
    intrinsicConnections: true,
    targetSparsityIntrinsic: 1,
    intrinsicWeight: 0.8,
    intrinsicFrom: net.compatibility === "original" ? "incoming" : "outgoing",
    randPartition: net.randPartition,
    keepDiagonal: false,
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
  const size: ModelSize = {
    hiddenSize: network.neurons,
    inputSize: task.inputSize(stimuli),
    outputSize: task.outputSize,
  };
  const fingerprint = await fingerprintOf(experiment, {
    connectome,
    stimuli,
    pretrained: await hashPretrained(experiment, size),
  });
  return {
    experiment,
    connectome,
    network,
    stimuli,
    size,
    fingerprint,
    overrides: options.overrides ?? {},
  };
}

/** What a run's numbers depend on; neither paths nor the machine are part of it. */
async function fingerprintOf(
  { net, training, task, grid, run }: Experiment,
  { connectome, stimuli, pretrained }: {
    connectome: Connectome;
    stimuli: Stimuli | undefined;
    pretrained: string;
  },
): Promise<string> {
  const stimuliHash = stimuli === undefined ? "" : await sha256Hex(
    new Uint8Array(stimuli.values.buffer as ArrayBuffer),
  );
  const facts = JSON.stringify([
    "biornn-experiment/1",
    net,
    connectome.sha256,
    training,
    [task.task.name, task.nrOfTrials, task.trainSize],
    task.parameters,
    grid.keys,
    grid.combinations.map((combination) => combination.repr),
    pretrained,
    [run.seed, run.batchSize],
    stimuliHash,
  ]);
  return await sha256Hex(new TextEncoder().encode(facts));
}

/**
 * Hash of the models that the combinations begin with; empty where they begin
 * anew. All are read now, so that one that can't be used is told before
 * anything is written.
 */
async function hashPretrained(
  { paths, pretrained, grid, run }: Experiment,
  size: ModelSize,
): Promise<string> {
  if (paths.pretrained === undefined) return "";
  const hashes: string[] = [];
  for (const { index } of grid.combinations) {
    const { parameters } = await loadPretrained(paths.pretrained, {
      combination: index,
      ...pretrained,
      size,
      // The same read-out for all: what is drawn anew depends on the seed alone.
      stream: createStream({ seed: run.seed, purpose: "readout" }),
    });
    for (const name of PARAMETER_NAMES) {
      const { buffer, byteOffset, byteLength } = parameters[name];
      hashes.push(
        await sha256Hex(new Uint8Array(buffer, byteOffset, byteLength)),
      );
    }
  }
  return await sha256Hex(new TextEncoder().encode(hashes.join()));
}

/** Sizes of the ensemble of some runs, for the memory plan. */
export function ensembleSize(
  { experiment, size }: PreparedExperiment,
  units: readonly RunUnit[],
): EnsembleSize {
  const { task, nrOfTrials } = experiment.task;
  return {
    ...size,
    loss: task.loss,
    steps: units.map((unit) =>
      task.steps(combinationOf(experiment, unit).parameters)
    ),
    trialCount: task.trialCount(nrOfTrials),
    batchSize: experiment.run.batchSize,
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
  const { experiment, network, stimuli, size } = prepared;
  const { net, training, run, paths, pretrained, task: { task, trainSize } } =
    experiment;
  const combination = combinationOf(experiment, unit);
  const stream = (
    purpose: "trials" | "split" | "topology" | "weights" | "readout",
  ) => createStream({ seed: run.seed, purpose, ...unit });

  const trials = splitTrials(
    task.generate(combination.parameters, {
      stream: stream("trials"),
      ...(stimuli === undefined ? {} : { stimuli }),
    }),
    { trainSize, batchSize: run.batchSize, stream: stream("split") },
  );
  const template = recurrentTemplate(
    net.randomW ? randomizeNetwork(network, stream("topology")) : network,
    { transpose: net.compatibility !== "original" },
  );
  const { activation } = combination;
  const scheme = resolveScheme(training.init, {
    activation,
    compatibility: net.compatibility,
  });
  const loaded = paths.pretrained === undefined
    ? undefined
    : await loadPretrained(paths.pretrained, {
      combination: unit.combination,
      epoch: pretrained.epoch,
      iteration: pretrained.iteration,
      size,
      stream: stream("readout"),
    });
  return {
    label: runLabel(unit),
    activation,
    optimizer: combination.optimizer,
    learningRate: combination.learningRate,
    trainRecurrent: !training.freezeLayer,
    mask: loaded?.mask ?? template.mask,
    initial: loaded?.parameters ?? initialParameters(size, {
      scheme,
      mask: template.mask,
      ...(training.remapW ? { template } : {}),
      stream: stream("weights"),
    }),
    trials,
  };
}
