/**
 * From an experiment, its connectome and its stimuli to what its runs train on: the
 * network, and for each run its trials, connections and initial weights. No file is
 * read, so that a page in a browser can do it too.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import {
  countScaledConnections,
  type Network,
  scaleConnectome,
} from "../connectome/scale.ts";
import type { EnsembleShape, ModelRun } from "../engine/ensemble.ts";
import {
  type Combination,
  type Experiment,
  regionsMismatch,
} from "../experiment/experiment.ts";
import { CONFIG_SCHEMA } from "../experiment/schema.ts";
import { sha256Hex } from "../files/bytes.ts";
import { type Connections, countConnections } from "../graph/connections.ts";
import { checkConnections } from "../graph/graph.ts";
import { createStream } from "../random/stream.ts";
import { type RunId, runLabel } from "../results/layout.ts";
import { initialParameters } from "../rnn/initialise.ts";
import type { ModelSize, Ports } from "../rnn/parameters.ts";
import {
  countTrained,
  generateTrials,
  splitTrials,
  type Stimuli,
  type TrialSet,
} from "../tasks/task.ts";
import { matchStart, measuredModel } from "./measure.ts";
import {
  chooseRegions,
  createRunNetworks,
  portsOf,
  reachWarning,
  type Topology,
} from "./networks.ts";
import type { PretrainedModels } from "./pretrained.ts";

/** Connections from which on it is told how many are to be made: about a second. */
const MANY_CONNECTIONS = 1_000_000;

/** All runs of an experiment, combination by combination. */
export function runsOf({ grid, training }: {
  readonly grid: { readonly combinations: readonly unknown[] };
  readonly training: { readonly iterations: number };
}): RunId[] {
  return grid.combinations.flatMap((_, combination) =>
    Array.from(
      { length: training.iterations },
      (_, iteration) => ({ combination, iteration }),
    )
  );
}

/** An experiment with all that its runs share. */
export interface PreparedExperiment {
  /** What the config says. */
  readonly experiment: Experiment;
  /** The connectome that it names. */
  readonly connectome: Connectome;
  /** The connectome scaled to neurons, before any randomisation. */
  readonly network: Network;
  /** What the task shows, where it shows pictures. */
  readonly stimuli: Stimuli | undefined;
  /**
   * SHA-256 of their values and labels.
   *
   * @internal
   */
  readonly stimuliSha256: string | undefined;
  /** Size of all models. */
  readonly size: ModelSize;
  /** Numbers of the regions where the input enters and the read-out looks on, rising; undefined where all do. */
  readonly chosenRegions: {
    readonly input: readonly number[] | undefined;
    readonly output: readonly number[] | undefined;
  };
  /**
   * The same by neurons: undefined where all have both ports.
   *
   * @internal
   */
  readonly ports: Ports | undefined;
  /**
   * The models that the runs begin with; undefined where they begin anew.
   *
   * @internal
   */
  readonly pretrained: PretrainedModels | undefined;
  /**
   * The connections of a run.
   *
   * @internal
   */
  readonly topologyOf: (id: RunId) => Topology;
  /**
   * The network that a run trains, where it has one of its own: a random one, or one scaled anew; undefined where it trains `network` or a pretrained model.
   *
   * @internal
   */
  readonly ownNetworkOf: (id: RunId) => Network | undefined;
  /**
   * The connections that a run has, or would have, without a null model.
   *
   * @internal
   */
  readonly biologicalTopologyOf: (id: RunId) => Topology;
  /**
   * The connections of all models or, where each has its own, of one of them: what an engine's plan is made by.
   *
   * @internal
   */
  readonly sample: Connections;
  /** Fingerprint of all that the numbers depend on: the same for the same results. */
  readonly fingerprint: string;
}

