/**
 * Where the numbers of PyTorch's tensors lie: storages, and the views that
 * tensors are on them.
 *
 * @module
 */

import {
  countElements,
  NUMBERS,
  type ReadNumber,
  visitElements,
} from "./numbers.ts";

/** Element type of a tensor, as PyTorch names it. */
export type TorchDtype =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "bool";

/** Elements of a tensor. */
export type TorchData =
  | Float64Array
  | Float32Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

interface ElementType {
  readonly dtype: TorchDtype;
  /** Bytes of an element in the file. */
  readonly size: number;
  /** The class of array that elements are given out in. */
  readonly array: new (length: number) => TorchData;
  readonly get: ReadNumber;
}

/** By the name of PyTorch's class. */
export const STORAGE_TYPES: ReadonlyMap<string, ElementType> = new Map(
  ([
    ["Double", "float64", Float64Array, NUMBERS.f8, 8],
    ["Float", "float32", Float32Array, NUMBERS.f4, 4],
    ["Half", "float16", Float32Array, halfValue, 2],
    ["BFloat16", "bfloat16", Float32Array, brainValue, 2],
    ["Long", "int64", Float64Array, NUMBERS.i8, 8],
    ["Int", "int32", Int32Array, NUMBERS.i4, 4],
    ["Short", "int16", Int16Array, NUMBERS.i2, 2],
    ["Char", "int8", Int8Array, NUMBERS.i1, 1],
    ["Byte", "uint8", Uint8Array, NUMBERS.u1, 1],
    ["Bool", "bool", Uint8Array, NUMBERS.b1, 1],
  ] as const).map(([name, dtype, array, get, size]) => [
    `torch.${name}Storage`,
    { dtype, size, array, get },
  ]),
);

function halfValue(view: DataView, offset: number, little: boolean): number {
  return view.getFloat16(offset, little);
}

/** The upper half of a float32. */
function brainValue(view: DataView, offset: number, little: boolean): number {
  const float32 = new DataView(new ArrayBuffer(4));
  float32.setUint16(0, view.getUint16(offset, little));
  return float32.getFloat32(0);
}

/** The elements that tensors look at. */
export interface TorchStorage {
  readonly type: ElementType;
  /** How many elements the pickle says it has. */
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
}

/** How a tensor looks at a storage: lengths and steps of each dimension, in elements. */
export interface TorchView {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** What is wrong with a view, if anything: all of its elements must be in the storage, and not more than that has. */
export function viewFault(
  { offset, shape, strides }: TorchView,
  length: number,
): string | undefined {
  if (shape.length !== strides.length) {
    return `it has ${shape.length} dimensions but ${strides.length} strides`;
  }
  if (shape.includes(0)) return undefined;
  const last = shape.reduce(
    (sum, size, axis) => sum + (size - 1) * (strides[axis] as number),
    offset,
  );
  if (last >= length) {
    return `it looks at element ${last} of a storage of ${length}`;
  }
  const count = countElements(shape);
  return count > length
    ? `it has ${count} elements in a storage of ${length}`
    : undefined;
}

/** The elements of a view that {@linkcode viewFault} finds nothing wrong with, last index fastest. */
export function readView(
  { type, bytes, littleEndian }: TorchStorage,
  layout: TorchView,
): TorchData {
  const data = new type.array(countElements(layout.shape));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  visitElements(layout, (from, to) => {
    data[to] = type.get(view, from * type.size, littleEndian);
  });
  return data;
}
