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
  type RunNetworks,
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
export interface PreparedExperiment extends RunNetworks {
  /** What the config says. */
  readonly experiment: Experiment;
  /** The connectome that it names. */
  readonly connectome: Connectome;
  /** The connectome scaled to neurons, before any randomisation. */
  readonly network: Network;
  /** What the task shows, where it shows pictures. */
  readonly stimuli: Stimuli | undefined;
  /** @internal SHA-256 of their values and labels. */
  readonly stimuliSha256: string | undefined;
  /** Size of all models. */
  readonly size: ModelSize;
  /** Numbers of the regions where the input enters and the read-out looks on, rising; undefined where all do. */
  readonly chosenRegions: {
    readonly input: readonly number[] | undefined;
    readonly output: readonly number[] | undefined;
  };
  /** @internal The same by neurons: undefined where all have both ports. */
  readonly ports: Ports | undefined;
  /** @internal The models that the runs begin with; undefined where they begin anew. */
  readonly pretrained: PretrainedModels | undefined;
  /** @internal The connections of all models or, where each has its own, of one of them: what an engine's plan is made by. */
  readonly sample: Connections;
  /** Fingerprint of all that the numbers depend on: the same for the same results. */
  readonly fingerprint: string;
}

interface Ingredients {
  readonly connectome: Connectome;
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
  { connectome, stimuli, findPretrained, onProgress = () => {}, ...given }:
    Ingredients,
): Promise<PreparedExperiment> {
  const { net, run, training, task: { task } } = experiment;
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
  const pretrained = await findPretrained?.({ size, ports });
  const original = net.compatibility === "original";
  if (connectome.signs !== undefined && (!training.remapW || original)) {
    onProgress(
      `note: which neurons of ${net.name} inhibit has no effect: it is used by remap_w = True without compatibility = original`,
    );
  }
  const scaling = {
    neuronDensity: new Array(net.regions).fill(net.neuronsPerRegion),
    targetSparsity: net.targetSparsity,
    intrinsicConnections: true,
    targetSparsityIntrinsic: net.targetSparsityIntrinsic,
    intrinsicWeight: 0.8,
    intrinsicFrom: original ? "incoming" : "outgoing",
    keepDiagonal: false,
    randPartition: net.randPartition,
  } as const;
  const connections = countScaledConnections(connectome.graph, scaling);
  checkConnections(connections, {
    what: `scale ${net.name} to ${hiddenSize} neurons`,
    instead: "; lower [net] nr_neurons or target_sparsity",
  });
  const many = connections > MANY_CONNECTIONS;
  const millions = (count: number) => (count / 1e6).toFixed(1);
  if (many && given.network === undefined) {
    onProgress(
      `note: making a network of ${hiddenSize} neurons and ${
        millions(connections)
      } million connections`,
    );
  }
  const network = given.network ?? scaleConnectome(connectome.graph, {
    ...scaling,
    stream: createStream({ seed: run.seed, purpose: "bio2art" }),
    onProgress: (made, of) =>
      onProgress(
        `note: made ${millions(made)} of ${millions(of)} million connections`,
      ),
  });
  const { topologyOf, biologicalTopologyOf, ownNetworkOf } = createRunNetworks(
    experiment,
    { network, connectome, scaling },
  );
  if (many) onProgress("note: sorting its connections by receiver");
  const sample = pretrained?.sample ??
    topologyOf({ combination: 0, iteration: 0 }).connections;
  const warning = reachWarning(experiment, { connections: sample, ports });
  if (warning !== undefined) onProgress(warning);
  const parts = { chosenRegions, connectome, pretrained, stimuli };
  return {
    experiment,
    network,
    size,
    ports,
    sample,
    topologyOf,
    biologicalTopologyOf,
    ...parts,
    stimuliSha256: stimuli && await stimuliChecksum(stimuli),
    ownNetworkOf: pretrained === undefined ? ownNetworkOf : () => undefined,
    fingerprint: await fingerprintOf(experiment, parts),
  };
}

