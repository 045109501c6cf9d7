/**
 * `deno task connectome scale`: writes the network of neurons that bio2art
 * makes of a connectome.
 *
 * @module
 */

import type { Flags } from "../compat/cli.ts";
import { scaleConnectome } from "../connectome/bio2art.ts";
import type { ScaledNetwork } from "../connectome/scaled_network.ts";
import type { Connectome } from "../connectome/connectome.ts";
import { scaleNeuronDensity } from "../connectome/neuron_density.ts";
import {
  rewireConnections,
  shuffleWeights,
} from "../connectome/null_models.ts";
import { randomizeNetwork } from "../connectome/randomize_network.ts";
import { InputError } from "../files/input_error.ts";
import { writeNpy } from "../files/npy.ts";
import { createStream } from "../random/stream.ts";
import { load, outFolder, readNumber, writeFiles } from "./connectome_flags.ts";
import { print } from "./run_command.ts";

/** Neurons above which S would take more than 8 GiB. */
const MAX_NEURONS = 32_768;

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

/** How the scaled network is randomised, if at all. */
interface Randomisation {
  readonly model?: "places" | "degrees" | "weights";
}

function readRandomisation(flags: Flags): Randomisation {
  const model = flags.string.null_model;
  if (model === undefined) {
    return flags.boolean.random_w ? { model: "places" } : {};
  }
  if (model !== "degrees" && model !== "weights") {
    throw new InputError(
      `Cannot use --null_model ${model}: allowed are degrees and weights`,
    );
  }
  if (flags.boolean.random_w) {
    throw new InputError(
      "Cannot use --null_model with --random_w: only one of them is allowed",
    );
  }
  return { model };
}

function randomised(
  network: ScaledNetwork,
  { model, seed }: Randomisation & { readonly seed: number },
): ScaledNetwork {
  const stream = createStream({ seed, purpose: "topology" });
  switch (model) {
    case "places":
      return randomizeNetwork(network, stream);
    case "degrees":
      return rewireConnections(network, { stream });
    case "weights":
      return shuffleWeights(network, stream);
    default:
      return network;
  }
}

/** Scales a connectome as the flags say and writes S, its mask and the region of each neuron. */
export async function scale(name: string, flags: Flags): Promise<void> {
  outFolder(flags);
  const compatibility = flags.string.compatibility ?? "described";
  if (compatibility !== "described" && compatibility !== "original") {
    throw new InputError(
      `Cannot use --compatibility ${compatibility}: allowed are described and original`,
    );
  }
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
  const randomisation = readRandomisation(flags);
  const connectome = await load(name, flags);
  const neuronDensity = neuronsPerRegion(connectome, flags);
  const neurons = neuronDensity.reduce((a, b) => a + b);
  if (neurons > MAX_NEURONS) {
    throw new InputError(
      `Cannot scale ${name} to ${neurons} neurons: allowed are ${MAX_NEURONS}; lower --nr_neurons`,
    );
  }
  const scaled = scaleConnectome(connectome.weights, {
    ...options,
    neuronDensity,
    stream: createStream({ seed, purpose: "bio2art" }),
  });
  const network = randomised(scaled, { ...randomisation, seed });
  const shape = [neurons, neurons];
  await writeFiles({
    [`S_${name}.npy`]: writeNpy({ shape, data: network.weights }),
    [`mask_${name}.npy`]: writeNpy({
      shape,
      data: network.mask,
      boolean: true,
    }),
    [`region_${name}.npy`]: writeNpy({
      shape: [neurons],
      data: Int32Array.from(network.regionOf),
    }),
  }, flags);
  const connections = network.mask.reduce((sum, bit) => sum + bit, 0);
  print(
    `${neurons} neurons, ${connections} connections (${
      (100 * connections / neurons ** 2).toFixed(1)
    } % of ${neurons} x ${neurons})`,
  );
}
