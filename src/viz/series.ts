/**
 * From the curves of all runs to what is drawn of them: each run, their middle
 * and their spread, thinned to what a figure can show, on a scale that shows it.
 *
 * @module
 */

import { curveOf, type Quantity, spansDecades } from "../analysis/summary.ts";
import type { Curves } from "../results/data_files.ts";
import type { Json } from "./figure.ts";

/** Epochs at the start that are not drawn: an untrained network's loss would set the scale. */
const FIRST_EPOCH = 1;

/** Points that are kept of a middle curve, and of a single run, which is drawn fainter. */
const MIDDLE_POINTS = 160;
const RUN_POINTS = 100;
/** With many runs, each has fewer points: they overlap anyhow, and files stay small. */
const ALL_RUN_POINTS = 2400;
const FEWEST_RUN_POINTS = 30;

/** One run's curve, from the first epoch that is drawn. */
interface Run {
  readonly iteration: number;
  readonly values: Float64Array;
}

export interface LeftOutRun {
  readonly iteration: number;
  readonly reason: "not finite" | "constant";
}

/** The scale of a value axis, and the lowest and highest value on it. */
export interface ValueScale {
  readonly log: boolean;
  readonly low: number;
  readonly high: number;
}

/**
 * Chooses a logarithmic scale where all values are positive and the highest is
 * more than 30 times the lowest: on a linear one, the lower half of such
 * curves is a flat line.
 *
 * @param values What is drawn; values that are not finite count for nothing.
 */
export function chooseScale(values: Iterable<number>): ValueScale {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return { log: false, low: 0, high: 1 };
  return { log: spansDecades([low, high]), low, high };
}

/**
 * Splits runs into those that can be drawn and those that can't: any with a
 * value that is NaN or infinite, and losses that never change.
 */
function usableRuns(curves: Curves, quantity: Quantity) {
  const runs: Run[] = [];
  const leftOut: LeftOutRun[] = [];
  // With a single epoch there is nothing else to draw.
  const start = curves.epochs > FIRST_EPOCH ? FIRST_EPOCH : 0;
  for (let iteration = 0; iteration < curves.iterations; iteration++) {
    const values = curveOf(curves, iteration).subarray(start);
    if (!values.every(Number.isFinite)) {
      leftOut.push({ iteration, reason: "not finite" });
    } else if (
      // An accuracy may well stay what it is; a loss that does is a fault.
      quantity === "loss" && values.length > 1 &&
      values.every((value) => value === values[0])
    ) {
      leftOut.push({ iteration, reason: "constant" });
    } else runs.push({ iteration, values });
  }
  return { runs, start, leftOut };
}

/** What stands for all runs: on a logarithmic scale the median with its quartiles, else the mean ± standard deviation. */
export type Middle = "median" | "mean";

export const SPREAD_WORDS: Readonly<Record<Middle, string>> = {
  median: "quartiles",
  mean: "± standard deviation",
};

export function middleOn({ log }: ValueScale): Middle {
  return log ? "median" : "mean";
}

