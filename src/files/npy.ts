/**
 * NumPy's array files, `.npy`: versions 1 to 3 are read, version 1 is written
 * byte for byte as `numpy.save` does.
 *
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @module
 */

import { parsePythonLiteral, type PythonValue } from "../python/literal.ts";
import { reprPython, reprTuple } from "../python/repr.ts";
import { listNames, quote, shorten } from "../text/words.ts";
import {
  ByteCursor,
  countElements,
  isCount,
  isNumberType,
  numbersIn,
  type NumberType,
  sizeOf,
  visitElements,
} from "./bytes.ts";
import { cannotRead, type Fail } from "./input_error.ts";

/** An array read from a file. */
interface NpyArray {
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  /** Element type in the file. */
  readonly dtype: NumberType;
  /** The elements, last index fastest, whatever the order in the file; booleans as 0 and 1. */
  readonly data: Float64Array;
}

interface NpyHeader {
  /** Element type, e.g. `<f8`. */
  readonly descr: string;
  readonly shape: readonly number[];
  /** The first index is fastest. */
  readonly fortranOrder: boolean;
  readonly dataStart: number;
}

/** NumPy itself allows 64 dimensions. */
const MAX_DIMENSIONS = 64;

const VERSIONS = ["1.0", "2.0", "3.0"];
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Reads an `.npy` file.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @returns The array, row-major, in float64. Memory is proportional to the size of the file.
 * @throws {InputError} If the file is not in NPY format, is cut short or too long for its shape, holds elements
 * that are no plain numbers, or 64-bit integers beyond ±(2⁵³ − 1).
 */
export function readNpy(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): NpyArray {
  const fail: Fail = cannotRead(name);
  const header = readTypedHeader(bytes, fail);
  const { shape, type: dtype } = header;
  const own = bytes.subarray(header.dataStart);
  assertFollow(own.length, header);
  const get = numbersIn(own, header);
  const data = new Float64Array(countElements(shape));
  if (header.fortranOrder) {
    const strides = shape.map((_, i) => countElements(shape.slice(0, i)));
    visitElements({ shape, strides }, (from, to) => {
      data[to] = get(from);
    });
  } else {
    for (let i = 0; i < data.length; i++) data[i] = get(i);
  }
  return { shape, dtype, data };
}

function assertFollow(
  found: number,
  { shape, type, fail }: TypedHeader,
): void {
  const size = sizeOf(type);
  if (found === countElements(shape) * size) return;
  fail(
    `its header says shape (${
      shape.join(", ")
    }) of ${size}-byte elements, but ${found} bytes follow it`,
  );
}

/** More bytes than the header of a matrix has. */
const LONGEST_HEADER = 65_536;

/**
 * Reads a matrix in an `.npy` file piece by piece, so that it need not fit into memory.
 *
 * @param chunks The file.
 * @param options `name` of the file, for messages; `onShape` may throw; `onElement` is given each
 * element that is not 0, in the order of the file.
 * @throws {InputError} As {@linkcode readNpy}.
 */
export async function scanNpyMatrix(
  chunks: AsyncIterable<Uint8Array>,
  { name, onShape, onElement }: {
    readonly name: string;
    readonly onShape: (shape: readonly number[]) => void;
    readonly onElement: (value: number, row: number, column: number) => void;
  },
): Promise<void> {
  const fail: Fail = cannotRead(name);
  const pieces = chunks[Symbol.asyncIterator]();
  let bytes = new Uint8Array();
  /** Whether there was one more piece, which then stands behind what is left of those before. */
  const more = async () => {
    const { done, value } = await pieces.next();
    if (done === true) return false;
    const joined = new Uint8Array(bytes.length + value.length);
    joined.set(bytes);
    joined.set(value, bytes.length);
    bytes = joined;
    return true;
  };
  while (bytes.length < LONGEST_HEADER && await more());
  const header = readTypedHeader(bytes, fail);
  const { shape, fortranOrder } = header;
  onShape(shape);
  const [rows = 0, columns = 0] = shape;
  const across = fortranOrder ? rows : columns;
  const size = sizeOf(header.type);
  bytes = bytes.slice(header.dataStart);
  let followed = bytes.length;
  let outer = 0, inner = 0;
  for (let left = rows * columns;;) {
    const here = Math.min(left, Math.floor(bytes.length / size));
    const get = numbersIn(bytes, header);
    for (let element = 0; element < here; element++) {
      const value = get(element);
      if (value !== 0) {
        if (fortranOrder) onElement(value, inner, outer);
        else onElement(value, outer, inner);
      }
      if (++inner === across) [inner, outer] = [0, outer + 1];
    }
    left -= here;
    bytes = left === 0 ? new Uint8Array() : bytes.slice(here * size);
    const before = bytes.length;
    if (!await more()) break;
    followed += bytes.length - before;
  }
  assertFollow(followed, header);
}

