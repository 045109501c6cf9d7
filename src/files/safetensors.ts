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
import { cannotRead, type Fail } from "./input_error.ts";
import { parseJson } from "./json.ts";
import { countElements, isCount } from "./numbers.ts";

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

/** Element type, as it is spelled in the file. */
type SafetensorsDtype = keyof typeof ELEMENTS;

/** Elements of a tensor, last index fastest. The class of the array gives the type in the file. */
type SafetensorsData =
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

/** A tensor to write. */
export interface NamedTensor {
  readonly name: string;
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  readonly data: SafetensorsData;
}

/** A tensor read from a file. */
export interface SafetensorsTensor extends NamedTensor {
  /** Element type in the file; BOOL comes as bytes of 0 and 1. */
  readonly dtype: SafetensorsDtype;
}

/** What a file holds. */
interface SafetensorsFile {
  /** In the order of their elements in the file. */
  readonly tensors: readonly SafetensorsTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The limit of the format's own library. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA = "__metadata__";

function dtypeOf(data: SafetensorsData): SafetensorsDtype {
  for (const dtype of Object.keys(ELEMENTS) as SafetensorsDtype[]) {
    if (data.constructor === ELEMENTS[dtype]) return dtype;
  }
  throw new TypeError(
    `Cannot write a tensor of ${data.constructor.name}: use a typed array`,
  );
}

/**
 * The bytes of a safetensors file; the same content gives the same bytes.
 *
 * @param tensors Written by size of element, largest first, so that all are aligned; otherwise in the given order.
 * @param metadata Free text by key; written in the keys' alphabetic order.
 * @throws {RangeError} If a tensor's data does not fit its shape, or a name is used twice.
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const ordered = [...tensors].sort((a, b) =>
    b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT
  );
  const entries: string[] = [];
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) {
    const facts = keys.map((key) =>
      `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`
    );
    entries.push(`"${METADATA}":{${facts.join(",")}}`);
  }
  const names = new Set<string>([METADATA]);
  let end = 0;
  for (const { name, shape, data } of ordered) {
    if (names.has(name)) {
      throw new RangeError(`Cannot write two tensors named "${name}"`);
    }
    names.add(name);
    if (countElements(shape) !== data.length) {
      throw new RangeError(
        `Cannot write tensor "${name}": ${data.length} elements are not of shape [${shape}]`,
      );
    }
    const begin = end;
    end += data.byteLength;
    entries.push(
      `${JSON.stringify(name)}:{"dtype":"${
        dtypeOf(data)
      }","shape":[${shape}],"data_offsets":[${begin},${end}]}`,
    );
  }
  const header = new TextEncoder().encode(`{${entries.join(",")}}`);
  const headerLength = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength);
  bytes.set(header, 8);
  let offset = 8 + headerLength;
  for (const { data } of ordered) {
    // All machines that Deno runs on are little-endian, as the file is.
    bytes.set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      offset,
    );
    offset += data.byteLength;
  }
  return bytes;
}

/** Formats of this program have a checksum among their metadata. */
const OWN_FORMAT = /^biornn-/;

/**
 * As {@linkcode encodeSafetensors}, with a checksum of tensors and metadata that
 * {@linkcode decodeSafetensors} verifies.
 *
 * @param metadata Has a `format` that begins with `biornn-`.
 */
export function encodeWithChecksum(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const checksum = contentChecksum(tensors, metadata);
  return encodeSafetensors(tensors, { ...metadata, checksum });
}

/** SHA-256 of the tensors and all the metadata but itself. */
function contentChecksum(
  tensors: readonly NamedTensor[],
  { checksum: _itself, ...metadata }: Readonly<Record<string, string>>,
): string {
  const sha256 = (content: Uint8Array | string) =>
    createHash("sha256").update(content).digest("hex");
  const sums = tensors.map(({ name, shape, data }) =>
    `${name} ${shape.join("x")} ${
      sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }`
  );
  const facts = Object.keys(metadata).sort().map((k) => `${k}=${metadata[k]}`);
  return sha256([...sums.sort(), ...facts].join("\n"));
}

/** Where a tensor's elements are. */
interface Place {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file, as strictly as the format's own library.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @returns The tensors, with elements of their own, and the metadata.
 * @throws {InputError} If the file is cut short, its header is not valid, a type is unknown, places overlap,
 * leave gaps or do not fit the shapes, a name stands twice, or a file of this program does not fit its checksum.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): SafetensorsFile {
  const fail: Fail = cannotRead(name);
  const { header, dataStart } = readHeader(bytes, fail);
  const places: Place[] = [];
  let metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(header)) {
    if (key === METADATA) metadata = metadataOf(value, fail);
    else places.push(placeOf(key, value, fail));
  }
  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const place of places) {
    if (place.begin !== end) {
      fail(
        `tensor ${shown(place.name)} begins at byte ${place.begin} where ${
          place.begin < end ? "another one is" : `byte ${end} comes next`
        }`,
      );
    }
    end = place.end;
  }
  if (end !== bytes.length - dataStart) {
    fail(
      `its tensors take ${end} bytes, but ${
        bytes.length - dataStart
      } bytes follow its header`,
    );
  }
  const tensors = places.map(({ name, dtype, shape, begin, end }) => {
    // A copy is aligned, which the elements in the file need not be.
    const own = bytes.slice(dataStart + begin, dataStart + end);
    const data = new ELEMENTS[dtype](own.buffer as ArrayBuffer);
    return { name, dtype, shape, data };
  });
  if (
    OWN_FORMAT.test(metadata.format ?? "") &&
    metadata.checksum !== contentChecksum(tensors, metadata)
  ) fail("its checksum does not fit its content, so it is damaged");
  return { tensors, metadata };
}

