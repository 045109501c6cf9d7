/**
 * Bytes: read from front to back and never past the end, and their checksums.
 *
 * @module
 */

import { cannotRead, type Fail } from "./input_error.ts";

/** A place in a file. Numbers are little-endian unless the name says otherwise. */
export class ByteCursor {
  readonly bytes: Uint8Array;
  /** Index of the next byte. */
  position: number;
  /** Says what is wrong with the file. */
  readonly fail: Fail;
  readonly #view: DataView;

  constructor(
    bytes: Uint8Array,
    { name, position = 0 }: {
      readonly name: string;
      readonly position?: number;
    },
  ) {
    this.bytes = bytes;
    this.position = position;
    this.fail = cannotRead(name);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.bytes.length - this.position;
  }

  /** Goes on by that many bytes and returns where they begin. */
  #advance(count: number): number {
    if (count > this.left) {
      this.fail(
        `it ends after ${this.bytes.length} bytes, but ${count} more are needed at byte ${this.position}`,
      );
    }
    const start = this.position;
    this.position += count;
    return start;
  }

  /** The next bytes, as a view of the file. */
  take(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.bytes.subarray(start, start + count);
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Rounded beyond 2⁵³: good for lengths, which a file can't have there. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  uint64BigEndian(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), false));
  }

  float64BigEndian(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** The bytes up to the next line feed, which is passed over. */
  line(): Uint8Array {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) this.fail("it ends within a line");
    const line = this.bytes.subarray(this.position, end);
    this.position = end + 1;
    return line;
  }
}

/** SHA-256 of bytes, as 64 lower-case hexadecimal digits. */
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
