import assert from "node:assert/strict";
import { zipSync } from "../../src/files/zip.ts";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { sha256Hex } from "../../src/files/bytes.ts";
import { readTorchFile, type TorchTensor } from "../../src/files/torch.ts";
import {
  assertNoPartRead,
  assertRefused,
  binary,
  itRefuses,
  type Refusal,
} from "./binary.ts";
import {
  call,
  int,
  legacyFile,
  list,
  orderedDict,
  pickle,
  str,
  tensor,
  type TensorPickle,
  tuple,
} from "./pickle_bytes.ts";

const name = "x.pth";
const latents = Deno.env.get("BIORNN_LATENTS");

/** A file of PyTorch from 1.6 on. */
function zip(
  object: string,
  storages: Record<string, string>,
  { byteorder, level = 0, folder = "archive" }: {
    byteorder?: string;
    level?: 0 | 6;
    folder?: string;
  } = {},
): Uint8Array {
  const files: Record<string, Uint8Array> = {
    [`${folder}/data.pkl`]: binary(pickle(object)),
    [`${folder}/version`]: binary("3\n"),
  };
  if (byteorder !== undefined) files[`${folder}/byteorder`] = binary(byteorder);
  for (const [key, data] of Object.entries(storages)) {
    files[`${folder}/data/${key}`] = binary(data);
  }
  return zipSync(files, { level });
}

/** 1, 2, 3, 4, 5, 6 in float32. */
const SIX = "\0\0\x80?\0\0\0@\0\0@@\0\0\x80@\0\0\xa0@\0\0\xc0@";
const MATRIX: TensorPickle = {
  key: "0",
  length: 6,
  shape: [2, 3],
  strides: [3, 1],
};

function read(bytes: Uint8Array): unknown {
  return readTorchFile(bytes, { name });
}

function readOne(view: Partial<TensorPickle>, data = SIX): TorchTensor {
  return read(zip(tensor({ ...MATRIX, ...view }), { 0: data })) as TorchTensor;
}

