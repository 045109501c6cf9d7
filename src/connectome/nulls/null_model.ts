/**
 * The null models by name: what a biological network is compared with. Each keeps
 * some of its features and makes the others random; a report tells which, in figures.
 *
 * To add one, write a function as those in this folder, with what it keeps, its
 * paper and its draws, and a line in {@linkcode NULL_MODELS}.
 *
 * @module
 */

import { InputError } from "../../files/input_error.ts";
import {
  filterGraph,
  type Graph,
  joinGraphs,
  transposeGraph,
} from "../../graph/graph.ts";
import type { RandomStream } from "../../random/stream.ts";
import type { Network } from "../scale.ts";
import {
  modulesOf,
  type NetworkSummary,
  summariseNetwork,
} from "../measures.ts";
import {
  permuteBlocks,
  permutePlaces,
  permuteWithinLengths,
  randomGraph,
  ringGraph,
} from "./places.ts";
import {
  annealStrengths,
  latticeConnections,
  permuteWeights,
  swapConnections,
  swapKeepingPairs,
} from "./swaps.ts";

/** What a null model is made of. */
export interface NullModelInput {
  /** The biological network of neurons. */
  readonly network: Network;
  /** What it was scaled from. */
  readonly connectome: {
    readonly name: string;
    readonly graph: Graph;
    /** [N, N], between regions. */
    readonly distances?: Float64Array | undefined;
  };
  /** Scales a connectome as the network was, without connections within regions. */
  readonly scaleBetween: (connectome: Graph, stream: RandomStream) => Graph;
  /** The run's stream of purpose "topology". */
  readonly stream: RandomStream;
}

/** A way to make a network random. */
export interface NullModel {
  /** What it keeps, as the end of "the null model keeps …". */
  readonly keeps: string;
  /** The network's connections, made random. */
  readonly randomise: (input: NullModelInput) => Graph;
  /** Whether a given network has but one such counterpart. */
  readonly fixed?: true;
}

/** All null models. */
export const NULL_MODELS: Readonly<Record<NullModelName, NullModel>> = {
  permute: {
    keeps: "the number of connections and their weights",
    randomise: ({ network, stream }) => permutePlaces(network, stream),
  },
  weights: {
    keeps: "which neurons are connected, and the set of weights",
    randomise: ({ network, stream }) => permuteWeights(network, stream),
  },
  degrees: {
    keeps:
      "how many connections every neuron sends and receives, and the weight it sends",
    randomise: ({ network, stream }) => swapConnections(network, stream),
  },
  strengths: {
    keeps:
      "how many connections every neuron sends and receives, the weight it sends and, as nearly as its weights allow, the weight it receives",
    randomise: ({ network, stream }) => annealStrengths(network, stream),
  },
  regions: {
    keeps:
      "the connections within regions, and the number and weights of those between regions",
    randomise: (input) =>
      betweenRegions(
        input,
        permutePlaces(input.connectome.graph, input.stream),
      ),
  },
  reciprocity: {
    keeps:
      "how many connections every neuron sends, receives and has both ways, and the weight it sends",
    randomise: ({ network, stream }) => swapKeepingPairs(network, stream),
  },
  modules: {
    keeps:
      "the number of connections within and between the modules of the connectome, and their weights",
    randomise: ({ network, connectome, stream }) => {
      const moduleOfRegion = modulesOf(connectome.graph);
      const moduleOf = Uint32Array.from(
        network.regionOf,
        (region) => moduleOfRegion[region]!,
      );
      return permuteBlocks(network, { moduleOf, stream });
    },
  },
  lattice: {
    keeps:
      "how many connections every neuron sends and receives, between neighbours on a ring as far as can be",
    randomise: ({ network, stream }) => latticeConnections(network, stream),
  },
  small_world: {
    keeps:
      "the number of connections and their weights, in a ring of neighbours with shortcuts",
    randomise: ({ network, stream }) => ringGraph(network, stream),
  },
  erdos_renyi: {
    keeps: "the density, on average",
    randomise: ({ network, stream }) => randomGraph(network, stream),
  },
  length: {
    keeps:
      "the connections within regions, and how many connections of what weight there are at each distance",
    randomise: (input) => {
      const { connectome: { graph, distances, name }, stream } = input;
      if (distances === undefined) {
        throw new InputError(
          `Cannot make the null model "length" of ${name}: it needs the distances between regions, D_${name}.npy beside the connectome`,
        );
      }
      return betweenRegions(
        input,
        permuteWithinLengths(graph, { distances, stream }),
      );
    },
  },
  transpose: {
    keeps: "everything but the direction of connections",
    randomise: ({ network }) => transposeGraph(network),
    fixed: true,
  },
};

