/**
 * MATLAB's files of versions 5 to 7, packed or not: the matrices of numbers in them, those in
 * structures, too. Version 7.3 is HDF5.
 *
 * Format: MAT-File Format, The MathWorks, https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
 *
 * @module
 */

import { ByteCursor, numbersIn, type NumberType, sizeOf } from "./bytes.ts";
import { cannotRead, type Fail } from "./input_error.ts";

/** A matrix of a file that may hold several. */
export interface NamedMatrix {
  /** Its name, after those of the structures that it is in: "s.W". */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /**
   * Calls `visit` with each entry that is not 0, column after column.
   *
   * @throws {InputError} If the entries of a sparse matrix are none of it, or whole numbers lie beyond ±(2⁵³ − 1).
   */
  entries(visit: (row: number, column: number, value: number) => void): void;
}

const MOST_UNPACKED = 2 ** 31;

/** Types of elements that hold numbers, by their codes. */
const NUMBER_TYPES: Readonly<Record<number, NumberType>> = {
  1: "i1",
  2: "u1",
  3: "i2",
  4: "u2",
  5: "i4",
  6: "u4",
  7: "f4",
  9: "f8",
  12: "i8",
  13: "u8",
};
const MATRIX = 14;
const PACKED = 15;
/** Classes of arrays. */
const STRUCT = 2;
const SPARSE = 5;
const FIRST_NUMERIC = 6;
const LAST_NUMERIC = 15;
const MOST_DEPTH = 20;

const CUT_SHORT = "it is cut short";

/**
 * Reads the matrices of two dimensions.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @throws {InputError} If it is no such file, or is cut short.
 */
export async function readMat(
  bytes: Uint8Array<ArrayBuffer>,
  { name }: { readonly name: string },
): Promise<NamedMatrix[]> {
  const fail: Fail = cannotRead(name);
  const order = latin1(bytes.subarray(126, 128));
  if (order !== "IM" && order !== "MI") {
    return fail("it is no MAT file of version 5 or later");
  }
  const options = { little: order === "IM", fail };
  const found: NamedMatrix[] = [];
  const file = new Elements(bytes.subarray(128), options);
  while (file.cursor.left > 0) {
    let { type, bytes } = file.next();
    if (type === PACKED) {
      const unpacked = await unpack(bytes, fail);
      ({ type, bytes } = new Elements(unpacked, options).next());
    }
    if (type === MATRIX) readArray(new Elements(bytes, options), found);
  }
  return found;
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

async function unpack(packed: Uint8Array, fail: Fail): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream()
      .pipeThrough(new DecompressionStream("deflate"));
    for await (const piece of stream) {
      pieces.push(piece);
      length += piece.length;
      if (length > MOST_UNPACKED) break;
    }
  } catch {
    return fail("a packed part of it is damaged");
  }
  if (length > MOST_UNPACKED) {
    return fail(`more than ${MOST_UNPACKED / 1e6} MB come out of its packing`);
  }
  return await new Blob(pieces).bytes();
}

interface Numbers {
  readonly count: number;
  readonly get: (index: number) => number;
}

class Elements {
  readonly cursor: ByteCursor;

  constructor(
    bytes: Uint8Array,
    readonly options: { readonly little: boolean; readonly fail: Fail },
  ) {
    this.cursor = new ByteCursor(bytes, { ...options, ended: CUT_SHORT });
  }

  next(): { type: number; bytes: Uint8Array } {
    const { cursor, options: { little, fail } } = this;
    const tag = cursor.number("u4", little);
    // Up to four bytes stand in the tag itself.
    const small = tag >>> 16;
    const type = tag & 0xffff;
    if (small > 4) return fail(CUT_SHORT);
    if (small > 0) return { type, bytes: cursor.take(4).subarray(0, small) };
    const bytes = cursor.take(cursor.number("u4", little));
    const padding = type === PACKED ? 0 : -bytes.length & 7;
    cursor.take(Math.min(padding, cursor.left));
    return { type, bytes };
  }

  numbers(): Numbers {
    const { type: code, bytes } = this.next();
    const { fail } = this.options;
    const type = NUMBER_TYPES[code] ??
      fail(`it holds an element of type ${code} for numbers`);
    const count = Math.floor(bytes.length / sizeOf(type));
    const get = numbersIn(bytes, { type, ...this.options });
    return {
      count,
      get: (index) => index < count ? get(index) : fail(CUT_SHORT),
    };
  }

  text(): string {
    return latin1(this.next().bytes);
  }
}

/** Finds the matrices of an array: itself, or those in a structure's fields. */
function readArray(
  elements: Elements,
  found: NamedMatrix[],
  prefix = "",
  depth = 0,
): void {
  // An array of nothing has no parts.
  if (elements.cursor.left === 0) return;
  const { fail } = elements.options;
  const kind = elements.numbers().get(0) & 0xff;
  const sizes = elements.numbers();
  const name = prefix + elements.text();
  const [rows, columns] = [sizes.get(0), sizes.get(1)];
  if (sizes.count !== 2 || !(rows >= 0 && columns >= 0)) return;
  if (kind === STRUCT && rows * columns === 1 && depth < MOST_DEPTH) {
    const width = elements.numbers().get(0);
    const names = elements.text();
    if (!(width > 0)) return;
    for (let at = 0; at < names.length; at += width) {
      const label = names.slice(at, at + width).replace(/\0.*$/s, "");
      const { type, bytes } = elements.next();
      if (type !== MATRIX) continue;
      const field = new Elements(bytes, elements.options);
      readArray(field, found, `${name}.${label}`, depth + 1);
    }
  } else if (kind === SPARSE) {
    const [row, start, value] = [
      elements.numbers(),
      elements.numbers(),
      elements.numbers(),
    ];
    const noMatrix = () => fail(`the arrays of ${name} make no sparse matrix`);
    if (start.count !== columns + 1) noMatrix();
    const entries: NamedMatrix["entries"] = (visit) => {
      for (let column = 0; column < columns; column++) {
        const [first, end] = [start.get(column), start.get(column + 1)];
        if (!(first >= 0 && first <= end && end <= value.count)) noMatrix();
        for (let entry = first; entry < end; entry++) {
          const at = row.get(entry);
          if (!(at >= 0 && at < rows)) {
            fail(`${name} has an entry in row ${at} of ${rows}`);
          }
          const number = value.get(entry);
          if (number !== 0) visit(at, column, number);
        }
      }
    };
    found.push({ name, rows, columns, entries });
  } else if (kind >= FIRST_NUMERIC && kind <= LAST_NUMERIC) {
    const { count, get } = elements.numbers();
    if (count !== rows * columns) {
      fail(`${name} of ${rows} × ${columns} holds ${count} numbers`);
    }
    const entries: NamedMatrix["entries"] = (visit) => {
      for (let entry = 0; entry < count; entry++) {
        const value = get(entry);
        if (value !== 0) {
          visit(entry % rows, Math.floor(entry / rows), value);
        }
      }
    };
    found.push({ name, rows, columns, entries });
  }
}
