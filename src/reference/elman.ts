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

import {
  type Connections,
  countConnections,
  listConnections,
  transposeConnections,
  type TransposedConnections,
  transposedValues,
} from "../graph/connections.ts";
import {
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";
import { NUMBERS } from "../rnn/arithmetic.ts";
import { type Nonlinearity, nonlinearityOf } from "../rnn/nonlinearities.ts";
import type { LossName } from "../tasks/task.ts";
import { type Batch, logSoftmaxRows, type Score, scoreBatch } from "./batch.ts";

/** What a model is, apart from its parameters. */
export interface Network extends ModelSize {
  readonly nonlinearity: Nonlinearity;
  readonly loss: LossName;
  /** False: W_hh gets no gradient. */
  readonly trainRecurrent: boolean;
  /** Of W_ih, [H, I]: all. */
  readonly input: Connections;
  /** Of W_hh, [H, H]. */
  readonly recurrent: Connections;
  /** The same, from sender to receivers. */
  readonly recurrentBack: TransposedConnections;
  /** Of W_fc, [O, H]: all. */
  readonly readout: Connections;
  /** The same, from sender to receivers. */
  readonly readoutBack: TransposedConnections;
}

/** What {@linkcode createNetwork} needs. */
export interface NetworkOptions extends ModelSize {
  readonly activation: string | Nonlinearity;
  readonly loss: LossName;
  readonly trainRecurrent: boolean;
  /** Of W_hh. */
  readonly connections: Connections;
}

/** Lists the connections of a model. */
export function createNetwork(
  { connections: recurrent, activation, ...model }: NetworkOptions,
): Network {
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
  const { weightIh, weightHh, weightFc, biasFc } = parameters;
  const { nonlinearity, hiddenSize: H } = network;
  const bias = parameters.biasIh.map((b, i) => b + parameters.biasHh[i]!);
  const hidden = repeatRow(bias, T * B);
  addProduct(hidden, {
    connections: network.input,
    weights: weightIh,
    input: inputs,
    from: 0,
    to: T * B,
  });
  for (let t = 0; t < T; t++) {
    const rows = { from: t * B, to: (t + 1) * B };
    if (t > 0) {
      addProduct(hidden, {
        connections: network.recurrent,
        weights: weightHh,
        input: hidden,
        ...rows,
        shift: -B,
      });
    }
    for (let i = rows.from * H; i < rows.to * H; i++) {
      hidden[i] = nonlinearity.value(NUMBERS, hidden[i]!);
    }
  }
  const output = repeatRow(biasFc, T * B);
  addProduct(output, {
    connections: network.readout,
    weights: weightFc,
    input: hidden,
    from: 0,
    to: T * B,
  });
  if (network.loss === "nll") logSoftmaxRows(output, network.outputSize);
  return { hidden, output };
}

/**
 * The gradient of the loss in all parameters. With δ_t the gradient in the sum
 * inside act at step t:
 *
 *     δ_t = act'(h_t) · (W_fcᵀ dy_t + W_hhᵀ δ_{t+1})
 *     dW_fc = Σ_t dy_t h_tᵀ    dW_ih = Σ_t δ_t x_tᵀ    dW_hh = Σ_{t>1} δ_t h_{t−1}ᵀ
 *     db_fc = Σ_t dy_t         db_ih = db_hh = Σ_t δ_t
 *
 * @param outputGradient [T · B, O]: dy_t, before the log-softmax.
 */
export function backward(
  network: Network,
  parameters: Parameters<Float64Array>,
  { batch, activity, outputGradient }: {
    readonly batch: Batch;
    readonly activity: Activity;
    readonly outputGradient: Float64Array;
  },
): Parameters<Float64Array> {
  const { steps: T, size: B, inputs } = batch;
  const { hidden } = activity;
  const all = { from: 0, to: T * B };
  const { recurrentBack, readoutBack, nonlinearity, hiddenSize: H } = network;
  const delta = new Float64Array(hidden.length);
  addProduct(delta, {
    connections: readoutBack,
    weights: transposedValues(readoutBack, parameters.weightFc),
    input: outputGradient,
    ...all,
  });
  const weightsBack = transposedValues(recurrentBack, parameters.weightHh);
  for (let t = T - 1; t >= 0; t--) {
    const rows = { from: t * B, to: (t + 1) * B };
    if (t < T - 1) {
      addProduct(delta, {
        connections: recurrentBack,
        weights: weightsBack,
        input: delta,
        ...rows,
        shift: B,
      });
    }
    for (let i = rows.from * H; i < rows.to * H; i++) {
      const given = { gradient: delta[i]!, output: hidden[i]! };
      delta[i] = nonlinearity.backward(NUMBERS, given);
    }
  }
  const gradient = zeroParameters(network);
  const { input, recurrent, readout } = network;
  addOuterProduct(gradient.weightIh, {
    connections: input,
    delta,
    input: inputs,
    ...all,
  });
  if (network.trainRecurrent) {
    addOuterProduct(gradient.weightHh, {
      connections: recurrent,
      delta,
      input: hidden,
      from: B,
      to: T * B,
      shift: -B,
    });
  }
  addOuterProduct(gradient.weightFc, {
    connections: readout,
    delta: outputGradient,
    input: hidden,
    ...all,
  });
  addRows(gradient.biasIh, delta);
  gradient.biasHh.set(gradient.biasIh);
  addRows(gradient.biasFc, outputGradient);
  return gradient;
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
  const score = scoreBatch({
    loss,
    outputSize,
    output,
    targets: batch.targets,
  });
  return { ...activity, score };
}

/** Six tensors of zeros. */
export function zeroParameters(network: Network): Parameters<Float64Array> {
  const shapes = parameterShapes(network, countConnections(network.recurrent));
  return Object.fromEntries(
    PARAMETER_NAMES.map((name) => [
      name,
      new Float64Array(shapes[name].reduce((a, b) => a * b)),
    ]),
  ) as unknown as Parameters<Float64Array>;
}

interface Rows {
  readonly from: number;
  readonly to: number;
}

/** Which entries of a matrix exist, and rows of signals, [rows, units], on both sides of it. */
interface Product extends Rows {
  readonly connections: Connections;
  /** [rows, senders] */
  readonly input: Float64Array;
  /** Row r on the receivers' side meets input row r + shift; default 0. */
  readonly shift?: number;
}

/**
 * output[r, i] += Σ_j W[i, j] · input[r + shift, j] for the rows from…to − 1.
 *
 * @param output [rows, receivers]
 */
function addProduct(
  output: Float64Array,
  { connections, weights, input, from, to, shift = 0 }: Product & {
    /** [n], in the order of the connections. */
    readonly weights: Float64Array;
  },
): void {
  const { receivers, senders, start, sender } = connections;
  for (let row = from; row < to; row++) {
    const first = (row + shift) * senders;
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
 * gradient[i, j] += Σ_r delta[r, i] · input[r + shift, j] over the rows from…to − 1,
 * for the connections alone.
 *
 * @param gradient [n], in the order of the connections.
 */
function addOuterProduct(
  gradient: Float64Array,
  { connections, delta, input, from, to, shift = 0 }: Product & {
    /** [rows, receivers] */
    readonly delta: Float64Array;
  },
): void {
  const { receivers, senders, start, sender } = connections;
  for (let row = from; row < to; row++) {
    const first = (row + shift) * senders;
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
  const n = sum.length;
  for (let r = 0; r < rows.length; r += n) {
    for (let i = 0; i < n; i++) sum[i]! += rows[r + i]!;
  }
}
