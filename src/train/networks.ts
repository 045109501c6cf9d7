/**
 * The network of each run: the biological one, or a random one under a null model.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import { randomiseNetwork } from "../connectome/nulls/null_model.ts";
import type { Network, ScaleOptions } from "../connectome/scale.ts";
import { scaleConnectome } from "../connectome/scale.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { Connections } from "../graph/connections.ts";
import { rowsOf } from "../graph/graph.ts";
import { createStream } from "../random/stream.ts";
import { type RunId, runKey } from "../results/layout.ts";
import { rankOrder } from "../rnn/initialise.ts";

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
  // Each is asked for twice in a row, to be trained and to be written; a sample by many runs.
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

/** Keeps networks as long as there is room for their connections. */
function createCache(
  make: (id: RunId) => Network | undefined,
  { room }: { readonly room: number },
): (id: RunId) => Network | undefined {
  const kept = new Map<string, Network | undefined>();
  let connections = 0;
  return (id) => {
    const key = runKey(id);
    if (kept.has(key)) return kept.get(key);
    const network = make(id);
    connections += network?.weight.length ?? 0;
    if (connections > room) {
      kept.clear();
      connections = network?.weight.length ?? 0;
    }
    kept.set(key, network);
    return network;
  };
}

function hasTies(weights: Float64Array): boolean {
  const sorted = weights.toSorted();
  return sorted.some((weight, i) => weight === sorted[i + 1]);
}
