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

/** A run, and the unit that it is part of: the runs that share a random network, or itself. */
export type CountedRun = RunSummary & { readonly unit: string };

/** The runs of both labels in one combination. */
export interface Stratum<Run extends RunSummary = CountedRun> {
  readonly combination: MatchedCombination;
  /** Whether run i of one label belongs to run i of the other. */
  readonly paired: boolean;
  readonly x: readonly Run[];
  readonly y: readonly Run[];
  readonly baseline: Baseline | undefined;
  /** Percentage points between chance and 100 %. */
  readonly points: number;
  /** Whether a run of either label beat the baseline. */
  readonly learned: boolean;
}

const SIDES = ["x", "y"] as const;

/** How many networks runs are on; undefined where that is not known. */
export function countNetworks(
  runs: readonly RunSummary[],
): number | undefined {
  const networks = new Set(runs.map(({ network }) => network));
  return networks.has(undefined) ? undefined : networks.size;
}

/**
 * Says which runs count as one. Runs on the same sample of a null model, or on
 * the same of several instantiations of a connectome, tell of that network:
 * what is asked is whether others like it differ, so that the network is the
 * unit. Where all runs of a label are on one network, it is that network
 * which is asked about, and its runs are the units.
 *
 * Compared in pairs, runs are of one unit that share a network of either label.
 * Where one label has one network and the other has samples, runs are paired
 * by their places, if not by their trials: their differences from the one
 * network are what varies from sample to sample. To rank its many runs among
 * few samples, which vary more, would find differences where there are none.
 */
export function countUnits(
  strata: readonly Stratum<RunSummary>[],
): { readonly strata: readonly Stratum[]; readonly byPlace: boolean } {
  const [x, y] = SIDES.map((side) => {
    const runs = strata.flatMap((stratum) => stratum[side]);
    const count = countNetworks(runs) ?? 1;
    return { sampled: count > 1, repeated: count > 1 && count < runs.length };
  }) as [Sampling, Sampling];
  const byPlace = !strata.every(({ paired }) => paired) &&
    ((x.repeated && !y.sampled) || (y.repeated && !x.sampled));
  const units = new Map<string, string>();
  const unitOf = (key: string): string => {
    const above = units.get(key);
    return above === undefined ? key : unitOf(above);
  };
  const keyed = strata.map((stratum, s) => {
    const paired = byPlace || stratum.paired;
    const length = paired
      ? Math.min(stratum.x.length, stratum.y.length)
      : Infinity;
    const keysOf = (side: "x" | "y") =>
      stratum[side].slice(0, length).map(({ network }, i) =>
        (side === "x" ? x : y).sampled
          ? `${side} ${network}`
          : `${paired ? "" : side} ${s} ${i}`
      );
    const keys = { x: keysOf("x"), y: keysOf("y") };
    if (paired) {
      for (const [i, key] of keys.x.entries()) {
        const [one, other] = [unitOf(key), unitOf(keys.y[i]!)];
        if (one !== other) units.set(other, one);
      }
    }
    return { ...stratum, paired, keys };
  });
  return {
    byPlace,
    strata: keyed.map(({ keys, ...stratum }) => ({
      ...stratum,
      x: keys.x.map((key, i) => ({ ...stratum.x[i]!, unit: unitOf(key) })),
      y: keys.y.map((key, i) => ({ ...stratum.y[i]!, unit: unitOf(key) })),
    })),
  };
}

interface Sampling {
  /** Whether a label's runs are on several networks. */
  readonly sampled: boolean;
  /** Whether of these some have several runs. */
  readonly repeated: boolean;
}

/** A number of a run, or of a pair of runs. */
export interface Counted {
  readonly value: number;
  readonly unit: string;
}

/** The mean of each unit, in the order in which they come. */
export function meanPerUnit(numbers: readonly Counted[]): number[] {
  const units = Map.groupBy(numbers, ({ unit }) => unit);
  return Array.from(
    units.values(),
    (own) => own.reduce((sum, { value }) => sum + value, 0) / own.length,
  );
}

/** Whether runs of different combinations are of one unit, so that these are no independent strata. */
export function shareUnits(strata: readonly Stratum[]): boolean {
  const own = strata.map(({ x, y }) =>
    new Set([...x, ...y].map(({ unit }) => unit))
  );
  const all = new Set(own.flatMap((units) => [...units]));
  return all.size < own.reduce((sum, { size }) => sum + size, 0);
}

/** Values of both labels, of complete pairs where there are pairs. */
export function groupsOf(
  { paired, x, y }: Stratum,
  valueOf: (run: RunSummary) => number | undefined,
): { x: Counted[]; y: Counted[] } {
  const counted = (runs: readonly CountedRun[], others: typeof runs) =>
    runs.flatMap((run, i) => {
      const value = valueOf(run);
      return value === undefined ||
          (paired && valueOf(others[i]!) === undefined)
        ? []
        : [{ value, unit: run.unit }];
    });
  return { x: counted(x, y), y: counted(y, x) };
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
