import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  regionNeuronIds,
  scaleNeuronDensity,
} from "../../src/connectome/neuron_density.ts";
import { InputError } from "../../src/files/input_error.ts";

describe("scaleNeuronDensity()", () => {
  it("ranks, and gives equal densities equal numbers", () => {
    assert.deepEqual(
      scaleNeuronDensity([30, 10, 30, 20], { method: "rank", seed: 3 }),
      [9, 3, 9, 6],
    );
  });

  it("takes ratios to the lowest, rounded half to even", () => {
    assert.deepEqual(
      scaleNeuronDensity([4, 10, 6, 14], { method: "ratio", seed: 1 }),
      [1, 2, 2, 4],
    );
  });

  it("names the regions without a density", () => {
    assert.throws(
      () =>
        scaleNeuronDensity([NaN, 10, 0], {
          method: "rank",
          seed: 1,
          regionNames: ["V1", "V2", "7m"],
        }),
      (error) =>
        error instanceof InputError &&
        /2 of 3 .*\(V1, 7m\)/.test(error.message),
    );
  });

  it("refuses a seed that is no integer from 1", () => {
    for (const seed of [0, 1.5, NaN]) {
      assert.throws(
        () => scaleNeuronDensity([1], { method: "rank", seed }),
        RangeError,
      );
    }
  });
});

describe("regionNeuronIds()", () => {
  it("numbers neurons region by region", () => {
    assert.deepEqual(regionNeuronIds([2, 1, 3]), [[0, 1], [2], [3, 4, 5]]);
  });
});
