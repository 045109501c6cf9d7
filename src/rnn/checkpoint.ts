/**
 * A model on disk: safetensors with PyTorch's tensor names, so that Python
 * loads it in one line. The `.pth` files of the original program are read too.
 *
 * @module
 */

import { type Fail, InputError } from "../files/input_error.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from "../files/safetensors.ts";
import { isTensor, readTorchFile } from "../files/torch.ts";
import {
  type Connections,
  countConnections,
  denseMatrix,
  findConnectionProblem,
  listConnections,
} from "../graph/connections.ts";
import { MOST_DENSE_NODES } from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import {
  makeParameters,
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "./parameters.ts";

/** Said in the metadata, where there is a checksum then. */
export const MODEL_FORMAT = "biornn-model/1";

const WEIGHT_HH = "weight_hh_l0";

/** Names of a model's tensors, by what stands before those of an `nn.RNN` and an `nn.Linear`. */
function namesOf(
  rnn: string,
  linear: string,
): Record<keyof Parameters, string> {
  return {
    weightIh: `${rnn}weight_ih_l0`,
    weightHh: `${rnn}${WEIGHT_HH}`,
    biasIh: `${rnn}bias_ih_l0`,
    biasHh: `${rnn}bias_hh_l0`,
    weightFc: `${linear}weight`,
    biasFc: `${linear}bias`,
  };
}

const NAMES = namesOf("rnn.", "fc.");

/**
 * The bytes of a checkpoint: six float32 tensors, named as in a PyTorch module
 * with an `nn.RNN` called `rnn` and an `nn.Linear` called `fc`.
 *
 * In place of the W_hh of more than 4,096 neurons, [H, H], three tensors hold
 * its n connections, as `torch.sparse_csr_tensor` takes them:
 * `rnn.weight_hh_l0.crow_indices` [H + 1] and `.col_indices` [n], int64, and
 * `.values` [n].
 *
 * @param options `connections` of W_hh; `metadata`, free text by key, e.g. config, combination, iteration, epoch, losses, seed.
 * @throws {RangeError} If a tensor does not have the size that `size` and `connections` ask for.
 */
export function encodeCheckpoint(
  parameters: Parameters,
  { size, connections, metadata }: {
    readonly size: ModelSize;
    readonly connections: Connections;
    readonly metadata: Readonly<Record<string, string>>;
  },
): Uint8Array<ArrayBuffer> {
  const { receivers, senders } = connections;
  const count = countConnections(connections);
  if (
    receivers !== size.hiddenSize || senders !== size.hiddenSize ||
    parameters.weightHh.length !== count
  ) {
    throw new RangeError(
      `Cannot write a model of ${size.hiddenSize} hidden units: it has ${parameters.weightHh.length} recurrent weights, and ${count} connections of ${receivers} × ${senders} units`,
    );
  }
  const shapes = parameterShapes(size, count);
  const tensors = PARAMETER_NAMES.flatMap((key) => {
    const name = NAMES[key];
    const data = new Float32Array(parameters[key]);
    return key === "weightHh"
      ? encodeRecurrent(name, connections, data)
      : { name, shape: shapes[key], data };
  });
  return encodeSafetensors(tensors, { ...metadata, format: MODEL_FORMAT });
}

function encodeRecurrent(
  name: string,
  connections: Connections,
  weights: Float32Array,
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

/** What a file holds of a model. */
interface FoundModel {
  /** In float32, whatever the file has. */
  readonly parameters: Parameters<Float32Array>;
  /** Of W_hh; where the file has it dense, a weight of exactly 0 is none. */
  readonly connections: Connections;
  readonly size: ModelSize;
}

/**
 * Reads a checkpoint, safetensors or PyTorch's `.pth`, whatever its name says.
 *
 * @param options `name` of the file, for messages; `size` that the model must have.
 * @returns The model, and its metadata: none of `.pth` files.
 * @throws {InputError} If it is broken, holds no such model, or one of another size.
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  { name, size }: { readonly name: string; readonly size?: ModelSize },
): FoundModel & { readonly metadata: Readonly<Record<string, string>> } {
  const fail: Fail = (what) => {
    throw new InputError(`Cannot use the model "${name}": ${what}`);
  };
  const { tensors, metadata } = isTorchFile(bytes)
    ? { tensors: readTorchStateDict(bytes, name, fail), metadata: {} }
    : decodeSafetensors(bytes, { name });
  const dictionary = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const found = findModel(dictionary, fail);
  if (size !== undefined && describeSize(found.size) !== describeSize(size)) {
    fail(
      `it has ${describeSize(found.size)}, but ${
        describeSize(size)
      } are needed`,
    );
  }
  return { ...found, metadata };
}

/** First bytes of a zip archive, and of the pickles that `torch.save` wrote before 1.6. */
const TORCH_STARTS = [[0x50, 0x4b, 0x03, 0x04], [0x80, 0x02, 0x8a, 0x0a]];

/** As the length of a safetensors header, both starts would be some 100 MB. */
function isTorchFile(bytes: Uint8Array): boolean {
  return TORCH_STARTS.some((start) =>
    start.every((byte, i) => bytes[i] === byte)
  );
}

function describeSize(
  { hiddenSize, inputSize, outputSize }: ModelSize,
): string {
  return `${hiddenSize} hidden units, ${inputSize} inputs and ${
    plural(outputSize, "output")
  }`;
}

/** A tensor that a file holds. */
interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

type Dictionary = ReadonlyMap<string, Tensor>;

/** The tensors of floating-point numbers that stand in a state dictionary. */
function readTorchStateDict(
  bytes: Uint8Array,
  name: string,
  fail: Fail,
): Tensor[] {
  const dictionary = readTorchFile(bytes, { name });
  if (!(dictionary instanceof Map)) {
    return fail(
      "it holds no state dictionary (torch.save(model.state_dict(), path))",
    );
  }
  const tensors: Tensor[] = [];
  for (const [name, value] of dictionary) {
    if (typeof name !== "string" || !isTensor(value)) continue;
    if (value.dtype.includes("float")) tensors.push({ name, ...value });
  }
  return tensors;
}

/**
 * The parameters of the one-layer Elman RNN with a linear read-out that the
 * tensors are of. The RNN and the read-out are taken under the names `rnn` and
 * `fc`, or under any others (the original's fine-tuned models have
 * `features.0` and `features.1`) where there is one of each.
 */
function findModel(dictionary: Dictionary, fail: Fail): FoundModel {
  const rnn = recurrentPrefix(dictionary, fail);
  const { connections, weights } = decodeRecurrent(
    rnn + WEIGHT_HH,
    dictionary,
    fail,
  );
  const { receivers: hiddenSize } = connections;
  const names = namesOf(rnn, readoutPrefix(dictionary, rnn, hiddenSize, fail));
  const size = {
    hiddenSize,
    inputSize: dictionary.get(names.weightIh)?.shape[1] ?? 0,
    outputSize: dictionary.get(names.biasFc)?.shape[0] ?? 0,
  };
  const shapes = parameterShapes(size, countConnections(connections));
  const parameters = makeParameters((key) => {
    if (key === "weightHh") return weights;
    const name = names[key];
    const tensor = dictionary.get(name) ?? fail(`it has no tensor ${name}`);
    const expected = shapes[key];
    if (tensor.shape.join() !== expected.join() || expected.includes(0)) {
      fail(
        `its ${name} is [${tensor.shape}], which does not go with ${hiddenSize} hidden units`,
      );
    }
    return singles(tensor, fail);
  });
  return { parameters, connections, size };
}

/** What stands before the names of the RNN's tensors, with its dot. */
function recurrentPrefix(dictionary: Dictionary, fail: Fail): string {
  const prefixes = new Set<string>();
  for (const name of dictionary.keys()) {
    // Of W_hh, or a tensor of one: what is before, and the layer with its direction.
    const match =
      /^(|.*\.)weight_hh_l(\w+)(?:\.(?:crow_indices|col_indices|values))?$/s
        .exec(name);
    if (match === null) continue;
    if (match[2] !== "0") {
      fail(
        `it has a tensor ${name}, but only one layer in one direction can be used`,
      );
    }
    prefixes.add(match[1]!);
  }
  if (prefixes.size === 0) {
    fail(
      `it has no tensor ${NAMES.weightHh} or another one ending in ${WEIGHT_HH}`,
    );
  }
  return only([...prefixes], "rnn.", "recurrent layers", fail);
}

/** What stands before the names of the read-out's tensors, with its dot. */
function readoutPrefix(
  dictionary: Dictionary,
  rnn: string,
  hiddenSize: number,
  fail: Fail,
): string {
  const prefixes: string[] = [];
  for (const [name, { shape }] of dictionary) {
    const prefix = /^(|.*\.)weight$/s.exec(name)?.[1];
    if (prefix === undefined || prefix === rnn) continue;
    const bias = dictionary.get(`${prefix}bias`)?.shape;
    if (
      shape.length === 2 && shape[1] === hiddenSize &&
      bias?.length === 1 && bias[0] === shape[0]
    ) prefixes.push(prefix);
  }
  if (prefixes.length === 0) {
    fail(
      `it has no read-out: a weight [outputs, ${hiddenSize}] with its bias [outputs], such as ${NAMES.weightFc} and ${NAMES.biasFc}`,
    );
  }
  return only(prefixes, "fc.", "read-outs", fail);
}

function only(
  prefixes: readonly string[],
  preferred: string,
  what: string,
  fail: Fail,
): string {
  if (prefixes.includes(preferred)) return preferred;
  if (prefixes.length > 1) {
    const some = prefixes.slice(0, 4).map((each) => each.replace(/\.$/, ""));
    fail(
      `it has ${prefixes.length} ${what} (${
        some.join(", ")
      }), and which one is meant can't be told`,
    );
  }
  return prefixes[0]!;
}

/** W_hh, dense or as a list of connections. */
function decodeRecurrent(
  name: string,
  dictionary: Dictionary,
  fail: Fail,
): { readonly connections: Connections; readonly weights: Float32Array } {
  const dense = dictionary.get(name);
  if (dense !== undefined) {
    const { shape } = dense;
    const [units = 0, columns] = shape;
    if (shape.length !== 2 || units !== columns || units === 0) {
      fail(
        `its ${name} is [${shape}], but a plain (Elman) RNN has a square one`,
      );
    }
    const matrix = singles(dense, fail);
    const size = { receivers: units, senders: units };
    const connections = listConnections(size, matrix);
    return { connections, weights: matrix.filter((weight) => weight !== 0) };
  }
  const part = (end: string) => {
    const tensor = dictionary.get(`${name}.${end}`) ??
      fail(`it has no tensor ${name}.${end}`);
    if (tensor.shape.length === 1) return tensor;
    return fail(
      `its ${name}.${end} is [${tensor.shape}], but a list is needed`,
    );
  };
  const start = wholeNumbers(part("crow_indices"), fail);
  const sender = wholeNumbers(part("col_indices"), fail);
  const weights = singles(part("values"), fail);
  if (start.length < 2 || weights.length !== sender.length) {
    fail(
      `its ${name} has ${start.length} crow_indices, ${sender.length} col_indices and ${weights.length} values, which does not make a matrix`,
    );
  }
  const units = start.length - 1;
  const connections = { receivers: units, senders: units, start, sender };
  const problem = findConnectionProblem(connections);
  if (problem !== undefined) {
    fail(`the connections of its ${name} are unsound: ${problem}`);
  }
  return { connections, weights };
}

/** The numbers of a tensor in float32. */
function singles({ name, data }: Tensor, fail: Fail): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return new Float32Array(data);
  return fail(`its ${name} holds no float32 or float64 numbers`);
}

/** The numbers of a tensor of integers, which must be from 0 to 2³² − 1. */
function wholeNumbers({ name, data }: Tensor, fail: Fail): Uint32Array {
  if (!(data instanceof BigInt64Array || data instanceof Int32Array)) {
    return fail(`its ${name} holds no int64 or int32 numbers`);
  }
  const numbers = new Uint32Array(data.length);
  for (let i = 0; i < numbers.length; i++) {
    const number = Number(data[i]!);
    if (number < 0 || number >= 2 ** 32) fail(`its ${name} holds ${number}`);
    numbers[i] = number;
  }
  return numbers;
}
