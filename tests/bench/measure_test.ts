import assert from "node:assert/strict";
import { epochFlop, formatSpread, spread } from "../../bench/measure.ts";
import { gridProblem } from "../../bench/grid_problem.ts";
import { describe, it } from "../../src/compat/testing.ts";

describe("epochFlop()", () => {
  it("counts 3·2·B·T·H² a training batch and a third of that a validation batch", async () => {
    const { spec } = await gridProblem({
      iterations: 1,
      neuronsPerRegion: 1,
      patternLengths: [3],
      trials: 50,
      most: 2,
    });
    const step = 2 * 7 * 29 ** 2;
    assert.equal(epochFlop(spec), 2 * (3 * 40 * step + 10 * step));
  });
});

describe("spread()", () => {
  it("gives the middle of an odd number of measurements", () => {
    assert.deepEqual(spread([5, 1, 9]), { median: 5, least: 1, most: 9 });
  });

  it("gives the mean of the two middle ones of an even number", () => {
    assert.deepEqual(spread([10, 2, 1, 3]), {
      median: 2.5,
      least: 1,
      most: 10,
    });
  });

  it("refuses no measurements", () => {
    assert.throws(() => spread([]), RangeError);
  });
});

describe("formatSpread()", () => {
  it("writes three digits, and large numbers in full", () => {
    assert.equal(
      formatSpread({ median: 1.23456, least: 0.000123456, most: 12345.6 }),
      "1.23 (0.000123 to 12346)",
    );
  });
});
