/**
 * Unpacks LZ4 frames, as Arrow's files hold them.
 *
 * Format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 *
 * @module
 */

import { InputError } from "./input_error.ts";

const MAGIC = 0x184d2204;
/** Bits of the frame's first byte: what stands in it. */
const HAS_BLOCK_SUMS = 0x10;
const HAS_SIZE = 0x08;
const HAS_DICTIONARY = 0x01;
/** Bytes of a block, at most. */
const MOST_IN_BLOCK = 2 ** 22;

/**
 * The bytes of a frame; checksums in it are passed over.
 *
 * @throws {InputError} If it is no such frame, or is damaged.
 */
export function unpackLz4(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const damaged = () => new InputError("Cannot unpack LZ4: it is damaged");
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw damaged();
  const flags = frame[4]!;
  if ((flags & HAS_DICTIONARY) !== 0) {
    throw new InputError("Cannot unpack LZ4: it needs a dictionary");
  }
  let at = 7 + ((flags & HAS_SIZE) === 0 ? 0 : 8);
  let output = new Uint8Array(4 * frame.length);
  let made = 0;
  for (;;) {
    if (at + 4 > frame.length) throw damaged();
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) return output.slice(0, made);
    const size = word & 0x7fffffff;
    const end = at + size;
    if (end > frame.length) throw damaged();
    if (made + MOST_IN_BLOCK > output.length) {
      const grown = new Uint8Array(2 * output.length + MOST_IN_BLOCK);
      grown.set(output.subarray(0, made));
      output = grown;
    }
    const block = frame.subarray(at, end);
    const whole = word >>> 31 === 1;
    if (whole && size > MOST_IN_BLOCK) throw damaged();
    if (whole) output.set(block, made);
    const next = whole ? made + size : unpackBlock(block, { output, made });
    if (next < 0) throw damaged();
    made = next;
    at = end + ((flags & HAS_BLOCK_SUMS) === 0 ? 0 : 4);
  }
}

/** Unpacks a block behind what is made, and says where it ends; −1 where it is damaged. */
function unpackBlock(
  block: Uint8Array,
  { output, made }: { readonly output: Uint8Array; readonly made: number },
): number {
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
    if (at + literals > block.length || to + literals > most) return -1;
    for (let i = 0; i < literals; i++) output[to++] = block[at++]!;
    if (at === block.length) return to;
    if (at + 2 > block.length) return -1;
    const back = block[at]! | block[at + 1]! << 8;
    at += 2;
    const length = 4 + lengthFrom(token & 15);
    if (back === 0 || back > to || to + length > most) return -1;
    // Byte by byte, as what is copied may overlap what is made.
    for (let i = 0; i < length; i++, to++) output[to] = output[to - back]!;
  }
  return to;
}
