import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import {
  readNpy,
  readNpyText,
  writeNpy,
  writeNpyText,
} from "../../src/files/npy.ts";
import {
  assertNoPartRead,
  assertRefused,
  binary,
  integer,
  itRefuses,
  type Refusal,
  text,
} from "./binary.ts";

/** A file with a header as NumPy's, and any data. */
function npy(header: string, data: string, major = 1): Uint8Array {
  const length = integer(header.length, major === 1 ? 2 : 4);
  return binary(
    "\x93NUMPY",
    String.fromCharCode(major),
    "\0",
    length,
    header,
    data,
  );
}

function header(descr: string, shape: string, fortran = "False"): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;
}

const name = "x.npy";
const read = (bytes: Uint8Array) => readNpy(bytes, { name });
const folder = Deno.env.get("BIORNN_CONNECTOMES");

/** What `numpy.save` of NumPy 2.4.6 wrote for these arrays. */
const SAVED_BY_NUMPY = [
  {
    what: "float64 (2, 3)",
    content: { shape: [2, 3], data: Float64Array.of(0, 1, 2, 3, 4, 0.5) },
    start:
      "\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }",
    size: 128,
    data: "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@" +
      "\0\0\0\0\0\0\x08@\0\0\0\0\0\0\x10@\0\0\0\0\0\0\xe0?",
  },
  {
    what: "float32 ()",
    content: { shape: [], data: Float32Array.of(1.5) },
    start:
      "\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
    size: 128,
    data: "\0\0\xc0?",
  },
  {
    what: "int32 (2,)",
    content: { shape: [2], data: Int32Array.of(1, -2) },
    start:
      "\x93NUMPY\x01\0v\0{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }",
    size: 128,
    data: "\x01\0\0\0\xfe\xff\xff\xff",
  },
  {
    what: "int64 (2,)",
    content: { shape: [2], data: BigInt64Array.of(1n, -2n) },
    start:
      "\x93NUMPY\x01\0v\0{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
    size: 128,
    data: "\x01\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff",
  },
  {
    what: "bool (1, 2)",
    content: { shape: [1, 2], data: Uint8Array.of(1, 0), boolean: true },
    start:
      "\x93NUMPY\x01\0v\0{'descr': '|b1', 'fortran_order': False, 'shape': (1, 2), }",
    size: 128,
    data: "\x01\0",
  },
  {
    what: "uint8 of 18 dimensions, whose header is longer",
    content: { shape: new Array<number>(18).fill(1), data: Uint8Array.of(9) },
    start:
      `\x93NUMPY\x01\0\xb6\0{'descr': '|u1', 'fortran_order': False, 'shape': (${
        new Array(18).fill(1).join(", ")
      }), }`,
    size: 192,
    data: "\t",
  },
];

describe("writeNpy()", () => {
  for (const { what, content, start, size, data } of SAVED_BY_NUMPY) {
    it(`writes what numpy.save writes: ${what}`, () => {
      const expected = start.padEnd(size - 1) + "\n" + data;
      assert.equal(text(writeNpy(content)), expected);
    });
  }

  it("refuses data that does not fit the shape", () => {
    const data = new Float64Array(5);
    assert.throws(() => writeNpy({ shape: [2, 3], data }), RangeError);
    assert.throws(() => writeNpy({ shape: [-5], data }), RangeError);
    assert.throws(() => writeNpy({ shape: [2.5, 2], data }), RangeError);
  });

  it("refuses to write floats as booleans", () => {
    assert.throws(
      () => writeNpy({ shape: [1], data: Float64Array.of(1), boolean: true }),
      TypeError,
    );
  });
});

