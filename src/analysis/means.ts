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

import type { MarginUnit } from "./comparison.ts";
import { studentQuantile, studentUpperTail, sumOf } from "./distributions.ts";
import {
  both,
  type Counted,
  FEWEST,
  gather,
  groupsOf,
  meanPerUnit,
  runsOf,
  shareUnits,
  type Stratum,
} from "./match.ts";
import {
  describeNumbers,
  type Description,
  type Groups,
  meanOf,
} from "./rank_tests.ts";
import {
  type Measure,
  MEASURES,
  type RunNumber,
  type RunSummary,
} from "./summary.ts";

/** The variance of a sum of independent means, and Satterthwaite's degrees of freedom. */
function varianceOfSum(samples: readonly Description[]) {
  const parts = samples.map(({ n, sd }) => ({ n, variance: sd ** 2 / n }));
  const variance = sumOf(parts, (one) => one.variance);
  const freedom = variance ** 2 /
    sumOf(parts, (one) => one.variance ** 2 / (one.n - 1));
  return { variance, freedom };
}

/**
 * Tests whether two means differ by less than a margin, by Student's t of the
 * differences of pairs, or Welch's t for independent groups; of several strata,
 * whether the mean of their differences does.
 *
 * @param strata Groups of two numbers at least each.
 * @param options `margin`, above 0; `paired`: whether number i of one group belongs to number i of the other.
 * @returns The mean of x less that of y, of several strata the mean of their
 * differences, and its 90 % interval, which lies inside ± margin if and only if
 * `p` is below 0.05. `notLowerP` is small where x is not lower by the margin,
 * `notHigherP` where it is not higher, `p` where both: then the means are
 * equivalent. Interval and p are NaN where a group has fewer than two numbers, or nothing varies.
 */
export function testEquivalence(
  strata: readonly Groups[],
  { margin, paired }: { readonly margin: number; readonly paired: boolean },
) {
  const samples = strata.map(([x, y]) =>
    (paired ? [x.map((value, i) => value - y[i]!)] : [x, y])
      .map(describeNumbers)
  );
  const difference =
    sumOf(samples, ([x, y]) => x!.mean - (y === undefined ? 0 : y.mean)) /
    strata.length;
  const { variance, freedom } = varianceOfSum(samples.flat());
  // Where nothing varies, a handful of runs would seem to leave no doubt.
  const error = variance === 0 ? NaN : Math.sqrt(variance) / strata.length;
  const tail = (distance: number) =>
    studentUpperTail(distance / error, freedom);
  const notLowerP = tail(difference + margin);
  const notHigherP = tail(margin - difference);
  const reach = error * studentQuantile(0.05, freedom);
  return {
    difference,
    interval: [difference - reach, difference + reach] as const,
    notLowerP,
    notHigherP,
    p: Math.max(notLowerP, notHigherP),
  };
}

/** Share of runs without a value up to which means of the others are compared. */
const MOST_MISSING = 0.1;

/**
 * The means of the runs that have a value, each stratum in units of what its margin is a share of.
 *
 * @param options `margin`: as of `CompareOptions`; `log`: whether losses are compared on a logarithmic scale.
 */
