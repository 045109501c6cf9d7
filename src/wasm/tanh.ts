/**
 * The hyperbolic tangent of vectors: within 1.5 units in the last place over all
 * floats, odd, |tanh| ≤ 1; NaN stays NaN, ±∞ gives ±1.
 *
 * With a = |x|, both branches are computed and one is chosen by lane:
 *
 *     a < 0.625:  x + x · x² · P(x²)            P of degree 4
 *     else:       ±(1 − 2 / (e^(2a) + 1))       2a cut at 20, where the result is 1
 *
 * e^z = 2^k · e^r, where k is z / ln 2 rounded and r = z − k · ln 2 in two steps
 * (ln 2 as a sum of a short and a small number, so that the first is exact), and
 * e^r = 1 + r + r² · Q(r), Q of degree 5. To add 1.5 · 2²³ rounds to a whole
 * number, which then lies in the lowest bits; shifted by 23 it is added to the
 * exponent of e^r. Coefficients: Cephes mathematical library, tanhf and expf,
 * https://www.netlib.org/cephes/.
 *
 * @module
 */

import {
  f32x4,
  i32,
  i32x4,
  type Local,
  type MakeLocal,
  type Statement,
  v128,
} from "./assembler.ts";
import type { Arithmetic } from "./arithmetic.ts";

const P = [
  -5.70498872745e-3,
  2.06390887954e-2,
  -5.37397155531e-2,
  1.33314422036e-1,
  -3.33332819422e-1,
];
const Q = [
  1.9875691500e-4,
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
];
const ROUNDER = 1.5 * 2 ** 23;
const LN2 = { short: 0.693359375, rest: -2.12194440e-4 };

/**
 * Prepares code that puts tanh(x) in place of x, for two vectors at a time: two
 * chains of dependent instructions fill the waits of each other.
 */
export function tanhInPlace(
  local: MakeLocal,
  { madd, nmadd, constant }: Arithmetic,
): (pair: readonly Local<"v128">[]) => Statement[] {
  const { abs, add, sub, mul, div, pmin, lt, ne } = f32x4;
  const scratch = () => ({
    a: local("v128"),
    square: local("v128"),
    small: local("v128"),
    z: local("v128"),
    k: local("v128"),
    large: local("v128"),
  });
  const both = [scratch(), scratch()];
  const one = constant(1);

  return (pair) => {
    const lanes = pair.map((x, n) => ({ x, ...both[n]! }));
    const each = (step: (lane: typeof lanes[number]) => Statement) =>
      lanes.map(step);
    return [
      each(({ a, x }) => a.set(abs(x))),
      each(({ square, x }) => square.set(mul(x, x))),
      each(({ small }) => small.set(constant(P[0]!))),
      ...P.slice(1).map((next) =>
        each(({ small, square }) =>
          small.set(madd(small, square, constant(next)))
        )
      ),
      each(({ small, square, x }) => small.set(madd(mul(small, square), x, x))),
      each(({ z, a }) => z.set(pmin(constant(10), a))),
      each(({ z }) => z.set(add(z, z))),
      each(({ k, z }) =>
        k.set(add(mul(z, constant(Math.LOG2E)), constant(ROUNDER)))
      ),
      // From here on `square` is k as a float, and z becomes r.
      each(({ square, k }) => square.set(sub(k, constant(ROUNDER)))),
      each(({ z, square }) => z.set(nmadd(square, constant(LN2.short), z))),
      each(({ z, square }) => z.set(nmadd(square, constant(LN2.rest), z))),
      each(({ large }) => large.set(constant(Q[0]!))),
      ...Q.slice(1).map((next) =>
        each(({ large, z }) => large.set(madd(large, z, constant(next))))
      ),
      each(({ large, z }) => large.set(madd(mul(z, z), large, add(z, one)))),
      each(({ large, k }) =>
        large.set(i32x4.add(large, i32x4.shl(k, i32.const(23))))
      ),
      each(({ large }) =>
        large.set(sub(one, div(constant(2), add(large, one))))
      ),
      // x and |x| differ in the sign alone.
      each(({ large, x, a }) => large.set(v128.or(large, v128.xor(x, a)))),
      each(({ small, large, a }) =>
        small.set(
          v128.bitselect(small, large, lt(a, constant(0.625))),
        )
      ),
      each(({ x, small }) => x.set(v128.bitselect(x, small, ne(x, x)))),
    ].flat();
  };
}
