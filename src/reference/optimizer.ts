/**
 * An update of a tensor.
 *
 * @module
 */

import { NUMBERS } from "../rnn/arithmetic.ts";
import { type Optimizer, optimizerOf } from "../rnn/optimizers.ts";

/** One tensor's gradient and moments; all of one length. */
export interface Update {
  readonly optimizer: string | Optimizer;
  readonly learningRate: number;
  /** Number of this update, from 1. */
  readonly update: number;
  readonly gradient: Float64Array;
  /** What the optimizer keeps. */
  readonly firstMoment: Float64Array;
  readonly secondMoment: Float64Array;
}

/**
 * Updates a tensor and its moments, in place.
 *
 * @param weights The tensor.
 *
 * @example
 * ```ts
 * import { updateTensor } from "./src/reference/optimizer.ts";
 *
 * const weights = Float64Array.of(1);
 * updateTensor(weights, {
 *   optimizer: "SGD",
 *   learningRate: 0.1,
 *   update: 1,
 *   gradient: Float64Array.of(2),
 *   firstMoment: new Float64Array(1),
 *   secondMoment: new Float64Array(1),
 * });
 * weights[0]; // 0.8
 * ```
 */
export function updateTensor(
  weights: Float64Array,
  { gradient, firstMoment, secondMoment, learningRate, ...update }: Update,
): void {
  const optimizer = optimizerOf(update.optimizer);
  /** What was computed for this update, in the order in which it is asked for. */
  const computed: number[] = [];
  for (let i = 0; i < weights.length; i++) {
    let asked = 0;
    const after = optimizer.update(NUMBERS, {
      weight: weights[i]!,
      gradient: gradient[i]!,
      first: firstMoment[i]!,
      second: secondMoment[i]!,
      learningRate,
      perUpdate: (of) => computed[asked++] ??= of(update.update),
    });
    weights[i] = after.weight;
    if (after.first !== undefined) firstMoment[i] = after.first;
    if (after.second !== undefined) secondMoment[i] = after.second;
  }
}
