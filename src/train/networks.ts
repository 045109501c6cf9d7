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

/** @internal The networks of an experiment's runs. */
export interface RunNetworks {
  /** The connections of a run. */
  readonly topologyOf: (id: RunId) => Topology;
  /** Those that the run has, or would have, without a null model. */
  readonly biologicalTopologyOf: (id: RunId) => Topology;
  /** The network of a run, where it is not the one that all share. */
  readonly ownNetworkOf: (id: RunId) => Network | undefined;
}

/** Connections of samples of a null model that are kept for their next runs. */
const MOST_KEPT = 2 ** 23;

/**
 * The network's own connections, found once; with `null_model` random ones, and with
 * `fresh_network` newly scaled ones, from the run's own streams. Equal weights are
 * ranked by chance, anew for each run. Connections of neurons that are known to inhibit
 * are ranked as negative weights, the strongest last.
 */
export function createRunNetworks(
  { net, nullModel, training, run: { seed } }: Experiment,
  { network, connectome, scaling }: {
    readonly network: Network;
    readonly connectome: Connectome;
    readonly scaling: Omit<ScaleOptions, "stream">;
  },
): RunNetworks {
  // The original knows neither signs nor ties.
  const original = net.compatibility === "original";
  const signs = original ? undefined : connectome.signs;
  const rows = (source: Network) => {
    const { weights, ...connections } = rowsOf(source, {
      transpose: !original,
    });
    if (signs !== undefined) {
      for (let c = 0; c < weights.length; c++) {
        const region = source.regionOf[connections.sender[c]!]!;
        if (signs[region]! < 0) weights[c]! *= -1;
      }
    }
    return { weights, connections };
  };
  // Iteration 0 has the network that all runs share without the key.
  const biologicalOf = ({ iteration }: RunId) =>
    net.freshNetwork && iteration > 0
      ? scaleConnectome(connectome.graph, {
        ...scaling,
        stream: createStream({ seed, purpose: "bio2art", iteration }),
      })
      : network;
  const makeOwn = (id: RunId): Network | undefined => {
    if (nullModel === undefined) {
      return net.freshNetwork ? biologicalOf(id) : undefined;
    }
    return randomiseNetwork(nullModel, {
      network: biologicalOf(id),
      connectome,
      scaleBetween: (graph, stream) => {
        const between = { ...scaling, intrinsicConnections: false, stream };
        return scaleConnectome(graph, between);
      },
      stream: createStream({ seed, purpose: "topology", ...id }),
    });
  };
  // Each is asked for twice in a row, to be trained and to be written; a sample by many runs.
  const isSampled = nullModel !== undefined && net.nullSamples > 0;
  const room = isSampled ? MOST_KEPT : 0;
  const made = new Map<string, Network | undefined>();
  let kept = 0;
  const ownNetworkOf = (id: RunId) => {
    // The run whose streams make the network is that of all runs of the sample.
    const own = isSampled
      ? { combination: 0, iteration: id.iteration % net.nullSamples }
      : id;
    const key = runKey(own);
    if (made.has(key)) return made.get(key);
    const network = makeOwn(own);
    const connections = network?.weight.length ?? 0;
    if (kept + connections > room) {
      made.clear();
      kept = 0;
    }
    kept += connections;
    made.set(key, network);
    return network;
  };

  let common: ReturnType<typeof rows> | undefined;
  let shared: Topology | undefined;
  const topology = (source: Network, id: RunId): Topology => {
    const isCommon = source === network;
    if (isCommon && shared !== undefined) return shared;
    const { weights, connections } = isCommon
      ? common ??= rows(network)
      : rows(source);
    const ties = original
      ? undefined
      : createStream({ seed, purpose: "ties", ...id });
    const found = {
      connections,
      ...(training.remapW && { rankOrder: rankOrder(weights, ties) }),
    };
    if (isCommon) {
      // Without ties all runs have one order.
      const differs = training.remapW && !original && hasTies(weights);
      if (!differs) shared = found;
    }
    return found;
  };
  return {
    ownNetworkOf,
    topologyOf: (id) => topology(ownNetworkOf(id) ?? network, id),
    biologicalTopologyOf: (id) => topology(biologicalOf(id), id),
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

/**
 * Finds the regions that `input_regions` and `output_regions` name.
 *
 * @throws {InputError} If the connectome has no such region, or one is named twice.
 */
export function chooseRegions(
  experiment: Experiment,
  { name, regions, regionNames }: Connectome,
): ChosenRegions {
  const find = (
    kind: keyof typeof PORTS,
    wanted: readonly (string | number)[] | undefined,
  ): readonly number[] | undefined => {
    const key = `${kind}_regions` as const;
    const fail = (what: string): never => {
      const problem = `[net] ${key} names ${what}`;
      throw netError(experiment, { key, problem });
    };
    const numberOf = (choice: string | number): number => {
      if (typeof choice === "number") {
        return choice < regions ? choice : fail(
          `region ${choice}, but those of ${name} are 0 to ${regions - 1}`,
        );
      }
      const [first, ...others] = regionNames.keys()
        .filter((i) => regionNames[i] === choice);
      if (first === undefined) {
        const hint = didYouMean(choice, regionNames);
        return fail(
          `${
            quote(choice)
          }, which is no region of ${name}${hint}; "deno task connectome show ${name}" lists them`,
        );
      }
      return others.length === 0 ? first : fail(
        `${
          quote(choice)
        }, of which ${name} has several; give the number of one, ${
          [first, ...others].join(" or ")
        }`,
      );
    };
    if (wanted === undefined) return undefined;
    const found = new Set<number>();
    for (const region of wanted.map(numberOf)) {
      if (found.has(region)) {
        fail(`region ${region} (${regionNames[region]}) twice`);
      }
      found.add(region);
    }
    // All of them are the default, whose results are the same.
    return found.size === regions
      ? undefined
      : [...found].sort((a, b) => a - b);
  };
  const { inputRegions, outputRegions } = experiment.net;
  return {
    input: find("input", inputRegions),
    output: find("output", outputRegions),
  };
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
    for (const region of chosen[kind] ?? Array(regions).keys()) {
      const first = region * neuronsPerRegion;
      for (let i = 0; i < neuronsPerRegion; i++) {
        ports[first + i]! |= PORTS[kind];
      }
    }
  }
  return ports;
}

/**
 * Connections of the shortest path from input to read-out; Infinity where there is none.
 * Input of time step t reaches the read-out no earlier than so many time steps later.
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

/** A warning where by the connections of the first run no input can ever reach the read-out. */
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
