import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  parsePythonLiteral,
  PythonLiteralError,
} from "../../src/python/literal.ts";
import { reprPython } from "../../src/python/repr.ts";

/** Texts and `repr(ast.literal_eval(text))` of Python 3.11. */
const GOOD: readonly (readonly [text: string, repr: string])[] = [
  ["{}", "{}"],
  ["[]", "[]"],
  ["()", "()"],
  ["(1)", "1"],
  ["(1,)", "(1,)"],
  ["[1, 1.0, 1., .5, 1e-6, 1E5]", "[1, 1.0, 1.0, 0.5, 1e-06, 100000.0]"],
  ["[0.0001,0.000001]", "[0.0001, 1e-06]"],
  ["[0x1F, 0o17, 0b11, 1_000, 0_0, 00]", "[31, 15, 3, 1000, 0, 0]"],
  ["[09.5, 1_0.5e1_0, 0e0, 1e400]", "[9.5, 105000000000.0, 0.0, inf]"],
  ["[-1, +2, -.5, - 3, -0, -0.0]", "[-1, 2, -0.5, -3, 0, -0.0]"],
  ["123456789012345678901234567890", "123456789012345678901234567890"],
  ["[True, False, None]", "[True, False, None]"],
  [`{"a": 1, 'b': (2,), 3: "c",}`, "{'a': 1, 'b': (2,), 3: 'c'}"],
  [`"it's"`, `"it's"`],
  [`'it''s'`, "'its'"],
  [`("a" "b"\n'c')`, "'abc'"],
  [`'\\n\\t\\\\\\'\\"'`, `'\\n\\t\\\\\\'"'`],
  [`'\\x41\\101\\u00e9\\U0001F600\\q'`, "'AAé😀\\\\q'"],
  [`r'\\d\\''`, `"\\\\d\\\\'"`],
  [`u"x"`, "'x'"],
  [`'''a\n"b"'c'''`, `'a\\n"b"\\'c'`],
  [`""`, "''"],
  [`''''''`, "''"],
  ["{ # comment\n 'a' : # more\n 1 # end\n} # after\n", "{'a': 1}"],
  ["\n\n[1,\\\n 2]", "[1, 2]"],
  ["[[[[1]]],[2,],]", "[[[[1]]], [2]]"],
  ["-(1)", "-1"],
  ["-((1))", "-1"],
  ["+(2.5)", "2.5"],
  ["(-1)", "-1"],
  ["1,2", "(1, 2)"],
  ["1,2,", "(1, 2)"],
  ["1, # c", "(1,)"],
  ["1,\n", "(1,)"],
  ["((1,))", "(1,)"],
  [" \t1 ", "1"],
  ["# c\n1", "1"],
  ["'''\r\n\r'''", "'\\n\\n'"],
  ["'\\400\\777\\8\\d'", "'Āǿ\\\\8\\\\d'"],
  ["{(1,(2,)): 1}", "{(1, (2,)): 1}"],
  ["1_000.0_1", "1000.01"],
];

/** Texts that Python does not take as a literal either, and the offset of the error. */
const BAD: readonly (readonly [text: string, offset: number])[] = [
  ["", 0],
  ["[", 0],
  ["[1, (2, 3]", 9],
  ["[1 2]", 3],
  ["[,]", 1],
  ["(,)", 1],
  ["[1,,2]", 3],
  ["{'a' 1}", 5],
  ["{'a':}", 5],
  ["{[]: 1}", 1],
  ["{{}: 1}", 1],
  ["'abc", 0],
  ["'a\nb'", 0],
  ["'''abc''", 0],
  ["'\\x4'", 1],
  ["'\\u12'", 1],
  ["'\\UFFFFFFFF'", 1],
  ["01", 0],
  ["1__0", 0],
  ["1_", 0],
  ["0x", 0],
  ["0xg", 0],
  ["1e", 0],
  ["1abc", 0],
  [".", 0],
  ["1.2.3", 0],
  ["-", 1],
  ["- 'a'", 2],
  ["true", 0],
  ["[relu]", 1],
  ["1 + 1", 2],
  ["[1][0]", 3],
  ["1\n2", 2],
  ["$", 0],
  ["--1", 1],
  ["+-21", 1],
  ["++6", 1],
  ["-(-1)", 1],
  ["-True", 1],
  ["-(1,)", 1],
  ["{} \\\n", 5],
  ["1\\\n", 3],
  ["{([],): 1}", 1],
  ["{(1,(2,{})): 1}", 1],
  ["1,\n2", 3],
  ["1,,", 2],
  [",1", 0],
  ["[1]\n,2", 4],
  ["\n 1", 1],
  ["'a'\n'b'", 4],
  ["'a\0b'", 2],
  ["06", 0],
  ["1;", 1],
  ["\ufeff1", 0],
  ["1\xa0", 1],
];