/** Middle and spread over `n` runs, an element an epoch. */
interface MiddleCurve {
  readonly n: number;
  readonly middle: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/**
 * Middle and spread over runs. Mean and sample standard deviation may leave
 * what is possible, below 0 on a logarithmic scale; median and quartiles can't.
 *
 * @param runs Curves of equal length, one at least.
 */
export function middleCurve(
  runs: readonly Float64Array[],
  { of, quantity = "loss" }: {
    readonly of: Middle;
    /** An accuracy stays between 0 and 100. */
    readonly quantity?: Quantity;
  },
): MiddleCurve {
  const n = runs.length;
  const low = new Float64Array(runs[0]!.length);
  const [middle, high] = [low.slice(), low.slice()];
  const values = new Float64Array(n);
  const [least, most] = quantity === "accuracy"
    ? [0, 100]
    : [-Infinity, Infinity];
  for (let e = 0; e < low.length; e++) {
    for (let i = 0; i < n; i++) values[i] = runs[i]![e]!;
    const [a, b, c] = of === "mean" ? meanAndSpread(values) : quartiles(values);
    middle[e] = b;
    low[e] = Math.max(least, a);
    high[e] = Math.min(most, c);
  }
  return { n, middle, low, high };
}

type Three = [low: number, middle: number, high: number];

function meanAndSpread(values: Float64Array): Three {
  const n = values.length;
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / n;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const sd = n > 1 ? Math.sqrt(squares / (n - 1)) : 0;
  return [mean - sd, mean, mean + sd];
}

/**
 * Quartiles and median, linear between the order statistics, as NumPy's.
 *
 * @param values Left sorted.
 */
export function quartiles(values: Float64Array): Three {
  values.sort();
  const at = (share: number) => {
    const place = share * (values.length - 1);
    const low = values[Math.floor(place)]!;
    const high = values[Math.ceil(place)]!;
    return low + (high - low) * (place - Math.floor(place));
  };
  return [at(0.25), at(0.5), at(0.75)];
}

/** What tells curves of a figure apart, e.g. their label: fields of its data. */
export type Tags = Readonly<Record<string, string>>;

/** What is drawn of the runs of one label and combination. */
export interface Series<T extends Tags> extends MiddleCurve {
  readonly tags: T;
  readonly runs: readonly Run[];
  /** Number of the first epoch in the curves. */
  readonly start: number;
}

/**
 * All that is drawn in one figure, on a common scale.
 *
 * @param curves Those of which no run can be drawn are left out.
 */
export function seriesOf<T extends Tags>(
  curves: readonly (readonly [T, Curves])[],
  quantity: Quantity,
) {
  const usable = curves.map(([tags, own]) => ({
    tags,
    ...usableRuns(own, quantity),
  }));
  const scale = chooseScale(
    usable.values().flatMap(({ runs }) => runs).flatMap((run) => run.values),
  );
  const of = middleOn(scale);
  return {
    scale,
    leftOut: usable.flatMap(({ tags, leftOut }) =>
      leftOut.map((run): T & LeftOutRun => ({ ...tags, ...run }))
    ),
    series: usable.filter(({ runs }) => runs.length > 0).map((
      { tags, runs, start },
    ): Series<T> => ({
      tags,
      runs,
      start,
      ...middleCurve(runs.map(({ values }) => values), { of, quantity }),
    })),
  };
}

/** Whether all that is drawn of a curve is one epoch: a point, as there is no line. */
export function isPoint({ middle }: Pick<MiddleCurve, "middle">): boolean {
  return middle.length === 1;
}

/** A row a point of a middle curve. */
export function middleRows(
  series: readonly Series<Tags>[],
  points = MIDDLE_POINTS,
): Json[] {
  return series.flatMap(({ tags, start, n, middle, low, high }) =>
    thin(middle, points).map((i) => ({
      ...tags,
      n,
      epoch: start + i,
      middle: sixDigits(middle[i]!),
      low: sixDigits(low[i]!),
      high: sixDigits(high[i]!),
      ...(isPoint({ middle }) && { point: true }),
    }))
  );
}

/** A row a point of a run; none of runs that are alone and so are the middle. */
export function runRows(series: readonly Series<Tags>[]): Json[] {
  const count = series.reduce((sum, { runs }) => sum + runs.length, 0);
  const points = Math.max(
    FEWEST_RUN_POINTS,
    Math.min(RUN_POINTS, Math.floor(ALL_RUN_POINTS / count)),
  );
  return series.filter(({ n }) => n > 1).flatMap(({ tags, start, runs }) =>
    runs.flatMap(({ iteration, values }) =>
      thin(values, points).map((i) => ({
        ...tags,
        iteration,
        epoch: start + i,
        value: sixDigits(values[i]!),
      }))
    )
  );
}

/**
 * Positions to keep of a curve: the first, the last, and of each stretch in
 * between the lowest and the highest. What is kept is drawn at its own place
 * with its own value; nothing is averaged.
 *
 * @param most How many positions may be kept, 4 at least.
 * @returns Positions from 0, ascending; all of them if there are at most `most`.
 */
function thin(values: ArrayLike<number>, most: number): number[] {
  const n = values.length;
  if (n <= most) return Array.from({ length: n }, (_, i) => i);
  const stretches = Math.max(1, Math.floor((most - 2) / 2));
  const kept = [0];
  for (let s = 0; s < stretches; s++) {
    const from = 1 + Math.floor(s * (n - 2) / stretches);
    const to = 1 + Math.floor((s + 1) * (n - 2) / stretches);
    let low = from;
    let high = from;
    for (let i = from; i < to; i++) {
      if (values[i]! < values[low]!) low = i;
      if (values[i]! > values[high]!) high = i;
    }
    // A flat stretch needs one point only.
    if (low === high) kept.push(low);
    else kept.push(Math.min(low, high), Math.max(low, high));
  }
  kept.push(n - 1);
  return kept;
}

/**
 * Rounded to six digits: far finer than a figure shows, and a third of the
 * bytes.
 */
export function sixDigits(value: number): number {
  return Number(value.toPrecision(6));
}
