/**
 * SGD, Adam and RMSprop with PyTorch's default parameters.
 *
 * @module
 */

import type { OptimizerName } from "../engine/ensemble.ts";

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const RMSPROP = { alpha: 0.99, epsilon: 1e-8 };

/** One tensor, its gradient and its moments; all of one length. */
export interface Update {
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  /** Number of this step, from 1. */
  readonly step: number;
  readonly gradient: Float64Array;
  /** Adam's first moment. */
  readonly firstMoment: Float64Array;
  /** Adam's second moment, RMSprop's square average. */
  readonly secondMoment: Float64Array;
}

/**
 * One step of the optimizer on one tensor, in place, as
 * https://pytorch.org/docs/stable/optim.html defines it: ε stands outside the root.
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
 *   step: 1,
 *   gradient: Float64Array.of(2),
 *   firstMoment: new Float64Array(1),
 *   secondMoment: new Float64Array(1),
 * });
 * weights[0]; // 0.8
 * ```
 */
export function updateTensor(weights: Float64Array, update: Update): void {
  const rule = RULES[update.optimizer](weights, update);
  for (let i = 0; i < weights.length; i++) rule(i);
}

type Rule = (weights: Float64Array, update: Update) => (i: number) => void;

const RULES: Record<OptimizerName, Rule> = {
  SGD: (p, { learningRate, gradient: g }) => (i) => {
    p[i]! -= learningRate * g[i]!;
  },
  Adam: (p, update) => {
    const { learningRate, step } = update;
    const { gradient: g, firstMoment: m, secondMoment: v } = update;
    const { beta1, beta2, epsilon } = ADAM;
    const rate = learningRate / (1 - beta1 ** step);
    const root = Math.sqrt(1 - beta2 ** step);
    return (i) => {
      m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
      v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! * g[i]!;
      p[i]! -= rate * m[i]! / (Math.sqrt(v[i]!) / root + epsilon);
    };
  },
  RMSprop: (p, { learningRate, gradient: g, secondMoment: v }) => {
    const { alpha, epsilon } = RMSPROP;
    return (i) => {
      v[i] = alpha * v[i]! + (1 - alpha) * g[i]! * g[i]!;
      p[i]! -= learningRate * g[i]! / (Math.sqrt(v[i]!) + epsilon);
    };
  },
};