function readHeader(bytes: Uint8Array, fail: Fail): NpyHeader {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    return fail('it is no NPY file: it does not begin with "\\x93NUMPY"');
  }
  const cursor = new ByteCursor(bytes, {
    fail,
    position: MAGIC.length,
    ended: "it ends within its header",
  });
  const version = [cursor.number("u1"), cursor.number("u1")].join(".");
  if (!VERSIONS.includes(version)) {
    fail(
      `its NPY version is ${version}; ${
        listNames(VERSIONS, "and")
      } can be read`,
    );
  }
  const length = cursor.number(version === "1.0" ? "u2" : "u4");
  // Plain numbers need ASCII only; Latin-1 never fails, so that the parser can say what is wrong.
  const text = new TextDecoder("latin1").decode(cursor.take(length));
  return {
    ...parseHeader(
      text,
      (what) => fail(`its NPY header is not valid: ${what}`),
    ),
    dataStart: cursor.position,
  };
}

/** The header is a Python dict of three entries; Python 2 wrote its integers as 4L. */
function parseHeader(
  text: string,
  broken: Fail,
): Omit<NpyHeader, "dataStart"> {
  const dict = parsePythonLiteral(
    text.replace(/(\d)L(?=\s*[,)])/g, "$1"),
    ({ message }) => broken(message),
  );
  if (dict.kind !== "dict") return broken("it is no dict");
  const entries = new Map<string, PythonValue>();
  for (const { key, value } of dict.entries) {
    const name = key.kind === "string" ? key.value : reprPython(key);
    if (!ENTRIES.includes(name) || entries.has(name)) {
      return broken(`unexpected key ${quote(name)}`);
    }
    entries.set(name, value);
  }
  const [descr, fortranOrder, shape] = ENTRIES.map((name) =>
    entries.get(name) ?? broken(`${name} is missing`)
  );
  if (descr?.kind !== "string") {
    return broken("its elements are records, not plain numbers");
  }
  if (fortranOrder?.kind !== "boolean") {
    return broken(`fortran_order is ${found(fortranOrder)}`);
  }
  if (shape?.kind !== "tuple") {
    return broken(`the shape is no tuple, but ${found(shape)}`);
  }
  if (shape.items.length > MAX_DIMENSIONS) {
    return broken(`the shape has more than ${MAX_DIMENSIONS} dimensions`);
  }
  return {
    descr: descr.value,
    fortranOrder: fortranOrder.value,
    shape: shape.items.map((item) => {
      const length = item.kind === "integer" ? Number(item.value) : -1;
      return isCount(length)
        ? length
        : broken(`the shape holds ${found(item)}`);
    }),
  };
}

/** NumPy's own words, in the order in which it asks for them. */
const ENTRIES: readonly string[] = ["descr", "fortran_order", "shape"];

function found(value: PythonValue | undefined): string {
  return value === undefined ? "nothing" : shorten(reprPython(value));
}

type TypedHeader = ReturnType<typeof readTypedHeader>;

function readTypedHeader(bytes: Uint8Array, fail: Fail) {
  const header = readHeader(bytes, fail);
  const { descr } = header;
  // Without a byte order it is the machine's, which is little-endian everywhere.
  const [, order = "", type = ""] = /^([<>|=]?)(.*)$/s.exec(descr) ?? [];
  if (isNumberType(type)) {
    return { ...header, type, little: order !== ">", fail };
  }
  return fail(
    `its elements are of type '${
      descr.slice(0, 20)
    }'; booleans, integers and floats of 2, 4 or 8 bytes can be read`,
  );
}

