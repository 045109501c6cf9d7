/**
 * NumPy's array files, `.npy`: versions 1 to 3 are read, version 1 is written
 * byte for byte as `numpy.save` does.
 *
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @module
 */

import {
  parsePythonLiteral,
  PythonLiteralError,
  type PythonValue,
} from "../python/literal.ts";
import { reprPython } from "../python/repr.ts";
import { quote, shorten } from "../text/words.ts";
import { cannotRead, type Fail } from "./input_error.ts";
import {
  countElements,
  isNumberType,
  numberReader,
  type NumberType,
  visitElements,
} from "./numbers.ts";

/** An array read from a file. */
export interface NpyArray {
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  /** Element type in the file. */
  readonly dtype: NumberType;
  /** The elements, last index fastest, whatever the order in the file; booleans as 0 and 1. */
  readonly data: Float64Array;
}

/** An array to write. */
interface NpyContent {
  /** Length of each dimension. */
  readonly shape: readonly number[];
  /** The elements, last index fastest; the array's class gives the type in the file. */
  readonly data:
    | Float64Array
    | Float32Array
    | BigInt64Array
    | Int32Array
    | Uint8Array;
  /** Write a `Uint8Array` of 0 and 1 as booleans. Default false. */
  readonly boolean?: boolean;
}

/** What the header says. */
interface NpyHeader {
  /** Element type, e.g. `<f8`. */
  readonly descr: string;
  /** The first index is fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** NumPy itself allows 64 dimensions. */
const MAX_DIMENSIONS = 64;

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
  const { header, dataStart } = readHeader(bytes, fail);
  const { shape, fortranOrder } = header;
  const { dtype, littleEndian } = parseDescr(header.descr, fail);
  const itemSize = Number(dtype[1]);
  const dataBytes = bytes.length - dataStart;
  const count = countElements(shape);
  if (count * itemSize !== dataBytes) {
    fail(
      `its header says shape (${
        shape.join(", ")
      }) of ${itemSize}-byte elements, but ${dataBytes} bytes follow it`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataStart);
  const get = numberReader(dtype, fail);
  const data = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    data[i] = get(view, i * itemSize, littleEndian);
  }
  return {
    shape,
    dtype,
    data: fortranOrder ? toRowMajor(data, shape) : data,
  };
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
  const { header, dataStart } = readHeader(bytes, fail);
  const { shape, fortranOrder } = header;
  const { dtype, littleEndian } = parseDescr(header.descr, fail);
  onShape(shape);
  const [rows = 0, columns = 0] = shape;
  const size = Number(dtype[1]);
  const get = numberReader(dtype, fail);
  const across = fortranOrder ? rows : columns;
  bytes = bytes.slice(dataStart);
  let followed = bytes.length;
  let outer = 0, inner = 0;
  for (let left = rows * columns;;) {
    const here = Math.min(left, Math.floor(bytes.length / size));
    const view = new DataView(bytes.buffer);
    for (let element = 0; element < here; element++) {
      const value = get(view, element * size, littleEndian);
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
  if (followed !== rows * columns * size) {
    fail(
      `its header says shape (${
        shape.join(", ")
      }) of ${size}-byte elements, but ${followed} bytes follow it`,
    );
  }
}

function readHeader(
  bytes: Uint8Array,
  fail: Fail,
): { header: NpyHeader; dataStart: number } {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    return fail('it is no NPY file: it does not begin with "\\x93NUMPY"');
  }
  const [major, minor] = bytes.subarray(6, 8);
  if (bytes.length < 10 || major === undefined) {
    return fail("it ends within its header");
  }
  if (major < 1 || major > 3 || minor !== 0) {
    return fail(
      `its NPY version is ${major}.${minor}; 1.0, 2.0 and 3.0 can be read`,
    );
  }
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start) return fail("it ends within its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = major === 1
    ? view.getUint16(8, true)
    : view.getUint32(8, true);
  const dataStart = start + length;
  if (dataStart > bytes.length) return fail("it ends within its header");
  // Plain numbers need ASCII only; Latin-1 never fails, so that the parser can say what is wrong.
  const text = new TextDecoder("latin1").decode(
    bytes.subarray(start, dataStart),
  );
  return {
    header: parseHeader(
      text,
      (what) => fail(`its NPY header is not valid: ${what}`),
    ),
    dataStart,
  };
}

/** The header is a Python dict of three entries; Python 2 wrote its integers as 4L. */
function parseHeader(
  text: string,
  broken: Fail,
): NpyHeader {
  const dict = literalOf(text.replace(/(\d)L(?=\s*[,)])/g, "$1"), broken);
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
      return Number.isSafeInteger(length) && length >= 0
        ? length
        : broken(`the shape holds ${found(item)}`);
    }),
  };
}