/** What a run's numbers depend on; neither paths nor the machine are part of it. */
async function fingerprintOf(
  { net, training, task, grid, run }: Experiment,
  { chosenRegions, connectome, pretrained, stimuli }: Pick<
    PreparedExperiment,
    "chosenRegions" | "connectome" | "pretrained" | "stimuli"
  >,
): Promise<string> {
  const { sha256, signs, fileRows } = connectome;
  return await textSum(JSON.stringify([
    "biornn-experiment/1",
    netFacts(net, chosenRegions),
    // Where it was turned round, another network is made of the same file.
    fileRows === "source" ? sha256 : `${sha256} turned`,
    ...(signs === undefined ? [] : [signs.join()]),
    training,
    [task.task.name, task.nrOfTrials, task.trainSize],
    task.parameters,
    grid.keys,
    grid.combinations.map((combination) => combination.repr),
    pretrained?.record.sha256 ?? "",
    [run.seed, run.batchSize],
    stimuli === undefined ? [] : await stimuliSums(stimuli),
  ]));
}

/** Keys that came later are left out where they have their default, so that what was begun before them can be resumed. */
function netFacts(
  net: Experiment["net"],
  { input, output }: PreparedExperiment["chosenRegions"],
): object {
  const { target_sparsity, target_sparsity_intrinsic } = CONFIG_SCHEMA.net;
  const { nullModel, nullSamples } = net;
  // JSON leaves out what is undefined.
  const unless = <T>(usual: T, value: T) => value === usual ? undefined : value;
  return {
    name: net.name,
    regions: net.regions,
    neuronsPerRegion: net.neuronsPerRegion,
    randPartition: net.randPartition,
    randomW: nullModel === "permute",
    compatibility: net.compatibility,
    targetSparsity: unless(target_sparsity.default, net.targetSparsity),
    targetSparsityIntrinsic: unless(
      target_sparsity_intrinsic.default,
      net.targetSparsityIntrinsic,
    ),
    nullModel: ["none", "permute"].includes(nullModel) ? undefined : nullModel,
    match: unless("none", net.match),
    sharedInit: unless(false, net.sharedInit),
    freshNetwork: unless(false, net.freshNetwork),
    nullSamples: nullModel === "none" ? undefined : unless(0, nullSamples),
    // By number, however the config names them.
    inputRegions: input,
    outputRegions: output,
  } satisfies Record<keyof Experiment["net"] | "randomW", unknown>;
}

async function textSum(text: string): Promise<string> {
  return await sha256Hex(new TextEncoder().encode(text));
}

/** SHA-256 of values and labels. */
export async function stimuliChecksum(stimuli: Stimuli): Promise<string> {
  return await textSum((await stimuliSums(stimuli)).join("\n"));
}

async function stimuliSums({ values, labels }: Stimuli): Promise<string[]> {
  const { buffer, byteOffset, byteLength } = values;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return [await sha256Hex(bytes), await sha256Hex(labels)];
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

/** What an engine plans runs of several arms of the same sizes by; `way` is that of each arm's own plan. */
export function pooledShape(
  shapes: readonly EnsembleShape[],
  way: string,
): EnsembleShape {
  const all = <K extends keyof EnsembleShape>(key: K) => [
    ...new Set(shapes.map((shape) => shape[key])),
  ];
  const [connections, ...others] = all("connections")
    .toSorted((a, b) => countConnections(b) - countConnections(a));
  return {
    ...shapes[0]!,
    connections: connections!,
    others,
    ownTopologies: others.length > 0 || all("ownTopologies").includes(true),
    nonlinearities: [...new Set(all("nonlinearities").flat())],
    optimizers: [...new Set(all("optimizers").flat())],
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
  const { activation, optimizer, learningRate } = combinationOf(experiment, id);
  const trials = drawTrials(experiment, { id, stimuli });
  const label = runName(experiment, id);
  const draw = (topology: Topology) => ({
    model: measuredModel(
      { activation, connections: topology.connections, trials },
      { size, loss: task.loss },
    ),
    parameters: initialParameters(size, {
      ...topology,
      ports,
      initialisation: experiment.initialisation,
      nonlinearity: activation.name,
      shared: net.sharedInit,
      stream: createStream({ seed: run.seed, purpose: "weights", ...id }),
    }),
  });
  const newModel = () => {
    const random = draw(prepared.topologyOf(id));
    const { model: { connections }, parameters } = random;
    const { match, nullModel } = net;
    if (match === "none" || nullModel === "none") {
      return { connections, parameters };
    }
    const biological = draw(prepared.biologicalTopologyOf(id));
    const matched = matchStart(label, { match, biological, random });
    return { connections, parameters: matched };
  };
  const { connections, parameters } = await prepared.pretrained?.modelOf(id) ??
    newModel();
  return {
    label,
    activation,
    optimizer,
    learningRate,
    connections,
    trials,
    trainRecurrent: !training.freezeLayer,
    ...(ports === undefined ? {} : { ports }),
    initial: parameters,
  };
}
