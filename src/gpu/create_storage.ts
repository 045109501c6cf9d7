/**
 * Lays the runs of an ensemble out on the device, in the way that suits them.
 *
 * @module
 */

import type { EnsembleSpec, ModelRun } from "../engine/ensemble.ts";
import { countBlocks } from "../graph/blocks.ts";
import { countConnections } from "../graph/connections.ts";
import {
  type BlockStorage,
  createBlockStorage,
} from "./blocks/block_storage.ts";
import { chooseStorage, type ChooseStorageOptions } from "./choose_storage.ts";
import {
  createDenseStorage,
  type DenseStorage,
} from "./dense/dense_storage.ts";
import type { EnsembleSize } from "./model_sizes.ts";

/** What is known of the network; by default what is seen in the runs. */
export type NetworkFacts = Pick<
  EnsembleSize,
  "connections" | "blocks" | "ownTopologies" | "mostSteps"
>;

/** Runs, and what the plan was made with. */
export interface GpuSpec extends EnsembleSpec {
  readonly network?: NetworkFacts;
}

/** How to lay out. */
export interface CreateStorageOptions extends ChooseStorageOptions {
  /** The runs in the device's order. */
  readonly runs: readonly ModelRun[];
  /** Trials of the largest batch. */
  readonly batchRows: number;
  /** Trials of all batches together. */
  readonly trialCount: number;
}

/**
 * Lays out.
 *
 * @throws {RangeError} If a model does not fit the device.
 */
export function createStorage(
  spec: GpuSpec,
  options: CreateStorageOptions,
): DenseStorage | BlockStorage {
  const { hiddenSize, inputSize, outputSize, loss } = spec;
  const { runs, batchRows, trialCount } = options;
  const size = { hiddenSize, inputSize, outputSize };
  const { kind } = chooseStorage({
    ...size,
    ...(spec.network ?? factsOf(runs)),
    loss,
    steps: runs.map(({ trials }) => trials.steps),
    trialCount,
    trainCount: trialCount,
    batchSize: batchRows,
  }, options);
  const layoutSize = { ...size, batchRows };
  return kind === "dense"
    ? createDenseStorage(layoutSize, options)
    : createBlockStorage(layoutSize, { ...options, kind });
}

/** What is seen in the runs. */
function factsOf(runs: readonly ModelRun[]): NetworkFacts {
  const topologies = [...new Set(runs.map(({ connections }) => connections))];
  return {
    connections: Math.max(...topologies.map(countConnections)),
    blocks: Math.max(...topologies.map((each) => countBlocks(each, 4))),
    ownTopologies: topologies.length > 1,
  };
}
