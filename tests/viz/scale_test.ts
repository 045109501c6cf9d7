import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { axisTitle, logTicks } from "../../src/viz/layers.ts";
import { chooseScale } from "../../src/viz/series.ts";

describe("chooseScale()", () => {
  it("is logarithmic beyond a range of 30", () => {
    assert.equal(chooseScale([0.01, 0.3]).log, false);
    assert.equal(chooseScale([0.01, 0.301]).log, true);
  });

  it("is linear where a value is 0 or below", () => {
    assert.equal(chooseScale([0, 1, 1000]).log, false);
    assert.equal(chooseScale([-1, 1000]).log, false);
  });

  it("passes over what is not finite", () => {
    assert.deepEqual(chooseScale([NaN, 2, Infinity, 3]), {
      log: false,
      low: 2,
      high: 3,
    });
  });
});

describe("axisTitle()", () => {
  it("says that a scale is logarithmic", () => {
    const log = chooseScale([1, 100]);
    assert.equal(axisTitle("loss", log), "loss (log scale)");
    assert.equal(axisTitle("loss (MSE)", log), "loss (MSE, log scale)");
    assert.equal(axisTitle("loss", chooseScale([1, 2])), "loss");
  });
});

describe("logTicks()", () => {
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
