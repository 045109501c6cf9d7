/**
 * How the numbers of an ensemble lie on the device: the sizes that all models
 * have in common, and where each model's part of a buffer begins. The shaders'
 * side, which says what the rows are, is `src/shaders/layout.wgsl`.
 *
 * @module
 */

import { batchSizes } from "../engine/engine_parts.ts";
import type { EnsembleShape } from "../engine/ensemble.ts";
import type { ModelSize } from "../rnn/parameters.ts";

/** Sizes that the models have in common, in numbers. */
export interface Layout extends ModelSize {
  /** H, padded to a multiple of 4. */
  readonly hidden: number;
  /** Rows of a state slot: hidden units, inputs and the one, padded as the format of weights wants. */
  readonly slot: number;
  /** Rows of a delta slot: hidden units and outputs, padded likewise. */
  readonly units: number;
  /** Vectors of four trials of the largest batch. */
  readonly vectors: number;
  /** The batches of an epoch, training batches first. */
  readonly batches: readonly BatchPlace[];
  /** Time steps whose slots every adapter can bind at once. */
  readonly stretch: number;
  /** Whether the slots of each stretch lie in a buffer of their own. */
  readonly ranged: boolean;
  /** Whether a dispatch may go through several stretches. */
  readonly loops: boolean;
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
  return placeBatches(
    batchSizes(trainCount, batchSize),
    batchSizes(trialCount - trainCount, batchSize),
  );
}

/** Limits of an adapter, by their WebGPU names. */
export type AdapterLimits = Readonly<Record<string, number>>;

/** What a way of keeping weights is made for. */
export interface FormatOptions {
  readonly size: ModelSize;
  readonly batches: readonly BatchPlace[];
  readonly limits: AdapterLimits;
  /** False: a dispatch a time step, even where all fit one. */
  readonly allSteps?: boolean | undefined;
  /** Whether each stretch of slots has a buffer of its own, default false. */
  readonly ranged?: boolean | undefined;
  /** Time steps of a stretch; by default as many as every adapter can bind. */
  readonly stretch?: number | undefined;
  /** T of the longest trials, where it is known. */
  readonly mostSteps?: number | undefined;
}

/** Bytes that every WebGPU adapter can bind. */
const GRANTED_BYTES = 2 ** 27;

/** Completes the sizes of an ensemble whose slots have so many rows. */
export function makeLayout(
  { size, batches, ranged = false, mostSteps = Infinity, ...options }:
    FormatOptions,
  { slot, units }: Pick<Layout, "slot" | "units">,
): Layout {
  const { hiddenSize, inputSize, outputSize } = size;
  const vectors = Math.max(...batches.map(({ size }) => Math.ceil(size / 4)));
  const granted = Math.floor(
    GRANTED_BYTES / (16 * vectors * Math.max(slot, units)),
  );
  // Steps need the slot before the first, too.
  const stretch = options.stretch ?? Math.max(1, granted - 1);
  return {
    hiddenSize,
    inputSize,
    outputSize,
    slot,
    units,
    hidden: roundUp(hiddenSize, 4),
    vectors,
    batches,
    stretch,
    ranged,
    loops: !ranged && mostSteps > stretch,
  };
}

/**
 * The ranges of the slots of a model, 0 … T, that are bound together: one, or a
 * stretch each, which begins with the last slot of the one before.
 */
export function rangesOf({ ranged, stretch }: Layout, steps: number) {
  const length = ranged ? stretch : steps;
  return Array.from({ length: Math.ceil(steps / length) }, (_, i) => ({
    first: i * length,
    last: Math.min(steps, (i + 1) * length),
  }));
}

/** Name of the buffer of a range of states or deltas. */
export function rangeBuffer(name: string, range: number): string {
  return range === 0 ? name : `${name} ${range}`;
}

/** Buffers with a part for each topology. */
export const LIST_NAMES = ["lists", "back"] as const;

/** Buffers with a part for each model. */
export const OWN_BUFFERS = [
  "parameters",
  "moments",
  "state",
  "delta",
  "inputs",
  "targets",
  "stepSums",
] as const;

/** All of these. */
export const MODEL_BUFFERS = [...LIST_NAMES, ...OWN_BUFFERS] as const;

/** Words, 32-bit numbers, of each of them. */
export type ModelWords = Record<typeof MODEL_BUFFERS[number], number>;

/** Words of a model of T steps whose weights take so many. */
export function modelWords(
  layout: Layout,
  { steps, weights: { lists, back, places, parameters } }: {
    readonly steps: number;
    readonly weights: WeightWords;
  },
): ModelWords {
  const { hidden, slot, units, vectors, batches, inputSize } = layout;
  const slots = rangesOf(layout, steps).reduce(
    (sum, { first, last }) => sum + last - first + 1,
    0,
  );
  const trials = batches.reduce((sum, { size }) => sum + roundUp(size, 4), 0);
  return {
    lists,
    back,
    parameters: roundUp(parameters + 2 * hidden, 4),
    moments: roundUp(2 * places, 4),
    state: slots * slot * vectors * 4,
    delta: slots * units * vectors * 4,
    inputs: trials * steps * inputSize,
    targets: trials * steps,
    // A tile of the read-out has at least one vector.
    stepSums: 2 * steps * vectors,
  };
}

/** What the weights of a model take. */
export interface WeightWords {
  /** Words of the lists of a topology, and of those for the way back. */
  readonly lists: number;
  readonly back: number;
  /** Places of weights: words of a gradient, half of those of the moments. */
  readonly places: number;
  /** Words of `parameters`, without the two biases. */
  readonly parameters: number;
}

/** The next multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** The least power of two, from 1 on, that is not below `value`, or not below `most`. */
export function powerOfTwo(value: number, most: number): number {
  let power = 1;
  while (power < Math.min(most, value)) power *= 2;
  return power;
}
