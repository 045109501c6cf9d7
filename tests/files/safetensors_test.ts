import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from "../../src/files/safetensors.ts";
import {
  assertNoPartRead,
  assertRefused,
  binary,
  integer,
  itRefuses,
  type Refusal,
  text,
} from "./binary.ts";

const name = "x.safetensors";
const decode = (bytes: Uint8Array) => decodeSafetensors(bytes, { name });

/** A file with any header and data. */
function file(header: string | Record<string, unknown>, data = ""): Uint8Array {
  const json = typeof header === "string" ? header : JSON.stringify(header);
  return binary(integer(json.length, 8), json, data);
}

function entry(
  dtype: unknown,
  shape: unknown,
  offsets: unknown,
): Record<string, unknown> {
  return { dtype, shape, data_offsets: offsets };
}

describe("encodeSafetensors()", () => {
  it("writes the documented format, byte for byte", () => {
    const bytes = encodeSafetensors([
      { name: "b", shape: [2], data: Float32Array.of(1, -2) },
      { name: "a", shape: [], data: Float64Array.of(0.5) },
    ], { z: "é", k: "1" });
    const header = '{"__metadata__":{"k":"1","z":"\xc3\xa9"},' +
      '"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]},' +
      '"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    assert.equal(
      text(bytes),
      integer(padded.length, 8) + padded +
        "\0\0\0\0\0\0\xe0?" + "\0\0\x80?" + "\0\0\0\xc0",
    );
  });

  it("gives the same bytes whatever the order of the metadata", () => {
    const tensors = [{ name: "a", shape: [1], data: Int32Array.of(7) }];
    assert.deepEqual(
      encodeSafetensors(tensors, { a: "1", b: "2" }),
      encodeSafetensors(tensors, { b: "2", a: "1" }),
    );
  });

  it("refuses names used twice and data that does not fit its shape", () => {
    const data = Float32Array.of(1);
    const refused = (...tensors: NamedTensor[]) =>
      assert.throws(() => encodeSafetensors(tensors), RangeError);
    refused({ name: "a", shape: [2], data });
    refused({ name: "a", shape: [1], data }, { name: "a", shape: [], data });
    refused({ name: "__metadata__", shape: [1], data });
  });

  it("refuses arrays whose type it does not know", () =>
    assert.throws(
      () => encodeSafetensors([{ name: "a", shape: [1], data: Buffer.of(7) }]),
      /Cannot write tensor "a" of Buffer: use a typed array/,
    ));
});

