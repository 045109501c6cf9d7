/**
 * Tensors with names, in the safetensors format, that Python loads in one
 * line: `safetensors.torch.load_file(path)`.
 *
 * A file is: the length of the header (8 bytes, little-endian), the header
 * (JSON: name → type, shape, place), the elements without gaps.
 *
 * Format: https://huggingface.co/docs/safetensors
 *
 * @module
 */

import { createHash } from "node:crypto";
import { ByteCursor, countElements, isCount } from "./bytes.ts";
import { cannotRead, type Fail } from "./input_error.ts";
import { parseJson } from "./json.ts";

const ELEMENTS = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

type SafetensorsDtype = keyof typeof ELEMENTS;
const DTYPES = Object.keys(ELEMENTS) as SafetensorsDtype[];

/** A tensor to write. */
export interface NamedTensor {
  readonly name: string;
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  /** Elements, last index fastest; the class of the array gives the type in the file. */
  readonly data:
    | Float64Array
    | Float32Array
    | BigInt64Array
    | BigUint64Array
    | Int32Array
    | Uint32Array
    | Int16Array
    | Uint16Array
    | Int8Array
    | Uint8Array;
}

/** A tensor read from a file. */
interface SafetensorsTensor extends NamedTensor {
  /** Element type in the file; BOOL comes as bytes of 0 and 1. */
  readonly dtype: SafetensorsDtype;
}

type Metadata = Readonly<Record<string, string>>;

/** The limit of the format's own library. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = "__metadata__";

/** Files of this program have a checksum among their metadata. */
function isOwn({ format = "" }: Metadata): boolean {
  return format.startsWith("biornn-");
}

/**
 * The bytes of a safetensors file; the same content gives the same bytes.
 *
 * @param tensors Written by size of element, largest first, so that all are aligned; otherwise in the given order.
 * @param metadata Free text by key; written in the keys' alphabetic order. Formats of this program get a checksum of
 * tensors and metadata, which {@linkcode decodeSafetensors} verifies.
 * @throws {RangeError} If a tensor's data does not fit its shape, or a name is used twice.
 * @throws {TypeError} If its data is of a class derived from a typed array, as Node's Buffer.
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Metadata = {},
): Uint8Array<ArrayBuffer> {
  const ordered = tensors.toSorted((a, b) =>
    b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT
  );
  const entries = new Map<string, string>();
  const facts = { ...metadata };
  if (isOwn(metadata)) facts.checksum = contentChecksum(tensors, metadata);
  const keys = Object.keys(facts).sort();
  if (keys.length > 0) {
    const texts = keys.map((k) => [k, JSON.stringify(facts[k])] as const);
    entries.set(METADATA, jsonObject(texts));
  }
  let end = 0;
  for (const { name, shape, data } of ordered) {
    if (entries.has(name) || name === METADATA) {
      throw new RangeError(`Cannot write two tensors named "${name}"`);
    }
    if (countElements(shape) !== data.length) {
      throw new RangeError(
        `Cannot write tensor "${name}": ${data.length} elements are not of shape [${shape}]`,
      );
    }
    const dtype = DTYPES.find((dtype) => data.constructor === ELEMENTS[dtype]);
    // A type can't rule out classes that are made from these.
    if (dtype === undefined) {
      throw new TypeError(
        `Cannot write tensor "${name}" of ${data.constructor.name}: use a typed array`,
      );
    }
    const begin = end;
    end += data.byteLength;
    const data_offsets = [begin, end];
    entries.set(name, JSON.stringify({ dtype, shape, data_offsets }));
  }
  const header = new TextEncoder().encode(jsonObject(entries));
  const dataStart = 8 + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(dataStart + end).fill(0x20, 8, dataStart);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.set(header, 8);
  let offset = dataStart;
  for (const { data } of ordered) {
    bytes.set(bytesOf(data), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/** Its entries in their order; JSON.stringify() would put keys first that look like numbers. */
function jsonObject(
  entries: Iterable<readonly [key: string, json: string]>,
): string {
  const texts = Array.from(
    entries,
    ([key, json]) => `${JSON.stringify(key)}:${json}`,
  );
  return `{${texts.join(",")}}`;
}

