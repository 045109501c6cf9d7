/**
 * Distribution functions, to about 1e-13: normal and Student's t.
 *
 * Sources: Lanczos, C., "A precision approximation of the gamma function",
 * SIAM J. Numer. Anal. B 1 (1964), with Godfrey's coefficients for g = 7;
 * NIST Digital Library of Mathematical Functions, 5.11.13 (ratio of gamma
 * functions), 8.7.1 and 8.9.2 (incomplete gamma), 8.17.22 (incomplete beta);
 * Hill, G. W., "Algorithm 395: Student's t-distribution", Commun. ACM 13 (1970); Lentz's method as modified by Thompson &
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

/** Γ(a + ½) / Γ(a); its logarithm as a difference of two large ones would lose digits. */
function halfStep(a: number): number {
  if (a < 25) return Math.exp(logGamma(a + 0.5) - logGamma(a));
  const coefficients = [
    1,
    -1 / 8,
    1 / 128,
    5 / 1024,
    -21 / 32768,
    -399 / 262144,
    869 / 4194304,
    39325 / 33554432,
  ];
  const sum = coefficients.reduceRight((sum, c) => sum / a + c, 0);
  return Math.sqrt(a) * sum;
}

/** The continued fraction of I_x(a, b), without its factor. */
function betaFraction(
  { a, b, x }: { readonly a: number; readonly b: number; readonly x: number },
): number {
  return 1 / continuedFraction(1, (n) => {
    const m = Math.floor(n / 2);
    const coefficient = n % 2 === 0
      ? m * (b - m) / ((a + n - 1) * (a + n))
      : -(a + m) * (a + b + m) / ((a + n - 1) * (a + n));
    return [coefficient * x, 1];
  });
}

/** Beyond so many degrees of freedom the fraction converges slowly, and Hill's series is exact to the last digits. */
const MANY_DEGREES = 1e4;

/**
 * Share of Student's t distribution above t, to a relative 1e-12.
 *
 * @param degreesOfFreedom Above 0; need not be an integer, may be infinite.
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
  if (t < 0) return 1 - studentUpperTail(-t, degreesOfFreedom);
  if (degreesOfFreedom > MANY_DEGREES) return hillTail(t, degreesOfFreedom);
  const a = degreesOfFreedom / 2;
  const ratio = t * t / degreesOfFreedom;
  const x = 1 / (1 + ratio);
  const y = ratio === Infinity ? 1 : ratio / (1 + ratio);
  // x^a √y / B(a, ½), with B(a, ½) = √π Γ(a) / Γ(a + ½).
  const factor = Math.exp(-a * Math.log1p(ratio)) * Math.sqrt(y) *
    halfStep(a) / Math.sqrt(Math.PI);
  // The fraction converges fast on one side only.
  return x > (a + 1) / (a + 2.5)
    ? 0.5 - factor * betaFraction({ a: 0.5, b: a, x: y })
    : 0.5 * factor / a * betaFraction({ a, b: 0.5, x });
}

/** The normal deviate with the same tail, for many degrees of freedom. */
function hillTail(t: number, degreesOfFreedom: number): number {
  if (degreesOfFreedom === Infinity) return normalUpperTail(t);
  const a = degreesOfFreedom - 0.5;
  const b = 48 * a * a;
  const y = a * Math.log1p(t * t / degreesOfFreedom);
  const z = Math.sqrt(y) *
    (1 +
      (y + 3 - (((0.4 * y + 3.3) * y + 24) * y + 85.5) /
            (0.8 * y * y + 100 + b)) / b);
  return normalUpperTail(z);
}

/**
 * The t that a share of Student's distribution lies above.
 *
 * @param tail Above 0, below ½.
 *
 * @example
 * ```ts
 * import { studentQuantile } from "./src/analysis/special_functions.ts";
 *
 * studentQuantile(0.05, 5); // 2.015048372669157
 * ```
 */
export function studentQuantile(
  tail: number,
  degreesOfFreedom: number,
): number {
  if (!(tail > 0 && tail < 0.5) || !(degreesOfFreedom > 0)) return NaN;
  let [low, high] = [0, 1];
  while (studentUpperTail(high, degreesOfFreedom) > tail) high *= 2;
  for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2;
    if (studentUpperTail(middle, degreesOfFreedom) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
