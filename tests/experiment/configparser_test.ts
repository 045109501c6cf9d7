import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { iniValue, readIni } from "../../src/experiment/configparser.ts";
import { InputError } from "../../src/files/input_error.ts";
import { BAD_CASES, GOOD_CASES } from "./configparser_cases.ts";

/** All values of a text, as `expected` of the cases has them. */
function readAll(text: string): [string, string, string | null][] {
  const ini = readIni(text, { file: "config.ini" });
  const values: [string, string, string | null][] = [];
  for (const [section, { options }] of ini.sections) {
    const keys = new Set([...options.keys(), ...ini.defaults.keys()]);
    for (const key of [...keys].sort()) {
      try {
        const value = iniValue(ini, { section, key });
        values.push([section, key, value?.text ?? null]);
      } catch (error) {
        assert(error instanceof InputError);
        values.push([section, key, null]);
      }
    }
  }
  return values;
}

function readStrictly(text: string): void {
  const ini = readIni(text, { file: "config.ini" });
  for (const [section, { options }] of ini.sections) {
    for (const key of options.keys()) iniValue(ini, { section, key });
  }
}

describe("readIni()", () => {
  for (const { name, text, expected } of GOOD_CASES) {
    it(`reads as configparser does: ${name}`, () => {
      assert.deepEqual(readAll(text), expected);
    });
  }

  for (const { name, text, line } of BAD_CASES) {
    it(`refuses what configparser refuses, with the line: ${name}`, () => {
      assert.throws(() => readStrictly(text), (error) => {
        assert(error instanceof InputError);
        assert.match(
          error.message,
          new RegExp(`^Cannot read "config\\.ini", line ${line}: `),
        );
        return true;
      });
    });
  }

  it("skips a byte-order mark", () => {
    assert.deepEqual(readAll("\ufeff[a]\nx = 1"), [["a", "x", "1"]]);
  });

  it("keeps halves of surrogate pairs", () => {
    assert.deepEqual(readAll("[a]\nx = \ud800!"), [["a", "x", "\ud800!"]]);
  });

  it("reads a value of a hundred thousand lines in time", () => {
    const text = `[a]\nx = 1\n${"  2\n".repeat(100_000)}`;
    const [[, , value] = []] = readAll(text);
    assert.equal(value?.length, 200_001);
  });
});

describe("iniValue()", () => {
  it("is undefined for a key or a section that is not there", () => {
    const ini = readIni("[DEFAULT]\nx = 1\n[a]\ny = 2", { file: "c.ini" });
    assert.equal(iniValue(ini, { section: "a", key: "z" }), undefined);
    assert.equal(iniValue(ini, { section: "b", key: "x" }), undefined);
    assert.equal(iniValue(ini, { section: "a", key: "x" })?.text, "1");
  });

  it("knows the line of each place in a value of many lines", () => {
    const text = "[a]\nx = {\n  1,\n\n  # comment\n  2}\n";
    const value = iniValue(readIni(text, { file: "c.ini" }), {
      section: "a",
      key: "x",
    });
    assert.equal(value?.text, "{\n1,\n\n2}");
    const lines = ["{", "1", "2"].map((mark) =>
      value?.lineAt(value.text.indexOf(mark))
    );
    assert.deepEqual(lines, [2, 3, 6]);
  });

  it("refuses references that multiply without end", () => {
    for (const seed of ["ha", ""]) {
      const lines = [`k0 = ${seed}%%`];
      for (let i = 1; i <= 9; i++) {
        lines.push(`k${i} = ${`%(k${i - 1})s`.repeat(50)}`);
      }
      const ini = readIni(`[a]\n${lines.join("\n")}`, { file: "c.ini" });
      assert.throws(
        () => iniValue(ini, { section: "a", key: "k9" }),
        /^InputError: Cannot read "c\.ini", line 11: \[a\] k9 (?:grows|refers)/,
      );
    }
  });

  it("names the key that a reference may mean", () => {
    const ini = readIni("[a]\nhome = x\ny = %(hme)s", { file: "c.ini" });
    assert.throws(
      () => iniValue(ini, { section: "a", key: "y" }),
      /line 3: \[a\] y refers to the key "hme", which neither \[a\] nor \[DEFAULT\] has \(did you mean "home"\?\)/,
    );
  });
});