/** Texts that Python evaluates, but that are no plain data. */
const REFUSED: readonly string[] = [
  "__import__('os').system('true')",
  "range(3)",
  "10**-4",
  "b'x'",
  "f'{x}'",
  "1j",
  "{1, 2}",
  "[x for x in (1, 2)]",
  "'\\N{BULLET}'",
  "lambda: 1",
];

describe("parsePythonLiteral()", () => {
  it("reads literals as Python does", () => {
    for (const [text, repr] of GOOD) {
      assert.equal(reprPython(parsePythonLiteral(text)), repr, text);
    }
  });

  it("throws where the text is no literal, and says where", () => {
    for (const [text, offset] of BAD) {
      assert.throws(() => parsePythonLiteral(text), (error) => {
        assert(error instanceof PythonLiteralError, `${text}: ${error}`);
        assert.equal(error.offset, offset, `${text}: ${error.message}`);
        return true;
      }, text);
    }
  });

  it("refuses what would have to be computed", () => {
    for (const text of REFUSED) {
      assert.throws(() => parsePythonLiteral(text), PythonLiteralError, text);
    }
  });

  it("suggests Python's names for JSON's", () => {
    assert.throws(() => parsePythonLiteral("[true]"), /did you mean True\?/);
    assert.throws(() => parsePythonLiteral("false"), /did you mean False\?/);
    assert.throws(() => parsePythonLiteral("relu"), /text needs quotes/);
  });

  it("keeps integers and floats apart", () => {
    const value = parsePythonLiteral("[1, 1.0]");
    assert(value.kind === "list");
    assert.deepEqual(value.items.map(({ kind }) => kind), ["integer", "float"]);
  });

  it("treats __proto__ as any other key", () => {
    const value = parsePythonLiteral("{'__proto__': {'x': 1}}");
    assert.equal(reprPython(value), "{'__proto__': {'x': 1}}");
    assert.equal(({} as { x?: number }).x, undefined);
  });

  it("refuses brackets nested too deep, however many", () => {
    for (const depth of [51, 100_000]) {
      assert.throws(
        () => parsePythonLiteral("[".repeat(depth)),
        /more than 50 brackets/,
      );
    }
    const nested = "[".repeat(50) + "]".repeat(50);
    assert.equal(reprPython(parsePythonLiteral(nested)), nested);
  });

  it("refuses a number of more digits than Python reads", () => {
    assert.throws(
      () => parsePythonLiteral("1".repeat(100_000)),
      /more than 4300 digits/,
    );
  });

  it("gives back what reprPython() wrote", () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constant({ kind: "none" as const, at: 0 }),
        fc.boolean().map((value) => ({
          kind: "boolean" as const,
          at: 0,
          value,
        })),
        fc.bigInt().map((value) => ({
          kind: "integer" as const,
          at: 0,
          value,
        })),
        fc.double({ noNaN: true, noDefaultInfinity: true })
          .map((value) => ({ kind: "float" as const, at: 0, value })),
        fc.string({ unit: "binary" })
          .map((value) => ({ kind: "string" as const, at: 0, value })),
        fc.record({
          kind: fc.constantFrom("list" as const, "tuple" as const),
          at: fc.constant(0),
          items: fc.array(tie("value"), { maxLength: 3 }),
        }),
      ),
    }));
    fc.assert(fc.property(value, (value) => {
      const text = reprPython(value as Parameters<typeof reprPython>[0]);
      assert.equal(reprPython(parsePythonLiteral(text)), text);
    }));
  });

  it("gives a value or a PythonLiteralError for any text", () => {
    const piece = fc.constantFrom(
      ..."{}[](),:'\"\\#-+.0123456789_eExXbBoOrRuUNTF \n\t\u00e9",
      "True",
      "None",
      "'''",
      "'a'",
      "1e-6",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (text) => {
        try {
          parsePythonLiteral(text);
        } catch (error) {
          assert(error instanceof PythonLiteralError, String(error));
          assert(error.offset >= 0 && error.offset <= text.length);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
