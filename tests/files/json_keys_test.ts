import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { findDuplicateKey } from "../../src/files/json_keys.ts";

describe("findDuplicateKey()", () => {
  it("finds a key that one object has twice, however it is spelled", () => {
    assert.equal(findDuplicateKey('{"a": 1, "b": [{"a": 2, "a": 3}]}'), "a");
    assert.equal(findDuplicateKey('{"a": {}, "\\u0061": {}}'), "a");
    assert.equal(
      findDuplicateKey('{"__proto__": 1, "__proto__": 2}'),
      "__proto__",
    );
  });

  it("finds none in texts that look as if they had one", () => {
    assert.equal(
      findDuplicateKey('{"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 1}]}'),
      undefined,
    );
    assert.equal(
      findDuplicateKey('{"a": "\\"a\\": 1, \\\\", "b": "a:", "{": "}"}'),
      undefined,
    );
  });

  it("finds none in what JSON.stringify writes", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      assert.equal(findDuplicateKey(JSON.stringify(value)), undefined);
    }));
  });
});