/**
 * The bytes of an `.npy` file, the same that `numpy.save` writes.
 *
 * @returns Version 1.0, little-endian, C order.
 * @throws {RangeError} If data has not as many elements as the shape says.
 */
export function writeNpy(
  { shape, data, boolean = false }: {
    readonly shape: readonly number[];
    readonly data:
      | Float64Array
      | Float32Array
      | BigInt64Array
      | Int32Array
      | Uint8Array;
    readonly boolean?: boolean;
  },
): Uint8Array<ArrayBuffer> {
  const tuple = `(${shape.join(", ")})`;
  if (!shape.every(isCount)) {
    throw new RangeError(`Cannot write an array of shape ${tuple}`);
  }
  if (countElements(shape) !== data.length) {
    throw new RangeError(
      `Cannot write ${data.length} elements as shape ${tuple}`,
    );
  }
  if (boolean && !(data instanceof Uint8Array)) {
    throw new TypeError("Cannot write booleans: data must be a Uint8Array");
  }
  const descr = boolean
    ? "|b1"
    : DESCRS.find(([array]) => data instanceof array)![1];
  // All machines that Deno runs on are little-endian, as the file is.
  const { buffer, byteOffset, byteLength } = data;
  return formatFile(
    descr,
    shape,
    new Uint8Array(buffer, byteOffset, byteLength),
  );
}

const DESCRS = [
  [Float64Array, "<f8"],
  [Float32Array, "<f4"],
  [BigInt64Array, "<i8"],
  [Int32Array, "<i4"],
  [Uint8Array, "|u1"],
] as const;

/**
 * The bytes of an `.npy` file with a text of bytes and no dimension, the same
 * that `numpy.save` writes for `text.encode("ascii")`.
 *
 * @throws {RangeError} If the text is empty, or not in printable ASCII.
 */
export function writeNpyText(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[ -~]+$/.test(text)) {
    throw new RangeError(
      `Cannot write ${JSON.stringify(text.slice(0, 40))} as printable ASCII`,
    );
  }
  return formatFile(`|S${text.length}`, [], new TextEncoder().encode(text));
}

/**
 * Reads an `.npy` file with a text of bytes and no dimension.
 *
 * @param options `name` of the file, for messages.
 * @returns The text, a character a byte, without the zeros at its end.
 * @throws {InputError} If the file is not in NPY format, is cut short or holds anything else.
 */
export function readNpyText(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): string {
  const fail: Fail = cannotRead(name);
  const { descr, shape, dataStart } = readHeader(bytes, fail);
  const size = /^\|S(\d{1,9})$/.exec(descr)?.[1];
  if (size === undefined || shape.length > 0) {
    return fail(
      `it should hold one text of bytes, but holds type '${
        descr.slice(0, 20)
      }' of shape (${shape.join(", ")})`,
    );
  }
  if (Number(size) !== bytes.length - dataStart) {
    fail(
      `its header says ${size} bytes, but ${
        bytes.length - dataStart
      } bytes follow it`,
    );
  }
  return new TextDecoder("latin1").decode(bytes.subarray(dataStart))
    .replace(/\0+$/, "");
}

/** Version 1: the first dimension has room to grow to 21 digits, and the data begins at a multiple of 64 bytes. */
function formatFile(
  descr: string,
  shape: readonly number[],
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const growth = shape.length === 0 ? 0 : 21 - String(shape[0]).length;
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${
    reprTuple(shape.map(String))
  }, }${" ".repeat(growth)}`;
  const dataStart = Math.ceil((10 + header.length + 1) / 64) * 64;
  const bytes = new Uint8Array(dataStart + data.length);
  bytes.set([...MAGIC, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, dataStart - 10, true);
  const text = header.padEnd(dataStart - 11) + "\n";
  bytes.set(new TextEncoder().encode(text), 10);
  bytes.set(data, dataStart);
  return bytes;
}
