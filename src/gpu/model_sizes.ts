/**
 * How much of each buffer the models of an experiment take, before any of them
 * is made.
 *
 * @module
 */

import type { EnsembleShape } from "../engine/ensemble.ts";
import { countConnections } from "../graph/connections.ts";
import { countBlocks } from "../graph/blocks.ts";
import {
  blockModelWords,
  chunkBlocks,
  makeBlockLayout,
} from "./blocks/block_layout.ts";
import { listWords } from "./blocks/block_lists.ts";
import { blockSide } from "./blocks/block_storage.ts";
import { BUFFER_NAMES, type BufferName } from "./buffers.ts";
import { makeLayout, modelWords } from "./dense/layout.ts";
import {
  chooseSequenceTile,
  type SequenceOptions,
} from "./dense/sequence_tile.ts";
import type { StorageKind } from "./storage.ts";

/** The shape of an experiment, its connections counted. */
export interface EnsembleSize
  extends Omit<EnsembleShape, "connections" | "trainCount"> {
  readonly trainCount?: number;
  /** Recurrent connections of a model. */
  readonly connections: number;
  /** How many of the blocks of 4 × 4 weights of W_hh hold a connection. */
  readonly blocks: number;
}

/** Counts the connections. */
export function sizeOf(shape: EnsembleShape): EnsembleSize {
  const { connections } = shape;
  return {
    ...shape,
    connections: countConnections(connections),
    blocks: countBlocks(connections, 4),
  };
}

/** Sizes of the models of an experiment, in 32-bit words. */
export interface ModelSizes {
  /** What a model of T steps takes of each buffer. */
  words(steps: number): Record<BufferName, number>;
  /** Entries of W_hh that a product goes through. */
  readonly entries: number;
  /** What the models of an ensemble have in common. */
  readonly shared: Record<BufferName, number>;
  /** Bytes that the way of computing needs for a model of T steps, without padding. */
  needed(steps: number): number;
  /** And those that it needs once, however many models there are. */
  readonly neededShared: number;
}

/** Trials of the largest batch. */
export function batchRowsOf(
  { batchSize, trialCount }: Pick<EnsembleSize, "batchSize" | "trialCount">,
): number {
  return Math.min(batchSize, trialCount);
}

/** Sizes with weights that lie in that way. */
export function sizeOfModels(
  size: EnsembleSize,
  options: SequenceOptions & { readonly kind: StorageKind },
): ModelSizes {
  const { kind, software } = options;
  const { trialCount, connections, blocks } = size;
  const sizes = { ...size, batchRows: batchRowsOf(size) };
  const { hiddenSize: h, inputSize: i, outputSize: o, batchRows } = sizes;
  const none = Object.fromEntries(
    BUFFER_NAMES.map((name) => [name, 0]),
  ) as Record<BufferName, number>;
  /** Parameters with Adam's moments, trials, and the states and deltas of one batch. */
  const needed = (steps: number, recurrent: number, lists: number) =>
    4 * (3 * (recurrent + h * (i + 2) + o * (h + 1)) + lists +
      trialCount * steps * (i + 1) + steps * batchRows * (2 * h + 2 * o));
  const mostSteps = size.mostSteps ?? Math.max(...size.steps);
  if (kind === "dense") {
    const layout = makeLayout(sizes);
    const turned = chooseSequenceTile(layout, options) !== undefined;
    const words = (steps: number) =>
      modelWords(layout, { steps, trialCount, turned });
    return {
      entries: h * h,
      words: (steps) => ({ ...words(steps), outputs: 0 }),
      shared: { ...none, outputs: words(mostSteps).outputs },
      needed: (steps) => needed(steps, h * h, 0),
      neededShared: 0,
    };
  }
  const side = blockSide(kind);
  const layout = makeBlockLayout(sizes, side);
  const recurrent = kind === "blocks" ? mostBlocks(size) : connections;
  const words = (steps: number) =>
    blockModelWords(layout, { steps, trialCount, recurrent });
  const lists = listWords(layout, {
    recurrent,
    chunk: chunkBlocks(side, { software }),
  });
  const shared = size.ownTopologies ? 0 : lists;
  const { gradient, outputs } = words(mostSteps);
  return {
    entries: (kind === "blocks" ? blocks : connections) * side ** 2,
    words: (steps) => ({
      ...words(steps),
      gradient: 0,
      outputs: 0,
      lists: lists - shared,
      turned: 0,
    }),
    shared: { ...none, lists: shared, gradient, outputs },
    // A block, or a connection, is a place besides its weights.
    needed: (steps) =>
      needed(steps, recurrent * side ** 2, size.ownTopologies ? recurrent : 0),
    neededShared: size.ownTopologies ? 0 : 4 * recurrent,
  };
}

/**
 * Blocks to make room for: where each model has a random topology of its own,
 * their number scatters about the expected one, less than if each block were
 * there or not by itself. Six standard deviations, as one model is what is known, leave hardly one out.
 */
function mostBlocks(
  { hiddenSize, blocks, ownTopologies }: EnsembleSize,
): number {
  if (!ownTopologies) return blocks;
  const possible = Math.ceil(hiddenSize / 4) ** 2;
  const deviation = Math.sqrt(blocks * Math.max(0, 1 - blocks / possible));
  return Math.min(possible, Math.ceil(blocks + 6 * deviation));
}
