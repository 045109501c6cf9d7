/**
 * A model on disk: safetensors with PyTorch's tensor names, so that Python
 * loads it in one line. The `.pth` files of the original program are read too.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { decodeSafetensors, encodeWithChecksum } from "../files/safetensors.ts";
import { type Connections, countConnections } from "../graph/connections.ts";
import {
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "./parameters.ts";
import {
  type CheckpointTensor,
  encodeRecurrent,
  type FoundModel,
  parametersOf,
  TENSOR_NAMES,
} from "./tensors.ts";
import { plural } from "../text/words.ts";
import { isTensor, readTorchFile } from "../files/torch.ts";

/** Said in the metadata, where there is a checksum then. */
export const MODEL_FORMAT = "biornn-model/1";

/** What to write besides the parameters. */
interface EncodeCheckpointOptions {
  readonly size: ModelSize;
  /** Of W_hh. */
  readonly connections: Connections;
  /** Free text by key, e.g. config, combination, iteration, epoch, losses, seed. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The bytes of a checkpoint: six float32 tensors, named as in a PyTorch module
 * with an `nn.RNN` called `rnn` and an `nn.Linear` called `fc`.
 *
 * In place of the W_hh of more than 4,096 neurons, [H, H], three tensors hold
 * its n connections, as `torch.sparse_csr_tensor` takes them:
 * `rnn.weight_hh_l0.crow_indices` [H + 1] and `.col_indices` [n], int64, and
 * `.values` [n].
 *
 * @throws {RangeError} If a tensor does not have the size that `size` and `connections` ask for.
 */
export function encodeCheckpoint(
  parameters: Parameters,
  { size, connections, metadata }: EncodeCheckpointOptions,
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
    const name = TENSOR_NAMES[key];
    const data = new Float32Array(parameters[key]);
    return key === "weightHh"
      ? encodeRecurrent(name, { connections, weights: data })
      : { name, shape: shapes[key], data };
  });
  return encodeWithChecksum(tensors, { ...metadata, format: MODEL_FORMAT });
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
  const { tensors, metadata } = isTorchFile(bytes)
    ? { tensors: readTorchStateDict(bytes, { name }), metadata: {} }
    : decodeSafetensors(bytes, { name });
  const found = parametersOf(tensors as readonly CheckpointTensor[], { name });
  if (size !== undefined && !isSameSize(found.size, size)) {
    throw new InputError(
      `Cannot use the model "${name}": it has ${
        describeSize(found.size)
      }, but ${describeSize(size)} are needed`,
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

function isSameSize(a: ModelSize, b: ModelSize): boolean {
  return a.hiddenSize === b.hiddenSize && a.inputSize === b.inputSize &&
    a.outputSize === b.outputSize;
}

function describeSize(
  { hiddenSize, inputSize, outputSize }: ModelSize,
): string {
  return `${hiddenSize} hidden units, ${inputSize} inputs and ${
    plural(outputSize, "output")
  }`;
}

/** The tensors of floating-point numbers that stand in a state dictionary. */
function readTorchStateDict(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): CheckpointTensor[] {
  const dictionary = readTorchFile(bytes, { name });
  if (!(dictionary instanceof Map)) {
    throw new InputError(
      `Cannot use the model "${name}": it holds no state dictionary (torch.save(model.state_dict(), path))`,
    );
  }
  const tensors: CheckpointTensor[] = [];
  for (const [key, value] of dictionary) {
    if (typeof key !== "string" || !isTensor(value)) continue;
    const { data, shape } = value;
    if (value.dtype.includes("float")) {
      tensors.push({ name: key, shape, data });
    }
  }
  return tensors;
}
