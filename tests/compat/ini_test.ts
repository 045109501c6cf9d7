import assert from "node:assert/strict";
import { parseIni, parseIniBuiltIn } from "../../src/compat/ini.ts";
import { describe, it } from "../../src/compat/testing.ts";

const TEXT = "[xa]\nx__proto__=xnull\nxb=x\n\n[x__proto__]\nxc=x007%0020x\n";
const EXPECTED = [
  ["xa", [["x__proto__", "xnull"], ["xb", "x"]]],
  ["x__proto__", [["xc", "x007%0020x"]]],
];

for (
  const [name, parse] of [
    ["parseIni()", parseIni],
    ["parseIniBuiltIn()", parseIniBuiltIn],
  ] as const
) {
  describe(name, () => {
    it("gives every value as text, in the order of the lines", () => {
      const entries = [...parse(TEXT)].map(([section, values]) => [
        section,
        [...values],
      ]);
      assert.deepEqual(entries, EXPECTED);
    });

    it("keeps a section that has no keys", () => {
      assert.deepEqual([...parse("[xa]\n[xb]")].length, 2);
    });

    it("gives nothing for an empty text", () => {
      assert.equal(parse("").size, 0);
    });

    it("throws a SyntaxError for other lines", () => {
      for (const text of ["[xa]\nx", "[xa]\n=x", "[xa"]) {
        assert.throws(() => parse(text), SyntaxError, text);
      }
    });

    it("throws a SyntaxError for a key before the first section", () => {
      assert.throws(() => parse("xa=x"), SyntaxError);
    });
  });
}
