import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  failureTest,
  pairedFailureTest,
  smallestRankSumP,
  smallestSignedRankP,
} from "../../src/analysis/distributions.ts";
import {
  mannWhitneyU,
  rank,
  stratifiedRankSum,
  stratifiedSignedRank,
  wilcoxonSignedRank,
} from "../../src/analysis/rank_tests.ts";
import { assertClose, SCIPY, STRATA } from "./scipy_values.ts";

/** With ties, as epochs have. */
const numbers = (minLength: number, maxLength = 40) =>
  fc.array(
    fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.double({ min: -9, max: 9, noNaN: true, noDefaultInfinity: true }),
    ),
    { minLength, maxLength },
  );

describe("rank()", () => {
  it("shares the mean rank among ties", () => {
    const { ranks, ties } = rank([3, 1, 3, 2, 3, 1]);
    assert.deepEqual([...ranks], [5, 1.5, 5, 3, 5, 1.5]);
    assert.deepEqual(ties, [2, 3]);
  });

  it("gives ranks that sum to n (n + 1) / 2", () => {
    fc.assert(fc.property(numbers(0), (values) => {
      const n = values.length;
      const sum = rank(values).ranks.reduce((total, r) => total + r, 0);
      assert.equal(sum, n * (n + 1) / 2);
    }));
  });
});

describe("tests by ranks", () => {
  it("take infinite numbers for the largest, ties among them", () => {
    assert.deepEqual([...rank([Infinity, 1, Infinity, -Infinity]).ranks], [
      3.5,
      2,
      3.5,
      1,
    ]);
    assert.equal(wilcoxonSignedRank([Infinity, Infinity, -1]).direction, 1);
  });

  it("refuse a NaN rather than give a plausible p", () => {
    const x = [1, NaN, 3];
    for (
      const test of [
        () => rank(x),
        () => wilcoxonSignedRank(x),
        () => mannWhitneyU({ x, y: [1, 2] }),
        () => mannWhitneyU({ x: [1, 2], y: x }),
        () => stratifiedSignedRank([[1, 2], x]),
        () => stratifiedRankSum([{ x: [1, 2], y: [2, 3] }, { x, y: [1] }]),
      ]
    ) assert.throws(test, RangeError);
  });
});

describe("stratifiedSignedRank()", () => {
  it("equals the count of all signs, and the normal approximation where strata are large", () => {
    for (
      const [strata, method, statistic, p] of STRATA.stratified_signed_rank
    ) {
      const found = stratifiedSignedRank(strata);
      assert.equal(found.method, method);
      assertClose(found.statistic, statistic, method);
      assertClose(found.p, p, method, 1e-9);
    }
  });

  it("does not depend on the size of a stratum's numbers, nor on their order", () => {
    const strata = [[-0.3, 0.1, -0.2], [3, -5, -9], [0.1, 0.2, -0.4]];
    const found = stratifiedSignedRank(strata);
    const scaled = strata.map((one, k) => one.map((d) => d * 100 ** k));
    assert.deepEqual(stratifiedSignedRank(scaled), found);
    assert.deepEqual(stratifiedSignedRank(strata.toReversed()), found);
  });

  it("is Wilcoxon's test of one stratum, and finds opposite strata even", () => {
    const d = [0.3, 0.1, -0.2, 0.5];
    assert.deepEqual(stratifiedSignedRank([d]), wilcoxonSignedRank(d));
    const opposite = stratifiedSignedRank([[1, 2, 3], [-100, -200, -300]]);
    assert.deepEqual([opposite.statistic, opposite.p, opposite.direction], [
      0,
      1,
      0,
    ]);
  });

  it("gives the smallest p that is announced", () => {
    const all = Array(6).fill([1, 2, 3, 4, 5]);
    assertClose(stratifiedSignedRank(all).p, smallestSignedRankP(30));
  });
});

describe("stratifiedRankSum()", () => {
  it("equals the count of all choices, and the normal approximation where strata are large", () => {
    for (const [strata, method, statistic, p] of STRATA.stratified_rank_sum) {
      const found = stratifiedRankSum(strata.map(([x, y]) => ({ x, y })));
      assert.equal(found.method, method);
      assertClose(found.statistic, statistic, method);
      assertClose(found.p, p, method, 1e-9);
    }
  });

  it("gives the smallest p that is announced", () => {
    const apart = { x: [1, 2, 3], y: [4, 5, 6] };
    const { p, direction } = stratifiedRankSum([apart, apart]);
    assertClose(p, smallestRankSumP([[3, 3], [3, 3]]));
    assert.equal(direction, -1);
  });
});

