import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  parsePythonBoolean,
  parsePythonFloat,
  parsePythonInteger,
  splitLines,
  strip,
} from "../../src/python/text.ts";

describe("parsePythonInteger()", () => {
  it("reads what int() of Python reads", () => {
    const cases: [string, number][] = [
      ["500", 500],
      [" 1_000\n", 1000],
      ["+5", 5],
      ["-3", -3],
      ["007", 7],
      ["-0", 0],
      ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ];
    for (const [text, value] of cases) {
      assert(Object.is(parsePythonInteger(text), value), text);
    }
  });

  it("is undefined for all else", () => {
    for (
      const text of [
        "",
        "5.0",
        "1e3",
        "1__0",
        "_1",
        "1_",
        "- 1",
        "0x10",
        "five",
        "9007199254740992",
        "9".repeat(1000),
      ]
    ) assert.equal(parsePythonInteger(text), undefined, text);
  });
});

describe("parsePythonFloat()", () => {
  it("reads what float() of Python reads", () => {
    const cases: [string, number][] = [
      ["0.8", 0.8],
      [" 1\n", 1],
      ["1.", 1],
      ["+.5", 0.5],
      ["-2.5E-1", -0.25],
      ["1_0.2_5e1_0", 10.25e10],
      ["007.5", 7.5],
      ["-0", -0],
    ];
    for (const [text, value] of cases) {
      assert(Object.is(parsePythonFloat(text), value), text);
    }
  });

  it("is undefined for all else, and what is not finite", () => {
    for (
      const text of [
        "",
        ".",
        "e5",
        "1e",
        "1_",
        "1_.5",
        "1._5",
        "1__0",
        "0x10",
        "1,5",
        "1/2",
        "1 2",
        "nan",
        "inf",
        "1e400",
        "9".repeat(1000),
      ]
    ) assert.equal(parsePythonFloat(text), undefined, text);
  });
});

describe("parsePythonBoolean()", () => {
  it("reads what getboolean() of configparser reads, in any case", () => {
    for (const text of ["1", "yes", "True", "TRUE", "on", "On"]) {
      assert.equal(parsePythonBoolean(text), true, text);
    }
    for (const text of ["0", "no", "False", "FALSE", "off", "oFF"]) {
      assert.equal(parsePythonBoolean(text), false, text);
    }
    for (const text of ["", "2", "y", "t", " true", "None", "constructor"]) {
      assert.equal(parsePythonBoolean(text), undefined, text);
    }
  });
});

describe("strip()", () => {
  it("removes Python's white space, not JavaScript's", () => {
    assert.equal(strip("\x1c\x85\u3000 a b \x1f\n"), "a b");
    assert.equal(strip("\ufeffa"), "\ufeffa");
    assert.equal(strip(" \t"), "");
  });
});

describe("splitLines()", () => {
  it("ends lines where open() of Python does", () => {
    assert.deepEqual(splitLines("a\r\nb\rc\nd\x0be\u2028f"), [
      "a",
      "b",
      "c",
      "d\x0be\u2028f",
    ]);
  });
});
