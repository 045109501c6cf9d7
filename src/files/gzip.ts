/**
 * Unpacking gzip, as MNIST's files are packed.
 *
 * @module
 */

import { gunzipSync } from "node:zlib";
import { InputError } from "./input_error.ts";

/** MNIST packs to about a fifth; a hundredth leaves room, and a file of zeros that fills the memory none. */
const MAX_RATIO = 100;
/** Small files may pack better than large ones. */
const FREE_BYTES = 65_536;

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Unpacks a gzip file.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @throws {InputError} If it is damaged, or over a hundred times as large when unpacked.
 *
 * @example
 * ```ts
 * import { unpackGzip } from "./src/files/gzip.ts";
 *
 * const packed = new Blob(["abc"]).stream().pipeThrough(new CompressionStream("gzip"));
 * const bytes = await new Response(packed).bytes();
 * unpackGzip(bytes, { name: "labels.gz" }); // the bytes of "abc"
 * ```
 */
export function unpackGzip(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): Uint8Array {
  try {
    const unpacked = gunzipSync(bytes, {
      maxOutputLength: bytes.length * MAX_RATIO + FREE_BYTES,
    });
    // Plain bytes: the Buffer that Node gives has methods of its own meaning.
    return new Uint8Array(
      unpacked.buffer,
      unpacked.byteOffset,
      unpacked.length,
    );
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    throw new InputError(
      `Cannot read "${name}": ${
        tooLarge
          ? `unpacked it would be over ${MAX_RATIO} times as large`
          : "it is no gzip file, or a damaged one"
      }`,
      { cause: error },
    );
  }
}