export function compareMeans(
  strata: readonly Stratum[],
  { measure, log, margin, paired }: {
    readonly measure: Measure;
    readonly margin: number;
    readonly log: boolean;
    readonly paired: boolean;
  },
) {
  const marginUnit = unitOf(strata, measure, log);
  const none = {
    ratio: undefined as number | undefined,
    difference: NaN,
    differenceInterval: [NaN, NaN] as const,
    marginUnit,
    points: strata[0]?.points ?? NaN,
    outside: 0,
    equivalenceP: NaN,
    notWorseP: NaN,
  };
  const place = log ? Math.log : (value: number) => value;
  const counted = strata.map((stratum) =>
    groupsOf(stratum, (run) => {
      const value = run[measure];
      return value === undefined ? undefined : place(value);
    })
  );
  const groups = counted.map((one) => both(one, meanPerUnit));
  // One unit for all: where a combination learned little, a share of that little says nothing.
  const scale = meanOf(groups.map(([x, y], i): number => {
    const { points, baseline } = strata[i]!;
    if (marginUnit === "points") return points;
    if (marginUnit === "ratio") return 1;
    const [a, b] = [meanOf(x), meanOf(y)];
    if (marginUnit === "mean" || baseline === undefined) return Math.abs(b);
    // Where the means lie at the baseline, runs that beat it give the scale.
    const least = place(baseline.value) - place(baseline.beaten);
    return Math.max(least, place(baseline.value) - Math.min(a, b));
  }));
  const scaled = (values: readonly number[]) =>
    values.map((value) => value / scale);
  const within = groups.map((own) => both(own, scaled));
  const tested = shareUnits(strata)
    ? [both(pool(counted, groups), scaled)]
    : within;
  const isShort = (least: number) => (own: Groups) =>
    own.some(({ length }) => length < least);
  if (
    strata.length === 0 || within.some(isShort(1)) ||
    tested.some(isShort(FEWEST)) ||
    !within.flat(2).every(Number.isFinite)
  ) return none;
  const ratio = groups.reduce(
    (sum, [x, y]) => sum + meanOf(x) - meanOf(y),
    0,
  ) / groups.length;
  const limit = marginUnit === "ratio" ? Math.log1p(margin) : margin;
  const equivalence = testEquivalence(tested, { margin: limit, paired });
  const worse = MEASURES[measure].better === "lower" ? 1 : -1;
  const each = within.map(([x, y]) => worse * (meanOf(x) - meanOf(y)));
  const means = {
    ...none,
    ratio: log ? Math.exp(ratio) : undefined,
    difference: equivalence.difference,
    differenceInterval: equivalence.interval,
    outside: each.filter((one) => Math.abs(one) > limit).length,
  };
  // Means of the survivors, or of epochs that are no last ones, say nothing of all.
  if (!isComplete(strata, measure)) return means;
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
  counted: readonly [Counted[], Counted[]][],
  groups: readonly Groups[],
): [number[], number[]] {
  const centred = counted.map((own, i) => {
    const middle = sumOf(groups[i]!, meanOf) / 2;
    return both(
      own,
      (numbers) =>
        numbers.map(({ value, unit }) => ({ value: value - middle, unit })),
    );
  });
  return both(gather(centred), meanPerUnit);
}

function isComplete(strata: readonly Stratum[], measure: Measure): boolean {
  return runsOf(strata).every((runs) => {
    const missing = runs.filter((run) =>
      run[measure] === undefined ||
      (measure === "epoch99" && run.stillFalling)
    ).length;
    return missing <= MOST_MISSING * runs.length;
  });
}

function unitOf(
  strata: readonly Stratum[],
  measure: Measure,
  log: boolean,
): MarginUnit {
  if (measure === "finalAccuracy") return "points";
  if (measure === "epoch99") return "mean";
  if (strata.some(({ baseline }) => baseline !== undefined)) return "learned";
  return log ? "ratio" : "mean";
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
 * @param log Whether the mean is geometric, as of numbers that span decades.
 */
export function gridMean(
  runs: readonly RunSummary[],
  of: RunNumber,
  log = false,
): Interval {
  const asItIs = (value: number) => value;
  const [place, back] = log ? [Math.log, Math.exp] : [asItIs, asItIs];
  const strata = Map.groupBy(runs, ({ combination }) => combination).values()
    .map((own) =>
      describeNumbers(own.flatMap((run) => run[of] ?? []).map(place))
    )
    .filter(({ n }) => n > 0).toArray();
  const mean = meanOf(strata.map((one) => one.mean));
  // Where a combination has a single run, nobody knows how its runs vary.
  const { variance, freedom } = varianceOfSum(strata);
  const reach = variance === 0
    ? 0
    : studentQuantile(OUTSIDE, freedom) * Math.sqrt(variance) / strata.length;
  return {
    estimate: back(mean),
    low: back(mean - reach),
    high: back(mean + reach),
  };
}
