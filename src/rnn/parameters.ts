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

/** Six tensors, each made by its name. */
export function makeParameters<A extends FloatArray>(
  make: (name: keyof Parameters) => A,
): Parameters<A> {
  return Object.fromEntries(
    PARAMETER_NAMES.map((name) => [name, make(name)]),
  ) as Record<keyof Parameters, A>;
}

/**
 * Shape of each tensor of a model of that size with so many recurrent
 * connections.
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

/**
 * Where a network meets the world: [H], of each neuron the sum of what it has.
 * An input port: its row of W_ih may differ from 0. An output port: its column of
 * W_fc may. All other weights of the two are 0 by construction.
 */
export type Ports = Uint8Array;

/** The bit of each kind of port. */
export const PORTS = { input: 1, output: 2 } as const;

/** Whether a neuron has a port; without a list of ports all have both. */
export function hasPort(
  ports: Ports | undefined,
  neuron: number,
  kind: keyof typeof PORTS,
): boolean {
  return ports === undefined || (ports[neuron]! & PORTS[kind]) !== 0;
}

/** How many neurons have a port. */
export function countPorts(
  ports: Ports | undefined,
  kind: keyof typeof PORTS,
  hiddenSize: number,
): number {
  return ports === undefined
    ? hiddenSize
    : ports.filter((bits) => (bits & PORTS[kind]) !== 0).length;
}

/**
 * Sets the weights of neurons without a port to 0, in place: also in gradients.
 *
 * @returns How many of them were not 0.
 */
export function closePorts(
  { weightIh, weightFc }: Pick<Parameters, "weightIh" | "weightFc">,
  ports: Ports | undefined,
): number {
  if (ports === undefined) return 0;
  const inputSize = weightIh.length / ports.length;
  let cleared = 0;
  const clear = (
    tensor: FloatArray,
    kind: keyof typeof PORTS,
    neuronOf: (at: number) => number,
  ) => {
    for (let at = 0; at < tensor.length; at++) {
      if (hasPort(ports, neuronOf(at), kind)) continue;
      if (tensor[at] !== 0) cleared++;
      tensor[at] = 0;
    }
  };
  clear(weightIh, "input", (at) => Math.floor(at / inputSize));
  clear(weightFc, "output", (at) => at % ports.length);
  return cleared;
}
