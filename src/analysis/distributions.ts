/**
 * Distributions, and exact tests that are sums over them: normal and Student's t to
 * about 1e-13, of ranks by counting, of failures; Holm's correction.
 *
 * Sources: Lanczos, C., "A precision approximation of the gamma function",
 * SIAM J. Numer. Anal. B 1 (1964), with Godfrey's coefficients for g = 7;
 * NIST Digital Library of Mathematical Functions, 5.11.13 (ratio of gamma
 * functions), 8.7.1 and 8.9.2 (incomplete gamma), 8.17.22 (incomplete beta);
 * Hill, G. W., "Algorithm 395: Student's t-distribution", Commun. ACM 13 (1970);
 * Lentz's method as modified by Thompson & Barnett, J. Comput. Phys. 64 (1986),
 * for continued fractions; Fisher, R. A., "Statistical Methods for Research
 * Workers" (1934); McNemar, Q., "Note on the sampling error of the difference
 * between correlated proportions or percentages", Psychometrika 12 (1947); Holm,
 * S., "A simple sequentially rejective multiple test procedure", Scand. J.
 * Statist. 6 (1979).
 *
 * @module
 */

/** The sum of what items are worth; of numbers, their own. */
export function sumOf<T>(
  items: Iterable<T>,
  of: (item: T) => number = Number,
): number {
  let sum = 0;
  for (const item of items) sum += of(item);
  return sum;
}

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
function logGamma(x: number): number {
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

/** Share of the standard normal distribution above z: half of Q(½, z²/2), the regularised incomplete gamma function. */
export function normalUpperTail(z: number): number {
  if (Number.isNaN(z)) return NaN;
  if (z < 0) return 1 - normalUpperTail(-z);
  const x = z * z / 2;
  if (x === 0) return 0.5;
  const factor = Math.exp(0.5 * Math.log(x) - x - logGamma(0.5));
  if (x >= 1.5) {
    const fraction = continuedFraction(
      x + 1 - 0.5,
      (n) => [-n * (n - 0.5), x + 2 * n + 1 - 0.5],
    );
    return factor / fraction / 2;
  }
  let term = 2;
  let sum = term;
  for (let n = 1; n < MOST_TERMS && term > sum * EPSILON; n++) {
    term *= x / (n + 0.5);
    sum += term;
  }
  return (1 - factor * sum) / 2;
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
function betaFraction(a: number, b: number, x: number): number {
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
    ? 0.5 - factor * betaFraction(0.5, a, y)
    : 0.5 * factor / a * betaFraction(a, 0.5, x);
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

/** Shares of all choices of signs for which the steps chosen sum to 0, 1, … up to the limit. */
export function signDistribution(
  steps: readonly number[],
  limit: number,
): Float64Array {
  const share = new Float64Array(limit + 1);
  share[0] = 1;
  for (const step of steps) {
    for (let sum = limit; sum >= 0; sum--) {
      share[sum] = (share[sum]! + (sum >= step ? share[sum - step]! : 0)) / 2;
    }
  }
  return share;
}

/** In how many ways m of the steps can be chosen that sum to 0, 1, … up to the largest. */
function waysToChoose(
  steps: readonly number[],
  m: number,
  largest: number,
): Float64Array {
  const ways = Array.from(
    { length: m + 1 },
    () => new Float64Array(largest + 1),
  );
  ways[0]![0] = 1;
  for (const [i, step] of steps.entries()) {
    for (let k = Math.min(m, i + 1); k >= 1; k--) {
      const [to, from] = [ways[k]!, ways[k - 1]!];
      for (let sum = largest; sum >= step; sum--) {
        to[sum] = to[sum]! + from[sum - step]!;
      }
    }
  }
  return ways[m]!;
}

function choose(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i++) value = value * (n - k + i) / i;
  return value;
}

/** The share of all ways to rank two groups without ties whose U is not below that observed, the larger of both. */
export function exactRankSumTail(
  m: number,
  n: number,
  larger: number,
): number {
  const small = Math.min(m, n);
  const ranks = Array.from({ length: m + n }, (_, i) => i + 1);
  // U ≥ larger is as frequent as U ≤ m n − larger, which is the shorter sum.
  const largest = Math.floor(m * n - larger) + small * (small + 1) / 2;
  return sumOf(waysToChoose(ranks, small, largest)) / choose(m + n, small);
}

/** How often 2 U takes each value over all choices of m of the ranked numbers. */
export function doubledUDistribution(
  ranks: Float64Array,
  m: number,
): Float64Array {
  const steps = Array.from(ranks, (value) => Math.round(value * 2));
  const lowest = m * (m + 1);
  const largest = lowest + 2 * m * (ranks.length - m);
  const count = choose(ranks.length, m);
  return waysToChoose(steps, m, largest).subarray(lowest)
    .map((number) => number / count);
}

/**
 * The distribution of a sum of two independent numbers.
 *
 * @param step What a place of the first counts in places of the second.
 */
export function convolve(
  first: Float64Array,
  second: Float64Array,
  step = 1,
): Float64Array {
  const both = new Float64Array(second.length + (first.length - 1) * step);
  for (const [i, share] of first.entries()) {
    if (share === 0) continue;
    for (let j = 0; j < second.length; j++) {
      both[j + i * step] = both[j + i * step]! + share * second[j]!;
    }
  }
  return both;
}

/** The smallest p that so many pairs can give. */
export function smallestSignedRankP(pairs: number): number {
  return Math.min(1, 2 ** (1 - pairs));
}

/** The smallest p that groups of such sizes, a pair of sizes a stratum, can give without ties. */
export function smallestRankSumP(
  sizes: readonly (readonly [m: number, n: number])[],
): number {
  let ways = 1;
  for (const [m, n] of sizes) ways *= choose(m + n, Math.min(m, n));
  return Math.min(1, 2 / ways);
}

/** Two labels' numbers of runs, and how many of them failed. */
type FailureCounts = readonly [
  runs: readonly [x: number, y: number],
  failed: readonly [x: number, y: number],
];

/**
 * Fisher's exact test of whether one label fails more often than the other,
 * over the tables of several strata with their margins fixed.
 *
 * @returns A two-sided p: the share of all tables that are no more likely than the one observed; 1 where none or all failed.
 */
export function failureTest(strata: readonly FailureCounts[]): number {
  let all: Float64Array = Float64Array.of(1);
  let observed = 0;
  for (const [[m, n], [a, b]] of strata) {
    const failures = a + b;
    const least = Math.max(0, failures - n);
    const most = Math.min(failures, m);
    const own = Float64Array.from({ length: most - least + 1 }, (_, i) => {
      const k = least + i;
      return Math.exp(
        logChoose(m, k) + logChoose(n, failures - k) -
          logChoose(m + n, failures),
      );
    });
    all = convolve(all, own);
    observed += a - least;
  }
  const limit = all[observed]! * (1 + 1e-7);
  return Math.min(1, sumOf(all.filter((one) => one <= limit)));
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/**
 * McNemar's exact test of pairs of which one run failed: whether it was more
 * often one label's than the other's.
 *
 * @returns A two-sided p; 1 where there is no such pair.
 */
export function pairedFailureTest(onlyX: number, onlyY: number): number {
  const n = onlyX + onlyY;
  let tail = 0;
  for (let k = 0; k <= Math.min(onlyX, onlyY); k++) {
    tail += Math.exp(logChoose(n, k) - n * Math.LN2);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Corrects p values so that the chance of any false positive among them stays
 * below the level they are compared with.
 *
 * @param p NaN for a test that could not be made, which is not counted.
 * @returns In the same order; NaN where p is.
 */
export function holmCorrection(p: readonly number[]): number[] {
  const corrected = p.map(() => NaN);
  const tests = [...p.keys()].filter((i) => !Number.isNaN(p[i]));
  tests.sort((a, b) => p[a]! - p[b]!);
  let least = 0;
  for (const [rank, i] of tests.entries()) {
    least = Math.max(least, Math.min(1, p[i]! * (tests.length - rank)));
    corrected[i] = least;
  }
  return corrected;
}
