/**
 * W_hh in a file: one dense tensor, or, of a large network, the three tensors
 * of its connections that `torch.sparse_csr_tensor` takes.
 *
 * @module
 */

import type { NamedTensor } from "../files/safetensors.ts";
import {
  type Connections,
  denseMatrix,
  findConnectionProblem,
  listConnections,
} from "./connections.ts";

/** Most neurons of which dense matrices are written: W_hh takes 64 MiB then. */
export const MOST_DENSE_NEURONS = 4096;

/** Ends of the names of the tensors of a sparse W_hh. */
export const SPARSE_PARTS = ["crow_indices", "col_indices", "values"] as const;

/** A tensor that a file holds. */
export interface CheckpointTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** W_hh of a model. */
export interface RecurrentWeights {
  readonly connections: Connections;
  /** [n] */
  readonly weights: Float32Array;
}

/**
 * W_hh as tensors to write: [H, H] under its name where there are at most
 * {@linkcode MOST_DENSE_NEURONS}; else `.crow_indices` [H + 1] and
 * `.col_indices` [n] in int64, and `.values` [n].
 */
export function encodeRecurrent(
  name: string,
  { connections, weights }: RecurrentWeights,
): NamedTensor[] {
  const { receivers, senders, start, sender } = connections;
  if (receivers <= MOST_DENSE_NEURONS) {
    const data = denseMatrix(connections, weights);
    return [{ name, shape: [receivers, senders], data }];
  }
  const int64 = (numbers: Uint32Array) => {
    const data = new BigInt64Array(numbers.length);
    for (let i = 0; i < data.length; i++) data[i] = BigInt(numbers[i]!);
    return { shape: [data.length], data };
  };
  return [
    { name: `${name}.crow_indices`, ...int64(start) },
    { name: `${name}.col_indices`, ...int64(sender) },
    { name: `${name}.values`, shape: [weights.length], data: weights },
  ];
}

/**
 * W_hh out of the tensors of a file; in a dense one a weight of exactly 0 is no
 * connection.
 *
 * @param fail Told what is wrong; throws.
 */
export function decodeRecurrent(
  name: string,
  { tensors, fail }: {
    readonly tensors: ReadonlyMap<string, CheckpointTensor>;
    readonly fail: (what: string) => never;
  },
): RecurrentWeights {
  const dense = tensors.get(name);
  if (dense !== undefined) {
    const { shape } = dense;
    const [hiddenSize = 0, columns] = shape;
    if (shape.length !== 2 || hiddenSize !== columns || hiddenSize === 0) {
      return fail(
        `its ${name} is [${shape}], but a plain (Elman) RNN has a square one`,
      );
    }
    const matrix = singles(dense, fail);
    const size = { receivers: hiddenSize, senders: hiddenSize };
    const connections = listConnections(size, matrix);
    return { connections, weights: matrix.filter((weight) => weight !== 0) };
  }
  const part = (end: typeof SPARSE_PARTS[number]) => {
    const tensor = tensors.get(`${name}.${end}`);
    if (tensor?.shape.length === 1) return tensor;
    return fail(
      tensor === undefined
        ? `it has no tensor ${name}.${end}`
        : `its ${name}.${end} is [${tensor.shape}], but a list is needed`,
    );
  };
  const start = wholeNumbers(part("crow_indices"), fail);
  const sender = wholeNumbers(part("col_indices"), fail);
  const weights = singles(part("values"), fail);
  if (start.length < 2 || weights.length !== sender.length) {
    return fail(
      `its ${name} has ${start.length} crow_indices, ${sender.length} col_indices and ${weights.length} values, which does not make a matrix`,
    );
  }
  const units = start.length - 1;
  const connections = { receivers: units, senders: units, start, sender };
  const problem = findConnectionProblem(connections);
  if (problem !== undefined) {
    return fail(`the connections of its ${name} are unsound: ${problem}`);
  }
  return { connections, weights };
}

/** The numbers of a tensor in float32. */
export function singles(
  { name, data }: CheckpointTensor,
  fail: (what: string) => never,
): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return new Float32Array(data);
  return fail(`its ${name} holds no float32 or float64 numbers`);
}

/** The numbers of a tensor of integers, which must be from 0 to 2³² − 1. */
function wholeNumbers(
  { name, data }: CheckpointTensor,
  fail: (what: string) => never,
): Uint32Array {
  if (!(data instanceof BigInt64Array || data instanceof Int32Array)) {
    return fail(`its ${name} holds no int64 or int32 numbers`);
  }
  const numbers = new Uint32Array(data.length);
  for (let i = 0; i < numbers.length; i++) {
    const number = Number(data[i]!);
    if (number < 0 || number >= 2 ** 32) {
      return fail(`its ${name} holds ${number}`);
    }
    numbers[i] = number;
  }
  return numbers;
}