/** NumPy's own words, in the order in which it asks for them. */
const ENTRIES: readonly string[] = ["descr", "fortran_order", "shape"];

function literalOf(
  text: string,
  broken: Fail,
): PythonValue {
  try {
    return parsePythonLiteral(text);
  } catch (error) {
    if (!(error instanceof PythonLiteralError)) throw error;
    return broken(error.message);
  }
}

function found(value: PythonValue | undefined): string {
  return value === undefined ? "nothing" : shorten(reprPython(value));
}

function parseDescr(
  descr: string,
  fail: Fail,
): { dtype: NumberType; littleEndian: boolean } {
  // Without a byte order it is the machine's, which is little-endian everywhere.
  const [, order = "", dtype = ""] = /^([<>|=]?)(.*)$/s.exec(descr) ?? [];
  if (!isNumberType(dtype)) {
    return fail(
      `its elements are of type '${
        descr.slice(0, 20)
      }'; booleans, integers and floats of 4 or 8 bytes can be read`,
    );
  }
  return { dtype, littleEndian: order !== ">" };
}

/** Reorders elements whose first index is fastest. */
function toRowMajor(
  data: Float64Array,
  shape: readonly number[],
): Float64Array {
  const strides: number[] = [];
  let stride = 1;
  for (const length of shape) {
    strides.push(stride);
    stride *= length;
  }
  const result = new Float64Array(data.length);
  visitElements({ shape, strides }, (from, to) => {
    result[to] = data[from] as number;
  });
  return result;
}

/**
 * The bytes of an `.npy` file, the same that `numpy.save` writes.
 *
 * @returns Version 1.0, little-endian, C order.
 * @throws {RangeError} If data has not as many elements as the shape says.
 */
export function writeNpy(
  { shape, data, boolean = false }: NpyContent,
): Uint8Array<ArrayBuffer> {
  if (shape.some((length) => !Number.isSafeInteger(length) || length < 0)) {
    throw new RangeError(
      `Cannot write an array of shape (${shape.join(", ")})`,
    );
  }
  if (countElements(shape) !== data.length) {
    throw new RangeError(
      `Cannot write ${data.length} elements as shape (${shape.join(", ")})`,
    );
  }
  // All machines that Deno runs on are little-endian, as the file is.
  return formatFile(
    formatHeader(descrOf(data, boolean), shape),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
}

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
  return formatFile(
    formatHeader(`|S${text.length}`, []),
    new TextEncoder().encode(text),
  );
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
  const { header: { descr, shape }, dataStart } = readHeader(bytes, fail);
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

function formatFile(
  header: string,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(10 + header.length + data.length);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(data, 10 + header.length);
  return bytes;
}

function descrOf(data: NpyContent["data"], boolean: boolean): string {
  if (data instanceof Uint8Array) return boolean ? "|b1" : "|u1";
  if (boolean) {
    throw new TypeError("Cannot write booleans: data must be a Uint8Array");
  }
  if (data instanceof Float64Array) return "<f8";
  if (data instanceof BigInt64Array) return "<i8";
  return data instanceof Float32Array ? "<f4" : "<i4";
}

/** The first dimension has room to grow to 21 digits, and the data begins at a multiple of 64 bytes. */
function formatHeader(descr: string, shape: readonly number[]): string {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const growth = shape.length === 0 ? 0 : 21 - String(shape[0]).length;
  const dictionary =
    `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }` +
    " ".repeat(growth);
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  return dictionary.padEnd(length - 1) + "\n";
}