describe("readTorchFile()", () => {
  it("reads a state dictionary of the ZIP format as a map", () => {
    const metadata = `}${str("_metadata")}${orderedDict()}s`;
    const state = orderedDict(
      str("rnn.weight_hh_l0"),
      tensor(MATRIX),
      str("fc.bias"),
      call(
        "torch._utils._rebuild_parameter",
        tensor({ key: "1", length: 1, shape: [1], strides: [1] }),
        "\x88",
        "N",
      ),
    ) + metadata + "b";
    const expected = new Map([
      ["rnn.weight_hh_l0", {
        dtype: "float32",
        shape: [2, 3],
        data: Float32Array.of(1, 2, 3, 4, 5, 6),
      }],
      ["fc.bias", { dtype: "float32", shape: [1], data: Float32Array.of(1) }],
    ]);
    const storages = { 0: SIX, 1: "\0\0\x80?" };
    assert.deepEqual(read(zip(state, storages)), expected);
    assert.deepEqual(
      read(zip(state, storages, { folder: "model_7" })),
      expected,
    );
  });

  it("reads the legacy format, whose storages may stand in any order", () => {
    const object = tuple(
      tensor({ ...MATRIX, key: "77", legacy: true }),
      tensor({
        storage: "torch.LongStorage",
        key: "66",
        length: 2,
        shape: [2],
        strides: [1],
        legacy: true,
      }),
      list(int(1), str("a"), "N"),
    );
    const bytes = legacyFile(object, [
      {
        key: "66",
        length: 2,
        data: "\x07\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
      },
      { key: "77", length: 6, data: SIX },
    ]);
    assert.deepEqual(read(binary(bytes)), [
      {
        dtype: "float32",
        shape: [2, 3],
        data: Float32Array.of(1, 2, 3, 4, 5, 6),
      },
      { dtype: "int64", shape: [2], data: Float64Array.of(7, -1) },
      [1, "a", null],
    ]);
  });

  itNeeds(
    "reads the original's latent vectors",
    latents === undefined
      ? "BIORNN_LATENTS names no folder with mnist_latent_output_labels.pt"
      : undefined,
    async () => {
      const bytes = Deno.readFileSync(
        `${latents}/mnist_latent_output_labels.pt`,
      );
      assert.equal(
        await sha256Hex(bytes),
        "2459db237e9262ed112f4c193949278375081126bfcb611f9866f8bc6ab9ce7d",
      );
      const [vectors, labels] = readTorchFile(bytes, {
        name: latents as string,
      }) as TorchTensor[];
      assert.deepEqual(vectors?.shape, [10000, 50]);
      assert.equal(vectors?.data[3], Math.fround(1.4020866));
      assert.equal(vectors?.data.at(-1), Math.fround(6.6227846));
      const sum = Array.from(vectors?.data ?? []).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1245450.8820665) < 1e-6);
      assert.deepEqual(labels?.shape, [10000]);
      assert.deepEqual([...labels?.data.slice(0, 5) ?? []], [7, 2, 1, 0, 4]);
      assert.deepEqual([...labels?.data.slice(-5) ?? []], [2, 3, 4, 5, 6]);
    },
  );

  it("negates what PyTorch 2 marks as negative, and refuses other marks", () => {
    const marks = (name: string, value: string) => `}${str(name)}${value}s`;
    assert.deepEqual(
      readOne({ marks: marks("neg", "\x88") }).data,
      Float32Array.of(-1, -2, -3, -4, -5, -6),
    );
    for (const plain of ["}", "N", marks("neg", "\x89")]) {
      assert.equal(readOne({ marks: plain }).data[5], 6);
    }
    for (const [name, value] of [["conj", "\x88"], ["neg", "K\x01"]] as const) {
      assertRefused(
        () => readOne({ marks: marks(name, value) }),
        new RegExp(`a view that PyTorch marks "${name}"; save a copy`),
      );
    }
    assertRefused(() => readOne({ marks: "K\x01" }), /are no dictionary/);
  });

  it("follows offsets and strides", () => {
    const views: [view: Partial<TensorPickle>, data: number[]][] = [
      [{ shape: [3, 2], strides: [1, 3] }, [1, 4, 2, 5, 3, 6]],
      [{ offset: 3, shape: [3], strides: [1] }, [4, 5, 6]],
      [{ offset: 5, shape: [], strides: [] }, [6]],
      [{ offset: 1, shape: [2, 2], strides: [3, 1] }, [2, 3, 5, 6]],
      [{ shape: [2, 3], strides: [0, 1] }, [1, 2, 3, 1, 2, 3]],
      [{ offset: 6, shape: [0, 9], strides: [9, 1] }, []],
    ];
    for (const [view, data] of views) {
      assert.deepEqual([...readOne(view).data], data);
    }
  });

  const TYPES: [
    storage: string,
    dtype: string,
    data: string,
    values: number[],
  ][] = [
    ["DoubleStorage", "float64", "\0\0\0\0\0\0\xf8?", [1.5]],
    ["HalfStorage", "float16", "\0>\xff\xfb\x01\0\0\x7c", [
      1.5,
      -65504,
      2 ** -24,
      Infinity,
    ]],
    ["BFloat16Storage", "bfloat16", "\xc0?\x80\xff", [1.5, -Infinity]],
    ["IntStorage", "int32", "\xfe\xff\xff\xff", [-2]],
    ["ShortStorage", "int16", "\xfe\xff", [-2]],
    ["CharStorage", "int8", "\xfe", [-2]],
    ["ByteStorage", "uint8", "\xfe", [254]],
    ["BoolStorage", "bool", "\x01\0", [1, 0]],
  ];
  for (const [storage, dtype, data, values] of TYPES) {
    it(`reads elements of torch.${storage}`, () => {
      const found = readOne({
        storage: `torch.${storage}`,
        length: values.length,
        shape: [values.length],
        strides: [1],
      }, data);
      assert.equal(found.dtype, dtype);
      assert.deepEqual([...found.data], values);
    });
  }

  it("reads big-endian archives", () => {
    const bytes = zip(
      tensor({ key: "0", length: 1, shape: [1], strides: [1] }),
      { 0: "?\xc0\0\0" },
      { byteorder: "big" },
    );
    assert.deepEqual([...(read(bytes) as TorchTensor).data], [1.5]);
  });

  it("refuses every file that is cut short", () => {
    const object = tensor({ ...MATRIX, legacy: true });
    const legacy = binary(
      legacyFile(object, [{ key: "0", length: 6, data: SIX }]),
    );
    assertNoPartRead(legacy, read);
    assertNoPartRead(zip(object, { 0: SIX }), read);
    assertRefused(
      () => read(new Uint8Array([...legacy, 0])),
      /1 bytes follow its storages/,
    );
  });

  const VIEWS: Refusal<Partial<TensorPickle>>[] = [
    [
      "a tensor that ends beyond its storage",
      { offset: 1 },
      /looks at element 6 of a storage of 6/,
    ],
    [
      "strides beyond the storage",
      { strides: [4, 1] },
      /looks at element 6 of a storage of 6/,
    ],
    [
      "negative strides",
      { strides: [-3, 1] },
      /strides of a tensor holds no number/,
    ],
    ["a negative offset", { offset: -1 }, /offset of a tensor is no number/],
    [
      "more dimensions than strides",
      { strides: [1] },
      /2 dimensions but 1 strides/,
    ],
    ["a small storage spread over a huge tensor", {
      shape: [2 ** 30, 2 ** 30],
      strides: [0, 0],
    }, /1152921504606847000 elements in a storage of 6/],
    [
      "a storage longer than its bytes",
      { length: 7 },
      /storage "0" should have 7 elements of 4 bytes, but 24 bytes/,
    ],
    [
      "a storage that is missing",
      { key: "9" },
      /storage "9" should have 6 elements of 4 bytes, but 0 bytes/,
    ],
    [
      "a key that leaves the archive",
      { key: "../../etc/passwd" },
      /but 0 bytes are there/,
    ],
    [
      "an unknown storage class",
      { storage: "torch.EvilStorage" },
      /wants Python's "torch\.EvilStorage"/,
    ],
  ];
  itRefuses(VIEWS, (view) => readOne(view));

  it("refuses many tensors that each show the whole of one storage", () => {
    const all = list(
      ...Array.from(
        { length: 2000 },
        () => tensor({ key: "0", length: 1e5, shape: [1e5], strides: [1] }),
      ),
    );
    assertRefused(
      () => read(zip(all, { 0: "\0".repeat(4e5) })),
      /over 4 times as large as the file/,
    );
  });

  const OBJECTS: Refusal<string>[] = [
    [
      "code",
      call("builtins.exec", str("1")),
      /wants Python's "builtins\.exec"/,
    ],
    ["a list that holds itself", "]q\0h\0a", /list that holds itself/],
    ["endless nesting", "]".repeat(200) + "a".repeat(199), /over 64 levels/],
    [
      "a class as a value",
      "ctorch\nFloatStorage\n",
      /neither plain data nor a tensor/,
    ],
    [
      "a call of a storage class",
      call("torch.FloatStorage"),
      /which makes no data/,
    ],
    [
      "a tensor without a storage",
      call("torch._utils._rebuild_tensor_v2", "N"),
      /tensor has no storage/,
    ],
    ["a set", "\x8f", /neither plain data nor a tensor/],
  ];
  itRefuses(OBJECTS, (object) => read(zip(object, {})));

  it("reads shared lists once, however often they are used", () => {
    const levels = Array.from(
      { length: 40 },
      (_, i) =>
        `](${`h${String.fromCharCode(i)}`.repeat(10)}eq${
          String.fromCharCode(i + 1)
        }`,
    );
    assert.ok(Array.isArray(read(zip(`]q\0${levels.join("")}`, {}))));
  });

  it("refuses archives that are not of torch.save", () => {
    const refused = (bytes: Uint8Array, sentence: RegExp) =>
      assertRefused(() => read(bytes), sentence);
    refused(
      zip(int(1), {}, { level: 6, folder: "a".repeat(9) }).with(0, 0),
      /no file of torch\.save/,
    );
    refused(
      zipSync({ "a.txt": binary("hello") }, { level: 0 }),
      /not of torch\.save: it has 0 entries data\.pkl/,
    );
    refused(
      zipSync({
        "a/data.pkl": binary(pickle("N")),
        "b/data.pkl": binary(pickle("N")),
      }, { level: 0 }),
      /it has 2 entries data\.pkl/,
    );
    refused(
      zipSync({ "a/data.pkl": binary("N".repeat(500)) }, { level: 6 }),
      /is compressed, which torch\.save never does/,
    );
    refused(binary(pickle("N")), /no file of torch\.save/);
    refused(binary("weights"), /no file of torch\.save/);
  });

  it("refuses archives whose entries claim more than the file has", () => {
    const bytes = zip(tensor(MATRIX), { 0: SIX });
    const view = new DataView(bytes.buffer);
    // The directory's entries begin with PK\1\2; sizes stand 20 bytes on.
    for (let at = 0; at < bytes.length - 46; at++) {
      if (view.getUint32(at, true) !== 0x02014b50) continue;
      const damaged = bytes.slice();
      const claims = new DataView(damaged.buffer);
      claims.setUint32(at + 20, 0x7fffffff, true);
      claims.setUint32(at + 24, 0x7fffffff, true);
      assertRefused(() => read(damaged), /does not fit into the file/);
    }
  });
});