/** All machines that Deno runs on are little-endian, as the file is. */
function bytesOf(
  { buffer, byteOffset, byteLength }: NamedTensor["data"],
): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** SHA-256 of the tensors and all the metadata but itself. */
function contentChecksum(
  tensors: readonly NamedTensor[],
  { checksum: _itself, ...metadata }: Metadata,
): string {
  const sha256 = (content: Uint8Array | string) =>
    createHash("sha256").update(content).digest("hex");
  const sums = tensors.map(({ name, shape, data }) =>
    `${name} ${shape.join("x")} ${sha256(bytesOf(data))}`
  );
  const facts = Object.keys(metadata).sort().map((k) => `${k}=${metadata[k]}`);
  return sha256([...sums.sort(), ...facts].join("\n"));
}

/**
 * Reads a safetensors file, as strictly as the format's own library.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @returns The tensors, in the order of their elements in the file and with elements of their own, and the metadata.
 * @throws {InputError} If the file is cut short, its header is not valid, a type is unknown, places overlap,
 * leave gaps or do not fit the shapes, a name stands twice, or a file of this program does not fit its checksum.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): {
  readonly tensors: readonly SafetensorsTensor[];
  readonly metadata: Metadata;
} {
  const fail: Fail = cannotRead(name);
  const cursor = new ByteCursor(bytes, {
    fail,
    ended: "it ends within the length of its header",
  });
  const length = cursor.number("u8");
  if (length > MAX_HEADER_BYTES) {
    fail(
      `its header would have ${length} bytes; ${MAX_HEADER_BYTES} are allowed`,
    );
  }
  if (length > cursor.left) {
    fail(
      `its header should have ${length} bytes, but ${cursor.left} are there`,
    );
  }
  const { [METADATA]: facts = {}, ...entries } = headerOf(
    cursor.take(length),
    fail,
  );
  const metadata = metadataOf(facts, fail);
  const places = Object.entries(entries)
    .map(([key, entry]) => placeOf(key, entry, fail))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let next = 0;
  for (const { name, begin, end } of places) {
    if (begin !== next) {
      fail(
        `tensor ${shown(name)} begins at byte ${begin} where ${
          begin < next ? "another one is" : `byte ${next} comes next`
        }`,
      );
    }
    next = end;
  }
  const data = bytes.subarray(cursor.position);
  if (next !== data.length) {
    fail(
      `its tensors take ${next} bytes, but ${data.length} bytes follow its header`,
    );
  }
  const tensors = places.map(({ begin, end, ...tensor }) => {
    // A copy is aligned, which the elements in the file need not be.
    const { buffer } = data.slice(begin, end);
    return { ...tensor, data: new ELEMENTS[tensor.dtype](buffer) };
  });
  if (
    isOwn(metadata) && metadata.checksum !== contentChecksum(tensors, metadata)
  ) fail("its checksum does not fit its content, so it is damaged");
  return { tensors, metadata };
}

type JsonObject = Readonly<Record<string, unknown>>;

function headerOf(bytes: Uint8Array, fail: Fail): JsonObject {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let header: unknown;
  try {
    header = parseJson(utf8.decode(bytes));
  } catch (error) {
    const is = error instanceof SyntaxError
      ? error.message
      : "is no text in UTF-8";
    return fail(`its header ${is}`);
  }
  return isObject(header) ? header : fail("its header is no JSON object");
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function metadataOf(value: unknown, fail: Fail): Metadata {
  if (!isObject(value)) return fail("its metadata is no JSON object");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") fail(`its metadata ${shown(key)} is no text`);
  }
  return value as Metadata;
}

function placeOf(name: string, value: unknown, fail: Fail) {
  if (!isObject(value)) {
    return fail(`its entry ${shown(name)} is no JSON object`);
  }
  const { dtype: type, shape, data_offsets: offsets } = value;
  const wrong = (what: string) => fail(`tensor ${shown(name)} ${what}`);
  const dtype = DTYPES.find((dtype) => dtype === type) ??
    wrong(`has the type ${shown(type)}; allowed are ${DTYPES.join(", ")}`);
  if (!isCounts(shape)) return wrong(`has the shape ${shown(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    return wrong(`has the place ${shown(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const size = countElements(shape) * ELEMENTS[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== size) {
    wrong(
      `of shape [${
        shape.slice(0, 8)
      }] and type ${dtype} takes ${size} bytes, but its place [${begin}, ${end}] has ${
        end - begin
      }`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

/** A value out of the file, short enough for a message; nested ones may be too deep to print. */
function shown(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length <= 8 && value.every((item) => typeof item === "number")
      ? `[${value}]`
      : "[…]";
  }
  if (isObject(value)) return "{…}";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
