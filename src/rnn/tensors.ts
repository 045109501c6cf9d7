/**
 * The tensors of a model in a file: how W_hh is written (dense, or of a large
 * network the three tensors that `torch.sparse_csr_tensor` takes), and how the
 * six tensors of a model are found among those of a file.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import {
  type Connections,
  countConnections,
  denseMatrix,
  findConnectionProblem,
  listConnections,
} from "../graph/connections.ts";
import { MOST_DENSE_NODES } from "../graph/graph.ts";
import {
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "./parameters.ts";
import type { NamedTensor } from "../files/safetensors.ts";

/** Ends of the names of the tensors of a sparse W_hh. */
const SPARSE_PARTS = ["crow_indices", "col_indices", "values"] as const;

/** A tensor that a file holds. */
export interface CheckpointTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

type Dictionary = ReadonlyMap<string, CheckpointTensor>;

/** Told what is wrong with a file; throws. */
type Fail = (what: string) => never;

/** W_hh of a model. */
export interface RecurrentWeights {
  readonly connections: Connections;
  /** [n] */
  readonly weights: Float32Array;
}

/**
 * W_hh as tensors to write: [H, H] under its name where there are at most
 * {@linkcode MOST_DENSE_NODES}; else `.crow_indices` [H + 1] and
 * `.col_indices` [n] in int64, and `.values` [n].
 */
