/**
 * Parameters between the six tensors of a model and the matrix that the
 * kernels work on (see `layout.ts`).
 *
 * @module
 */

import { type Connections, countConnections } from "../../graph/connections.ts";
import type { Parameters } from "../../rnn/parameters.ts";
import type { Layout } from "./layout.ts";

/** Where a model's weights lie in its matrix. */
export interface MatrixPlaces {
  readonly layout: Layout;
  /** Of W_hh. */
  readonly connections: Connections;
}

/**
 * The matrix [units, width] of a model's parameters, row-major; its bias
 * column holds b_ih + b_hh.
 */
export function packMatrix(
  parameters: Parameters,
  { layout, connections: { start, sender } }: MatrixPlaces,
): Float32Array<ArrayBuffer> {
  const { hiddenSize, inputSize, outputSize, hidden, width, units } = layout;
  const matrix = new Float32Array(units * width);
  for (let r = 0; r < hiddenSize; r++) {
    const row = r * width;
    for (let n = start[r]!; n < start[r + 1]!; n++) {
      matrix[row + sender[n]!] = parameters.weightHh[n]!;
    }
    matrix.set(
      parameters.weightIh.subarray(r * inputSize, (r + 1) * inputSize),
      row + hidden,
    );
    // Rounded like the kernel's own sum of two singles.
    matrix[row + hidden + inputSize] = Math.fround(parameters.biasIh[r]!) +
      Math.fround(parameters.biasHh[r]!);
  }
  for (let o = 0; o < outputSize; o++) {
    const row = (hidden + o) * width;
    matrix.set(
      parameters.weightFc.subarray(o * hiddenSize, (o + 1) * hiddenSize),
      row,
    );
    matrix[row + hidden + inputSize] = parameters.biasFc[o]!;
  }
  return matrix;
}

/** The recurrent rows of a matrix [units, width], turned: [width, hidden]. */
export function turnMatrix(
  matrix: Float32Array,
  { hidden, width }: Layout,
): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(width * hidden);
  for (let unit = 0; unit < hidden; unit++) {
    for (let column = 0; column < width; column++) {
      turned[column * hidden + unit] = matrix[unit * width + column]!;
    }
  }
  return turned;
}

/** b_ih and b_hh of a model as pairs, [hidden, 2]. */
export function packBiases(
  parameters: Parameters,
  layout: Layout,
): Float32Array<ArrayBuffer> {
  const biases = new Float32Array(2 * layout.hidden);
  for (let r = 0; r < layout.hiddenSize; r++) {
    biases[2 * r] = parameters.biasIh[r]!;
    biases[2 * r + 1] = parameters.biasHh[r]!;
  }
  return biases;
}

/**
 * The six tensors out of a matrix [units, width]. Without `biases` both
 * biases are the matrix's bias column, as is right for gradients and moments.
 */
export function unpackMatrix(
  matrix: Float32Array,
  { layout, connections, biases }: MatrixPlaces & {
    readonly biases?: Float32Array;
  },
): Parameters<Float32Array> {
  const { hiddenSize, inputSize, outputSize, hidden, width } = layout;
  const bias = hidden + inputSize;
  const block = (rows: number, columns: number, first: number) => {
    const tensor = new Float32Array(rows * columns);
    for (let r = 0; r < rows; r++) {
      const start = first + r * width;
      tensor.set(matrix.subarray(start, start + columns), r * columns);
    }
    return tensor;
  };
  const { start, sender } = connections;
  const weightHh = new Float32Array(countConnections(connections));
  for (let r = 0; r < hiddenSize; r++) {
    for (let n = start[r]!; n < start[r + 1]!; n++) {
      weightHh[n] = matrix[r * width + sender[n]!]!;
    }
  }
  const pairs = (second: 0 | 1) =>
    biases === undefined
      ? block(hiddenSize, 1, bias)
      : Float32Array.from({ length: hiddenSize }, (_, r) =>
        biases[2 * r + second] as number);
  return {
    weightIh: block(hiddenSize, inputSize, hidden),
    weightHh,
    biasIh: pairs(0),
    biasHh: pairs(1),
    weightFc: block(outputSize, hiddenSize, hidden * width),
    biasFc: block(outputSize, 1, hidden * width + bias),
  };
}

/**
 * A bit for each entry of the matrix, 1 where it is trained: [units,
 * maskWords], column c in bit c % 32 of word c / 32.
 */
export function packTrained(
  { layout, connections, trainRecurrent }: MatrixPlaces & {
    readonly trainRecurrent: boolean;
  },
): Uint32Array<ArrayBuffer> {
  const { start, sender } = connections;
  const { hiddenSize, inputSize, outputSize, hidden, maskWords } = layout;
  const bits = new Uint32Array(layout.units * maskWords);
  const set = (row: number, column: number) => {
    bits[row * maskWords + (column >>> 5)]! |= 1 << (column & 31);
  };
  for (let r = 0; r < hiddenSize; r++) {
    const end = trainRecurrent ? start[r + 1]! : start[r]!;
    for (let n = start[r]!; n < end; n++) set(r, sender[n]!);
    for (let i = 0; i <= inputSize; i++) set(r, hidden + i);
  }
  for (let o = 0; o < outputSize; o++) {
    for (let k = 0; k < hiddenSize; k++) set(hidden + o, k);
    set(hidden + o, hidden + inputSize);
  }
  return bits;
}
