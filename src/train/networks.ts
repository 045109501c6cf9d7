/**
 * The network of each run: the biological one, or a random one under a null model;
 * and weights to begin with that are matched to the biological ones.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import { randomiseNetwork } from "../connectome/nulls/null_model.ts";
import type { Network, ScaleOptions } from "../connectome/scale.ts";
import { scaleConnectome } from "../connectome/scale.ts";
import type { Nonlinearity } from "../rnn/nonlinearities.ts";
import type { ModelRun } from "../engine/ensemble.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { InputError } from "../files/input_error.ts";
import type { Connections } from "../graph/connections.ts";
import { rowsOf } from "../graph/graph.ts";
import { createStream } from "../random/stream.ts";
import { simulate } from "../reference/simulate.ts";
import { type RunId, runKey, runLabel } from "../results/layout.ts";
import type { NetworkState, NetworkStates } from "../results/run_file.ts";
import { rankOrder } from "../rnn/initialise.ts";
import type { ModelSize, Parameters } from "../rnn/parameters.ts";
import { estimateSpectralRadius, spectralRadius } from "../graph/spectrum.ts";
import type { TrialSet } from "../tasks/task.ts";

/** Connections of a recurrent layer. */
export interface Topology {
  /** Where W_hh may differ from 0. */
  readonly connections: Connections;
  /** The connections by the rank of their weights; only with `remap_w`. */
  readonly rankOrder?: Uint32Array;
}

/** The networks of an experiment's runs. */
export interface RunNetworks {
  /** The connections of a run. */
  readonly topologyOf: (id: RunId) => Topology;
  /** Those that the run has, or would have, without a null model. */
  readonly biologicalTopologyOf: (id: RunId) => Topology;
  /** The network of a run, where it is not the one that all share. */
  readonly ownNetworkOf: (id: RunId) => Network | undefined;
}

/** How a connectome is scaled in an experiment; the stream apart. */
export type Scaling = Omit<ScaleOptions, "stream">;

/**
 * The network's own connections, found once; with `null_model` random ones, and with
 * `fresh_network` newly scaled ones, from the run's own streams. Equal weights are
 * ranked by chance, anew for each run. Connections of neurons that are known to inhibit
 * are ranked as negative weights, the strongest last.
 */
export function createRunNetworks(
  { net, nullModel, training, run }: Experiment,
  { network, connectome, scaling }: {
    readonly network: Network;
    readonly connectome: Connectome;
    readonly scaling: Scaling;
  },
): RunNetworks {
  const original = net.compatibility === "original";
  const rows = (source: Network) => {
    const { weights, ...connections } = rowsOf(source, {
      transpose: !original,
    });
    const { signs } = connectome;
    // The original knows no signs.
    if (signs !== undefined && !original) {
      for (let c = 0; c < weights.length; c++) {
        const region = source.regionOf[connections.sender[c]!]!;
        if (signs[region]! < 0) weights[c]! *= -1;
      }
    }
    return { weights, connections };
  };
  const ranked = (weights: Float64Array, id: RunId) =>
    training.remapW
      ? {
        rankOrder: rankOrder(
          weights,
          original
            ? undefined
            : createStream({ seed: run.seed, purpose: "ties", ...id }),
        ),
      }
      : {};
  // Iteration 0 has the network that all runs share without the key.
  const biologicalOf = ({ iteration }: RunId) =>
    net.freshNetwork && iteration > 0
      ? scaleConnectome(connectome.graph, {
        ...scaling,
        stream: createStream({ seed: run.seed, purpose: "bio2art", iteration }),
      })
      : network;
  /** The run whose streams make the network: with `null_samples` it is that of all runs of the sample. */
  const sampleOf = (id: RunId): RunId =>
    nullModel === undefined || net.nullSamples === 0
      ? id
      : { combination: 0, iteration: id.iteration % net.nullSamples };
  const makeOwn = (sample: RunId): Network | undefined => {
    if (nullModel === undefined) {
      return net.freshNetwork ? biologicalOf(sample) : undefined;
    }
    return randomiseNetwork(nullModel, {
      network: biologicalOf(sample),
      connectome,
      scaleBetween: (graph, stream) =>
        scaleConnectome(graph, {
          ...scaling,
          intrinsicConnections: false,
          stream,
        }),
      stream: createStream({ seed: run.seed, purpose: "topology", ...sample }),
    });
  };
  // Each is asked for twice in a row, to be trained and to be written; a sample of many runs again and again.
  const made = createCache(makeOwn, {
    room: net.nullSamples === 0 ? 0 : MOST_KEPT,
  });
  const ownNetworkOf = (id: RunId) => made(sampleOf(id));

  let common: ReturnType<typeof rows> | undefined;
  let shared: Topology | undefined;
  const topology = (own: Network | undefined, id: RunId): Topology => {
    if (own !== undefined && own !== network) {
      const { weights, connections } = rows(own);
      return { connections, ...ranked(weights, id) };
    }
    common ??= rows(network);
    const { weights, connections } = common;
    if (shared === undefined) {
      const found = { connections, ...ranked(weights, id) };
      // Without ties all runs have one order.
      if (training.remapW && !original && hasTies(weights)) return found;
      shared = found;
    }
    return shared;
  };
  return {
    ownNetworkOf,
    topologyOf: (id) => topology(ownNetworkOf(id), id),
    biologicalTopologyOf: (id) => topology(biologicalOf(sampleOf(id)), id),
  };
}

