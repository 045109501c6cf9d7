/**
 * The runs that are compared, and the comparison of their means: equivalence
 * within a margin that refers to what was learned.
 *
 * @module
 */

import type { Baseline } from "./baseline.ts";
import type { ComparedRuns, MarginUnit } from "./comparison.ts";
import { describeNumbers } from "./effect_sizes.ts";
import { testEquivalence } from "./equivalence.ts";
import type { MatchedCombination } from "./match.ts";
import type { Groups } from "./rank_tests.ts";
import { type Measure, MEASURES, type RunSummary } from "./summary.ts";

/** Fewest values of a group that are tested. */
export const FEWEST = 2;
/** Share of runs without a value up to which means of the others are compared. */
const MOST_MISSING = 0.1;

/** The runs of both labels in one combination. */
export interface Stratum {
  readonly combination: MatchedCombination;
  readonly paired: boolean;
  readonly x: readonly RunSummary[];
  readonly y: readonly RunSummary[];
  readonly baseline: Baseline | undefined;
  /** Percentage points between chance and 100 %. */
  readonly points: number;
  /** Whether a run of either label beat the baseline. */
  readonly learned: boolean;
}

/** Both runs of each pair, where both have something to count as. */
function completePairs(
  { x, y }: Pick<Stratum, "x" | "y">,
  valueOf: (run: RunSummary) => number | undefined,
): Groups {
  const pairs = x.flatMap((run, i) => {
    const [first, second] = [valueOf(run), valueOf(y[i]!)];
    return first === undefined || second === undefined
      ? []
      : [[first, second] as const];
  });
  return { x: pairs.map(([one]) => one), y: pairs.map(([, one]) => one) };
}

/** Values of both labels, of complete pairs where there are pairs. */
export function groupsOf(
  stratum: Stratum,
  valueOf: (run: RunSummary) => number | undefined,
): Groups {
  const defined = (runs: readonly RunSummary[]) =>
    runs.flatMap((run) => valueOf(run) ?? []);
  return stratum.paired
    ? completePairs(stratum, valueOf)
    : { x: defined(stratum.x), y: defined(stratum.y) };
}

/** How to compare means. */
export interface MeansOptions {
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
  const valued = strata.map((stratum) => ({
    ...stratum,
    ...groupsOf(stratum, (run) => {
      const value = MEASURES[measure].valueOf(run);
      return value !== undefined && log ? Math.log(value) : value;
    }),
  }));
  if (
    valued.length === 0 ||
    valued.some(({ x, y }) =>
      Math.min(x.length, y.length) < FEWEST ||
      ![...x, ...y].every(Number.isFinite)
    )
  ) return none;
  // One unit for all: where a combination learned little, a share of that little says nothing.
  const unit = describeNumbers(
    valued.map((stratum) => stratumUnit(stratum, { marginUnit, log })),
  ).mean;
  const scale = (value: number) => value / unit;
  const scaled = valued.map(({ x, y }) => ({
    x: x.map(scale),
    y: y.map(scale),
  }));
  if (scaled.some(({ x }) => !x.every(Number.isFinite))) return none;
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
  const equivalence = testEquivalence(scaled, { margin: limit, paired });
  const worse = MEASURES[measure].better === "lower" ? 1 : -1;
  const each = scaled.map(({ x, y }) =>
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

function complete(strata: readonly Stratum[], measure: Measure): boolean {
  return (["x", "y"] as const).every((side) => {
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
function stratumUnit(
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
