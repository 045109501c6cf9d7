/**
 * Equivalence of two means by two one-sided tests (TOST), with the interval of
 * the difference that says the same. A test of difference that finds none does
 * not show that there is none; this one can.
 *
 * Sources: Schuirmann, D. J., "A comparison of the two one-sided tests procedure
 * and the power approach for assessing the equivalence of average
 * bioavailability", J. Pharmacokinet. Biopharm. 15 (1987); Lakens, D.,
 * "Equivalence tests", Soc. Psychol. Personal. Sci. 8 (2017), who recommends
 * Welch's test for independent groups; Satterthwaite, F. E., "An approximate
 * distribution of estimates of variance components", Biometrics Bulletin 2
 * (1946), for the degrees of freedom, of several strata too.
 *
 * @module
 */

import { describeNumbers } from "./effect_sizes.ts";
import type { Groups } from "./rank_tests.ts";
import { studentQuantile, studentUpperTail } from "./special_functions.ts";

/** What to test. */
export interface EquivalenceOptions {
  /** Means that differ by less than this count as equivalent; above 0. */
  readonly margin: number;
  /** Whether number i of one group belongs to number i of the other. */
  readonly paired: boolean;
}

/** Outcome of the two tests. */
export interface EquivalenceResult {
  /** Mean of x less mean of y; of several strata, the mean of their differences. */
  readonly difference: number;
  /** Its 90 % interval: inside ± margin if and only if p is below 0.05. */
  readonly interval: readonly [low: number, high: number];
  /** Standard error of the difference. */
  readonly standardError: number;
  readonly degreesOfFreedom: number;
  /** Of the test that the difference is above −margin: small where x is not lower by that much. */
  readonly notLowerP: number;
  /** Of the test that the difference is below the margin: small where x is not higher by that much. */
  readonly notHigherP: number;
  /** The larger of the two: below 0.05, the means are equivalent at that level. */
  readonly p: number;
}

/**
 * Tests whether two means differ by less than a margin, by Student's t of the
 * differences of pairs, or Welch's t for independent groups; of several strata,
 * whether the mean of their differences does.
 *
 * @param strata Groups of two numbers at least each.
 * @returns p is NaN where a group has fewer than two numbers, or nothing varies.
 * @throws {RangeError} If the margin is not above 0, a number is NaN, or pairs are of groups that differ in size.
 *
 * @example
 * ```ts
 * import { testEquivalence } from "./src/analysis/equivalence.ts";
 *
 * const groups = { x: [1.01, 0.99, 1.0, 1.02], y: [1.0, 1.01, 0.98, 1.0] };
 * testEquivalence([groups], { margin: 0.1, paired: false }).p < 0.05; // true
 * ```
 */
export function testEquivalence(
  strata: readonly Groups[],
  { margin, paired }: EquivalenceOptions,
): EquivalenceResult {
  if (!(margin > 0)) {
    throw new RangeError(
      `Cannot test equivalence: the margin must be above 0, found ${margin}`,
    );
  }
  if (strata.some(({ x, y }) => x.some(Number.isNaN) || y.some(Number.isNaN))) {
    throw new RangeError("Cannot test equivalence: a number is NaN");
  }
  const parts = strata.map(paired ? pairedPart : independentPart);
  const k = parts.length;
  const difference = parts.reduce((sum, one) => sum + one.difference, 0) / k;
  const variances = parts.flatMap((one) => one.variances);
  const sum = variances.reduce((all, { variance }) => all + variance, 0);
  const standardError = Math.sqrt(sum) / k;
  const degreesOfFreedom = sum ** 2 /
    variances.reduce(
      (all, { variance, freedom }) => all + variance ** 2 / freedom,
      0,
    );
  // Where nothing varies, a handful of runs would seem to leave no doubt.
  const tail = (distance: number) =>
    standardError === 0
      ? NaN
      : studentUpperTail(distance / standardError, degreesOfFreedom);
  const notLowerP = tail(difference + margin);
  const notHigherP = tail(margin - difference);
  const reach = standardError === 0
    ? NaN
    : standardError * studentQuantile(0.05, degreesOfFreedom);
  return {
    difference,
    interval: [difference - reach, difference + reach],
    standardError,
    degreesOfFreedom,
    notLowerP,
    notHigherP,
    p: Math.max(notLowerP, notHigherP),
  };
}

/** A stratum's difference of means, and the independent parts of its variance. */
interface Part {
  readonly difference: number;
  readonly variances: readonly {
    readonly variance: number;
    readonly freedom: number;
  }[];
}

function pairedPart({ x, y }: Groups): Part {
  if (x.length !== y.length) {
    throw new RangeError(
      `Cannot test pairs: the groups have ${x.length} and ${y.length} numbers`,
    );
  }
  const { n, mean, sd } = describeNumbers(x.map((value, i) => value - y[i]!));
  return {
    difference: mean,
    variances: [{ variance: sd ** 2 / n, freedom: n - 1 }],
  };
}

function independentPart({ x, y }: Groups): Part {
  const [a, b] = [describeNumbers(x), describeNumbers(y)];
  return {
    difference: a.mean - b.mean,
    variances: [a, b].map(({ sd, n }) => ({
      variance: sd ** 2 / n,
      freedom: n - 1,
    })),
  };
}
