/**
 * Checksums of files and tensors.
 *
 * @module
 */

/**
 * SHA-256 of bytes, as 64 lower-case hexadecimal digits.
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