/** What an experiment is prepared from. */
interface Ingredients {
  readonly connectome: Connectome;
  /** For tasks that show pictures. */
  readonly stimuli?: Stimuli | undefined;
  /** Finds the models to begin with. */
  readonly findPretrained?: (
    sizes: Pick<PreparedExperiment, "size" | "ports">,
  ) => Promise<PretrainedModels | undefined>;
  /** The scaled connectome, where another arm of the experiment has it already. */
  readonly network?: Network | undefined;
  /** Is told what takes time. */
  readonly onProgress?: (line: string) => void;
}

/**
 * Scales the connectome and gets the networks of all runs ready.
 *
 * @throws {InputError} If the connectome has other regions than the config says, or makes too large a network.
 */
export async function prepareWith(
  experiment: Experiment,
  ingredients: Ingredients,
): Promise<PreparedExperiment> {
  const { net, run, task: { task } } = experiment;
  const { connectome, stimuli, onProgress = () => {} } = ingredients;
  if (connectome.regions !== net.regions) {
    throw regionsMismatch(experiment, connectome.regions);
  }
  const hiddenSize = net.regions * net.neuronsPerRegion;
  const size = {
    hiddenSize,
    inputSize: task.inputSize(stimuli),
    outputSize: task.outputSize,
  };
  const chosenRegions = chooseRegions(experiment, connectome);
  const ports = portsOf(chosenRegions, net);
  const pretrained = await ingredients.findPretrained?.({ size, ports });
  const scaling = {
    neuronDensity: new Array(net.regions).fill(net.neuronsPerRegion),
    targetSparsity: net.targetSparsity,
    intrinsicConnections: true,
    targetSparsityIntrinsic: net.targetSparsityIntrinsic,
    intrinsicWeight: 0.8,
    intrinsicFrom: net.compatibility === "original" ? "incoming" : "outgoing",
    keepDiagonal: false,
    randPartition: net.randPartition,
  } as const;
  if (
    connectome.signs !== undefined &&
    (!experiment.training.remapW || net.compatibility === "original")
  ) {
    onProgress(
      `note: which neurons of ${net.name} inhibit has no effect: it is used by remap_w = True without compatibility = original`,
    );
  }
  const connections = countScaledConnections(connectome.graph, scaling);
  checkConnections(connections, {
    what: `scale ${net.name} to ${hiddenSize} neurons`,
    instead: "; lower [net] nr_neurons or target_sparsity",
  });
  const many = connections > MANY_CONNECTIONS;
  const millions = (count: number) => (count / 1e6).toFixed(1);
  if (many && ingredients.network === undefined) {
    onProgress(
      `note: making a network of ${hiddenSize} neurons and ${
        millions(connections)
      } million connections`,
    );
  }
  const network = ingredients.network ?? scaleConnectome(connectome.graph, {
    ...scaling,
    stream: createStream({ seed: run.seed, purpose: "bio2art" }),
    onProgress: (made, of) =>
      onProgress(
        `note: made ${millions(made)} of ${millions(of)} million connections`,
      ),
  });
  const networks = createRunNetworks(experiment, {
    network,
    connectome,
    scaling,
  });
  if (many) onProgress("note: sorting its connections by receiver");
  const { topologyOf, biologicalTopologyOf } = networks;
  const sample = pretrained?.sample ??
    topologyOf({ combination: 0, iteration: 0 }).connections;
  const warning = reachWarning(experiment, { connections: sample, ports });
  if (warning !== undefined) onProgress(warning);
  return {
    experiment,
    connectome,
    network,
    stimuli,
    stimuliSha256: stimuli && await stimuliChecksum(stimuli),
    ...{ size, chosenRegions, ports, pretrained, sample },
    ...{ topologyOf, biologicalTopologyOf },
    ownNetworkOf: (id) =>
      pretrained === undefined ? networks.ownNetworkOf(id) : undefined,
    fingerprint: await fingerprintOf(experiment, {
      chosenRegions,
      connectome,
      stimuli,
      pretrained,
    }),
  };
}