describe("readNpy()", () => {
  it("gives back what was written, also from the middle of a buffer", () => {
    fc.assert(fc.property(
      fc.array(fc.nat(4), { maxLength: 4 }),
      fc.constantFrom(Float64Array, Float32Array, Int32Array, Uint8Array),
      fc.nat(9),
      (shape, Elements, offset) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const data = new Elements(count).map((_: number, i: number) => i * 1.5);
        const bytes = writeNpy({ shape, data });
        const moved = new Uint8Array(offset + bytes.length + 3);
        moved.set(bytes, offset);
        const found = read(moved.subarray(offset, offset + bytes.length));
        assert.deepEqual(found.shape, shape);
        assert.deepEqual(found.data, Float64Array.from(data));
      },
    ));
  });

  const ORDERS: [descr: string, data: string, values: number[]][] = [
    ["<f8", "\0\0\0\0\0\0\xf8?\0\0\0\0\0\0\xf8\x7f", [1.5, NaN]],
    [">f8", "?\xf8\0\0\0\0\0\0\x7f\xf0\0\0\0\0\0\0", [1.5, Infinity]],
    ["<f2", "\0>\x01\0", [1.5, 2 ** -24]],
    ["<f4", "\0\0\xc0?\0\0\0\x80", [1.5, -0]],
    [">f4", "?\xc0\0\0\x80\0\0\0", [1.5, -0]],
    ["<i8", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x1f\0", [
      -2,
      2 ** 53 - 1,
    ]],
    [">i8", "\xff\xff\xff\xff\xff\xff\xff\xfe\0\0\0\0\0\0\0\x07", [-2, 7]],
    ["<u8", "\x01\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0", [1, 2 ** 32]],
    ["<i4", "\xfe\xff\xff\xff\x01\0\0\0", [-2, 1]],
    [">i4", "\xff\xff\xff\xfe\0\0\0\x01", [-2, 1]],
    ["<u4", "\xff\xff\xff\xff\x01\0\0\0", [2 ** 32 - 1, 1]],
    [">i2", "\xff\xfe\x01\0", [-2, 256]],
    ["<u2", "\xfe\xff\0\x01", [65534, 256]],
    ["|i1", "\xfe\x01", [-2, 1]],
    ["|u1", "\xfe\x01", [254, 1]],
    ["|b1", "\0\x02", [0, 1]],
  ];
  for (const [descr, data, values] of ORDERS) {
    it(`reads elements of type ${descr}`, () => {
      const array = read(npy(header(descr, "(2,)"), data));
      assert.equal(array.dtype, descr.slice(1));
      assert.deepEqual(array.data, Float64Array.from(values));
    });
  }

  it("takes no byte order for the machine's, and Python's prefixes", () => {
    for (const descr of ["'f4'", "u'<f4'", "r'=f4'", "'''<f4'''"]) {
      const text =
        `{'descr': ${descr}, 'fortran_order': False, 'shape': (1,), }\n`;
      const { data, dtype } = read(npy(text, "\0\0\x80?"));
      assert.deepEqual([data[0], dtype], [1, "f4"]);
    }
  });

  it("turns Fortran order into C order", () => {
    const bytes = npy(
      header("|u1", "(2, 3)", "True"),
      "\x00\x0a\x01\x0b\x02\x0c",
    );
    const { shape, data } = read(bytes);
    assert.deepEqual(shape, [2, 3]);
    assert.deepEqual(data, Float64Array.of(0, 1, 2, 10, 11, 12));
  });

  it("turns Fortran order of three dimensions into C order", () => {
    // Element (i, j, k) has the value 100 i + 10 j + k.
    const elements: number[] = [];
    for (const k of [0, 1, 2, 3]) {
      for (const j of [0, 1, 2]) {
        for (const i of [0, 1]) elements.push(100 * i + 10 * j + k);
      }
    }
    const bytes = npy(
      header("|u1", "(2, 3, 4)", "True"),
      String.fromCharCode(...elements),
    );
    const { data } = read(bytes);
    assert.deepEqual(data, data.toSorted());
  });

  it("reads versions 2 and 3, other orders of keys and Python 2's integers", () => {
    for (const major of [1, 2, 3]) {
      const text = '{ "shape":(1L , 2L),"fortran_order":False,\'descr\':"|u1"}';
      const { shape, data } = read(npy(text, "\x05\x06", major));
      assert.deepEqual(shape, [1, 2]);
      assert.deepEqual(data, Float64Array.of(5, 6));
    }
  });

  itNeeds(
    "reads the macaque connectome with the row as the source",
    folder === undefined ? "BIORNN_CONNECTOMES names no folder" : undefined,
    () => {
      const file = `${folder}/C_Macaque_Normalized.npy`;
      const { shape, data } = readNpy(Deno.readFileSync(file), { name: file });
      assert.deepEqual(shape, [29, 29]);
      assert.equal(data[1], 0.7633478377179921);
      assert.equal(data[29], 0.7313210964568393);
    },
  );

  const whole = npy(header("<f8", "(1,)"), "\0\0\0\0\0\0\xf0?");
  it("refuses every file that is cut short or goes on", () => {
    assertNoPartRead(whole, read);
    assertRefused(
      () => read(new Uint8Array([...whole, 0])),
      /shape \(1\) of 8-byte elements, but 9 bytes follow it/,
    );
  });

  const REFUSED: Refusal<Uint8Array>[] = [
    ["no NPY file", binary("PK\x03\x04 and more"), /it is no NPY file/],
    [
      "version 4",
      npy(header("<f8", "()"), "\0".repeat(8), 4),
      /NPY version is 4\.0; 1\.0, 2\.0 and 3\.0/,
    ],
    [
      "objects",
      npy(header("|O", "(1,)"), "\x80\x02]."),
      /type '\|O'; booleans, integers and floats/,
    ],
    [
      "complex numbers",
      npy(header("<c8", "(1,)"), "\0".repeat(8)),
      /type '<c8'/,
    ],
    ["texts", npy(header("<U4", "(1,)"), "\0".repeat(16)), /type '<U4'/],
    [
      "records",
      npy(
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
        "\0".repeat(8),
      ),
      /its elements are records/,
    ],
    [
      "a shape whose product overflows",
      npy(header("<f8", "(4294967296, 4294967296, 4294967296)"), "\0"),
      /but 1 bytes follow/,
    ],
    [
      "a shape that wraps to the size of the data",
      npy(header("|u1", "(4294967296, 4294967296)"), ""),
      /but 0 bytes follow/,
    ],
    [
      "a length beyond 2^53",
      npy(header("|u1", "(9007199254740993, 0)"), ""),
      /the shape holds 9007199254740993/,
    ],
    [
      "a negative length",
      npy(header("|u1", "(-1,)"), ""),
      /the shape holds -1/,
    ],
    [
      "a number for a shape",
      npy(header("|u1", "(3)"), "abc"),
      /the shape is no tuple/,
    ],
    [
      "70 dimensions",
      npy(header("|u1", `(${"1, ".repeat(70)})`), "a"),
      /more than 64 dimensions/,
    ],
    [
      "a key twice",
      npy(
        "{'shape': (), 'shape': (), 'descr': '|u1', 'fortran_order': False}",
        "a",
      ),
      /unexpected key "shape"/,
    ],
    [
      "a foreign key",
      npy(
        "{'shape': (), 'descr': '|u1', 'fortran_order': False, 'x': ()}",
        "a",
      ),
      /unexpected key "x"/,
    ],
    ["a length as a float", npy(header("|u1", "(4.0,)"), "abcd"), /holds 4\.0/],
    [
      "a length with a zero before it",
      npy(header("|u1", "(06,)"), "abcdef"),
      /found 06, which is no number/,
    ],
    [
      "version 1.1, as NumPy does",
      npy(header("|u1", "(1,)"), "a").with(7, 1),
      /NPY version is 1\.1/,
    ],
    ["a missing key", npy("{'shape': (), 'descr': '|u1'}", "a"), /is missing/],
    [
      "code",
      npy("__import__('os').system('true')", "a"),
      /header is not valid: found the name __import__/,
    ],
    [
      "an integer beyond 2^53",
      npy(header("<i8", "(1,)"), "\0\0\0\0\0\0\x20\0"),
      /its integer 9007199254740992 lies beyond/,
    ],
  ];
  itRefuses(REFUSED, read);
});

describe("readNpyText() and writeNpyText()", () => {
  it("write what numpy.save writes for bytes, and read it", () => {
    const bytes = writeNpyText("csr");
    assert.equal(
      text(bytes),
      text(npy(header("|S3", "()").trimEnd().padEnd(117) + "\n", "csr")),
    );
    assert.equal(readNpyText(bytes, { name }), "csr");
  });

  it("refuse everything else", () => {
    assert.throws(() => writeNpyText(""), RangeError);
    assert.throws(() => writeNpyText("é"), RangeError);
    for (
      const [bytes, sentence] of [
        [
          npy(header("|S4", "()"), "csr"),
          /says 4 bytes, but 3 bytes follow it/,
        ],
        [npy(header("|S3", "(1,)"), "csr"), /type '\|S3' of shape \(1\)/],
        [npy(header("<U1", "()"), "c\0\0\0"), /type '<U1' of shape \(\)/],
        [binary("csr"), /it is no NPY file/],
      ] as const
    ) {
      assertRefused(() => readNpyText(bytes, { name }), sentence);
    }
  });
});
