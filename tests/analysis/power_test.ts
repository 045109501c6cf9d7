import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { testEquivalence } from "../../src/analysis/means.ts";
import {
  describePower,
  differencePower,
  equivalencePower,
  iterationsFor,
  pilotSpread,
  type PowerDesign,
} from "../../src/analysis/power.ts";
import {
  stratifiedRankSum,
  stratifiedSignedRank,
} from "../../src/analysis/rank_tests.ts";
import { createStream } from "../../src/random/stream.ts";
import { alike, falling, scatter } from "../results/example_results.ts";

/** Designs of several sizes: iterations, combinations, paired, tests, standard deviation, correlation, effect. */
const DESIGNS = [
  [5, 4, true, 1, 0.3, 0, 0.2],
  [5, 8, true, 2, 0.3, 0.4, 0.15],
  [6, 2, true, 2, 0.5, 0, 0.6],
  [8, 1, true, 1, 0.2, 0, 0.25],
  [10, 1, true, 2, 0.4, 0.3, 0.4],
  [10, 3, true, 2, 0.4, 0, 0.25],
  [12, 1, true, 24, 0.3, 0, 0.6],
  [15, 2, true, 3, 0.6, 0.2, 0.4],
  [20, 1, true, 2, 0.3, 0.5, 0.15],
  [30, 1, true, 4, 0.5, 0, 0.4],
  [5, 4, false, 1, 0.3, 0, 0.25],
  [5, 6, false, 2, 0.4, 0, 0.25],
  [6, 1, false, 1, 0.2, 0, 0.3],
  [8, 2, false, 2, 0.5, 0, 0.5],
  [10, 1, false, 2, 0.3, 0, 0.4],
  [10, 3, false, 3, 0.4, 0, 0.3],
  [12, 2, false, 12, 0.4, 0, 0.5],
  [15, 1, false, 2, 0.6, 0, 0.6],
  [20, 1, false, 1, 0.3, 0, 0.2],
  [20, 2, false, 24, 0.3, 0, 0.3],
] as const;

describe("power", () => {
  for (const [i, row] of DESIGNS.entries()) {
    const [iterations, combinations, paired, tests, sd, correlation, effect] =
      row;
    const design: PowerDesign = {
      iterations,
      combinations,
      paired,
      tests,
      sd,
      correlation,
      learned: 2,
    };
    it(`is what the tests find of ${iterations} iterations of ${combinations} combinations, ${paired ? "in pairs" : "unpaired"}, within 3 points`, () => {
      const stream = createStream({ seed: 100 + i, purpose: "trials" });
      const draw = (shift: number) =>
        Array.from({ length: combinations }, () => {
          const shared = Array.from(
            { length: iterations },
            () => sd * Math.sqrt(paired ? correlation : 0) * stream.normal(),
          );
          const own = sd * Math.sqrt(paired ? 1 - correlation : 1);
          return [
            shared.map((one) => one + own * stream.normal() + shift),
            shared.map((one) => one + own * stream.normal()),
          ] as const;
        });
      const level = 0.05 / tests;
      const samples = 2500;
      let [found, shown] = [0, 0];
      const margin = 2.2 * effect / 2;
      for (let s = 0; s < samples; s++) {
        const strata = draw(-effect);
        const { p } = paired
          ? stratifiedSignedRank(
            strata.map(([x, y]) => x.map((value, j) => value - y[j]!)),
          )
          : stratifiedRankSum(strata);
        if (p < level) found++;
        if (combinations > 1) continue;
        const equal = testEquivalence(draw(0), { margin: margin * 2, paired });
        if (equal.p < level) shown++;
      }
      const predicted = differencePower(design, -effect);
      assert.ok(
        Math.abs(predicted - found / samples) <= 0.03,
        `${predicted} ${found / samples}`,
      );
      if (combinations > 1) return;
      const equivalent = equivalencePower(design, margin);
      assert.ok(
        Math.abs(equivalent - shown / samples) <= 0.03,
        `equivalence ${equivalent} ${shown / samples}`,
      );
    });
  }
});

describe("equivalencePower()", () => {
  it("is nothing where a pilot ended above its baseline", () => {
    const design = {
      iterations: 50,
      combinations: 1,
      paired: true,
      tests: 1,
      sd: 0.1,
      correlation: 0.5,
      learned: -0.01,
    };
    assert.equal(equivalencePower(design, 0.1), 0);
  });
});

describe("iterationsFor()", () => {
  it("finds the fewest that are enough, and gives up in time", () => {
    assert.equal(iterationsFor(0.8, (n) => n / 100), 80);
    assert.equal(iterationsFor(0.8, () => 1), 2);
    assert.equal(iterationsFor(0.8, () => 0), undefined);
  });
});

describe("pilotSpread()", () => {
  const results = (mean: number, seed: number) => ({
    path: "pilot",
    experiment: undefined,
    warnings: [],
    combinations: [0, 1].map((index) => ({
      index,
      title: `(${index},)`,
      parameters: { pattern_length: 3 + index },
      ...alike(
        falling(
          scatter(200, { mean, sd: mean / 10, seed: seed + index }),
          40,
        ),
      ),
    })),
  });

  it("measures the spread of log losses within combinations", () => {
    const pilot = pilotSpread([{ label: "bio", results: results(0.01, 1) }]);
    assert.ok(Math.abs(pilot!.sd - 0.1) < 0.01, `${pilot?.sd}`);
    assert.equal(pilot?.correlation, 0);
  });
});

describe("describePower()", () => {
  const of = (iterations: number, combinations: number) =>
    describePower({ iterations, combinations, measures: 2 });

  it("says what the planned iterations can show", () => {
    assert.match(
      of(5, 24),
      /^5 iterations of 24 combinations, .*over all, a difference of 0\.\d+ standard deviations .* 80 % of cases; none in a single combination, which takes 11 iterations at least$/,
    );
    assert.match(
      describePower({
        iterations: 24,
        combinations: 2,
        measures: 2,
        networks: 6,
      }),
      /^24 iterations of 2 combinations, compared in pairs with another experiment on 6 networks that count once each: too few to show any difference, as p cannot fall below 0\.0625$/,
    );
    assert.match(
      describePower({
        iterations: 24,
        combinations: 4,
        measures: 2,
        networks: 8,
      }),
      /over all, a difference of 1\.\d+ standard deviations of a network's difference .*none in a single combination, which takes 9 networks at least$/,
    );
    assert.match(of(20, 4), /over all, a difference of 0\.\d+ [^;]*$/);
    assert.match(
      of(5, 1),
      /too few to show any difference, as p cannot fall below 0\.125$/,
    );
  });
});
