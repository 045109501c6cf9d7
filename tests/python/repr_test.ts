import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { reprFloat, reprString, reprTuple } from "../../src/python/repr.ts";

/** Floats and `repr(float)` of Python 3.11. */
const FLOATS: readonly (readonly [value: number, repr: string])[] = [
  [0.0001, "0.0001"],
  [0.000001, "1e-06"],
  [0.00001, "1e-05"],
  [0.000025, "2.5e-05"],
  [0.000123, "0.000123"],
  [0.00010000000000000002, "0.00010000000000000002"],
  [0.00009999999999999999, "9.999999999999999e-05"],
  [0.001, "0.001"],
  [0.1 + 0.2, "0.30000000000000004"],
  [1 / 3, "0.3333333333333333"],
  [2 / 3 * 1e-4, "6.666666666666667e-05"],
  [0.5, "0.5"],
  [4.35, "4.35"],
  [0, "0.0"],
  [-0, "-0.0"],
  [1, "1.0"],
  [10, "10.0"],
  [-1.5, "-1.5"],
  [-2e-7, "-2e-07"],
  [100000, "100000.0"],
  [99999999999999.98, "99999999999999.98"],
  [123456789012345.6, "123456789012345.6"],
  [1e15, "1000000000000000.0"],
  [1e16, "1e+16"],
  [12345678901234567, "1.2345678901234568e+16"],
  [1e22, "1e+22"],
  [6.02e23, "6.02e+23"],
  [1e-10, "1e-10"],
  [1e-100, "1e-100"],
  [1e100, "1e+100"],
  [5e-324, "5e-324"],
  [2.2250738585072014e-308, "2.2250738585072014e-308"],
  [1.7976931348623157e308, "1.7976931348623157e+308"],
  [Infinity, "inf"],
  [-Infinity, "-inf"],
  [NaN, "nan"],
];

/** Strings and `repr(str)` of Python 3.11. */
const STRINGS: readonly (readonly [value: string, repr: string])[] = [
  ["relu", "'relu'"],
  ["", "''"],
  ["it's", `"it's"`],
  [`"`, `'"'`],
  [`it's "it"`, `'it\\'s "it"'`],
  ["a\\b\n\r\t", "'a\\\\b\\n\\r\\t'"],
  ["\0\x7f\xa0\xad", "'\\x00\\x7f\\xa0\\xad'"],
  ["é😀 x", "'é😀 x'"],
  ["\u200b\u2028\ud800", "'\\u200b\\u2028\\ud800'"],
  ["\u{e0001}", "'\\U000e0001'"],
];

describe("reprFloat()", () => {
  it("writes floats as Python does", () => {
    for (const [value, repr] of FLOATS) assert.equal(reprFloat(value), repr);
  });

  it("loses no digit", () => {
    fc.assert(fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (value) => assert(Object.is(Number(reprFloat(value)), value)),
    ));
  });
});

describe("reprString()", () => {
  it("writes strings as Python does", () => {
    for (const [value, repr] of STRINGS) assert.equal(reprString(value), repr);
  });
});

describe("reprTuple()", () => {
  it("writes tuples as Python does", () => {
    assert.equal(
      reprTuple(["0.0001", "'relu'", "'Adam'", "3"]),
      "(0.0001, 'relu', 'Adam', 3)",
    );
    assert.equal(reprTuple(["3"]), "(3,)");
    assert.equal(reprTuple([]), "()");
  });
});
