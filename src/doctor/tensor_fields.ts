/**
 * Tensors and numbers inside a JSON object:
 * `{"shape": [...], "dtype": "float64", "data": [...]}`, `data` flat and
 * row-major.
 *
 * @module
 */

import type { JsonFields } from "../results/json_fields.ts";
import {
  connectedValues,
  type Connections,
  countConnections,
} from "../graph/connections.ts";
import {
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";
import type { ModelSize } from "../rnn/parameters.ts";

/** Types of a tensor's numbers. */
export type TensorType = "float32" | "float64" | "int32";

/** Names of the six tensors in a case. */
export const TENSOR_KEYS: Record<keyof Parameters, string> = {
  weightIh: "W_ih",
  weightHh: "W_hh",
  biasIh: "b_ih",
  biasHh: "b_hh",
  weightFc: "W_fc",
  biasFc: "b_fc",
};

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** A finite number. */
export function readNumber(fields: JsonFields, key: string): number {
  const value = Object.hasOwn(fields.members, key)
    ? fields.members[key]
    : undefined;
  return isNumber(value) ? value : fields.fail(key, "a number");
}

/** A list of finite numbers, `most` of them or fewer. */
export function readNumbers(
  fields: JsonFields,
  key: string,
  { most = Infinity }: { readonly most?: number } = {},
): number[] {
  const value = Object.hasOwn(fields.members, key)
    ? fields.members[key]
    : undefined;
  return Array.isArray(value) && value.length <= most && value.every(isNumber)
    ? value
    : fields.fail(key, "a list of numbers");
}

/**
 * The numbers of a tensor, which must have just that type and shape.
 *
 * @throws {InputError} If it has not, or holds other numbers than its type can.
 */
export function readTensor(
  fields: JsonFields,
  key: string,
  { dtype, shape }: {
    readonly dtype: TensorType;
    readonly shape: readonly number[];
  },
): Float64Array {
  const tensor = fields.object(key);
  if (tensor.string("dtype") !== dtype) tensor.fail("dtype", `"${dtype}"`);
  const found = readNumbers(tensor, "shape");
  if (found.length !== shape.length || found.some((n, i) => n !== shape[i])) {
    tensor.fail("shape", `[${shape.join(", ")}]`);
  }
  const data = readNumbers(tensor, "data");
  const length = shape.reduce((a, b) => a * b, 1);
  if (data.length !== length) {
    tensor.fail("data", `${length} numbers (there are ${data.length})`);
  }
  const holds = dtype === "int32"
    ? (value: number) => (value | 0) === value
    : dtype === "float32"
    ? (value: number) => Number.isFinite(Math.fround(value))
    : () => true;
  if (!data.every(holds)) tensor.fail("data", `numbers of ${dtype}`);
  return Float64Array.from(data);
}

/**
 * A tensor of a model: W_hh is [H, H] in the file and must be 0 where there is
 * no connection; its numbers are those of the connections.
 *
 * @throws {InputError} If it is none such.
 */
export function readModelTensor(
  fields: JsonFields,
  key: string,
  { name, dtype, size, connections }: {
    readonly name: keyof Parameters;
    readonly dtype: TensorType;
    readonly size: ModelSize;
    readonly connections: Connections;
  },
): Float64Array {
  const { hiddenSize } = size;
  const shape = name === "weightHh"
    ? [hiddenSize, hiddenSize]
    : parameterShapes(size, countConnections(connections))[name];
  const tensor = readTensor(fields, key, { dtype, shape });
  if (name !== "weightHh") return tensor;
  const values = connectedValues(connections, tensor);
  const nonzeros = (numbers: Float64Array) =>
    numbers.reduce((count, value) => count + (value === 0 ? 0 : 1), 0);
  return nonzeros(values) === nonzeros(tensor)
    ? values
    : fields.fail(key, "0 where mask is 0");
}

/** All six tensors of a model of that size, apart from those in `without`, which are zeros. */
export function readTensors(
  fields: JsonFields,
  { dtype, size, connections, keys = TENSOR_KEYS, without = [] }: {
    readonly dtype: TensorType;
    readonly size: ModelSize;
    readonly connections: Connections;
    /** Names in the file; default {@linkcode TENSOR_KEYS}. */
    readonly keys?: Readonly<Record<keyof Parameters, string>>;
    readonly without?: readonly (keyof Parameters)[];
  },
): Parameters<Float64Array> {
  const shapes = parameterShapes(size, countConnections(connections));
  return Object.fromEntries(PARAMETER_NAMES.map((name) => {
    const tensor = without.includes(name)
      ? new Float64Array(shapes[name].reduce((a, b) => a * b))
      : readModelTensor(fields, keys[name], { name, dtype, size, connections });
    return [name, tensor];
  })) as unknown as Parameters<Float64Array>;
}