function readHeader(
  bytes: Uint8Array,
  fail: Fail,
): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) return fail("it ends within the length of its header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = Number(view.getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) {
    return fail(
      `its header would have ${length} bytes; ${MAX_HEADER_BYTES} are allowed`,
    );
  }
  const dataStart = 8 + length;
  if (dataStart > bytes.length) {
    return fail(
      `its header should have ${length} bytes, but ${
        bytes.length - 8
      } are there`,
    );
  }
  let header: unknown;
  try {
    header = parseJson(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(bytes.subarray(8, dataStart)),
    );
  } catch (error) {
    return fail(
      `its header ${
        error instanceof SyntaxError ? error.message : "is no text in UTF-8"
      }`,
    );
  }
  if (!isRecord(header)) return fail("its header is no JSON object");
  return { header, dataStart };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function metadataOf(value: unknown, fail: Fail): Record<string, string> {
  if (!isRecord(value)) return fail("its metadata is no JSON object");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      return fail(`its metadata ${shown(key)} is no text`);
    }
  }
  return value as Record<string, string>;
}

function placeOf(name: string, value: unknown, fail: Fail): Place {
  if (!isRecord(value)) {
    return fail(`its entry ${shown(name)} is no JSON object`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(ELEMENTS, dtype)) {
    return fail(
      `tensor ${shown(name)} has the type ${shown(dtype)}; allowed are ${
        Object.keys(ELEMENTS).join(", ")
      }`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`tensor ${shown(name)} has the shape ${shown(shape)}`);
  }
  if (
    !Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)
  ) {
    return fail(`tensor ${shown(name)} has the place ${shown(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const type = dtype as SafetensorsDtype;
  const size = countElements(shape) * ELEMENTS[type].BYTES_PER_ELEMENT;
  if (end - begin !== size) {
    return fail(
      `tensor ${shown(name)} of shape [${
        shape.slice(0, 8)
      }] and type ${type} takes ${size} bytes, but its place [${begin}, ${end}] has ${
        end - begin
      }`,
    );
  }
  return { name, dtype: type, shape, begin, end };
}

/** A value out of the file, short enough for a message; nested ones may be too deep to print. */
function shown(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length <= 8 && value.every((item) => typeof item === "number")
      ? `[${value}]`
      : "[…]";
  }
  if (isRecord(value)) return "{…}";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
