import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { nearestNames } from "../../src/connectome/nearest_names.ts";

const KNOWN = ["Drosophila", "Macaque_Normalized", "Marmoset_Normalized"];

describe("nearestNames()", () => {
  it("finds a part of a name, whatever the case", () => {
    assert.deepEqual(nearestNames("marmoset", KNOWN), ["Marmoset_Normalized"]);
    assert.deepEqual(nearestNames("C_Drosophila.npy", KNOWN), ["Drosophila"]);
  });

  it("finds a name with a letter missing, the nearest first", () => {
    assert.deepEqual(nearestNames("Macaqe_Normalized", KNOWN), [
      "Macaque_Normalized",
      "Marmoset_Normalized",
    ]);
  });

  it("offers nothing for what is like no name", () => {
    assert.deepEqual(nearestNames("zebrafish", KNOWN), []);
    assert.deepEqual(nearestNames("M", KNOWN), []);
    assert.deepEqual(nearestNames("x".repeat(1_000_000), KNOWN), []);
  });
});
