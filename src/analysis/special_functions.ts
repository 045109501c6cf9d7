/**
 * Distribution functions, to about 1e-13: normal and Student's t.
 *
 * Sources: Lanczos, C., "A precision approximation of the gamma function",
 * SIAM J. Numer. Anal. B 1 (1964), with Godfrey's coefficients for g = 7;
 * NIST Digital Library of Mathematical Functions, 8.7.1 and 8.9.2 (incomplete
 * gamma), 8.17.22 (incomplete beta); Lentz's method as modified by Thompson &
 * Barnett, J. Comput. Phys. 64 (1986), for continued fractions.
 *
 * @module
 */

const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993,
  676.5203681218851,
  -1259.1392167224028,
  771.32342877765313,
  -176.61502916214059,
  12.507343278686905,
  -0.13857109526572012,
  9.9843695780195716e-6,
  1.5056327351493116e-7,
] as const;

const TINY = 1e-300;
const EPSILON = 2 ** -53;
const MOST_TERMS = 10_000;

/** ln Γ(x) for x > 0. */
export function logGamma(x: number): number {
  // The series is for x ≥ 1/2.
  if (x < 0.5) return logGamma(x + 1) - Math.log(x);
  const z = x - 1;
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) {
    sum += (LANCZOS[i] as number) / (z + i);
  }
  const t = z + LANCZOS_G + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t +
    Math.log(sum);
}

/** Value of b0 + a1/(b1 + a2/(b2 + …)). */
function continuedFraction(
  b0: number,
  term: (n: number) => readonly [a: number, b: number],
): number {
  let f = b0 === 0 ? TINY : b0;
  let c = f;
  let d = 0;
  for (let n = 1; n < MOST_TERMS; n++) {
    const [a, b] = term(n);
    d = b + a * d;
    if (d === 0) d = TINY;
    c = b + a / c;
    if (c === 0) c = TINY;
    d = 1 / d;
    const change = c * d;
    f *= change;
    if (Math.abs(change - 1) < EPSILON * 2) break;
  }
  return f;
}

/** Q(a, x) = Γ(a, x) / Γ(a), the upper regularised incomplete gamma function; a > 0, x ≥ 0. */
function upperGamma(a: number, x: number): number {
  if (x === 0) return 1;
  const factor = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < MOST_TERMS && term > sum * EPSILON; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - factor * sum;
  }
  return factor /
    continuedFraction(
      x + 1 - a,
      (n) => [-n * (n - a), x + 2 * n + 1 - a],
    );
}

/**
 * Share of the standard normal distribution above z.
 *
 * @example
 * ```ts
 * import { normalUpperTail } from "./src/analysis/special_functions.ts";
 *
 * normalUpperTail(1.959963984540054); // 0.025
 * ```
 */
export function normalUpperTail(z: number): number {
  if (Number.isNaN(z)) return NaN;
  const tail = upperGamma(0.5, z * z / 2) / 2;
  return z >= 0 ? tail : 1 - tail;
}

/** Arguments of the incomplete beta function; `y` is 1 − x, which the caller may know more exactly. */
interface BetaArguments {
  readonly a: number;
  readonly b: number;
  readonly x: number;
  readonly y: number;
}

/** I_x(a, b), the regularised incomplete beta function. */
function incompleteBeta({ a, b, x, y }: BetaArguments): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  // The fraction converges fast on one side only.
  return x > (a + 1) / (a + b + 2)
    ? 1 - betaByFraction({ a: b, b: a, x: y, y: x })
    : betaByFraction({ a, b, x, y });
}

function betaByFraction({ a, b, x, y }: BetaArguments): number {
  const factor = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) +
      b * Math.log(y),
  );
  const fraction = continuedFraction(1, (n) => {
    const m = Math.floor(n / 2);
    const coefficient = n % 2 === 0
      ? m * (b - m) / ((a + n - 1) * (a + n))
      : -(a + m) * (a + b + m) / ((a + n - 1) * (a + n));
    return [coefficient * x, 1];
  });
  return factor / (a * fraction);
}

/**
 * Share of Student's t distribution above t.
 *
 * @param degreesOfFreedom Above 0; need not be an integer.
 *
 * @example
 * ```ts
 * import { studentUpperTail } from "./src/analysis/special_functions.ts";
 *
 * studentUpperTail(2.015048372669157, 5); // 0.05
 * ```
 */
export function studentUpperTail(t: number, degreesOfFreedom: number): number {
  if (Number.isNaN(t) || !(degreesOfFreedom > 0)) return NaN;
  if (!Number.isFinite(t)) return t > 0 ? 0 : 1;
  const square = t * t;
  const tail = 0.5 * incompleteBeta({
    a: degreesOfFreedom / 2,
    b: 0.5,
    x: degreesOfFreedom / (degreesOfFreedom + square),
    y: square / (degreesOfFreedom + square),
  });
  return t >= 0 ? tail : 1 - tail;
}
