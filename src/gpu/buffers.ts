/**
 * What both ways of laying an ensemble out have in common: the buffers that grow
 * with the number of models, and the sizes that all models share.
 *
 * @module
 */

import type { ModelSize } from "../rnn/parameters.ts";

/** Sizes common to all models of an ensemble. */
export interface LayoutSize extends ModelSize {
  /** Rows of the largest batch. */
  readonly batchRows: number;
}

/** Names of the buffers whose size grows with the number of models. */
export const BUFFER_NAMES = [
  "parameters",
  "biases",
  "trained",
  "gradient",
  "firstMoment",
  "secondMoment",
  "state",
  "delta",
  "outputDelta",
  "outputs",
  "inputs",
  "targets",
  "lists",
  "turned",
] as const;

/** One of the buffers whose size grows with the number of models. */
export type BufferName = typeof BUFFER_NAMES[number];

/** The next multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
