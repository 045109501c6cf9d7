import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { safeName } from "../../src/files/path.ts";
import {
  combinationFileName,
  fileName,
  uniqueNames,
} from "../../src/viz/write_figures.ts";

describe("combinationFileName()", () => {
  it("names a combination by number, names and numbers with their keys", () => {
    assert.equal(
      combinationFileName("loss", {
        index: 0,
        parameters: {
          lr: 1e-6,
          nonlinearity: "relu",
          optimizer: "Adam",
          pattern_length: 3,
        },
      }),
      "loss_00_lr-1e-06_relu_adam_pattern_length-3",
    );
  });

  it("makes a name that every system takes, whatever keys and values are", () => {
    const values = fc.oneof(
      fc.double(),
      fc.string({ unit: "binary" }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(
        fc.nat(),
        fc.dictionary(fc.string({ unit: "binary" }), values),
        (index, parameters) => {
          const name = combinationFileName("loss", { index, parameters });
          assert.match(name, /^loss_\d{2,}[A-Za-z0-9._-]*$/);
          assert.equal(safeName(`${name}.svg`, { what: "it" }), `${name}.svg`);
          assert.ok(name.length <= 100);
        },
      ),
    );
  });
});

describe("fileName()", () => {
  it("keeps no sign of a label that a shell or a path gives a meaning", () => {
    const name = fileName("networks", [`../a b%c:"d"'e'\\f/g<script>`]);
    assert.match(name, /^networks_[a-z-]+$/);
  });

  it("leaves out a label of which nothing can stay", () => {
    assert.equal(fileName("networks", ["生物"]), "networks");
  });
});

describe("uniqueNames()", () => {
  it("tells names apart that differ in capitals only", () => {
    assert.deepEqual(uniqueNames(["a", "A", "b", "a"]), [
      "a",
      "A_2",
      "b",
      "a_3",
    ]);
  });
});
