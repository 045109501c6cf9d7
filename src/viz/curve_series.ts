/**
 * The curves that a figure of a combination draws, and the tables of points
 * that it draws them from.
 *
 * @module
 */

import type { Curves } from "../results/results_folder.ts";
import type { Quantity } from "../analysis/baseline.ts";
import {
  FIRST_EPOCH,
  type LeftOutReason,
  meanCurve,
  usableRuns,
} from "./curve_statistics.ts";
import type { Json } from "./figure.ts";
import { sixDigits, thin } from "./thin.ts";

/** Points that are kept of a mean, and of a single run, which is drawn fainter. */
const MEAN_POINTS = 240;
const RUN_POINTS = 140;
/** With many runs, each has fewer points: they overlap anyhow, and files stay small. */
const ALL_RUN_POINTS = 4200;
const FEWEST_RUN_POINTS = 40;

/** Training or test, as the legend says. */
export type Split = "train" | "test";

/** Both, in the order of the legend. */
export const SPLITS: readonly Split[] = ["train", "test"];

/** The curves of one results label. */
export interface LabelCurves {
  readonly label: string;
  readonly train?: Curves;
  readonly test?: Curves;
}

/** A run that is not drawn. */
export interface LeftOutCurve {
  readonly label: string;
  readonly split: Split;
  readonly iteration: number;
  readonly reason: LeftOutReason;
}

/** What is drawn of a label's training or test curves. */
export interface Series {
  readonly label: string;
  readonly split: Split;
  /** Number of the first epoch in `mean`, `sd` and the runs' values. */
  readonly start: number;
  readonly n: number;
  readonly mean: Float64Array;
  readonly sd: Float64Array;
  readonly runs: readonly {
    readonly iteration: number;
    readonly values: Float64Array;
  }[];
}

/** Takes the curves that can be drawn, and names the others. */
export function collectSeries(
  labels: readonly LabelCurves[],
  quantity: Quantity,
): { series: Series[]; leftOut: LeftOutCurve[] } {
  const series: Series[] = [];
  const leftOut: LeftOutCurve[] = [];
  for (const { label, train, test } of labels) {
    for (const split of SPLITS) {
      const curves = split === "train" ? train : test;
      if (curves === undefined) continue;
      const usable = usableRuns(curves, {
        // An accuracy may well stay what it is; a loss that does is a fault.
        constants: quantity === "accuracy",
      });
      leftOut.push(...usable.leftOut.map((run) => ({ label, split, ...run })));
      if (usable.runs.length === 0) continue;
      const mean = meanCurve(usable.runs.map(({ values }) => values));
      series.push({
        label,
        split,
        start: curves.epochs > FIRST_EPOCH ? FIRST_EPOCH : 0,
        ...mean,
        runs: usable.runs,
      });
    }
  }
  return { series, leftOut };
}

/** Whether all that is drawn of a curve is one epoch: a point, as there is no line. */
export function isPoint({ mean }: Pick<Series, "mean">): boolean {
  return mean.length === 1;
}

/** All values of all runs. */
export function* drawnValues(series: readonly Series[]): Generator<number> {
  for (const { runs } of series) for (const { values } of runs) yield* values;
}

/** A row a point of a mean. */
export function meanRows(series: readonly Series[]): Json[] {
  return series.flatMap(({ label, split, start, n, mean, sd }) =>
    thin(mean, MEAN_POINTS).map((i) => ({
      label,
      split,
      n,
      epoch: start + i,
      mean: sixDigits(mean[i] as number),
      sd: sixDigits(sd[i] as number),
      ...(isPoint({ mean }) ? { point: true } : {}),
    }))
  );
}

/** A row a point of a run; none of runs that are alone and so are the mean. */
export function runRows(series: readonly Series[]): Json[] {
  const count = series.reduce((sum, { runs }) => sum + runs.length, 0);
  const points = Math.max(
    FEWEST_RUN_POINTS,
    Math.min(RUN_POINTS, Math.floor(ALL_RUN_POINTS / count)),
  );
  return series.flatMap(({ label, split, start, runs }) =>
    runs.length < 2
      ? []
      : runs.flatMap(({ iteration, values }) =>
        thin(values, points).map((i) => ({
          label,
          split,
          iteration,
          epoch: start + i,
          value: sixDigits(values[i] as number),
        }))
      )
  );
}