describe("decodeSafetensors()", () => {
  it("gives back what was encoded", () => {
    const tensor = fc.record({
      name: fc.oneof(
        fc.string({ unit: "grapheme" }),
        fc.constantFrom("__proto__", "constructor", "1", "0"),
      ).filter((name) => name !== "__metadata__"),
      shape: fc.array(fc.nat(3), { maxLength: 3 }),
      elements: fc.constantFrom(
        Float64Array,
        Float32Array,
        Int32Array,
        Int8Array,
        Uint8Array,
        Uint16Array,
      ),
    });
    fc.assert(fc.property(
      fc.uniqueArray(tensor, { selector: ({ name }) => name }),
      fc.dictionary(
        fc.string({ unit: "grapheme" }),
        fc.string({ unit: "grapheme" }),
      ),
      (specifications, metadata) => {
        const tensors = specifications.map(({ name, shape, elements }, i) => {
          const count = shape.reduce((a, b) => a * b, 1);
          const data = new elements(count).fill(i + 1);
          return { name, shape, data };
        });
        const read = decode(encodeSafetensors(tensors, metadata));
        assert.deepEqual(
          new Map(
            read.tensors.map((
              tensor,
            ) => [tensor.name, [tensor.shape, tensor.data]]),
          ),
          new Map(
            tensors.map((tensor) => [tensor.name, [tensor.shape, tensor.data]]),
          ),
        );
        assert.deepEqual(
          new Map(Object.entries(read.metadata)),
          new Map(Object.entries(metadata)),
        );
      },
    ));
  });

  it("reads integers of 64 bits and booleans, in any order of the header", () => {
    const bytes = file({
      flags: entry("BOOL", [2], [8, 10]),
      n: entry("I64", [1], [0, 8]),
    }, "\xff\xff\xff\xff\xff\xff\xff\xff\x01\0");
    assert.deepEqual(decode(bytes), {
      metadata: {},
      tensors: [
        { name: "n", dtype: "I64", shape: [1], data: BigInt64Array.of(-1n) },
        { name: "flags", dtype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) },
      ],
    });
  });

  it("keeps a tensor or metadata named __proto__ to itself", () => {
    const bytes = file(
      '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
        '"__metadata__":{"__proto__":"polluted"}}',
      "\x05",
    );
    const { tensors, metadata } = decode(bytes);
    assert.equal(tensors[0]?.name, "__proto__");
    assert.deepEqual(Object.entries(metadata), [["__proto__", "polluted"]]);
    assert.equal(Object.getPrototypeOf(metadata), Object.prototype);
  });

  it("refuses every file that is cut short or goes on", () => {
    const whole = encodeSafetensors(
      [{ name: "a", shape: [2], data: Float32Array.of(1, 2) }],
    );
    assertNoPartRead(whole, decode);
    assertRefused(
      () => decode(new Uint8Array([...whole, 0])),
      /its tensors take 8 bytes, but 9 bytes follow/,
    );
  });

  const byte = entry("U8", [1], [0, 1]);
  const REFUSED: Refusal<Uint8Array>[] = [
    [
      "a header longer than the format allows",
      binary(integer(100_000_001, 8), "{}"),
      /would have 100000001 bytes/,
    ],
    [
      "a header longer than the file",
      binary(integer(1000, 8), "{}"),
      /should have 1000 bytes, but 2 are there/,
    ],
    ["a header that is no JSON", file("{'a': 1}"), /no JSON/],
    ["a header that is no UTF-8", file('{"\xff":1}'), /no text in UTF-8/],
    ["a header that is a list", file("[]"), /no JSON object/],
    [
      "a name twice",
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        "x",
      ),
      /has the key "a" twice/,
    ],
    [
      "an unknown type",
      file({ a: entry("F16", [1], [0, 2]) }, "xx"),
      /type "F16"; allowed are F64/,
    ],
    [
      "a type named as a method",
      file({ a: entry("toString", [1], [0, 1]) }, "x"),
      /type "toString"/,
    ],
    [
      "a negative length",
      file({ a: entry("U8", [-1], [0, 1]) }, "x"),
      /shape \[-1\]/,
    ],
    [
      "a fractional length",
      file({ a: entry("U8", [0.5], [0, 1]) }, "x"),
      /shape \[0\.5\]/,
    ],
    [
      "a shape that is no list",
      file({ a: entry("U8", "1", [0, 1]) }, "x"),
      /shape "1"/,
    ],
    [
      "a shape that overflows",
      file({ a: entry("U8", [2 ** 32, 2 ** 32], [0, 1]) }, "x"),
      /takes 18446744073709552000 bytes/,
    ],
    [
      "a place of another size",
      file({ a: entry("F32", [1], [0, 3]) }, "xxx"),
      /takes 4 bytes, but its place \[0, 3\] has 3/,
    ],
    [
      "a place from back to front",
      file({ a: entry("U8", [1], [1, 0]) }, "x"),
      /has -1/,
    ],
    [
      "a place beyond the end",
      file({ a: entry("U8", [2], [0, 2]) }, "x"),
      /take 2 bytes, but 1 bytes follow/,
    ],
    [
      "a gap before the first",
      file({ a: entry("U8", [1], [1, 2]) }, "xx"),
      /begins at byte 1 where byte 0 comes next/,
    ],
    [
      "a gap between two",
      file({ a: byte, b: entry("U8", [1], [2, 3]) }, "xxx"),
      /begins at byte 2 where byte 1/,
    ],
    [
      "an overlap",
      file({ a: entry("U8", [2], [0, 2]), b: entry("U8", [2], [1, 3]) }, "xxx"),
      /begins at byte 1 where another one is/,
    ],
    [
      "two tensors in one place",
      file({ a: byte, b: byte }, "x"),
      /begins at byte 0 where another one is/,
    ],
    [
      "metadata that is no text",
      file({ __metadata__: { epoch: 3 } }),
      /metadata "epoch" is no text/,
    ],
    [
      "metadata that is no object",
      file({ __metadata__: ["a"] }),
      /metadata is no JSON object/,
    ],
    ["an entry without anything", file({ a: {} }), /type nothing/],
    [
      "nesting as deep as the file is long",
      file(
        `{"a":{"dtype":"U8","shape":${"[".repeat(9e5)}${
          "]".repeat(9e5)
        },"data_offsets":[0,1]}}`,
        "x",
      ),
      /shape \[…\]/,
    ],
  ];
  itRefuses(REFUSED, decode);
});
