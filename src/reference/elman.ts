/**
 * The masked Elman RNN in float64: forward through time, loss, and
 * back-propagation through time (BPTT), for one batch of one model.
 *
 * This is what every other implementation is held to, so it is written to be
 * read. Sizes: H hidden units, I inputs, O outputs; B trials of T steps, whose
 * row t · B + b is trial b at step t.
 *
 * @module
 */

import type { Model } from "../engine/ensemble.ts";
import {
  type Connections,
  countConnections,
  listConnections,
  transposeConnections,
  transposedValues,
} from "../graph/connections.ts";
import {
  makeParameters,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";
import { NUMBERS } from "../rnn/arithmetic.ts";
import { nonlinearityOf } from "../rnn/nonlinearities.ts";
import { type Batch, logSoftmaxRows, type Score, scoreBatch } from "./batch.ts";

/** What a model is, apart from its parameters. */
export type Network = ReturnType<typeof createNetwork>;

/** Lists the connections of a model, from receivers to senders and back; of W_ih and W_fc all are there. */
export function createNetwork(
  { activation, connections: recurrent, ...model }:
    & Omit<Model, "parameters">
    & {
      /** False: W_hh gets no gradient. */
      readonly trainRecurrent: boolean;
    },
) {
  const { hiddenSize: H, inputSize: I, outputSize: O } = model;
  const readout = listConnections({ receivers: O, senders: H });
  return {
    ...model,
    nonlinearity: nonlinearityOf(activation),
    input: listConnections({ receivers: H, senders: I }),
    recurrent,
    recurrentBack: transposeConnections(recurrent),
    readout,
    readoutBack: transposeConnections(readout),
  };
}

/** What the forward pass leaves behind. */
export interface Activity {
  /** [T · B, H]: h_t */
  readonly hidden: Float64Array;
  /** [T · B, O]: y_t, after the log-softmax where the loss is "nll". */
  readonly output: Float64Array;
}

/**
 * h_t = act(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh) with h_0 = 0, and
 * y_t = W_fc h_t + b_fc, followed by a log-softmax where the loss is "nll".
 */
export function forward(
  network: Network,
  parameters: Parameters<Float64Array>,
  { inputs, steps: T, size: B }: Batch,
): Activity {
  const { nonlinearity, hiddenSize: H } = network;
  const bias = parameters.biasIh.map((b, i) => b + parameters.biasHh[i]!);
  const hidden = repeatRow(bias, T * B);
  addProduct(hidden, network.input, parameters.weightIh, inputs);
  const at = (t: number) => hidden.subarray(t * B * H, (t + 1) * B * H);
  for (let t = 0; t < T; t++) {
    const h = at(t);
    if (t > 0) {
      addProduct(h, network.recurrent, parameters.weightHh, at(t - 1));
    }
    for (let i = 0; i < h.length; i++) {
      h[i] = nonlinearity.value(NUMBERS, h[i]!);
    }
  }
  const output = repeatRow(parameters.biasFc, T * B);
  addProduct(output, network.readout, parameters.weightFc, hidden);
  if (network.loss === "nll") logSoftmaxRows(output, network.outputSize);
  return { hidden, output };
}

/** A forward pass and its score. */
export function evaluate(
  network: Network,
  parameters: Parameters<Float64Array>,
  batch: Batch,
): Activity & { readonly score: Score } {
  const activity = forward(network, parameters, batch);
  const { loss, outputSize } = network;
  const { output } = activity;
  const { targets } = batch;
  return {
    ...activity,
    score: scoreBatch({ loss, outputSize, output, targets }),
  };
}

/**
 * The gradient of the loss in all parameters. With δ_t the gradient in the sum
 * inside act at step t, and dy_t that in the outputs before the log-softmax:
 *
 *     δ_t = act'(h_t) · (W_fcᵀ dy_t + W_hhᵀ δ_{t+1})
 *     dW_fc = Σ_t dy_t h_tᵀ    dW_ih = Σ_t δ_t x_tᵀ    dW_hh = Σ_{t>1} δ_t h_{t−1}ᵀ
 *     db_fc = Σ_t dy_t         db_ih = db_hh = Σ_t δ_t
 */
export function backward(
  network: Network,
  parameters: Parameters<Float64Array>,
  { batch: { steps: T, size: B, inputs }, hidden, score }: {
    readonly batch: Batch;
    readonly hidden: Float64Array;
    readonly score: Pick<Score, "gradient">;
  },
): Parameters<Float64Array> {
  const { recurrentBack, readoutBack, nonlinearity, hiddenSize: H } = network;
  const delta = new Float64Array(hidden.length);
  const outputBack = transposedValues(readoutBack, parameters.weightFc);
  addProduct(delta, readoutBack, outputBack, score.gradient);
  const weightsBack = transposedValues(recurrentBack, parameters.weightHh);
  const at = (t: number) => delta.subarray(t * B * H, (t + 1) * B * H);
  for (let t = T - 1; t >= 0; t--) {
    const d = at(t);
    if (t < T - 1) addProduct(d, recurrentBack, weightsBack, at(t + 1));
    for (let i = 0; i < d.length; i++) {
      const given = { gradient: d[i]!, output: hidden[t * B * H + i]! };
      d[i] = nonlinearity.backward(NUMBERS, given);
    }
  }
  const gradient = zeroParameters(network);
  addOuterProduct(gradient.weightIh, network.input, delta, inputs);
  if (network.trainRecurrent) {
    const later = delta.subarray(B * H);
    addOuterProduct(gradient.weightHh, network.recurrent, later, hidden);
  }
  addOuterProduct(gradient.weightFc, network.readout, score.gradient, hidden);
  addRows(gradient.biasIh, delta);
  gradient.biasHh.set(gradient.biasIh);
  addRows(gradient.biasFc, score.gradient);
  return gradient;
}

/** Six tensors of zeros. */
export function zeroParameters(network: Network): Parameters<Float64Array> {
  const shapes = parameterShapes(network, countConnections(network.recurrent));
  return makeParameters((name) =>
    new Float64Array(shapes[name].reduce((a, b) => a * b))
  );
}

/**
 * output[r, i] += Σ_j W[i, j] · input[r, j]
 *
 * @param output [rows, receivers]
 * @param weights [n], in the order of the connections.
 * @param input [rows, senders]
 */
function addProduct(
  output: Float64Array,
  { receivers, senders, start, sender }: Connections,
  weights: Float64Array,
  input: Float64Array,
): void {
  for (let row = 0; row < output.length / receivers; row++) {
    const first = row * senders;
    for (let i = 0; i < receivers; i++) {
      let sum = 0;
      for (let k = start[i]!; k < start[i + 1]!; k++) {
        sum += weights[k]! * input[first + sender[k]!]!;
      }
      output[row * receivers + i]! += sum;
    }
  }
}

/**
 * gradient[i, j] += Σ_r delta[r, i] · input[r, j], for the connections alone.
 *
 * @param gradient [n], in the order of the connections.
 * @param delta [rows, receivers]
 * @param input [rows or more, senders]
 */
function addOuterProduct(
  gradient: Float64Array,
  { receivers, senders, start, sender }: Connections,
  delta: Float64Array,
  input: Float64Array,
): void {
  for (let row = 0; row < delta.length / receivers; row++) {
    const first = row * senders;
    for (let i = 0; i < receivers; i++) {
      const d = delta[row * receivers + i]!;
      for (let k = start[i]!; k < start[i + 1]!; k++) {
        gradient[k]! += d * input[first + sender[k]!]!;
      }
    }
  }
}

function repeatRow(row: Float64Array, count: number): Float64Array {
  const rows = new Float64Array(row.length * count);
  for (let r = 0; r < count; r++) rows.set(row, r * row.length);
  return rows;
}

/** sum[i] += Σ_r rows[r, i] */
function addRows(sum: Float64Array, rows: Float64Array): void {
  for (let at = 0; at < rows.length; at++) {
    sum[at % sum.length]! += rows[at]!;
  }
}
