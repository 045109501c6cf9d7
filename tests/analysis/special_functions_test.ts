import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  logGamma,
  normalUpperTail,
  studentUpperTail,
} from "../../src/analysis/special_functions.ts";
import { assertClose, SCIPY } from "./scipy_values.ts";

describe("distribution functions", () => {
  it("normalUpperTail() equals SciPy's far into the tail", () => {
    for (const [z, tail] of SCIPY.normal) {
      assertClose(normalUpperTail(z), tail, `z ${z}`);
    }
  });

  it("studentUpperTail() equals SciPy's, for fractional degrees of freedom too", () => {
    for (const [t, df, tail] of SCIPY.student) {
      assertClose(studentUpperTail(t, df), tail, `t ${t}, df ${df}`);
    }
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

  it("logGamma() gives the logarithms of factorials", () => {
    let logFactorial = 0;
    for (let n = 1; n <= 170; n++) {
      logFactorial += Math.log(n);
      assert.ok(
        Math.abs(logGamma(n + 1) - logFactorial) <= 1e-13 * (1 + logFactorial),
      );
    }
    assert.ok(Math.abs(logGamma(0.5) - Math.log(Math.PI) / 2) < 1e-14);
  });

  it("are NaN where their argument is", () => {
    assert.ok(Number.isNaN(normalUpperTail(NaN)));
    assert.ok(Number.isNaN(studentUpperTail(NaN, 3)));
    assert.ok(Number.isNaN(studentUpperTail(1, NaN)));
  });
});
