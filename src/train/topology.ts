/**
 * Which connections a run's recurrent layer has.
 *
 * @module
 */

import type { NeuronEdges } from "../connectome/scaled_network.ts";
import { randomizeEdges } from "../connectome/randomize_network.ts";
import { recurrentTemplate } from "../connectome/recurrent_template.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { createStream } from "../random/stream.ts";
import type { Connections } from "../graph/connections.ts";
import { rankOrder } from "../rnn/initialise.ts";
import type { RunUnit } from "./run_unit.ts";

/** Connections of a recurrent layer. */
export interface Topology {
  /** Where W_hh may differ from 0. */
  readonly connections: Connections;
  /** The connections by the rank of their weights; only with `remap_w`. */
  readonly rankOrder?: Uint32Array;
}

/**
 * Makes the function that gives a run's topology: the network's own, found
 * once, or with `random_w` a random one from the run's own stream.
 */
export function createTopologies(
  { net, training, run }: Experiment,
  network: NeuronEdges,
): (unit: RunUnit) => Topology {
  const topologyOf = (source: NeuronEdges): Topology => {
    const { weights, ...connections } = recurrentTemplate(source, {
      transpose: net.compatibility !== "original",
    });
    return {
      connections,
      ...(training.remapW ? { rankOrder: rankOrder(weights) } : {}),
    };
  };
  if (net.randomW) {
    return (unit) =>
      topologyOf(randomizeEdges(
        network,
        createStream({ seed: run.seed, purpose: "topology", ...unit }),
      ));
  }
  let shared: Topology | undefined;
  return () => shared ??= topologyOf(network);
}