describe("failureTest()", () => {
  it("equals SciPy's test of Fisher, and the definition over several tables", () => {
    for (const [tables, p] of STRATA.fisher) {
      const found = failureTest(tables.map(([m, n, a, b]) => ({
        runs: [m, n],
        failed: [a, b],
      })));
      assertClose(found, p, JSON.stringify(tables), 1e-9);
    }
  });
});

describe("pairedFailureTest()", () => {
  it("equals the exact test of McNemar in statsmodels", () => {
    for (const [onlyX, onlyY, p] of STRATA.mcnemar) {
      assertClose(
        pairedFailureTest(onlyX, onlyY),
        p,
        `${onlyX} ${onlyY}`,
        1e-9,
      );
    }
    assert.equal(pairedFailureTest(0, 0), 1);
  });
});

describe("wilcoxonSignedRank()", () => {
  it("equals SciPy for 2 to 200 pairs, with and without ties and zeros", () => {
    for (const [differences, statistic, p] of SCIPY.wilcoxon) {
      const result = wilcoxonSignedRank(differences);
      assert.equal(result.statistic, statistic);
      assertClose(result.p, p, `${differences.length} pairs:`);
    }
  });

  it("does not change when the groups change places, but for its direction", () => {
    fc.assert(fc.property(numbers(1, 70), (differences) => {
      const there = wilcoxonSignedRank(differences);
      const back = wilcoxonSignedRank(differences.map((d) => -d));
      assert.equal(there.p, back.p);
      assert.equal(there.statistic, back.statistic);
      assert.equal(there.direction + back.direction, 0);
      assert.ok(there.p >= 0 && there.p <= 1);
    }));
  });

  it("gives the smallest p that is announced, where all differences have one sign", () => {
    for (let n = 1; n <= 20; n++) {
      const differences = Array.from({ length: n }, (_, i) => i + 1);
      const { p, direction } = wilcoxonSignedRank(differences);
      assert.equal(p, smallestSignedRankP(n));
      assert.equal(direction, 1);
    }
  });

  it("finds nothing where all pairs are equal, and nothing to test without pairs", () => {
    assert.equal(wilcoxonSignedRank([0, 0, 0]).p, 1);
    assert.ok(Number.isNaN(wilcoxonSignedRank([]).p));
  });
});

describe("mannWhitneyU()", () => {
  it("equals SciPy for groups of 1 to 200, with and without ties", () => {
    for (const [x, y, u, p, asymptoticP] of SCIPY.mann_whitney) {
      const sizes = `${x.length} and ${y.length}:`;
      const result = mannWhitneyU({ x, y });
      assert.equal(result.statistic, u);
      assertClose(result.p, p, sizes);
      const forced = mannWhitneyU({ x, y }, { method: "asymptotic" });
      assertClose(forced.p, asymptoticP, sizes);
    }
  });

  it("gives U = 9, p = 0.3290043 exactly and 0.3153025 approximately for the documented example", () => {
    const groups = {
      x: [1.1, 2.2, 3.3, 4.4, 5.5],
      y: [2.1, 3.2, 4.3, 6.4, 7.5, 8.1],
    };
    const exact = mannWhitneyU(groups);
    assert.equal(exact.statistic, 9);
    assert.equal(exact.method, "exact");
    assert.equal(exact.p.toFixed(7), "0.3290043");
    const asymptotic = mannWhitneyU(groups, { method: "asymptotic" });
    assert.equal(asymptotic.p.toFixed(7), "0.3153025");
  });

  it("counts every pair once: U of both groups sums to m n", () => {
    fc.assert(fc.property(numbers(1), numbers(1), (x, y) => {
      const there = mannWhitneyU({ x, y });
      const back = mannWhitneyU({ x: y, y: x });
      assert.equal(there.statistic + back.statistic, x.length * y.length);
      assert.equal(there.p, back.p);
      assert.equal(there.direction + back.direction, 0);
      assert.ok(there.p >= 0 && there.p <= 1);
    }));
  });

  it("gives the smallest p that is announced, where the groups do not overlap", () => {
    for (const [m, n] of [[1, 1], [2, 3], [5, 5], [8, 40]] as const) {
      const x = Array.from({ length: m }, (_, i) => i);
      const y = Array.from({ length: n }, (_, i) => 100 + i);
      const { p, direction } = mannWhitneyU({ x, y });
      assertClose(p, smallestRankSumP([[m, n]]));
      assert.equal(direction, -1);
    }
  });

  it("finds nothing where all are equal, and nothing to test in an empty group", () => {
    assert.equal(mannWhitneyU({ x: [1, 1], y: [1, 1, 1] }).p, 1);
    assert.ok(Number.isNaN(mannWhitneyU({ x: [], y: [1] }).p));
  });
});
