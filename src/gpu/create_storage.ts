/**
 * Lays the runs of an ensemble out on the device, in the way that suits them.
 *
 * @module
 */

import type {
  EnsembleSpec,
  ModelRun,
  NetworkFacts,
} from "../engine/ensemble.ts";
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
  spec: EnsembleSpec,
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