/** Name of a null model. */
export type NullModelName =
  | "permute"
  | "weights"
  | "degrees"
  | "strengths"
  | "regions"
  | "reciprocity"
  | "modules"
  | "lattice"
  | "small_world"
  | "erdos_renyi"
  | "length"
  | "transpose";

/** Names of all null models. */
export const NULL_MODEL_NAMES = Object.keys(NULL_MODELS) as NullModelName[];

/**
 * The counterpart of a network under a null model.
 *
 * @throws {InputError} If the connectome lacks what the null model needs.
 *
 * @example
 * ```ts
 * import {
 *   createStream,
 *   graphOfMatrix,
 *   randomiseNetwork,
 *   scaleConnectome,
 * } from "@biornn/biornn";
 *
 * const graph = graphOfMatrix([0, 0.5, 0.25, 0], 2);
 * const scale = (connectome: typeof graph, intrinsicConnections: boolean) =>
 *   scaleConnectome(connectome, {
 *     neuronDensity: [4, 4],
 *     randPartition: true,
 *     intrinsicConnections,
 *     stream: createStream({ seed: 1, purpose: "bio2art" }),
 *   });
 * randomiseNetwork("degrees", {
 *   network: scale(graph, true),
 *   connectome: { name: "Pair", graph },
 *   scaleBetween: (connectome) => scale(connectome, false),
 *   stream: createStream({ seed: 1, purpose: "topology" }),
 * });
 * ```
 */
export function randomiseNetwork(
  nullModel: NullModelName | NullModel,
  input: NullModelInput,
): Network {
  const { randomise } = typeof nullModel === "string"
    ? NULL_MODELS[nullModel]
    : nullModel;
  const { nodes, from, to, weight } = randomise(input);
  return { nodes, from, to, weight, regionOf: input.network.regionOf };
}

/**
 * The network with other connections between regions and its own within them:
 * those hold most of the weight, so that a null model which scatters them differs
 * from biology in more than topology.
 */
function betweenRegions(
  { network, scaleBetween, stream }: NullModelInput,
  connectome: Graph,
): Graph {
  const { regionOf } = network;
  const within = filterGraph(
    network,
    (a, b) => regionOf[a] === regionOf[b],
  );
  return joinGraphs(within, scaleBetween(connectome, stream));
}

/** What the report calls the figures. */
const NAMES: Readonly<
  Record<Exclude<keyof NetworkSummary, "sampled">, string>
> = {
  connections: "connections",
  density: "density",
  outDegreeSpread: "out-degree, standard deviation",
  inDegreeSpread: "in-degree, standard deviation",
  outStrengthSpread: "weight sent, standard deviation",
  inStrengthSpread: "weight received, standard deviation",
  reciprocity: "reciprocity",
  clustering: "clustering (weighted)",
  modularity: "modularity",
  modules: "modules",
  pathLength: "path length (steps)",
  weightedPathLength: "path length (1 / weight)",
  richClub: "rich club (density among the tenth with most connections)",
  spectralRadius: "spectral radius of the weights",
};

/**
 * How a network's figures differ from their means over samples of a null model, as
 * the cells of a table, a header first; the change is relative, empty where the network has 0.
 *
 * @param options `name` of the null model.
 */
export function nullReport(
  network: Graph,
  { samples, name }: {
    readonly samples: readonly Graph[];
    readonly name: string;
  },
): string[][] {
  const figure = (value: number) =>
    Number.isNaN(value) ? "" : String(
      Number.isInteger(value) ? value : Number(value.toPrecision(4)),
    );
  const before = summariseNetwork(network);
  const after = samples.map(summariseNetwork);
  const rows = (Object.keys(NAMES) as (keyof typeof NAMES)[]).map((key) => {
    const biological = before[key];
    const random = after.reduce((sum, each) => sum + each[key], 0) /
      after.length;
    const change = (random - biological) / biological;
    return [
      NAMES[key],
      figure(biological),
      figure(random),
      biological === 0 || Number.isNaN(change) ? "" : change.toFixed(3),
    ];
  });
  return [["measure", "biological", name, "relative change"], ...rows];
}
