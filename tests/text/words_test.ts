import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  formatBytes,
  formatDuration,
  formatTable,
  listNames,
  plural,
  printable,
  shorten,
} from "../../src/text/words.ts";

describe("printable()", () => {
  it("leaves nothing that steers a terminal", () => {
    for (
      const text of [
        "a\x1b[31mb",
        "\x9b2J",
        "a\rb",
        "\x07",
        "\u202ereversed",
        "\u2028",
        "a\nb",
        "\x7f",
      ]
    ) {
      const shown = printable(text);
      assert.match(shown, /\\x|\\u/);
      assert.ok([...shown].every((c) => c >= " " && !/\p{Cc}|\p{Cf}/u.test(c)));
    }
    assert.equal(printable("V1\x1b[31m"), "V1\\x1b[31m");
  });

  it("leaves names as they are", () => {
    for (
      const text of ["Crâne", "区域 1", "V1, dorsal", "μ ± σ", "C:\\res", "👩‍🔬"]
    ) {
      assert.equal(printable(text), text);
    }
  });
});

describe("formatTable()", () => {
  it("puts numbers to the right and counts characters", () => {
    assert.deepEqual(
      formatTable([["region", "n"], ["Crâne", "5"], ["V👁", "29"]]),
      ["region   n", "Crâne    5", "V👁      29"],
    );
  });

  it("takes a name with an escape as text", () => {
    assert.ok(!formatTable([["a\x1b[2J", "b"]]).join("").includes("\x1b"));
  });
});

describe("words", () => {
  it("formats counts, sizes and durations", () => {
    assert.equal(plural(1, "epoch"), "1 epoch");
    assert.equal(plural(0, "epoch"), "0 epochs");
    assert.equal(formatBytes(999), "999 B");
    assert.equal(formatBytes(1000), "1.00 kB");
    assert.equal(formatBytes(999_999), "1.00 MB");
    assert.equal(formatBytes(215_400_000), "215 MB");
    assert.equal(formatDuration(5), "0:05");
    assert.equal(formatDuration(125.4), "2:05");
    assert.equal(formatDuration(3725), "1:02:05");
    assert.equal(listNames(["a", "b", "c"]), "a, b or c");
    assert.equal(shorten("x".repeat(100)).length, 61);
  });
});
