import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { flagsOf, numberOf } from "../../src/cli/flags.ts";

describe("flagsOf()", () => {
  it("takes the lines of a help text for the declarations of flags", () => {
    const help = `Does something, with --nothing.

  deno task thing --results A B

  --dry-run                do nothing
  --results A B …          folders
  --dpi N                  pixels  an inch; --default 300
  --format dense|sparse
                           kept --so
  --source, --target X     columns
  --set SECTION.KEY=VALUE  any key
  --help                   this text

With --dry-run nothing happens.`;
    assert.deepEqual(flagsOf(help), {
      boolean: ["help", "dry-run", "help"],
      string: ["dpi", "format", "source", "target"],
      list: ["results"],
      each: ["set"],
    });
  });
});

describe("numberOf()", () => {
  it("says which numbers a flag allows", () => {
    assert.equal(numberOf("1e2", "dpi", { from: 1, whole: true }), 100);
    const cases = [
      ["", {}, "a number from 0"],
      ["-1", {}, "a number from 0"],
      ["1.5", { from: 1, to: 9, whole: true }, "an integer from 1 to 9"],
      ["0", { above: 0, to: 1 }, "a number above 0, at most 1"],
    ] as const;
    for (const [text, range, allowed] of cases) {
      assert.throws(
        () => numberOf(text, "x", range),
        { message: `Cannot use --x "${text}": it must be ${allowed}` },
      );
    }
  });
});
