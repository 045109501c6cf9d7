/**
 * Checksums of files and tensors.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { readChunks } from "./read.ts";

/**
 * SHA-256 of a file, however large, as 64 lower-case hexadecimal digits.
 *
 * @throws {InputError} If it can't be read.
 */
export async function sha256OfFile(
  path: string,
  { what }: { readonly what: string },
): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readChunks(path, { what })) hash.update(chunk);
  return hash.digest("hex");
}

/**
 * SHA-256 of bytes, as 64 lower-case hexadecimal digits.
 *
 * @example
 * ```ts
 * import { sha256Hex } from "./src/files/checksum.ts";
 *
 * await sha256Hex(new TextEncoder().encode("abc")); // "ba7816bf…"
 * ```
 */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  // The digest takes no view of shared memory, which the type leaves open.
  const own = bytes.buffer instanceof ArrayBuffer
    ? bytes as Uint8Array<ArrayBuffer>
    : bytes.slice();
  const digest = await crypto.subtle.digest("SHA-256", own);
  return Array.from(
    new Uint8Array(digest),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}
