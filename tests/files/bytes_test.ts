import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { sha256Hex } from "../../src/files/bytes.ts";

describe("sha256Hex()", () => {
  // The examples of FIPS 180-4.
  it("gives the published digests", async () => {
    assert.equal(
      await sha256Hex(new TextEncoder().encode("abc")),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    assert.equal(
      await sha256Hex(new Uint8Array()),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });

  it("takes only the part of a buffer that it is given", async () => {
    const buffer = new TextEncoder().encode("xxabcxx");
    assert.equal(
      await sha256Hex(buffer.subarray(2, 5)),
      await sha256Hex(new TextEncoder().encode("abc")),
    );
  });
});
