/**
 * MATLAB's files of versions 5 to 7, packed or not: the matrices of numbers in them, those in
 * structures, too. Version 7.3 is HDF5.
 *
 * Format: MAT-File Format, The MathWorks, https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
 *
 * @module
 */

import { cannotRead, type Fail } from "./input_error.ts";
import { numberReader, type NumberType } from "./numbers.ts";

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

/** Most bytes that come out of packed ones. */
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
/** Structures in structures. */
const MOST_DEPTH = 20;

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
  const order = new TextDecoder("latin1").decode(bytes.subarray(126, 128));
  if (order !== "IM" && order !== "MI") {
    return fail("it is no MAT file of version 5 or later");
  }
  const little = order === "IM";
  const found: NamedMatrix[] = [];
  const file = new Elements(bytes, { little, fail });
  for (let at = 128; at < bytes.length;) {
    const element = file.at(at, bytes.length);
    at = element.next;
    if (element.type !== PACKED) {
      readArray(file, { element, prefix: "", found, depth: 0 });
      continue;
    }
    const packed = bytes.subarray(element.start, element.end);
    const inside = new Elements(await unpack(packed, fail), { little, fail });
    const whole = inside.at(0, inside.length);
    readArray(inside, { element: whole, prefix: "", found, depth: 0 });
  }
  return found;
}

async function unpack(
  packed: Uint8Array<ArrayBuffer>,
  fail: Fail,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    const stream = new Blob([packed]).stream()
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

/** An element: what it holds, and where. */
interface Element {
  readonly type: number;
  readonly start: number;
  readonly end: number;
  /** Where the next one begins. */
  readonly next: number;
}

/** The elements of a file, or of a packed part of it. */
class Elements {
  readonly #view: DataView;
  readonly #little: boolean;
  readonly length: number;
  readonly fail: Fail;

  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    { little, fail }: {
      readonly little: boolean;
      readonly fail: Fail;
    },
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#little = little;
    this.length = bytes.length;
    this.fail = fail;
  }

  /** The element at a place, which has to end before another. */
  at(at: number, end: number): Element {
    if (at + 8 > end) return this.fail("it is cut short");
    const tag = this.#view.getUint32(at, this.#little);
    // Up to four bytes stand in the tag itself.
    const small = tag >>> 16;
    const type = tag & 0xffff;
    const size = small > 0 ? small : this.#view.getUint32(at + 4, this.#little);
    const start = at + (small > 0 ? 4 : 8);
    if (start + size > end || small > 4) return this.fail("it is cut short");
    const padded = type === PACKED ? size : Math.ceil(size / 8) * 8;
    return {
      type,
      start,
      end: start + size,
      next: small > 0 ? at + 8 : Math.min(end, start + padded),
    };
  }

  /** How many numbers an element holds, and each of them. */
  numbers({ type, start, end }: Element): {
    readonly count: number;
    readonly get: (index: number) => number;
  } {
    const kind = NUMBER_TYPES[type];
    if (kind === undefined) {
      return this.fail(`it holds an element of type ${type} for numbers`);
    }
    const size = Number(kind[1]);
    const get = numberReader(kind, this.fail);
    const count = Math.floor((end - start) / size);
    return {
      count,
      get: (index) => {
        if (!(index < count)) return this.fail("it is cut short");
        return get(this.#view, start + index * size, this.#little);
      },
    };
  }

  text({ start, end }: Element): string {
    const { buffer, byteOffset } = this.#view;
    return new TextDecoder("latin1").decode(
      new Uint8Array(buffer, byteOffset + start, end - start),
    );
  }
}

/** Finds the matrices of an array: itself, or those in a structure's fields. */
function readArray(
  elements: Elements,
  { element, prefix, found, depth }: {
    readonly element: Element;
    readonly prefix: string;
    readonly found: NamedMatrix[];
    readonly depth: number;
  },
): void {
  // An array of nothing has no parts.
  if (element.type !== MATRIX || element.start === element.end) return;
  let at = element.start;
  const next = () => {
    const part = elements.at(at, element.end);
    at = part.next;
    return part;
  };
  const kind = elements.numbers(next()).get(0) & 0xff;
  const sizes = elements.numbers(next());
  const own = elements.text(next());
  const name = prefix + own;
  const [rows, columns] = [sizes.get(0), sizes.get(1)];
  if (sizes.count !== 2 || !(rows >= 0 && columns >= 0)) return;
  if (kind === STRUCT && rows * columns === 1 && depth < MOST_DEPTH) {
    const width = elements.numbers(next()).get(0);
    const names = elements.text(next());
    if (!(width > 0)) return;
    for (let field = 0; field * width < names.length; field++) {
      const label = names.slice(field * width, (field + 1) * width);
      readArray(elements, {
        element: next(),
        prefix: `${name}.${label.replace(/\0.*$/s, "")}`,
        found,
        depth: depth + 1,
      });
    }
  }
  if (kind === SPARSE) {
    const [row, start, value] = [next(), next(), next()].map((part) =>
      elements.numbers(part)
    ) as [Numbers, Numbers, Numbers];
    found.push({
      name,
      rows,
      columns,
      entries: (visit) => {
        for (let column = 0; column < columns; column++) {
          const [first, end] = [start.get(column), start.get(column + 1)];
          if (!(first >= 0 && first <= end && end <= value.count)) {
            elements.fail(`the arrays of ${name} make no sparse matrix`);
          }
          for (let entry = first; entry < end; entry++) {
            const at = row.get(entry);
            if (!(at >= 0 && at < rows)) {
              elements.fail(`${name} has an entry in row ${at} of ${rows}`);
            }
            const number = value.get(entry);
            if (number !== 0) visit(at, column, number);
          }
        }
      },
    });
    if (start.count !== columns + 1) {
      elements.fail(`the arrays of ${name} make no sparse matrix`);
    }
  }
  if (kind < FIRST_NUMERIC || kind > LAST_NUMERIC) return;
  const { count, get } = elements.numbers(next());
  if (count !== rows * columns) {
    elements.fail(`${name} of ${rows} × ${columns} holds ${count} numbers`);
  }
  found.push({
    name,
    rows,
    columns,
    entries: (visit) => {
      for (let entry = 0; entry < count; entry++) {
        const value = get(entry);
        if (value !== 0) {
          visit(entry % rows, Math.floor(entry / rows), value);
        }
      }
    },
  });
}

/** Numbers of an element. */
type Numbers = ReturnType<Elements["numbers"]>;
