import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  mannWhitneyU,
  rank,
  smallestMannWhitneyP,
  smallestWilcoxonP,
  wilcoxonSignedRank,
} from "../../src/analysis/rank_tests.ts";
import { assertClose, SCIPY } from "./scipy_values.ts";

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
      assert.equal(p, smallestWilcoxonP(n));
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
      assertClose(p, smallestMannWhitneyP(m, n));
      assert.equal(direction, -1);
    }
  });

  it("finds nothing where all are equal, and nothing to test in an empty group", () => {
    assert.equal(mannWhitneyU({ x: [1, 1], y: [1, 1, 1] }).p, 1);
    assert.ok(Number.isNaN(mannWhitneyU({ x: [], y: [1] }).p));
  });
});
