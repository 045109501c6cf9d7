import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { drawable, drawnLabels } from "../../src/viz/figure.ts";

describe("drawnLabels()", () => {
  it("keeps labels that fit, and the ends of those that don't", () => {
    assert.deepEqual(drawnLabels(["bio", "漢字"]), ["bio", "漢字"]);
    const long = `Marmoset_Normalized_${"x".repeat(40)}_True`;
    const [short] = drawnLabels([long]);
    assert.ok([...short!].length <= 42);
    assert.match(short!, /^Marmoset_.*….*_True$/);
  });

  it("never makes two labels one", () => {
    const middle = (letter: string) => "a".repeat(40) + letter + "b".repeat(40);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(
          fc.string({ unit: "grapheme" }),
          fc.constantFrom("x", "y", "z").map(middle),
        )),
        (labels) => {
          const drawn = drawnLabels(labels);
          assert.equal(new Set(drawn).size, labels.length);
        },
      ),
    );
  });
});

describe("drawable()", () => {
  it("leaves nothing that XML forbids or that every object has", () => {
    const address = "data:image/png;base64,AA";
    assert.deepEqual(
      drawable({
        a: ["a\x1b[31m", "constructor", "__proto__"],
        b: { c: "lr 1e-4 · tanh" },
        url: address,
        n: 1,
      }),
      {
        a: ["a\\x1b[31m", "constructor\u00a0", "__proto__\u00a0"],
        b: { c: "lr 1e-4 · tanh" },
        url: address,
        n: 1,
      },
    );
  });
});
