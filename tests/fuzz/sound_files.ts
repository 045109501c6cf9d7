/**
 * Sound files for the fuzzing of their readers, and pieces that mean something
 * in their formats.
 *
 * @module
 */

import { zipSync } from "../../src/files/zip.ts";
import { encodeSafetensors } from "../../src/files/safetensors.ts";
import { listConnections } from "../../src/graph/connections.ts";
import { binary } from "../files/binary.ts";
import { exampleRecord } from "../results/example_results.ts";
import {
  int,
  legacyFile,
  orderedDict,
  pickle,
  str,
  tensor,
  tuple,
} from "../files/pickle_bytes.ts";

const floats = (count: number) =>
  Float32Array.from({ length: count }, (_, i) => i / 2);
export const SIZE = { hiddenSize: 2, inputSize: 2, outputSize: 1 };
export const PARAMETERS = {
  weightIh: floats(4),
  weightHh: floats(4),
  biasIh: floats(2),
  biasHh: floats(2),
  weightFc: floats(2),
  biasFc: floats(1),
};

export const CONNECTIONS = listConnections({ receivers: 2, senders: 2 });
/** A model as those of large networks are written. */
export const SPARSE_MODEL = encodeSafetensors([
  { name: "rnn.weight_ih_l0", shape: [2, 2], data: floats(4) },
  {
    name: "rnn.weight_hh_l0.crow_indices",
    shape: [3],
    data: BigInt64Array.of(0n, 1n, 3n),
  },
  {
    name: "rnn.weight_hh_l0.col_indices",
    shape: [3],
    data: BigInt64Array.of(1n, 0n, 1n),
  },
  { name: "rnn.weight_hh_l0.values", shape: [3], data: floats(3) },
  { name: "rnn.bias_ih_l0", shape: [2], data: floats(2) },
  { name: "rnn.bias_hh_l0", shape: [2], data: floats(2) },
  { name: "fc.weight", shape: [1, 2], data: floats(2) },
  { name: "fc.bias", shape: [1], data: floats(1) },
]);

export const TENSORS = encodeSafetensors([
  { name: "a", shape: [2, 3], data: floats(6) },
  { name: "b", shape: [], data: Float64Array.of(0.5) },
  { name: "é", shape: [0, 3], data: new Uint8Array() },
], { epoch: "3", note: "x\ny" });
/** A safetensors file with that header and 36 bytes of data. */
export function tensorsOf(header: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + header.length + 36);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 8);
  return bytes;
}
export const TENSOR_HEADER =
  '{"__metadata__":{"k":"v"},"a":{"dtype":"F64","shape":[2,2],"data_offsets":[0,32]},"b":{"dtype":"F32","shape":[],"data_offsets":[32,36]}}';
export const TENSOR_TOKENS = [
  ...['"a":{', '"dtype":"F64"', '"shape":[9007199254740991,2]'],
  ...['"data_offsets":[0,8]', "[[[[[[", '"__proto__":', ",", "-1", "1e999"],
];

const MATRIX = { key: "0", length: 4, shape: [2, 2], strides: [2, 1] };
const VECTOR = { key: "1", length: 3, shape: [2], strides: [1] };
export const STATE_DICT = orderedDict(
  ...[str("rnn.weight_ih_l0"), tensor(MATRIX)],
  ...[str("rnn.weight_hh_l0"), tensor({ ...MATRIX, strides: [1, 2] })],
  ...[str("rnn.bias_ih_l0"), tensor(VECTOR)],
  ...[str("rnn.bias_hh_l0"), tensor({ ...VECTOR, offset: 1 })],
  ...[str("fc.weight"), tensor({ ...MATRIX, shape: [1, 2] })],
  ...[str("fc.bias"), tensor({ ...VECTOR, shape: [1] })],
);
/** An archive of PyTorch with that pickle. */
export function torchZip(pickled: Uint8Array): Uint8Array<ArrayBuffer> {
  return zipSync({
    "m/data.pkl": pickled,
    "m/byteorder": binary("little"),
    "m/data/0": binary("\0\0\x80?".repeat(4)),
    "m/data/1": binary("\0\0\x80?".repeat(3)),
    "m/version": binary("3\n"),
  }, { level: 0 }).slice();
}
export const TORCH_ZIP = torchZip(binary(pickle(STATE_DICT)));
export const TORCH_LEGACY = binary(legacyFile(
  tuple(
    tensor({
      key: "7",
      length: 6,
      shape: [3, 2],
      strides: [2, 1],
      legacy: true,
    }),
    tensor({
      storage: "torch.LongStorage",
      key: "8",
      length: 2,
      shape: [2],
      strides: [1],
      legacy: true,
    }),
  ),
  [
    { key: "7", length: 6, data: "\0\0\0@".repeat(6) },
    { key: "8", length: 2, data: "\x07\0\0\0\0\0\0\0".repeat(2) },
  ],
));
export const PICKLE_TOKENS = [
  ..."(]})teuasRbQ012.N\x88\x85\x86\x87\x8f\x90\x91\x93\x94",
  ...["q\0", "h\0", int(-1), int(2 ** 31 - 1), str("storage")],
  "\x8a\x08\0\0\0\0\0\0\0\x80",
  "ctorch._utils\n_rebuild_tensor_v2\n",
  "ccollections\nOrderedDict\n",
  "ctorch\nLongStorage\n",
  "cos\nsystem\n",
];

export const IMAGES = binary(
  "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03abcdefghijkl",
);

export const CONFIG = `# comment
[paths]
path_to_results = ../results/x

[net]
net_name = Synthetic_Macaque_29
rnn_size = 29
nr_neurons = 2
rand_partition = True
random_w = False

[trainvalidate]
epochs = 40
iterations = 2
init = default
freeze_layer = False
remap_w = True

[trialparams]
trial_params = {"task_name":"seq_mem", "nr_of_trials":500, "train_size":0.8}

[combosparams]
combos_params = {"lr":[0.001], "nonlinearity":["relu","tanh"],
    "optimizer":["Adam"], 'pattern_length':(3, 4,)}
`;
export const CONFIG_TOKENS = [
  ..."=:{}[](),'\\%#;_-",
  ...["[net]\n", '"""', "\\N{", "%(net_name)s", "\n    ", "1e400", "0x"],
  ...["True", "None", "lambda: 0", "__proto__", "1_000", "b'"],
];

export const RECORD = exampleRecord({
  parts: { count: 4, first: 0, step: 1 },
  inputRegions: [0],
  outputRegions: [0, 1],
});

const curve = Float64Array.of(1, 0.5);
export const RUN = {
  id: { combination: 1, iteration: 0 },
  experiment: "f",
  engine: "reference",
  program: "biornn 0, numerics 2",
  history: { trainLoss: curve, validateLoss: curve },
};
export const STATE = {
  epoch: 2,
  updates: 8,
  parameters: PARAMETERS,
  firstMoment: PARAMETERS,
  secondMoment: PARAMETERS,
};
