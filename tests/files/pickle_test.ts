import assert from "node:assert/strict";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import {
  PickleCall,
  PickleGlobal,
  PicklePersistentId,
  PickleTuple,
  type PickleValue,
  readNameList,
  readPickle,
} from "../../src/files/pickle.ts";
import {
  assertNoPartRead,
  assertRefused,
  binary,
  itRefuses,
  type Refusal,
} from "./binary.ts";
import { call, global, int, list, pickle, str, tuple } from "./pickle_bytes.ts";

const name = "x.pkl";
const NAMES = "Names.lst";
const folder = Deno.env.get("BIORNN_CONNECTOMES");

function read(bytes: string, globals: string[] = []): PickleValue {
  const result = readPickle(binary(bytes), { name, globals: new Set(globals) });
  assert.equal(result.end, bytes.length);
  return result.value;
}

/**
 * What Python 3's pickle.dumps wrote for one value in protocols 2 to 5:
 * [1, -70000, 2**40, 1.5, True, None, "é\n", (2, "x"), {"k": [3]}].
 */
const BY_PROTOCOL = [
  "\x80\x02]q\0(K\x01J\x90\xee\xfe\xff\x8a\x06\0\0\0\0\0\x01G?\xf8\0\0\0\0\0\0\x88NX\x03\0\0\0\xc3\xa9\nq\x01K\x02X\x01\0\0\0xq\x02\x86q\x03}q\x04X\x01\0\0\0kq\x05]q\x06K\x03ase.",
  "\x80\x03]q\0(K\x01J\x90\xee\xfe\xff\x8a\x06\0\0\0\0\0\x01G?\xf8\0\0\0\0\0\0\x88NX\x03\0\0\0\xc3\xa9\nq\x01K\x02X\x01\0\0\0xq\x02\x86q\x03}q\x04X\x01\0\0\0kq\x05]q\x06K\x03ase.",
  "\x80\x04\x959\0\0\0\0\0\0\0]\x94(K\x01J\x90\xee\xfe\xff\x8a\x06\0\0\0\0\0\x01G?\xf8\0\0\0\0\0\0\x88N\x8c\x03\xc3\xa9\n\x94K\x02\x8c\x01x\x94\x86\x94}\x94\x8c\x01k\x94]\x94K\x03ase.",
  "\x80\x05\x959\0\0\0\0\0\0\0]\x94(K\x01J\x90\xee\xfe\xff\x8a\x06\0\0\0\0\0\x01G?\xf8\0\0\0\0\0\0\x88N\x8c\x03\xc3\xa9\n\x94K\x02\x8c\x01x\x94\x86\x94}\x94\x8c\x01k\x94]\x94K\x03ase.",
];

