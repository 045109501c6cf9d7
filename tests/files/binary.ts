/**
 * Bytes for the tests of readers, written as text.
 *
 * @module
 */

import assert from "node:assert/strict";
import { it } from "../../src/compat/testing.ts";
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

/** What must be refused: why, what it is and in which sentence. */
export type Refusal<T> = [why: string, input: T, sentence: RegExp];

/** Tests that each input is refused. */
export function itRefuses<T>(
  refusals: readonly Refusal<T>[],
  read: (input: T) => unknown,
): void {
  for (const [why, input, sentence] of refusals) {
    it(`refuses ${why}`, () => assertRefused(() => read(input), sentence));
  }
}

/** Asserts that a sound file is refused wherever it is cut off. */
export function assertNoPartRead(
  whole: Uint8Array,
  read: (part: Uint8Array) => unknown,
): void {
  read(whole);
  for (let length = 0; length < whole.length; length++) {
    assertRefused(
      () => read(whole.subarray(0, length)),
      /^Cannot read "[^"]+": /,
    );
  }
}
