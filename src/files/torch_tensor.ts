/**
 * Where the numbers of PyTorch's tensors lie: storages, and the views that
 * tensors are on them.
 *
 * @module
 */

import { countElements, visitElements } from "./shape.ts";

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
  /** An array for the elements as they are given out. */
  readonly allocate: (length: number) => TorchData;
  readonly get: (view: DataView, offset: number, little: boolean) => number;
}

/** By the name of PyTorch's class. */
export const STORAGE_TYPES: ReadonlyMap<string, ElementType> = new Map<
  string,
  ElementType
>([
  ["torch.DoubleStorage", {
    dtype: "float64",
    size: 8,
    allocate: (length) => new Float64Array(length),
    get: (view, offset, little) => view.getFloat64(offset, little),
  }],
  ["torch.FloatStorage", {
    dtype: "float32",
    size: 4,
    allocate: (length) => new Float32Array(length),
    get: (view, offset, little) => view.getFloat32(offset, little),
  }],
  ["torch.HalfStorage", {
    dtype: "float16",
    size: 2,
    allocate: (length) => new Float32Array(length),
    get: (view, offset, little) => halfValue(view.getUint16(offset, little)),
  }],
  ["torch.BFloat16Storage", {
    dtype: "bfloat16",
    size: 2,
    allocate: (length) => new Float32Array(length),
    get: (view, offset, little) => brainValue(view.getUint16(offset, little)),
  }],
  ["torch.LongStorage", {
    dtype: "int64",
    size: 8,
    allocate: (length) => new Float64Array(length),
    get: (view, offset, little) => Number(view.getBigInt64(offset, little)),
  }],
  ["torch.IntStorage", {
    dtype: "int32",
    size: 4,
    allocate: (length) => new Int32Array(length),
    get: (view, offset, little) => view.getInt32(offset, little),
  }],
  ["torch.ShortStorage", {
    dtype: "int16",
    size: 2,
    allocate: (length) => new Int16Array(length),
    get: (view, offset, little) => view.getInt16(offset, little),
  }],
  ["torch.CharStorage", {
    dtype: "int8",
    size: 1,
    allocate: (length) => new Int8Array(length),
    get: (view, offset) => view.getInt8(offset),
  }],
  ["torch.ByteStorage", {
    dtype: "uint8",
    size: 1,
    allocate: (length) => new Uint8Array(length),
    get: (view, offset) => view.getUint8(offset),
  }],
  ["torch.BoolStorage", {
    dtype: "bool",
    size: 1,
    allocate: (length) => new Uint8Array(length),
    get: (view, offset) => view.getUint8(offset) === 0 ? 0 : 1,
  }],
]);

/** IEEE half precision: sign, 5 bits of exponent, 10 of fraction. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The upper half of a float32. */
function brainValue(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits * 65536);
  return view.getFloat32(0);
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
  const data = type.allocate(countElements(layout.shape));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  visitElements(layout, (from, to) => {
    data[to] = type.get(view, from * type.size, littleEndian);
  });
  return data;
}