export function encodeRecurrent(
  name: string,
  { connections, weights }: RecurrentWeights,
): NamedTensor[] {
  const { receivers, senders, start, sender } = connections;
  if (receivers <= MOST_DENSE_NODES) {
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

/** W_hh out of the tensors of a file; in a dense one a weight of exactly 0 is no connection. */
function decodeRecurrent(
  name: string,
  { tensors, fail }: { readonly tensors: Dictionary; readonly fail: Fail },
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
function singles(
  { name, data }: CheckpointTensor,
  fail: Fail,
): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return new Float32Array(data);
  return fail(`its ${name} holds no float32 or float64 numbers`);
}

/** The numbers of a tensor of integers, which must be from 0 to 2³² − 1. */
function wholeNumbers(
  { name, data }: CheckpointTensor,
  fail: Fail,
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

export interface FoundModel {
  /** In float32, whatever the file has. */
  readonly parameters: Parameters<Float32Array>;
  /** Of W_hh; where the file has it dense, a weight of exactly 0 is none. */
  readonly connections: Connections;
  readonly size: ModelSize;
}

/** Names of the tensors in a PyTorch module with an `nn.RNN` called `rnn` and an `nn.Linear` called `fc`. */
export const TENSOR_NAMES: Readonly<Record<keyof Parameters, string>> = {
  weightIh: "rnn.weight_ih_l0",
  weightHh: "rnn.weight_hh_l0",
  biasIh: "rnn.bias_ih_l0",
  biasHh: "rnn.bias_hh_l0",
  weightFc: "fc.weight",
  biasFc: "fc.bias",
};

/** Ends of the names of a one-layer `nn.RNN`'s tensors. */
const RECURRENT = {
  weightIh: "weight_ih_l0",
  weightHh: "weight_hh_l0",
  biasIh: "bias_ih_l0",
  biasHh: "bias_hh_l0",
} as const satisfies Partial<Record<keyof Parameters, string>>;

/** A W_hh, or a tensor of one: what stands before its name, and the layer with its direction. */
const WEIGHT_HH = new RegExp(
  `^(|.*\\.)weight_hh_l(\\w+)(?:\\.(?:${SPARSE_PARTS.join("|")}))?$`,
  "s",
);

/**
 * The parameters of the one-layer Elman RNN with a linear read-out that the
 * tensors are of. The RNN and the read-out are taken under the names `rnn` and
 * `fc`, or under any others (the original's fine-tuned models have
 * `features.0` and `features.1`) where there is one of each.
 *
 * @throws {InputError} If there is none, or more than one could be meant.
 */
export function parametersOf(
  tensors: readonly CheckpointTensor[],
  { name }: { readonly name: string },
): FoundModel {
  const fail: Fail = (what) => {
    throw new InputError(`Cannot use the model "${name}": ${what}`);
  };
  const dictionary = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const recurrent = recurrentPrefix(dictionary, fail);
  const { connections, weights } = decodeRecurrent(
    recurrent + RECURRENT.weightHh,
    { tensors: dictionary, fail },
  );
  const hiddenSize = connections.receivers;
  const readout = readoutPrefix(dictionary, { recurrent, hiddenSize, fail });
  const found: Record<Exclude<keyof Parameters, "weightHh">, string> = {
    weightIh: recurrent + RECURRENT.weightIh,
    biasIh: recurrent + RECURRENT.biasIh,
    biasHh: recurrent + RECURRENT.biasHh,
    weightFc: `${readout}weight`,
    biasFc: `${readout}bias`,
  };
  const size = {
    hiddenSize,
    inputSize: dictionary.get(found.weightIh)?.shape[1] ?? 0,
    outputSize: dictionary.get(found.biasFc)?.shape[0] ?? 0,
  };
  const shapes = parameterShapes(size, countConnections(connections));
  const parameters: Partial<Record<keyof Parameters, Float32Array>> = {
    weightHh: weights,
  };
  for (const key of PARAMETER_NAMES) {
    if (key === "weightHh") continue;
    const tensor = dictionary.get(found[key]);
    if (tensor === undefined) return fail(`it has no tensor ${found[key]}`);
    const expected = shapes[key];
    if (tensor.shape.join() !== expected.join() || expected.includes(0)) {
      return fail(
        `its ${
          found[key]
        } is [${tensor.shape}], which does not go with ${hiddenSize} hidden units`,
      );
    }
    parameters[key] = singles(tensor, fail);
  }
  return {
    parameters: parameters as Parameters<Float32Array>,
    connections,
    size,
  };
}

/** What stands before the names of the RNN's tensors, with its dot. */
function recurrentPrefix(dictionary: Dictionary, fail: Fail): string {
  const ending = RECURRENT.weightHh;
  const prefixes = new Set<string>();
  for (const name of dictionary.keys()) {
    const match = WEIGHT_HH.exec(name);
    if (match === null) continue;
    const [, prefix = "", layer] = match;
    if (layer !== "0") {
      fail(
        `it has a tensor ${name}, but only one layer in one direction can be used`,
      );
    }
    prefixes.add(prefix);
  }
  if (prefixes.size === 0) {
    fail(
      `it has no tensor ${TENSOR_NAMES.weightHh} or another one ending in ${ending}`,
    );
  }
  const what = "recurrent layers";
  return only([...prefixes], { preferred: "rnn.", what, fail });
}

/** What stands before the names of the read-out's tensors, with its dot. */
function readoutPrefix(
  dictionary: Dictionary,
  { recurrent, hiddenSize, fail }: {
    readonly recurrent: string;
    readonly hiddenSize: number;
    readonly fail: Fail;
  },
): string {
  const prefixes: string[] = [];
  for (const [name, { shape }] of dictionary) {
    if (name !== "weight" && !name.endsWith(".weight")) continue;
    const prefix = name.slice(0, -"weight".length);
    const bias = dictionary.get(`${prefix}bias`);
    if (
      shape.length === 2 && shape[1] === hiddenSize &&
      bias?.shape.length === 1 && bias.shape[0] === shape[0] &&
      prefix !== recurrent
    ) prefixes.push(prefix);
  }
  if (prefixes.length === 0) {
    fail(
      `it has no read-out: a weight [outputs, ${hiddenSize}] with its bias [outputs], such as ${TENSOR_NAMES.weightFc} and ${TENSOR_NAMES.biasFc}`,
    );
  }
  return only(prefixes, { preferred: "fc.", what: "read-outs", fail });
}

function only(
  prefixes: readonly string[],
  { preferred, what, fail }: {
    readonly preferred: string;
    readonly what: string;
    readonly fail: Fail;
  },
): string {
  if (prefixes.includes(preferred)) return preferred;
  if (prefixes.length > 1) {
    fail(
      `it has ${prefixes.length} ${what} (${
        prefixes.slice(0, 4).map((prefix) => prefix.replace(/\.$/, "")).join(
          ", ",
        )
      }), and which one is meant can't be told`,
    );
  }
  return prefixes[0]!;
}