/** What a run's numbers depend on; neither paths nor the machine are part of it. */
async function fingerprintOf(
  { net, training, task, grid, run }: Experiment,
  { chosenRegions, connectome, stimuli, pretrained }: Pick<
    PreparedExperiment,
    "chosenRegions" | "connectome" | "stimuli" | "pretrained"
  >,
): Promise<string> {
  const stimuliHashes = stimuli === undefined ? [] : await stimuliSums(stimuli);
  const facts = JSON.stringify([
    "biornn-experiment/1",
    netFacts(net, chosenRegions),
    // Where it was turned round, another network is made of the same file.
    connectome.fileRows === "source"
      ? connectome.sha256
      : `${connectome.sha256} turned`,
    ...(connectome.signs === undefined ? [] : [connectome.signs.join()]),
    training,
    [task.task.name, task.nrOfTrials, task.trainSize],
    task.parameters,
    grid.keys,
    grid.combinations.map((combination) => combination.repr),
    pretrained?.record.sha256 ?? "",
    [run.seed, run.batchSize],
    stimuliHashes,
  ]);
  return await sha256Hex(new TextEncoder().encode(facts));
}

/** Keys that came later are left out where they have their default, so that what was begun before them can be resumed. */
function netFacts(
  {
    targetSparsity,
    targetSparsityIntrinsic,
    nullModel,
    match,
    sharedInit,
    freshNetwork,
    nullSamples,
    inputRegions: _input,
    outputRegions: _output,
    ...net
  }: Experiment["net"],
  { input, output }: PreparedExperiment["chosenRegions"],
): object {
  const { target_sparsity, target_sparsity_intrinsic } = CONFIG_SCHEMA.net;
  const { name, regions, neuronsPerRegion, randPartition, ...others } = net;
  return {
    // In the order in which they have always stood.
    ...{ name, regions, neuronsPerRegion, randPartition },
    randomW: nullModel === "permute",
    ...others,
    ...(targetSparsity === target_sparsity.default ? {} : { targetSparsity }),
    ...(targetSparsityIntrinsic === target_sparsity_intrinsic.default
      ? {}
      : { targetSparsityIntrinsic }),
    ...(nullModel === "none" || nullModel === "permute" ? {} : { nullModel }),
    ...(match === "none" ? {} : { match }),
    ...(sharedInit ? { sharedInit } : {}),
    ...(freshNetwork ? { freshNetwork } : {}),
    ...(nullSamples === 0 || nullModel === "none" ? {} : { nullSamples }),
    // By number, however the config names them.
    ...(input === undefined ? {} : { inputRegions: input }),
    ...(output === undefined ? {} : { outputRegions: output }),
  };
}

/** SHA-256 of values and labels. */
export async function stimuliChecksum(stimuli: Stimuli): Promise<string> {
  const sums = await stimuliSums(stimuli);
  return await sha256Hex(new TextEncoder().encode(sums.join("\n")));
}

