import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { parseJson } from "../../src/files/json.ts";

function twice(text: string): void {
  assert.throws(() => parseJson(text), /^SyntaxError: has the key .* twice$/);
}

describe("parseJson()", () => {
  it("refuses a key that one object has twice, however it is spelled", () => {
    twice('{"a": 1, "b": [{"a": 2, "a": 3}]}');
    twice('{"a": {}, "\\u0061": {}}');
    twice('{"__proto__": 1, "__proto__": 2}');
  });

  it("takes texts that look as if they had one", () => {
    parseJson('{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 1}]}');
    parseJson('{"a": "\\"a\\": 1, \\\\", "b": "a:", "{": "}"}');
  });

  it("reads what JSON.stringify writes", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      assert.equal(JSON.stringify(parseJson(text)), text);
    }));
  });

  it("gives every key as it is written, whatever was read before", () => {
    // Strings of what JSON escapes, one after the other in one process.
    const names = fc.array(
      fc.string({ unit: fc.constantFrom("k", "\\", '"', "\n", "\u0001") }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(names, (keys) => {
        for (const key of keys) {
          const text = `[{"a":1,${JSON.stringify(key + "x")}:{}},{"a":1,${
            JSON.stringify(key)
          }:2}]`;
          const [, second] = parseJson(text) as Record<string, unknown>[];
          assert.ok(key === "a" || second?.[key] === 2, text);
        }
      }),
      { numRuns: 500 },
    );
    assert.deepEqual(
      parseJson('[{"a":1,"k\\\\":2},{"a":1},{"a":1,"k\\"":2}]'),
      [{ a: 1, "k\\": 2 }, { a: 1 }, { a: 1, 'k"': 2 }],
    );
  });

  it("refuses what is no JSON in a clause", () => {
    assert.throws(() => parseJson("{"), /^SyntaxError: is no JSON$/);
    assert.throws(() => parseJson(""), /^SyntaxError: is no JSON$/);
  });
});
