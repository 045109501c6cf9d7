/**
 * How the numbers of an ensemble lie on the device: the sizes that all models
 * have in common, and where each model's part of a buffer begins. The shaders'
 * side, which says what the rows are, is `src/shaders/layout.wgsl`.
 *
 * @module
 */

import type { EnsembleShape } from "../engine/ensemble.ts";
import type { ModelSize } from "../rnn/parameters.ts";

/** Sizes that the models have in common, in numbers. */
export interface Layout extends ModelSize {
  /** H, padded to a multiple of 4. */
  readonly hidden: number;
  /** Rows of a state slot: hidden units, inputs and the one, padded to a multiple of 16. */
  readonly slot: number;
  /** Rows of a delta slot: hidden units and outputs, padded to a multiple of 16. */
  readonly units: number;
  /** Vectors of four trials of the largest batch. */
  readonly vectors: number;
  /** The batches of an epoch, training batches first. */
  readonly batches: readonly BatchPlace[];
}

/** A batch and where it stands among the trials of a model. */
export interface BatchPlace {
  /** Vectors of four trials of the batches before it. */
  readonly start: number;
  /** Trials. */
  readonly size: number;
  readonly training: boolean;
}

/** Batches of those sizes, one after the other. */
export function placeBatches(
  train: readonly number[],
  validate: readonly number[],
): BatchPlace[] {
  let start = 0;
  return [...train, ...validate].map((size, number) => {
    const place = { start, size, training: number < train.length };
    start += Math.ceil(size / 4);
    return place;
  });
}

/** The batches that the trials of an experiment are cut into. */
export function planBatches(
  { trialCount, trainCount, batchSize }: EnsembleShape,
): BatchPlace[] {
  const cut = (count: number) =>
    Array.from(
      { length: Math.ceil(count / batchSize) },
      (_, i) => Math.min(batchSize, count - i * batchSize),
    );
  return placeBatches(cut(trainCount), cut(trialCount - trainCount));
}

/** Pads the sizes of an ensemble. */
export function makeLayout(
  { hiddenSize, inputSize, outputSize }: ModelSize,
  batches: readonly BatchPlace[],
): Layout {
  const hidden = roundUp(hiddenSize, 4);
  return {
    hiddenSize,
    inputSize,
    outputSize,
    hidden,
    slot: roundUp(hidden + inputSize + 1, 16),
    units: roundUp(hidden + outputSize, 16),
    vectors: Math.max(...batches.map(({ size }) => Math.ceil(size / 4))),
    batches,
  };
}

/** Buffers with a part for each model, or each topology. */
export const MODEL_BUFFERS = [
  "lists",
  "parameters",
  "moments",
  "state",
  "delta",
  "inputs",
  "targets",
  "stepSums",
] as const;

/** One of the buffers with a part for each model. */
export type ModelBuffer = typeof MODEL_BUFFERS[number];

/** Words, 32-bit numbers, of each of them. */
export type ModelWords = Record<ModelBuffer, number>;

/** Words of a model of T steps whose weights take so many. */
export function modelWords(
  { hidden, slot, units, vectors, batches, inputSize }: Layout,
  { steps, weights: { lists, places, parameters } }: {
    readonly steps: number;
    readonly weights: WeightWords;
  },
): ModelWords {
  const trials = batches.reduce((sum, { size }) => sum + roundUp(size, 4), 0);
  return {
    lists,
    parameters: roundUp(parameters + 2 * hidden, 4),
    moments: roundUp(2 * places, 4),
    state: (steps + 1) * slot * vectors * 4,
    delta: (steps + 1) * units * vectors * 4,
    inputs: trials * steps * inputSize,
    targets: trials * steps,
    // A tile of the read-out has at least one vector.
    stepSums: 2 * steps * vectors,
  };
}

/** What the weights of a model take. */
export interface WeightWords {
  /** Words of the lists of a topology. */
  readonly lists: number;
  /** Places of weights: words of a gradient, half of those of the moments. */
  readonly places: number;
  /** Words of `parameters`, without the two biases. */
  readonly parameters: number;
}

/** The next multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
