import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { cacheFolder } from "../../src/files/download.ts";

function folder(
  os: typeof Deno.build.os,
  variables: Readonly<Record<string, string>>,
) {
  return cacheFolder({ os, env: (name) => variables[name] });
}

describe("cacheFolder()", () => {
  it("is BIORNN_CACHE before all else", () => {
    assert.equal(folder("linux", { BIORNN_CACHE: "/c", HOME: "/h" }), "/c");
    assert.equal(folder("windows", { BIORNN_CACHE: "C:/c" }), "C:/c");
  });

  it("follows the system's rules", () => {
    assert.equal(folder("linux", { HOME: "/h" }), join("/h/.cache/biornn"));
    assert.equal(
      folder("linux", { HOME: "/h", XDG_CACHE_HOME: "/x" }),
      join("/x/biornn"),
    );
    assert.equal(
      folder("linux", { HOME: "/h", XDG_CACHE_HOME: "relative" }),
      join("/h/.cache/biornn"),
    );
    assert.equal(
      folder("darwin", { HOME: "/h" }),
      join("/h/Library/Caches/biornn"),
    );
    assert.equal(
      folder("windows", { LOCALAPPDATA: "/l" }),
      join("/l/biornn/cache"),
    );
  });

  it("is undefined where nothing says", () => {
    assert.equal(folder("linux", {}), undefined);
    assert.equal(folder("linux", { HOME: "" }), undefined);
    assert.equal(folder("windows", {}), undefined);
  });
});