async function stimuliSums({ values, labels }: Stimuli): Promise<string[]> {
  return [await sha256Hex(bytesOf(values)), await sha256Hex(labels)];
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What an engine plans some runs by. */
export function ensembleShape(
  { experiment, sample, pretrained, size }: PreparedExperiment,
  ids: readonly RunId[],
): EnsembleShape {
  const { task, nrOfTrials, trainSize } = experiment.task;
  const trialCount = task.trialCount(nrOfTrials);
  const trainCount = countTrained(trialCount, trainSize);
  const distinct = <T>(of: (combination: Combination) => T) => [
    ...new Set(experiment.grid.combinations.map(of)),
  ];
  return {
    ...size,
    connections: sample,
    ownTopologies: experiment.net.nullModel !== "none" ||
      experiment.net.freshNetwork || pretrained !== undefined,
    loss: task.loss,
    nonlinearities: distinct(({ activation }) => activation),
    optimizers: distinct(({ optimizer }) => optimizer),
    steps: ids.map((id) =>
      task.steps(combinationOf(experiment, id).parameters)
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

/** Names a run, of an arm where there are several, in messages. */
export function runName({ arm }: Experiment, id: RunId): string {
  return arm === undefined ? runLabel(id) : `${arm}, ${runLabel(id)}`;
}

function combinationOf(experiment: Experiment, id: RunId) {
  const combination = experiment.grid.combinations[id.combination];
  if (combination === undefined) {
    throw new RangeError(`Cannot build ${runLabel(id)}: the grid has none`);
  }
  return combination;
}

/**
 * What an engine plans runs of several arms by, that go into the same ensembles:
 * their sizes are the same, and `way` is that of each arm's own plan.
 */
export function pooledShape(
  shapes: readonly EnsembleShape[],
  way: string,
): EnsembleShape {
  const [first] = shapes;
  if (shapes.length === 1) return first!;
  const [connections, ...others] = [
    ...new Set(shapes.map((shape) => shape.connections)),
  ].toSorted((a, b) => countConnections(b) - countConnections(a));
  return {
    ...first!,
    connections: connections!,
    others,
    ownTopologies: others.length > 0 ||
      shapes.some((shape) => shape.ownTopologies),
    nonlinearities: [
      ...new Set(shapes.flatMap(({ nonlinearities }) => nonlinearities)),
    ],
    optimizers: [...new Set(shapes.flatMap(({ optimizers }) => optimizers))],
    steps: shapes.flatMap(({ steps }) => steps),
    way,
  };
}

/** Draws the trials of a run from its own streams. */
export function drawTrials(
  experiment: Experiment,
  { id, stimuli }: {
    readonly id: RunId;
    readonly stimuli: Stimuli | undefined;
  },
): TrialSet {
  const { net, run, task: { task, trainSize } } = experiment;
  const stream = (purpose: "trials" | "split") =>
    createStream({ seed: run.seed, purpose, ...id });
  return splitTrials(
    generateTrials(task, combinationOf(experiment, id).parameters, {
      stream: stream("trials"),
      compatibility: net.compatibility,
      ...(stimuli === undefined ? {} : { stimuli }),
    }),
    { trainSize, batchSize: run.batchSize, stream: stream("split") },
  );
}

/**
 * Draws one run: its trials, its topology where that is random, and its
 * initial weights, each from the run's own stream.
 *
 * @throws {InputError} If a pretrained model is asked for and does not fit.
 *
 * @example
 * ```ts
 * import { buildRun, prepare } from "@biornn/biornn";
 *
 * const prepared = await prepare("config/quickstart.ini");
 * const run = await buildRun(prepared, { combination: 0, iteration: 0 });
 * run.trials.inputs; // [trial, time, input]
 * run.initial.weightHh; // a weight for each of run.connections
 * ```
 */
export async function buildRun(
  prepared: PreparedExperiment,
  id: RunId,
): Promise<ModelRun> {
  const { experiment, stimuli, size, ports } = prepared;
  const { net, training, run, task: { task } } = experiment;
  const combination = combinationOf(experiment, id);
  const trials = drawTrials(experiment, { id, stimuli });
  const { activation } = combination;
  const draw = (topology: Topology) => ({
    model: measuredModel({
      activation,
      connections: topology.connections,
      trials,
    }, { size, loss: task.loss }),
    parameters: initialParameters(size, {
      ...topology,
      initialisation: experiment.initialisation,
      nonlinearity: activation.name,
      shared: net.sharedInit,
      ports,
      stream: createStream({ seed: run.seed, purpose: "weights", ...id }),
    }),
  });
  const label = runName(experiment, id);
  const newModel = () => {
    const random = draw(prepared.topologyOf(id));
    const { connections } = random.model;
    const { match } = net;
    if (match === "none" || net.nullModel === "none") {
      return { connections, parameters: random.parameters };
    }
    const biological = draw(prepared.biologicalTopologyOf(id));
    return {
      connections,
      parameters: matchStart(label, { match, biological, random }),
    };
  };

  const start = await prepared.pretrained?.modelOf(id) ?? newModel();
  return {
    label,
    activation,
    optimizer: combination.optimizer,
    learningRate: combination.learningRate,
    trainRecurrent: !training.freezeLayer,
    connections: start.connections,
    ...(ports === undefined ? {} : { ports }),
    initial: start.parameters,
    trials,
  };
}
