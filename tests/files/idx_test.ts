import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { describe, it } from "../../src/compat/testing.ts";
import { readIdx } from "../../src/files/idx.ts";
import {
  assertNoPartRead,
  assertRefused,
  binary,
  itRefuses,
  type Refusal,
} from "./binary.ts";

const name = "t10k-images-idx3-ubyte";
const read = (bytes: Uint8Array) => readIdx(bytes, { name });
const IMAGES = "\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x03abcdef";

describe("readIdx()", () => {
  it("reads images and labels, packed or not", () => {
    const images = { shape: [2, 1, 3], data: binary("abcdef") };
    assert.deepEqual(read(binary(IMAGES)), images);
    const labels = "\0\0\x08\x01\0\0\0\x02\x07\x02";
    assert.deepEqual(read(binary(labels)), {
      shape: [2],
      data: Uint8Array.of(7, 2),
    });
    const packed = gzipSync(binary(IMAGES));
    assert.deepEqual(read(new Uint8Array(packed)), images);
  });

  it("refuses every file that is cut short or goes on", () => {
    assertNoPartRead(binary(IMAGES), read);
    assertNoPartRead(new Uint8Array(gzipSync(binary(IMAGES))), read);
    assertRefused(
      () => read(binary(IMAGES, "g")),
      /header says 2 × 1 × 3 bytes, but 7 follow it/,
    );
  });

  const REFUSED: Refusal<Uint8Array>[] = [
    ["another format", binary("\x93NUMPY"), /no IDX file/],
    [
      "elements that are no bytes",
      binary("\0\0\x0d\x01\0\0\0\x01abcd"),
      /type 0x0d; bytes, 0x08/,
    ],
    ["no dimensions", binary("\0\0\x08\0a"), /ends within its header/],
    [
      "255 dimensions in a short file",
      binary("\0\0\x08\xff\0\0\0\x01"),
      /ends within its header/,
    ],
    [
      "a size that overflows",
      binary("\0\0\x08\x04", "\xff\xff\xff\xff".repeat(4), "a"),
      /but 1 follow it/,
    ],
    [
      "a size that wraps to nothing",
      binary("\0\0\x08\x02", "\x80\0\0\0".repeat(2)),
      /but 0 follow it/,
    ],
    [
      "a file packed twice",
      new Uint8Array(gzipSync(gzipSync(binary(IMAGES)))),
      /packed twice/,
    ],
    [
      "a packed file of zeros that grows a thousandfold",
      new Uint8Array(gzipSync(new Uint8Array(20_000_000))),
      /over 100 times as large/,
    ],
    [
      "a damaged packed file",
      new Uint8Array(gzipSync(binary(IMAGES))).with(-6, 0),
      /no gzip file, or a damaged one/,
    ],
  ];
  itRefuses(REFUSED, read);
});
