/**
 * The tensors of a PyTorch state dictionary (`.pth`).
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { readTorchFile } from "../files/torch_file.ts";
import type { TorchTensor, TorchValue } from "../files/torch_value.ts";
import type { CheckpointTensor } from "./recurrent_tensors.ts";

/** Whether a value of a PyTorch file is a tensor. */
function isTensor(value: TorchValue): value is TorchTensor {
  return typeof value === "object" && value !== null &&
    !(value instanceof Map) && !(value instanceof Uint8Array) &&
    !Array.isArray(value);
}

/**
 * The tensors of floating-point numbers that stand in a state dictionary.
 *
 * @param bytes The whole file of `torch.save(model.state_dict(), path)`.
 * @throws {InputError} If the file is broken or holds no dictionary.
 */
export function readTorchStateDict(
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
