/**
 * `deno task connectome scale`: writes the network of neurons that bio2art
 * makes of a connectome.
 *
 * @module
 */

import type { Flags } from "../compat/cli.ts";
import {
  countScaledConnections,
  scaleConnectome,
  scaleNeuronDensity,
} from "../connectome/scale.ts";
import type { Connectome } from "../connectome/connectome.ts";
import {
  NULL_MODEL_NAMES,
  randomiseNetwork,
} from "../connectome/nulls/null_model.ts";
import { InputError } from "../files/input_error.ts";
import { writeNpy } from "../files/npy.ts";
import { writeSparseNpz } from "../files/npz.ts";
import {
  type Graph,
  maskOfGraph,
  matrixOfGraph,
  rowsOf,
} from "../graph/graph.ts";
import { nullReportTable, reportNull } from "../connectome/nulls/report.ts";
import { formatTable } from "../text/table.ts";
import { createStream } from "../random/stream.ts";
import {
  load,
  outFolder,
  readChoice,
  readNumber,
  writeFiles,
} from "./connectome_flags.ts";
import { print, printError } from "./run_command.ts";

/** Most neurons of which a matrix is written; it takes 134 MB. */
const MOST_DENSE = 4096;
/** Most connections of a network: making more takes over 4 GB. */
const MOST_CONNECTIONS = 2 ** 27;
/** Most neurons: those of a larger network would not all have numbers of 32 bits as pairs. */
const MAX_NEURONS = 65_536;

function neuronsPerRegion(connectome: Connectome, flags: Flags): number[] {
  const seed = readNumber(flags, "nr_neurons", {
    from: 1,
    to: MAX_NEURONS,
    integer: true,
  });
  const method = flags.string.nr_neurons_by;
  const { regions, regionNames, neuronDensity, name } = connectome;
  if (method === undefined) return new Array(regions).fill(seed);
  if (method !== "rank" && method !== "ratio") {
    throw new InputError(
      `Cannot use --nr_neurons_by ${method}: allowed are rank and ratio`,
    );
  }
  if (neuronDensity === undefined) {
    throw new InputError(
      `Cannot use --nr_neurons_by ${method}: there are no neuron densities for ${name} (ND_${name}.npy)`,
    );
  }
  return scaleNeuronDensity(neuronDensity, { method, seed, regionNames });
}

/** Scales a connectome as the flags say and writes S, its mask and the region of each neuron. */
export async function scale(name: string, flags: Flags): Promise<void> {
  outFolder(flags);
  const compatibility =
    readChoice(flags, "compatibility", ["described", "original"]) ??
      "described";
  const seed = readNumber(flags, "seed", {
    fallback: 0,
    from: 0,
    to: Number.MAX_SAFE_INTEGER,
    integer: true,
  });
  const share = (flag: string, fallback: number) =>
    readNumber(flags, flag, { fallback, from: Number.MIN_VALUE, to: 1 });
  const options = {
    targetSparsity: share("target_sparsity", 0.8),
    targetSparsityIntrinsic: share("target_sparsity_intrinsic", 1),
    intrinsicWeight: readNumber(flags, "intrinsic_wei", {
      fallback: 0.8,
      from: 0,
      to: 0.999,
    }),
    intrinsicConnections: !flags.boolean.no_intrinsic,
    keepDiagonal: flags.boolean.keep_diag === true,
    randPartition: !flags.boolean.equal_parts,
    intrinsicFrom: compatibility === "original" ? "incoming" : "outgoing",
  } as const;
  const nullModel = readChoice(flags, "null_model", NULL_MODEL_NAMES) ??
    (flags.boolean.random_w ? "permute" : undefined);
  if (flags.boolean.random_w && nullModel !== "permute") {
    throw new InputError(
      "Cannot use --null_model with --random_w: only one of them is allowed",
    );
  }
  const connectome = await load(name, flags, {
    orientation: compatibility === "original" ? "file" : "declared",
  });
  const neuronDensity = neuronsPerRegion(connectome, flags);
  const neurons = neuronDensity.reduce((a, b) => a + b);
  if (neurons > MAX_NEURONS) {
    throw new InputError(
      `Cannot scale ${name} to ${neurons} neurons: allowed are ${MAX_NEURONS}; lower --nr_neurons`,
    );
  }
  const scaling = {
    ...options,
    neuronDensity,
    onProgress: (made: number, of: number) =>
      printError(`scaled ${made} of ${of} connections`),
  };
  const count = countScaledConnections(connectome.graph, scaling);
  if (count > MOST_CONNECTIONS) {
    throw new InputError(
      `Cannot scale ${name} to ${neurons} neurons: they would have ${count} connections, and allowed are ${MOST_CONNECTIONS}; lower --nr_neurons or --target_sparsity`,
    );
  }
  const scaled = scaleConnectome(connectome.graph, {
    ...scaling,
    stream: createStream({ seed, purpose: "bio2art" }),
  });
  const network = nullModel === undefined ? scaled : randomiseNetwork(
    nullModel,
    {
      network: scaled,
      connectome,
      scaleBetween: (graph, stream) =>
        scaleConnectome(graph, {
          ...scaling,
          intrinsicConnections: false,
          stream,
        }),
      stream: createStream({ seed, purpose: "topology" }),
    },
  );
  await writeFiles({
    ...matrixFiles(name, network),
    [`region_${name}.npy`]: writeNpy({
      shape: [neurons],
      data: Int32Array.from(network.regionOf),
    }),
  }, flags);
  if (nullModel !== undefined) {
    const table = nullReportTable(reportNull(scaled, [network]), nullModel);
    for (const line of formatTable(table)) print(line);
  }
  const connections = network.weight.length;
  print(
    `${neurons} neurons, ${connections} connections (${
      (100 * connections / neurons ** 2).toFixed(1)
    } % of ${neurons} x ${neurons})`,
  );
}

/** S and its mask, or of a large network S as a sparse matrix, which says itself where connections are. */
function matrixFiles(name: string, network: Graph): Record<string, Uint8Array> {
  const shape = [network.nodes, network.nodes] as const;
  if (network.nodes <= MOST_DENSE) {
    return {
      [`S_${name}.npy`]: writeNpy({ shape, data: matrixOfGraph(network) }),
      [`mask_${name}.npy`]: writeNpy({
        shape,
        data: maskOfGraph(network),
        boolean: true,
      }),
    };
  }
  const { start, sender, weights } = rowsOf(network, { transpose: false });
  return {
    [`S_${name}.npz`]: writeSparseNpz({
      shape,
      start,
      column: sender,
      values: weights,
    }),
  };
}
