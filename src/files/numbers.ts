/**
 * Numbers and arrays of several dimensions, as all formats have them.
 *
 * @module
 */

import type { Fail } from "./input_error.ts";

/** Reads a number of a file. */
export type ReadNumber = (
  view: DataView,
  offset: number,
  littleEndian: boolean,
) => number;

/** Types of numbers: boolean, signed, unsigned, floating; the digit is the size in bytes. */
export type NumberType =
  | "b1"
  | "i1"
  | "i2"
  | "i4"
  | "i8"
  | "u1"
  | "u2"
  | "u4"
  | "u8"
  | "f4"
  | "f8";

/** How each type is read. */
const NUMBERS: Readonly<Record<NumberType, ReadNumber>> = {
  b1: (view, offset) => view.getUint8(offset) === 0 ? 0 : 1,
  i1: (view, offset) => view.getInt8(offset),
  i2: (view, offset, little) => view.getInt16(offset, little),
  i4: (view, offset, little) => view.getInt32(offset, little),
  i8: (view, offset, little) => Number(view.getBigInt64(offset, little)),
  u1: (view, offset) => view.getUint8(offset),
  u2: (view, offset, little) => view.getUint16(offset, little),
  u4: (view, offset, little) => view.getUint32(offset, little),
  u8: (view, offset, little) => Number(view.getBigUint64(offset, little)),
  f4: (view, offset, little) => view.getFloat32(offset, little),
  f8: (view, offset, little) => view.getFloat64(offset, little),
};

/** How a type is read; an integer that a double does not hold is refused. */
export function numberReader(type: NumberType, fail: Fail): ReadNumber {
  const read = NUMBERS[type];
  if (type !== "i8" && type !== "u8") return read;
  return (view, offset, littleEndian) => {
    const value = read(view, offset, littleEndian);
    if (Number.isSafeInteger(value)) return value;
    return fail(`its integer ${value} lies beyond ±(2^53 - 1)`);
  };
}

/** Whether a text names a type. */
export function isNumberType(text: string): text is NumberType {
  return Object.hasOwn(NUMBERS, text);
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
      const length = shape[axis] as number;
      const stride = strides[axis] as number;
      from += stride;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < length) break;
      from -= stride * length;
      index[axis] = 0;
    }
  }
}
