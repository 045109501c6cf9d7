/**
 * Bytes: the numbers and arrays in them, read from front to back and never
 * past the end; and their checksums.
 *
 * @module
 */

import type { Fail } from "./input_error.ts";

/** Types of numbers: boolean, signed, unsigned, floating; the digit is the size in bytes. */
export type NumberType =
  | "b1"
  | `${"i" | "u"}${1 | 2 | 4 | 8}`
  | `f${2 | 4 | 8}`;

const READ: Readonly<
  Record<
    NumberType,
    (view: DataView, offset: number, little: boolean) => number
  >
> = {
  b1: (view, offset) => view.getUint8(offset) === 0 ? 0 : 1,
  i1: (view, offset) => view.getInt8(offset),
  i2: (view, offset, little) => view.getInt16(offset, little),
  i4: (view, offset, little) => view.getInt32(offset, little),
  i8: (view, offset, little) => Number(view.getBigInt64(offset, little)),
  u1: (view, offset) => view.getUint8(offset),
  u2: (view, offset, little) => view.getUint16(offset, little),
  u4: (view, offset, little) => view.getUint32(offset, little),
  u8: (view, offset, little) => Number(view.getBigUint64(offset, little)),
  f2: (view, offset, little) => view.getFloat16(offset, little),
  f4: (view, offset, little) => view.getFloat32(offset, little),
  f8: (view, offset, little) => view.getFloat64(offset, little),
};

/** Whether a text names a type. */
export function isNumberType(text: string): text is NumberType {
  return Object.hasOwn(READ, text);
}

export function sizeOf(type: NumberType): number {
  return Number(type[1]);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Gives each of the numbers that bytes hold; an integer that a double does not hold is refused. */
export function numbersIn(
  bytes: Uint8Array,
  { type, little, fail }: {
    readonly type: NumberType;
    readonly little: boolean;
    readonly fail: Fail;
  },
): (index: number) => number {
  const view = viewOf(bytes);
  const read = READ[type];
  const size = sizeOf(type);
  if (size < 8 || type === "f8") {
    return (index) => read(view, index * size, little);
  }
  return (index) => {
    const value = read(view, index * size, little);
    if (Number.isSafeInteger(value)) return value;
    return fail(`its integer ${value} lies beyond ±(2^53 - 1)`);
  };
}

/** A place in a file. */
export class ByteCursor {
  readonly bytes: Uint8Array;
  position: number;
  readonly fail: Fail;
  readonly #view: DataView;
  readonly #ended: string | undefined;

  /** @param options `ended` is what to say of a file that ends too early, instead of where. */
  constructor(
    bytes: Uint8Array,
    { fail, position = 0, ended }: {
      readonly fail: Fail;
      readonly position?: number;
      readonly ended?: string;
    },
  ) {
    this.bytes = bytes;
    this.position = position;
    this.fail = fail;
    this.#view = viewOf(bytes);
    this.#ended = ended;
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  /** The next bytes, as a view of the file. */
  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.bytes.subarray(start, start + count);
  }

  /** The next number; beyond 2⁵³ rounded, which is good for lengths, as no file is that long. */
  number(type: NumberType, little = true): number {
    return READ[type](this.#view, this.#advance(sizeOf(type)), little);
  }

  #advance(count: number): number {
    const start = this.position;
    if (count > this.left) {
      this.fail(
        this.#ended ??
          `it ends after ${this.bytes.length} bytes, but ${count} more are needed at byte ${start}`,
      );
    }
    this.position += count;
    return start;
  }
}

/**
 * Number of elements of an array; Infinity at worst. A file may claim any
 * shape, and 0 · ∞ is no number, so that zeros come first.
 */
export function countElements(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((a, b) => a * b, 1);
}

/** Whether a value of a file can count something. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** How elements lie in memory. */
export interface Layout {
  /** Length of each dimension. */
  readonly shape: readonly number[];
  /** From an element to the next of each dimension, counted in elements. */
  readonly strides: readonly number[];
  /** Where the first element is. Default 0. */
  readonly offset?: number;
}

/**
 * Visits all elements, last index fastest.
 *
 * @param visit Gets the place of an element in memory and its number.
 */
export function visitElements(
  { shape, strides, offset = 0 }: Layout,
  visit: (from: number, to: number) => void,
): void {
  const count = countElements(shape);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let to = 0; to < count; to++) {
    visit(from, to);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** SHA-256 of bytes, as 64 lower-case hexadecimal digits. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  // The digest takes no view of shared memory, which the type leaves open.
  const own = bytes.buffer instanceof ArrayBuffer
    ? bytes as Uint8Array<ArrayBuffer>
    : bytes.slice();
  const digest = await crypto.subtle.digest("SHA-256", own);
  // Not toHex(), which the page's older browsers lack.
  return Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
