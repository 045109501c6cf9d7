/**
 * The network of each run, the biological one or a random one under a null model, and at
 * which regions the input enters it and the read-out looks on.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import { randomiseNetwork } from "../connectome/nulls/null_model.ts";
import {
  type Network,
  scaleConnectome,
  type ScaleOptions,
} from "../connectome/scale.ts";
import {
  type Experiment,
  listRegions,
  netError,
} from "../experiment/experiment.ts";
import type { Connections } from "../graph/connections.ts";
import { rowsOf } from "../graph/graph.ts";
import { createStream } from "../random/stream.ts";
import { type RunId, runKey } from "../results/layout.ts";
import { rankOrder } from "../rnn/initialise.ts";
import { hasPort, PORTS, type Ports } from "../rnn/parameters.ts";
import { didYouMean, quote } from "../text/words.ts";

/** Connections of a recurrent layer. */
export interface Topology {
  /** Where W_hh may differ from 0. */
  readonly connections: Connections;
  /** The connections by the rank of their weights; only with `remap_w`. */
  readonly rankOrder?: Uint32Array;
}

/** The networks of an experiment's runs. */
interface RunNetworks {
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
    biologicalTopologyOf: (id) => topology(biologicalOf(id), id),
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

/** Numbers of the chosen regions, rising; undefined where all are. */
interface ChosenRegions {
  readonly input: readonly number[] | undefined;
  readonly output: readonly number[] | undefined;
}

const KEYS = { input: "input_regions", output: "output_regions" } as const;

/**
 * Finds the regions that `input_regions` and `output_regions` name.
 *
 * @throws {InputError} If the connectome has no such region, or one is named twice.
 */
export function chooseRegions(
  experiment: Experiment,
  connectome: Connectome,
): ChosenRegions {
  const { net } = experiment;
  return {
    input: findRegions("input", net.inputRegions),
    output: findRegions("output", net.outputRegions),
  };

  function findRegions(
    kind: keyof typeof PORTS,
    wanted: readonly (string | number)[] | undefined,
  ): readonly number[] | undefined {
    if (wanted === undefined) return undefined;
    const key = KEYS[kind];
    const error = (what: string) =>
      netError(experiment, { key, problem: `[net] ${key} ${what}` });
    const found = new Set<number>();
    for (const choice of wanted) {
      const region = findRegion(choice, { connectome, error });
      if (found.has(region)) {
        throw error(
          `names region ${region} (${connectome.regionNames[region]}) twice`,
        );
      }
      found.add(region);
    }
    // All of them are the default, whose results are the same.
    return found.size === connectome.regions
      ? undefined
      : [...found].sort((a, b) => a - b);
  }
}

function findRegion(
  choice: string | number,
  { connectome: { name, regions, regionNames }, error }: {
    readonly connectome: Connectome;
    readonly error: (what: string) => Error;
  },
): number {
  if (typeof choice === "number") {
    if (choice < regions) return choice;
    throw error(
      `names region ${choice}, but those of ${name} are 0 to ${regions - 1}`,
    );
  }
  const all = regionNames.flatMap((region, i) => region === choice ? [i] : []);
  const [first] = all;
  if (first === undefined) {
    throw error(
      `names ${quote(choice)}, which is no region of ${name}${
        didYouMean(choice, regionNames)
      }; "deno task connectome show ${name}" lists them`,
    );
  }
  if (all.length > 1) {
    throw error(
      `names ${
        quote(choice)
      }, of which ${name} has several; give the number of one, ${
        all.join(" or ")
      }`,
    );
  }
  return first;
}

/** The ports of all neurons; undefined where each has both. */
export function portsOf(
  chosen: ChosenRegions,
  { regions, neuronsPerRegion }: Experiment["net"],
): Ports | undefined {
  if (chosen.input === undefined && chosen.output === undefined) {
    return undefined;
  }
  const ports = new Uint8Array(regions * neuronsPerRegion);
  for (const kind of ["input", "output"] as const) {
    const bit = PORTS[kind];
    for (const region of chosen[kind] ?? Array(regions).keys()) {
      const first = region * neuronsPerRegion;
      for (let i = 0; i < neuronsPerRegion; i++) ports[first + i]! |= bit;
    }
  }
  return ports;
}

/**
 * Connections of the shortest path from a neuron that gets input to one that is read
 * out; Infinity where there is none. Input of time step t reaches the read-out no
 * earlier than so many time steps later.
 */
export function pathLength(
  { receivers, start, sender }: Connections,
  ports: Ports | undefined,
): number {
  // Backwards, as the connections are listed by their receivers.
  const seen = new Uint8Array(receivers);
  let level = [...seen.keys()].filter((i) => hasPort(ports, i, "output"));
  for (let length = 0; level.length > 0; length++) {
    const next: number[] = [];
    for (const neuron of level) {
      if (hasPort(ports, neuron, "input")) return length;
      for (let n = start[neuron]!; n < start[neuron + 1]!; n++) {
        const from = sender[n]!;
        if (seen[from] === 0) next.push(from);
        seen[from] = 1;
      }
    }
    level = next;
  }
  return Infinity;
}

/**
 * A warning where no input can ever reach the read-out, so that nothing can be learnt
 * from it.
 *
 * @param connections Of the first run.
 */
export function reachWarning(
  { net, grid, task: { task } }: Experiment,
  { connections, ports }: {
    readonly connections: Connections;
    readonly ports: Ports | undefined;
  },
): string | undefined {
  if (ports === undefined) return undefined;
  const length = pathLength(connections, ports);
  const short = grid.combinations.find(({ parameters }) =>
    task.steps(parameters) <= length
  );
  if (short === undefined) return undefined;
  const from = `from input_regions (${
    listRegions(net.inputRegions)
  }) to output_regions (${listRegions(net.outputRegions)})`;
  return `warning: the read-out can't see the input${
    length === Infinity
      ? `: no path of connections leads ${from}`
      : ` of combination ${short.index}: the shortest path ${from} has ${length} connections, and a trial has ${
        task.steps(short.parameters)
      } time steps`
  }`;
}
