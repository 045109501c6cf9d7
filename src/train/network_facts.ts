/**
 * What is the same in all models of an experiment, and the layout of their
 * weights on a device is chosen by.
 *
 * @module
 */

import type { NeuronEdges } from "../connectome/scaled_network.ts";
import type { NetworkFacts } from "../engine/ensemble.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { countBlocks, expectedBlocks } from "../graph/blocks.ts";
import type { PretrainedModels } from "./pretrained_models.ts";
import type { RunUnit } from "./run_unit.ts";
import type { Topology } from "./topology.ts";

/** Side of the blocks that are counted. */
const SIDE = 4;

/**
 * Counts connections and blocks. A random topology has as many connections as
 * the network, and about as many blocks as is to be expected; pretrained models
 * have their own, of which the most count.
 */
export function networkFacts(
  { net, grid, task: { task } }: Experiment,
  { network, topologyOf, pretrained }: {
    readonly network: NeuronEdges;
    readonly topologyOf: (unit: RunUnit) => Topology;
    readonly pretrained:
      | Pick<PretrainedModels, "connections" | "blocks">
      | undefined;
  },
): NetworkFacts {
  const connections = network.weight.length;
  const blocks = () =>
    net.randomW
      ? expectedBlocks(connections, { units: network.neurons, side: SIDE })
      : countBlocks(
        topologyOf({ combination: 0, iteration: 0 }).connections,
        SIDE,
      );
  return {
    connections: pretrained?.connections ?? connections,
    blocks: pretrained?.blocks ?? blocks(),
    ownTopologies: net.randomW || pretrained !== undefined,
    mostSteps: Math.max(
      ...grid.combinations.map(({ parameters }) => task.steps(parameters)),
    ),
  };
}
