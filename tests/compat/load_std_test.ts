import assert from "node:assert/strict";
import { loadStd } from "../../src/compat/load_std.ts";
import { describe, it } from "../../src/compat/testing.ts";

describe("loadStd()", () => {
  it("gives the module, or undefined where there is none", async () => {
    const path = await loadStd("node:path") as typeof import("node:path");
    assert.equal(path.basename("a/b"), "b");
    assert.equal(await loadStd("@std/there_is_no_such_package"), undefined);
  });
});
