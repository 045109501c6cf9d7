/**
 * Unpacks LZ4 frames, as Arrow's files hold them.
 *
 * Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 *
 * @module
 */

import { ByteCursor } from "./bytes.ts";
import { InputError } from "./input_error.ts";

const MAGIC = 0x184d2204;
/** Bits of the frame's first byte: what stands in it. */
const HAS_BLOCK_SUMS = 0x10;
const HAS_SIZE = 0x08;
const HAS_DICTIONARY = 0x01;
/** Bytes of a block, at most. */
const MOST_IN_BLOCK = 2 ** 22;

function fail(what: string): never {
  throw new InputError(`Cannot unpack LZ4: ${what}`);
}

/**
 * The bytes of a frame; checksums in it are passed over.
 *
 * @throws {InputError} If it is no such frame, or is damaged.
 */
export function unpackLz4(frame: Uint8Array): Uint8Array {
  const damaged = "it is damaged";
  const cursor = new ByteCursor(frame, { fail, ended: damaged });
  if (cursor.number("u4") !== MAGIC) fail(damaged);
  const flags = cursor.number("u1");
  if ((flags & HAS_DICTIONARY) !== 0) fail("it needs a dictionary");
  // Largest block, size of all, checksum of the header.
  cursor.take((flags & HAS_SIZE) === 0 ? 2 : 10);
  let output = new Uint8Array(4 * frame.length);
  let made = 0;
  for (;;) {
    const word = cursor.number("u4");
    if (word === 0) return output.slice(0, made);
    const block = cursor.take(word & 0x7fffffff);
    if (made + MOST_IN_BLOCK > output.length) {
      const grown = new Uint8Array(2 * output.length + MOST_IN_BLOCK);
      grown.set(output.subarray(0, made));
      output = grown;
    }
    if (word >>> 31 === 0) {
      made = unpackBlock(block, output, made) ?? fail(damaged);
    } else {
      if (block.length > MOST_IN_BLOCK) fail(damaged);
      output.set(block, made);
      made += block.length;
    }
    if ((flags & HAS_BLOCK_SUMS) !== 0) cursor.take(4);
  }
}

/** Unpacks a block behind what is made, and says where it ends; undefined where it is damaged. */
function unpackBlock(
  block: Uint8Array,
  output: Uint8Array,
  made: number,
): number | undefined {
  const most = made + MOST_IN_BLOCK;
  let at = 0;
  let to = made;
  /** Lengths from 15 on go on in bytes up to the first below 255. */
  const lengthFrom = (four: number) => {
    let length = four;
    for (let more = four === 15 ? 255 : 0; more === 255;) {
      more = block[at++] ?? 0;
      length += more;
    }
    return length;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = lengthFrom(token >>> 4);
    if (at + literals > block.length || to + literals > most) return undefined;
    for (let i = 0; i < literals; i++) output[to++] = block[at++]!;
    if (at === block.length) return to;
    if (at + 2 > block.length) return undefined;
    const back = block[at]! | block[at + 1]! << 8;
    at += 2;
    const length = 4 + lengthFrom(token & 15);
    if (back === 0 || back > to || to + length > most) return undefined;
    // Byte by byte, as what is copied may overlap what is made.
    for (let i = 0; i < length; i++, to++) output[to] = output[to - back]!;
  }
  return to;
}