/** Connections of samples of a null model that are kept for their next runs. */
const MOST_KEPT = 2 ** 23;

/** Keeps the last network that was made, and others as long as there is room for their connections. */
function createCache(
  make: (id: RunId) => Network | undefined,
  { room }: { readonly room: number },
): (id: RunId) => Network | undefined {
  const kept = new Map<string, Network | undefined>();
  return (id) => {
    const key = runKey(id);
    const found = kept.get(key);
    if (kept.has(key)) return found;
    const network = make(id);
    let connections = network?.weight.length ?? 0;
    for (const other of kept.values()) connections += other?.weight.length ?? 0;
    if (connections > room) kept.clear();
    kept.set(key, network);
    return network;
  };
}

function hasTies(weights: Float64Array): boolean {
  const sorted = weights.toSorted();
  return sorted.some((weight, i) => weight === sorted[i + 1]);
}

/** Trials that activity is measured on, at most, and products of W_hh's weights. */
const MOST_TRIALS = 16;
const MOST_PRODUCTS = 2e8;

/** A model without its weights. */
export interface MeasuredModel extends ModelSize {
  readonly activation: string | Nonlinearity;
  readonly loss: "mse" | "nll";
  readonly connections: Connections;
  readonly trials: TrialSet;
}

/** Measures what weights do. */
export function networkState(
  model: MeasuredModel,
  parameters: Parameters,
): NetworkState {
  const { radius, error } = estimateSpectralRadius(
    model.connections,
    parameters.weightHh,
  );
  return {
    spectralRadius: radius,
    spectralRadiusError: error,
    activity: meanActivity(model, parameters),
  };
}

function meanActivity(model: MeasuredModel, parameters: Parameters): number {
  const { trials } = model;
  const { steps, inputSize } = trials;
  const [batch = new Uint32Array()] = trials.trainBatches;
  const affordable = MOST_PRODUCTS /
    (steps * (parameters.weightHh.length + parameters.weightIh.length));
  const count = Math.min(
    batch.length,
    Math.max(1, Math.min(MOST_TRIALS, Math.floor(affordable))),
  );
  const length = steps * inputSize;
  const inputs = new Float32Array(count * length);
  for (let i = 0; i < count; i++) {
    const first = batch[i]! * length;
    inputs.set(trials.inputs.subarray(first, first + length), i * length);
  }
  const { hidden } = simulate({ ...model, parameters }, {
    trialCount: count,
    steps,
    inputSize,
    inputs,
  });
  let sum = 0;
  for (const h of hidden) sum += Math.abs(h);
  return sum / hidden.length;
}

