import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { axisTitle, scaleProperties } from "../../src/viz/layers.ts";
import { chooseScale } from "../../src/viz/series.ts";

describe("axisTitle()", () => {
  it("says that a scale is logarithmic", () => {
    const log = chooseScale([1, 100]);
    assert.equal(axisTitle("loss", log), "loss (log scale)");
    assert.equal(axisTitle("loss (MSE)", log), "loss (MSE, log scale)");
    assert.equal(axisTitle("loss", chooseScale([1, 2])), "loss");
  });
});

function logTicks(low: number, high: number): number[] {
  return scaleProperties({ log: true, low, high }).axis.values as number[];
}

describe("scaleProperties()", () => {
  it("takes 1, 2 and 5 in up to two decades, powers of ten beyond", () => {
    assert.deepEqual(logTicks(0.003, 0.2), [
      0.005,
      0.01,
      0.02,
      0.05,
      0.1,
      0.2,
    ]);
    assert.deepEqual(logTicks(1e-4, 0.3), [1e-4, 1e-3, 0.01, 0.1]);
    assert.ok(logTicks(1e-30, 1).length <= 7);
  });
});
