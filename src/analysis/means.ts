/**
 * Means that are compared: equivalence within a margin that refers to what was
 * learned. A test of difference that finds none does not show that there is
 * none; two one-sided tests (TOST) can.
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

import type { ComparedRuns, MarginUnit } from "./comparison.ts";
import { studentQuantile, studentUpperTail } from "./distributions.ts";
import {
  type Counted,
  FEWEST,
  groupsOf,
  meanPerUnit,
  shareUnits,
  SIDES,
  type Stratum,
} from "./match.ts";
import { describeNumbers, type Groups } from "./rank_tests.ts";
import { type Measure, MEASURES, type RunSummary } from "./summary.ts";

/** What to test. */
interface EquivalenceOptions {
  /** Means that differ by less than this count as equivalent; above 0. */
  readonly margin: number;
  /** Whether number i of one group belongs to number i of the other. */
  readonly paired: boolean;
}

/** Outcome of the two tests. */
interface EquivalenceResult {
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

/** Share of runs without a value up to which means of the others are compared. */
const MOST_MISSING = 0.1;

/** How to compare means. */
interface MeansOptions {
  readonly measure: Measure;
  /** As of `CompareOptions`. */
  readonly margin: number;
  /** Whether losses are compared on a logarithmic scale. */
  readonly log: boolean;
  readonly paired: boolean;
}

type MeansCompared = Pick<
  ComparedRuns,
  | "ratio"
  | "difference"
  | "differenceInterval"
  | "marginUnit"
  | "points"
  | "outside"
  | "equivalenceP"
  | "notWorseP"
>;

/** The means of the runs that have a value, each stratum in units of what its margin is a share of. */
export function compareMeans(
  strata: readonly Stratum[],
  options: MeansOptions,
): MeansCompared {
  const { measure, log, margin, paired } = options;
  const marginUnit = unitOf(strata, options);
  const none: MeansCompared = {
    ratio: undefined,
    difference: NaN,
    differenceInterval: [NaN, NaN],
    marginUnit,
    points: strata[0]?.points ?? NaN,
    outside: 0,
    equivalenceP: NaN,
    notWorseP: NaN,
  };
  const place = log ? Math.log : (value: number) => value;
  const valued = strata.map((stratum) => {
    const counted = groupsOf(stratum, (run) => {
      const value = MEASURES[measure].valueOf(run);
      return value === undefined ? undefined : place(value);
    });
    const { baseline, points } = stratum;
    const [x, y] = [meanPerUnit(counted.x), meanPerUnit(counted.y)];
    return { counted, x, y, baseline, points };
  });
  const pooled = shareUnits(strata);
  if (
    valued.length === 0 ||
    valued.some(({ x, y }) =>
      Math.min(x.length, y.length) < (pooled ? 1 : FEWEST) ||
      ![...x, ...y].every(Number.isFinite)
    )
  ) return none;
  // One unit for all: where a combination learned little, a share of that little says nothing.
  const scale = describeNumbers(
    valued.map((stratum) => scaleOf(stratum, { marginUnit, log })),
  ).mean;
  const scaled = (values: readonly number[]) =>
    values.map((value) => value / scale);
  const groups = valued.map(({ x, y }) => ({ x: scaled(x), y: scaled(y) }));
  if (groups.some(({ x }) => !x.every(Number.isFinite))) return none;
  const tested = pooled ? [pool(valued, scaled)] : groups;
  if (tested.some(({ x, y }) => Math.min(x.length, y.length) < FEWEST)) {
    return none;
  }
  const ratio = log
    ? Math.exp(
      valued.reduce(
        (sum, { x, y }) =>
          sum + describeNumbers(x).mean - describeNumbers(y).mean,
        0,
      ) / valued.length,
    )
    : undefined;
  const limit = marginUnit === "ratio" ? Math.log1p(margin) : margin;
  const equivalence = testEquivalence(tested, { margin: limit, paired });
  const worse = MEASURES[measure].better === "lower" ? 1 : -1;
  const each = groups.map(({ x, y }) =>
    worse * (describeNumbers(x).mean - describeNumbers(y).mean)
  );
  const means: MeansCompared = {
    ...none,
    ratio,
    difference: equivalence.difference,
    differenceInterval: equivalence.interval,
    outside: each.filter((one) => Math.abs(one) > limit).length,
  };
  // Means of the survivors, or of epochs that are no last ones, say nothing of all.
  if (!complete(strata, measure)) return means;
  const notWorseP = worse > 0 ? equivalence.notHigherP : equivalence.notLowerP;
  // Opposite differences that cancel out are no equivalence.
  return {
    ...means,
    equivalenceP: means.outside > 0 ? 1 : equivalence.p,
    notWorseP: each.some((one) => one > limit) ? 1 : notWorseP,
  };
}

/** The means of units over all combinations; what differs between combinations is taken out before. */
function pool(
  valued: readonly (Groups & {
    readonly counted: { readonly x: Counted[]; readonly y: Counted[] };
  })[],
  scaled: (values: readonly number[]) => number[],
): Groups {
  const centred = valued.map(({ x, y, counted }) => {
    const middle = (describeNumbers(x).mean + describeNumbers(y).mean) / 2;
    const shift = (numbers: readonly Counted[]) =>
      numbers.map(({ value, unit }) => ({ value: value - middle, unit }));
    return { x: shift(counted.x), y: shift(counted.y) };
  });
  const [x, y] = SIDES.map((side) =>
    scaled(meanPerUnit(centred.flatMap((own) => own[side])))
  );
  return { x: x!, y: y! };
}

function complete(strata: readonly Stratum[], measure: Measure): boolean {
  return SIDES.every((side) => {
    const runs = strata.flatMap((stratum) => stratum[side]);
    const missing = runs.filter((run) =>
      MEASURES[measure].valueOf(run) === undefined ||
      (measure === "epoch99" && run.loss?.stillFalling)
    ).length;
    return missing <= MOST_MISSING * runs.length;
  });
}

function unitOf(
  strata: readonly Stratum[],
  { measure, log }: MeansOptions,
): MarginUnit {
  if (measure === "finalAccuracy") return "points";
  if (measure === "epoch99") return "mean";
  if (strata.some(({ baseline }) => baseline !== undefined)) return "learned";
  return log ? "ratio" : "mean";
}

/** What a share of 1 is in this stratum. */
function scaleOf(
  { x, y, baseline, points }: Groups & Pick<Stratum, "baseline" | "points">,
  { marginUnit, log }: {
    readonly marginUnit: MarginUnit;
    readonly log: boolean;
  },
): number {
  if (marginUnit === "points") return points;
  if (marginUnit === "ratio") return 1;
  const [a, b] = [describeNumbers(x).mean, describeNumbers(y).mean];
  if (marginUnit === "mean" || baseline === undefined) return Math.abs(b);
  const place = log ? Math.log : (value: number) => value;
  // Where the means lie at the baseline, runs that beat it give the scale.
  const least = place(baseline.value) - place(baseline.beaten);
  return Math.max(least, place(baseline.value) - Math.min(a, b));
}

/** A mean and its 95 % interval; NaN where there are too few runs. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** What lies above a 95 % interval. */
const OUTSIDE = 0.025;

/**
 * The mean of the combinations' means, with an interval from how runs vary
 * within combinations; runs without a value, which diverged, are left out.
 *
 * @param runs Of one experiment.
 * @param options `log`: the geometric mean, of numbers that span decades.
 */
export function gridMean(
  runs: readonly RunSummary[],
  { valueOf, log = false }: {
    readonly valueOf: (run: RunSummary) => number | undefined;
    readonly log?: boolean;
  },
): Interval {
  const [place, back] = log
    ? [Math.log, Math.exp]
    : [(x: number) => x, (x: number) => x];
  const strata = [...Map.groupBy(runs, ({ combination }) => combination)].map((
    [, own],
  ) =>
    describeNumbers(own.flatMap((run) => {
      const value = valueOf(run);
      return value === undefined ? [] : [place(value)];
    }))
  ).filter(({ n }) => n > 0);
  const mean = strata.reduce((sum, { mean }) => sum + mean, 0) / strata.length;
  // Where a combination has a single run, nobody knows how its runs vary.
  const variances = strata.map(({ n, sd }) => sd ** 2 / n);
  const total = variances.reduce((sum, variance) => sum + variance, 0);
  // Welch and Satterthwaite.
  const freedom = total ** 2 /
    strata.reduce((sum, { n }, i) => sum + variances[i]! ** 2 / (n - 1), 0);
  const reach = total === 0
    ? 0
    : studentQuantile(OUTSIDE, freedom) * Math.sqrt(total) / strata.length;
  return {
    estimate: back(mean),
    low: back(mean - reach),
    high: back(mean + reach),
  };
}