describe("readPickle()", () => {
  for (const [i, bytes] of BY_PROTOCOL.entries()) {
    it(`reads what Python wrote, protocol ${i + 2}`, () => {
      assert.deepEqual(read(bytes), [
        1,
        -70000,
        2 ** 40,
        1.5,
        true,
        null,
        "é\n",
        new PickleTuple([2, "x"]),
        new Map([["k", [3]]]),
      ]);
    });
  }

  const VALUES: [what: string, bytes: string, value: PickleValue][] = [
    ["a large integer", "\x8a\x08\x01\0\0\0\0\0\x20\0.", 2n ** 53n + 1n],
    ["a negative integer of one byte", "\x8a\x01\xfe.", -2],
    ["an integer of no bytes", "\x8a\0.", 0],
    ["a long integer", "\x8b\x02\0\0\0\xff\x7f.", 32767],
    ["Python 2's short string", "U\x02\xe9\x80.", "\xe9\x80"],
    ["bytes", "C\x02ab.", Uint8Array.of(97, 98)],
    ["a bytearray", "\x96\x01\0\0\0\0\0\0\0a.", Uint8Array.of(97)],
    ["a set", "\x8f(K\x01K\x02\x90.", new Set([1, 2])],
    ["a frozen set", "(K\x01\x91.", new Set([1])],
    ["a value used twice", "]q\x07h\x07\x86.", new PickleTuple([[], []])],
    ["values that are dropped", "K\x01K\x020(K\x03K\x041.", 1],
  ];
  for (const [what, bytes, value] of VALUES) {
    it(`reads ${what}`, () => assert.deepEqual(read(bytes), value));
  }

  it("keeps calls and outside values as data", () => {
    const path = "collections.OrderedDict";
    const bytes = `${call(path, "K\x01")}(${str("k")}K\x02uK\x03a(K\x04eNb${
      tuple(str("storage"))
    }Q\x86.`;
    const expected = new PickleCall(
      new PickleGlobal("collections", "OrderedDict"),
      [1],
    );
    expected.entries.push(["k", 2]);
    expected.appended.push(3, 4);
    expected.state = null;
    const id = new PickleTuple(["storage"]);
    assert.deepEqual(
      read(bytes, [path]),
      new PickleTuple([expected, new PicklePersistentId(id)]),
    );
    const result = readPickle(binary(bytes), {
      name,
      globals: new Set([path]),
    });
    assert.deepEqual(result.persistentIds, [id]);
  });

  it("reads a list that holds itself without hanging", () => {
    const value = read("]q\0h\0a.") as PickleValue[];
    assert.equal(value[0], value);
  });

  it("shares what is used many times instead of copying it", () => {
    // Each level holds the level before ten times: written out, 10^40 values.
    const levels = Array.from(
      { length: 40 },
      (_, i) =>
        `](${`h${String.fromCharCode(i)}`.repeat(10)}eq${
          String.fromCharCode(i + 1)
        }`,
    );
    let value = read(`]q\0${levels.join("")}.`);
    let depth = 0;
    while (Array.isArray(value) && value.length > 0) {
      assert.equal(value[0], value[9]);
      value = value[0] as PickleValue;
      depth++;
    }
    assert.equal(depth, 40);
  });

  it("goes on at a position and says where the pickle ends", () => {
    const bytes = binary("xx", pickle(int(5)), "yy");
    const { value, end } = readPickle(bytes, { name, position: 2 });
    assert.equal(value, 5);
    assert.equal(end, bytes.length - 2);
  });

  it("refuses every pickle that is cut short", () => {
    for (const bytes of BY_PROTOCOL) {
      assertNoPartRead(binary(bytes), (part) => readPickle(part, { name }));
    }
  });

  const REFUSED: Refusal<string>[] = [
    [
      "a call of the shell",
      call("os.system", str("true")) + ".",
      /wants Python's "os\.system", and only plain data/,
    ],
    [
      "a function by its dotted name",
      `${str("builtins")}${str("eval")}\x93.`,
      /wants Python's "builtins\.eval"/,
    ],
    ["an instance", "(ios\nsystem\n.", /can't be read: byte 1 is 0x69/],
    ["an extension code", "\x82\x01.", /byte 0 is 0x82/],
    ["a buffer outside the file", "\x97.", /byte 0 is 0x97/],
    ["a call of a value", "K\x01)R.", /calls what is no function/],
    [
      "a call without a tuple",
      `${global("a.b")}]R.`,
      /calls what is no function/,
    ],
    ["an empty pickle", ".", /holds no value/],
    [
      "a value taken from an empty stack",
      "0.",
      /takes a value where there is none/,
    ],
    [
      "a value taken from below a mark",
      "K\x01(a.",
      /takes a value where there is none/,
    ],
    [
      "a mark that was never set",
      "t.",
      /goes back to a mark where there is none/,
    ],
    ["a key without a value", "}(K\x01u.", /key without a value/],
    [
      "an item of what is no list",
      "K\x01K\x02a.",
      /appends to what is no list/,
    ],
    [
      "a key of what is no dictionary",
      "]K\x01K\x02s.",
      /sets a key of what is no dictionary/,
    ],
    ["a state of plain data", "]}b.", /gives a state to what is no object/],
    [
      "a value that was never stored",
      "h\x05.",
      /uses value 5 before it is stored/,
    ],
    [
      "a string longer than the file",
      "X\xff\xff\xff\xffab.",
      /it ends after 8 bytes, but 4294967295 more/,
    ],
    ["a string of 2^63 bytes", `\x8d${"\xff".repeat(8)}ab.`, /more are needed/],
    [
      "a frame longer than the file",
      "\x95\x99\0\0\0\0\0\0\0N.",
      /frame of 153 bytes/,
    ],
    ["text that is no UTF-8", "X\x01\0\0\0\xff.", /text that is no UTF-8/],
    [
      "a huge integer",
      `\x8b\0\0\x01\0${"\x01".repeat(65536)}.`,
      /integer of 65536 bytes/,
    ],
    ["protocol 6", "\x80\x06N.", /protocol 6; 1 to 5 can be read/],
    [
      "a call among plain data",
      list(call("os.getcwd")) + ".",
      /only plain data/,
    ],
    [
      "endless instructions",
      "N0".repeat(300_000) + "N.",
      /more than 500000 instructions/,
    ],
  ];
  itRefuses(REFUSED, (bytes) => read(bytes, ["a.b"]));

  it("refuses the text protocol in a sentence that says what to do", () => {
    for (
      const bytes of [
        "(lp0\nVV1\np1\na.",
        "I010\n.",
        "V\\\\u0041\n.",
        "((lp0\n(g0\ntp1\na00g1\n.",
        "S'x'\n.",
        "L5L\n.",
        "F1.5\n.",
        "]I01\na.",
      ]
    ) {
      assertRefused(
        () => read(bytes),
        /text protocol 0; pickle\.dump\(value, file, protocol=2\) writes one/,
      );
    }
  });
});

describe("readNameList()", () => {
  it("reads the names in their order", () => {
    const bytes = binary(
      pickle(list(str("V1"), str("7m"), str("__proto__")), 3),
    );
    assert.deepEqual(readNameList(bytes, { name: NAMES }), [
      "V1",
      "7m",
      "__proto__",
    ]);
  });

  itNeeds(
    "reads the names of all collected connectomes",
    folder === undefined ? "BIORNN_CONNECTOMES names no folder" : undefined,
    () => {
      const expected: Record<string, [number, string, string]> = {
        Drosophila: [49, "AL", "vmp"],
        Human_Betzel_Normalized: [57, "ctx-lh-bankssts_1", "ctx-lh-insula_2"],
        Macaque_Normalized: [29, "V1", "7m"],
        Marmoset_Normalized: [55, "A6M", "AuCM"],
        Mouse_Gamanut_Normalized: [19, "ACAd", "VISC"],
        Mouse_Ypma_Oh: [56, "PTLp", "MH"],
      };
      for (
        const [connectome, [count, first, last]] of Object.entries(expected)
      ) {
        const path = `${folder}/Names_${connectome}.lst`;
        const names = readNameList(Deno.readFileSync(path), { name: path });
        assert.equal(names.length, count);
        assert.equal(names[0], first);
        assert.equal(names.at(-1), last);
        assert.equal(new Set(names).size, count);
      }
    },
  );

  it("refuses what is no list of strings, and what follows it", () => {
    const refused = (bytes: string, sentence: RegExp) =>
      assertRefused(
        () => readNameList(binary(bytes), { name: NAMES }),
        sentence,
      );
    refused(
      pickle(str("V1")),
      /^Cannot read "Names\.lst": it holds no list of names$/,
    );
    refused(pickle(list(str("V1"), "K\x07")), /entry 1 of its list is no text/);
    refused(pickle(list(str("V1"))) + "N.", /2 bytes follow its pickle/);
    refused(pickle(list(call("os.getcwd"))), /os\.getcwd/);
    refused("V1\nV2\n", /./);
  });
});