/** Doublings and halvings of the weights that are tried for a match of activity. */
const MOST_DOUBLINGS = 8;
/** Halvings of the range of factors: to a hundred-thousandth. */
const HALVINGS = 16;

/**
 * The initial weights of a null model's run, with W_hh scaled by one factor so that
 * it starts where the biological network starts: with its spectral radius, or with
 * its mean activity, as nearly as one factor can. Without that a null model that scatters the strong
 * connections within regions starts at half the radius, and what it learns tells of
 * that, not of topology.
 *
 * @throws {InputError} If the radius can't be matched, as the null model's network has no cycle.
 */
export function matchStart(
  id: RunId,
  { match, biological, random }: {
    readonly match: "spectral_radius" | "activity";
    readonly biological: Start;
    readonly random: Start;
  },
): Parameters<Float32Array> {
  const scaled = (factor: number): Parameters<Float32Array> => ({
    ...random.parameters,
    weightHh: random.parameters.weightHh.map((weight) => weight * factor),
  });
  const fail = (why: string): never => {
    throw new InputError(
      `Cannot match the start of ${
        runLabel(id)
      } by [net] match = ${match}: ${why}`,
    );
  };
  if (match === "spectral_radius") {
    const radius = (start: Start) =>
      spectralRadius(start.model.connections, start.parameters.weightHh);
    const [wanted, found] = [radius(biological), radius(random)];
    if (!(found > 0)) {
      fail(
        `the null model's network has no cycle, so that its spectral radius is ${found}`,
      );
    }
    return scaled(wanted / found);
  }
  const wanted = meanActivity(biological.model, biological.parameters);
  const excess = (factor: number) =>
    meanActivity(random.model, scaled(factor)) - wanted;
  return scaled(findZero(excess));
}

/**
 * A factor at which the excess is 0, the nearest to 1; where there is none, the one of
 * least excess: relu units may be driven by their inputs and biases alone.
 */
function findZero(excess: (factor: number) => number): number {
  const tried = Array.from(
    { length: 2 * MOST_DOUBLINGS + 1 },
    (_, i) => 2 ** (i - MOST_DOUBLINGS),
  ).map((factor) => ({ factor, value: excess(factor) }));
  const crossings = tried.slice(1).map((high, i) => ({ low: tried[i]!, high }))
    .filter(({ low, high }) => (low.value < 0) !== (high.value < 0))
    .sort((a, b) =>
      Math.abs(Math.log2(a.low.factor)) - Math.abs(Math.log2(b.low.factor))
    );
  const [crossing] = crossings;
  if (crossing === undefined) {
    return tried.reduce((a, b) => Math.abs(b.value) < Math.abs(a.value) ? b : a)
      .factor;
  }
  let { low: { factor: low, value }, high: { factor: high } } = crossing;
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = Math.sqrt(low * high);
    const found = excess(middle);
    if ((found < 0) === (value < 0)) [low, value] = [middle, found];
    else high = middle;
  }
  return Math.sqrt(low * high);
}

/** What a run's network does at its start, and with the weights that it has learnt. */
export function networkStates(
  run: ModelRun,
  { trained, size, loss }: {
    readonly trained: Parameters;
    readonly size: ModelSize;
    readonly loss: "mse" | "nll";
  },
): NetworkStates {
  const model = measuredModel(run, { size, loss });
  return {
    initial: networkState(model, run.initial),
    trained: networkState(model, trained),
  };
}

/** A model at its start. */
export interface Start {
  readonly model: MeasuredModel;
  readonly parameters: Parameters<Float32Array>;
}

/** What is measured of a run's model. */
export function measuredModel(
  run: Pick<ModelRun, "activation" | "connections" | "trials">,
  { size, loss }: { readonly size: ModelSize; readonly loss: "mse" | "nll" },
): MeasuredModel {
  const { activation, connections, trials } = run;
  return { ...size, loss, activation, connections, trials };
}
