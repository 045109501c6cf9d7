/**
 * The six tensors of an Elman RNN with a linear read-out.
 *
 * @module
 */

import type { FloatArray } from "../graph/connections.ts";

export type { FloatArray };

/** Sizes of a model: H hidden units, I inputs, O outputs. */
export interface ModelSize {
  /** H */
  readonly hiddenSize: number;
  /** I */
  readonly inputSize: number;
  /** O */
  readonly outputSize: number;
}

/**
 * The parameters of h_t = act(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh),
 * y_t = W_fc h_t + b_fc; all row-major, a row a receiving unit, as PyTorch has
 * them in `nn.RNN` (https://pytorch.org/docs/stable/generated/torch.nn.RNN.html)
 * and `nn.Linear`. Of W_hh only the weights of the n connections are kept
 * (`Connections`); all others are 0 by construction.
 */
export interface Parameters<A extends FloatArray = FloatArray> {
  /** W_ih, [H, I]; `rnn.weight_ih_l0` */
  readonly weightIh: A;
  /** W_hh where there are connections, [n], in the order of their list; `rnn.weight_hh_l0` */
  readonly weightHh: A;
  /** b_ih, [H]; `rnn.bias_ih_l0` */
  readonly biasIh: A;
  /** b_hh, [H]; `rnn.bias_hh_l0` */
  readonly biasHh: A;
  /** W_fc, [O, H]; `fc.weight` */
  readonly weightFc: A;
  /** b_fc, [O]; `fc.bias` */
  readonly biasFc: A;
}

/** Names of the six tensors, in PyTorch's order. */
export const PARAMETER_NAMES = [
  "weightIh",
  "weightHh",
  "biasIh",
  "biasHh",
  "weightFc",
  "biasFc",
] as const satisfies readonly (keyof Parameters)[];

/**
 * Shape of each tensor of a model of that size with so many recurrent
 * connections.
 *
 * @example
 * ```ts
 * import { parameterShapes } from "./src/rnn/parameters.ts";
 *
 * const size = { hiddenSize: 220, inputSize: 2, outputSize: 1 };
 * parameterShapes(size, 9000).weightHh; // [9000]
 * ```
 */
export function parameterShapes(
  { hiddenSize: h, inputSize: i, outputSize: o }: ModelSize,
  connections: number,
): Record<keyof Parameters, readonly number[]> {
  return {
    weightIh: [h, i],
    weightHh: [connections],
    biasIh: [h],
    biasHh: [h],
    weightFc: [o, h],
    biasFc: [o],
  };
}
