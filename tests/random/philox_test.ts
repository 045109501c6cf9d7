import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { type Block, philox4x32 } from "../../src/random/philox.ts";

describe("philox4x32()", () => {
  // From the file kat_vectors of the authors' library Random123.
  const KNOWN: [counter: Block, key: [number, number], block: Block][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  for (const [counter, key, block] of KNOWN) {
    it(`gives the published block of key ${key[0].toString(16)}`, () => {
      assert.deepEqual(philox4x32(counter, key), block);
    });
  }

  it("leaves counter and key as they were", () => {
    const counter: Block = [1, 2, 3, 4];
    const key: [number, number] = [5, 6];
    philox4x32(counter, key);
    assert.deepEqual([counter, key], [[1, 2, 3, 4], [5, 6]]);
  });
});
