/**
 * Equivalence of two means by two one-sided tests (TOST). A test of difference
 * that finds none does not show that there is none; this one can.
 *
 * Sources: Schuirmann, D. J., "A comparison of the two one-sided tests procedure
 * and the power approach for assessing the equivalence of average
 * bioavailability", J. Pharmacokinet. Biopharm. 15 (1987); Lakens, D.,
 * "Equivalence tests", Soc. Psychol. Personal. Sci. 8 (2017), who recommends
 * Welch's test for independent groups.
 *
 * @module
 */

import { describeNumbers, type Groups } from "./effect_sizes.ts";
import { studentUpperTail } from "./special_functions.ts";

/** What to test. */
export interface EquivalenceOptions {
  /** Means that differ by less than this count as equivalent; above 0. */
  readonly margin: number;
  /** Whether number i of one group belongs to number i of the other. */
  readonly paired: boolean;
}

/** Outcome of the two tests. */
export interface EquivalenceResult {
  /** Mean of x less mean of y. */
  readonly difference: number;
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
 * differences of pairs, or Welch's t for independent groups.
 *
 * @returns p is NaN where a group has fewer than two numbers, or nothing varies.
 * @throws {RangeError} If the margin is not above 0, or pairs are of groups that differ in size.
 *
 * @example
 * ```ts
 * import { testEquivalence } from "./src/analysis/equivalence.ts";
 *
 * const groups = { x: [1.01, 0.99, 1.0, 1.02], y: [1.0, 1.01, 0.98, 1.0] };
 * testEquivalence(groups, { margin: 0.1, paired: false }).p < 0.05; // true
 * ```
 */
export function testEquivalence(
  { x, y }: Groups,
  { margin, paired }: EquivalenceOptions,
): EquivalenceResult {
  if (!(margin > 0)) {
    throw new RangeError(
      `Cannot test equivalence: the margin must be above 0, found ${margin}`,
    );
  }
  const estimate = paired
    ? pairedDifference({ x, y })
    : welchDifference({ x, y });
  const notLowerP = oneSidedP(estimate.difference + margin, estimate);
  const notHigherP = oneSidedP(margin - estimate.difference, estimate);
  const p = Math.max(notLowerP, notHigherP);
  return { ...estimate, notLowerP, notHigherP, p };
}

type Difference = Omit<EquivalenceResult, "p" | "notLowerP" | "notHigherP">;

function pairedDifference({ x, y }: Groups): Difference {
  if (x.length !== y.length) {
    throw new RangeError(
      `Cannot test pairs: the groups have ${x.length} and ${y.length} numbers`,
    );
  }
  const { n, mean, sd } = describeNumbers(
    x.map((value, i) => value - (y[i] as number)),
  );
  return {
    difference: mean,
    standardError: sd / Math.sqrt(n),
    degreesOfFreedom: n - 1,
  };
}

/** With the degrees of freedom of Welch and Satterthwaite. */
function welchDifference({ x, y }: Groups): Difference {
  const [a, b] = [describeNumbers(x), describeNumbers(y)];
  const [va, vb] = [a.sd ** 2 / a.n, b.sd ** 2 / b.n];
  return {
    difference: a.mean - b.mean,
    standardError: Math.sqrt(va + vb),
    degreesOfFreedom: (va + vb) ** 2 /
      (va ** 2 / (a.n - 1) + vb ** 2 / (b.n - 1)),
  };
}

/** Probability of so large a distance from the margin, or a larger one, were the true distance 0. */
function oneSidedP(
  distance: number,
  { standardError, degreesOfFreedom }: Difference,
): number {
  if (standardError === 0) return NaN;
  return studentUpperTail(distance / standardError, degreesOfFreedom);
}
