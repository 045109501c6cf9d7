/**
 * Bytes for the tests of readers, written as text.
 *
 * @module
 */

import assert from "node:assert/strict";
import { InputError } from "../../src/files/input_error.ts";

/** The bytes of a string of characters from 0 to 255, or of several. */
export function binary(...parts: readonly string[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.join(""), (c) => c.charCodeAt(0));
}

/** The string of bytes, a character each. */
export function text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Little-endian bytes of an integer, as a string. */
export function integer(value: number, size: 2 | 4 | 8): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt(value), true);
  return text(new Uint8Array(view.buffer, 0, size));
}

/** Asserts that the body refuses its input in a sentence that matches. */
export function assertRefused(body: () => unknown, sentence: RegExp): void {
  assert.throws(body, (error) => {
    assert(error instanceof InputError, `not an InputError: ${error}`);
    assert.match(error.message, sentence);
    return true;
  });
}
