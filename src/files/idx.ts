/**
 * IDX files of bytes, the format of MNIST's images and labels, as they are or
 * packed by gzip.
 *
 * Format: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of
 * handwritten digits, section "File formats".
 *
 * @module
 */

import { gunzipSync } from "node:zlib";
import { ByteCursor, countElements } from "./bytes.ts";
import { cannotRead, type Fail } from "./input_error.ts";

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file.
 *
 * @param bytes The whole file, or what gzip made of it.
 * @param options `name` of the file, for messages.
 * @returns Shape, [images, rows, columns] or [labels], and the elements, last index fastest, 0 to 255.
 * @throws {InputError} If it is no IDX file of bytes, or its size does not fit its shape.
 */
export function readIdx(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): { readonly shape: readonly number[]; readonly data: Uint8Array } {
  const fail: Fail = cannotRead(name);
  if (isGzip(bytes)) {
    const unpacked = unpackGzip(bytes, fail);
    // A packed file inside a packed file is no MNIST, but may be endless.
    if (isGzip(unpacked)) fail("it is packed twice");
    return readIdx(unpacked, { name });
  }
  const cursor = new ByteCursor(bytes, {
    fail,
    ended: "it ends within its header",
  });
  if (bytes.length < 3 || cursor.number("u2") !== 0) {
    fail("it is no IDX file: it does not begin with two zero bytes");
  }
  const type = cursor.number("u1");
  if (type !== UNSIGNED_BYTE) {
    fail(
      `its elements are of type 0x${
        type.toString(16).padStart(2, "0")
      }; bytes, 0x08, can be read`,
    );
  }
  const shape = Array.from(
    { length: cursor.number("u1") },
    () => cursor.number("u4", false),
  );
  if (shape.length === 0) fail("it ends within its header");
  if (countElements(shape) !== cursor.left) {
    fail(
      `its header says ${
        shape.slice(0, 4).join(" × ")
      } bytes, but ${cursor.left} follow it`,
    );
  }
  return { shape, data: bytes.slice(cursor.position) };
}

/** MNIST packs to about a fifth; a hundredth leaves room, and a file of zeros that fills the memory none. */
const MAX_RATIO = 100;
/** Small files may pack better than large ones. */
const FREE_BYTES = 65_536;

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Unpacks a gzip file, unless it is damaged or over a hundred times as large when unpacked. */
function unpackGzip(bytes: Uint8Array, fail: Fail): Uint8Array {
  try {
    const { buffer, byteOffset, length } = gunzipSync(bytes, {
      maxOutputLength: bytes.length * MAX_RATIO + FREE_BYTES,
    });
    // Plain bytes: the Buffer that Node gives has methods of its own meaning.
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    return fail(
      cause instanceof RangeError
        ? `unpacked it would be over ${MAX_RATIO} times as large`
        : "it is no gzip file, or a damaged one",
      { cause },
    );
  }
}
