import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  failureTest,
  holmCorrection,
  normalUpperTail,
  pairedFailureTest,
  studentQuantile,
  studentUpperTail,
} from "../../src/analysis/distributions.ts";
import { assertClose, SCIPY, STRATA } from "./scipy_values.ts";

describe("distribution functions", () => {
  it("normalUpperTail() equals SciPy's far into the tail", () => {
    for (const [z, tail] of SCIPY.normal) {
      assertClose(normalUpperTail(z), tail, `z ${z}`);
    }
  });

  it("studentUpperTail() equals SciPy's, for fractional degrees of freedom too", () => {
    for (const [t, df, tail] of [...SCIPY.student, ...STRATA.student]) {
      assertClose(studentUpperTail(t, df), tail, `t ${t}, df ${df}`);
    }
  });

  it("studentUpperTail() is right to 1e-12 for many degrees of freedom", () => {
    // mpmath with 40 digits: betainc(df / 2, 1 / 2, 0, df / (df + t ** 2), regularized=True) / 2
    for (
      const [t, df, tail] of [
        [0.4, 300, 0.34472058832639437],
        [2, 300, 0.023200760491574545],
        [5, 300, 4.8845773651238863e-7],
        [0.4, 5000, 0.34458680201340144],
        [2, 5000, 0.022777129994146986],
        [5, 5000, 2.9644737295606599e-7],
        [0.4, 9000, 0.34458300490743832],
        [2, 9000, 0.022765130230092609],
        [5, 9000, 2.9206093884514492e-7],
        [0.4, 100000, 0.34457868558242986],
        [2, 100000, 0.022751481728753232],
        [5, 100000, 2.8713508393208364e-7],
        [0.4, 10000000, 0.34457826266160939],
        [2, 10000000, 0.022750145445921477],
        [5, 10000000, 2.8665640375042695e-7],
        [0.4, 10000000000, 0.34457825839394776],
        [2, 10000000000, 0.022750131961676949],
        [5, 10000000000, 2.8665157671103237e-7],
      ] as const
    ) assertClose(studentUpperTail(t, df), tail, `t ${t}, df ${df}`, 1e-12);
  });

  it("studentQuantile() is SciPy's, and undoes the tail", () => {
    for (const [tail, df, t] of STRATA.student_quantile) {
      assertClose(studentQuantile(tail, df), t, `tail ${tail}, df ${df}`);
    }
    assert.ok(Number.isNaN(studentQuantile(0.6, 3)));
  });

  it("studentUpperTail() falls from 1 to 0 and is symmetric", () => {
    assert.equal(studentUpperTail(Infinity, 3), 0);
    assert.equal(studentUpperTail(-Infinity, 3), 1);
    assert.equal(studentUpperTail(1e200, 3), 0);
    fc.assert(fc.property(
      fc.double({ min: -50, max: 50, noNaN: true }),
      fc.double({ min: 0.2, max: 5000, noNaN: true }),
      (t, df) => {
        const tail = studentUpperTail(t, df);
        assert.ok(tail >= 0 && tail <= 1);
        assert.ok(Math.abs(tail + studentUpperTail(-t, df) - 1) < 1e-10);
        assert.ok(studentUpperTail(t + 0.1, df) <= tail);
      },
    ));
  });

  it("are NaN where their argument is", () => {
    assert.ok(Number.isNaN(normalUpperTail(NaN)));
    assert.ok(Number.isNaN(studentUpperTail(NaN, 3)));
    assert.ok(Number.isNaN(studentUpperTail(1, NaN)));
  });
});

describe("failureTest()", () => {
  it("equals SciPy's test of Fisher, and the definition over several tables", () => {
    for (const [tables, p] of STRATA.fisher) {
      const found = failureTest(
        tables.map(([m, n, a, b]) => [[m, n], [a, b]]),
      );
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

describe("holmCorrection()", () => {
  it("equals statsmodels", () => {
    for (const [p, corrected] of [...SCIPY.holm, ...STRATA.holm]) {
      for (const [i, value] of holmCorrection(p).entries()) {
        assertClose(value, corrected[i] as number);
      }
    }
  });

  it("keeps the order, never lowers a p and leaves out what was not tested", () => {
    const p = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constant(NaN),
    );
    fc.assert(fc.property(fc.array(p), (values) => {
      const corrected = holmCorrection(values);
      const tested = values.filter((value) => !Number.isNaN(value));
      for (const [i, value] of values.entries()) {
        const after = corrected[i] as number;
        assert.equal(Number.isNaN(after), Number.isNaN(value));
        if (Number.isNaN(value)) continue;
        assert.ok(after >= value && after <= 1);
        for (const [j, other] of values.entries()) {
          if (value <= other) assert.ok(after <= (corrected[j] as number));
        }
      }
      assert.deepEqual(
        holmCorrection(tested),
        corrected.filter((value) => !Number.isNaN(value)),
      );
    }));
  });
});
