/**
 * The figure of a combination: loss or accuracy against epochs, training and
 * test, for each results label.
 *
 * @module
 */

import type { Curves } from "../results/results_folder.ts";
import {
  axisTitle,
  bandTransform,
  chooseScale,
  scaleProperties,
  type ValueScale,
} from "./value_scale.ts";
import { type Baseline, limitsOf, type Quantity } from "./baseline.ts";
import {
  FIRST_EPOCH,
  type LeftOutReason,
  meanCurve,
  usableRuns,
} from "./curve_statistics.ts";
import { type Figure, HOVER, type Json, SCHEMA, type Spec } from "./figure.ts";
import {
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  labelColors,
  MUTED,
  themeConfig,
} from "./theme.ts";
import { sixDigits, thin } from "./thin.ts";

/** Points that are kept of a mean, and of a single run, which is drawn fainter. */
const MEAN_POINTS = 240;
const RUN_POINTS = 140;
/** With many runs, each has fewer points: they overlap anyhow, and files stay small. */
const ALL_RUN_POINTS = 4200;
const FEWEST_RUN_POINTS = 40;

/** Training or test, as the legend says. */
export type Split = "train" | "test";

const SPLITS: readonly Split[] = ["train", "test"];
const DASHES: readonly (readonly number[])[] = [[1, 0], [4, 2]];

/** The curves of one results label. */
export interface LabelCurves {
  readonly label: string;
  readonly train?: Curves;
  readonly test?: Curves;
}

/** What a figure of curves shows. */
export interface CurveFigureOptions {
  readonly name: string;
  /** Title, e.g. `(0.0001, 'relu', 'Adam', 3)`. */
  readonly title: string;
  readonly quantity: Quantity;
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly axis: string;
  readonly baseline: Baseline | undefined;
  /** All labels, so that one has the same colour in every figure, whether or not it is in all. */
  readonly labels: readonly string[];
  readonly width: FigureWidth;
}

/** A run that is not drawn. */
export interface LeftOutCurve {
  readonly label: string;
  readonly split: Split;
  readonly iteration: number;
  readonly reason: LeftOutReason;
}

/** A figure and what it lacks; without any curve there is no figure. */
export interface CurveFigure {
  readonly figure: Figure | undefined;
  readonly leftOut: readonly LeftOutCurve[];
}

interface Series {
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

function collectSeries(
  labels: readonly LabelCurves[],
  { quantity }: CurveFigureOptions,
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

function* drawnValues(series: readonly Series[]): Generator<number> {
  for (const { runs } of series) for (const { values } of runs) yield* values;
}

function meanRows(series: readonly Series[]): Json[] {
  return series.flatMap(({ label, split, start, n, mean, sd }) =>
    thin(mean, MEAN_POINTS).map((i) => ({
      label,
      split,
      n,
      epoch: start + i,
      mean: sixDigits(mean[i] as number),
      sd: sixDigits(sd[i] as number),
    }))
  );
}

function runRows(series: readonly Series[]): Json[] {
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

/**
 * Draws mean ± standard deviation over iterations against epochs, colour =
 * label, dash = training or test, with every run as a faint line beneath. The
 * first epoch is left out.
 *
 * @param labels The curves of each label, in the order of the legend.
 *
 * @example
 * ```ts
 * import { curveFigure } from "./src/viz/curve_figure.ts";
 *
 * const train = { iterations: 1, epochs: 3, values: Float64Array.of(3, 2, 1) };
 * const { figure } = curveFigure([{ label: "bio", train }], {
 *   name: "loss_00",
 *   title: "(0.0001, 'relu', 'Adam', 3)",
 *   quantity: "loss",
 *   axis: "loss (MSE)",
 *   baseline: { value: 1 / 12, label: "predicting the mean (1/12)" },
 *   labels: ["bio"],
 *   width: "one",
 * });
 * figure?.spec; // a Vega-Lite specification
 * ```
 */
export function curveFigure(
  labels: readonly LabelCurves[],
  options: CurveFigureOptions,
): CurveFigure {
  const { series, leftOut } = collectSeries(labels, options);
  if (series.length === 0) return { figure: undefined, leftOut };
  const scale = chooseScale(drawnValues(series));
  const width = FIGURE_PIXELS[options.width];
  const spec: Spec = {
    $schema: SCHEMA,
    description: captionOf(series, options),
    title: { text: options.title },
    width,
    height: Math.round(width * (options.width === "one" ? 0.66 : 0.48)),
    autosize: { type: "fit", contains: "padding" },
    config: themeConfig() as Spec,
    datasets: { mean: meanRows(series), runs: runRows(series) },
    layer: [
      ...runLayer(series),
      bandLayer(scale, limitsOf(options.quantity)),
      meanLayer(options, { series, scale }),
      ...baselineLayers(options.baseline, series),
      pointLayer(options.axis),
    ],
  };
  const figure: Figure = {
    name: options.name,
    section: options.quantity,
    title: options.title,
    caption: captionOf(series, options),
    width,
    spec,
  };
  return { figure, leftOut };
}

function captionOf(
  series: readonly Series[],
  { axis, title, baseline }: CurveFigureOptions,
): string {
  const counts = [...new Set(series.map(({ n }) => n))].sort((a, b) => a - b);
  const many = counts.some((n) => n > 1);
  const labels = [...new Set(series.map(({ label }) => label))].join(", ");
  return `${axis} of ${labels} at ${title}: ${
    many
      ? `mean (lines) ± standard deviation (bands) of ${
        counts.join(" to ")
      } runs, each run as a faint line`
      : "one run"
  }; solid: train, dashed: test; the first epoch is left out.${
    baseline === undefined ? "" : ` Dotted: ${baseline.label}.`
  }`;
}

/** What is not chosen in the legends steps back. */
function whenChosen(value: number): Spec {
  return {
    condition: {
      test: { and: [{ param: "label" }, { param: "split" }] },
      value,
    },
    value: 0.03,
  };
}

const COLOR_KEY: Spec = { field: "label", type: "nominal" };
const DETAIL: Json = [{ field: "split" }];

function runLayer(series: readonly Series[]): Spec[] {
  if (series.every(({ runs }) => runs.length < 2)) return [];
  return [{
    data: { name: "runs" },
    mark: {
      type: "line",
      strokeWidth: 0.5,
      strokeOpacity: 0.3,
      aria: false,
    },
    encoding: {
      x: { field: "epoch", type: "quantitative" },
      y: { field: "value", type: "quantitative" },
      color: COLOR_KEY,
      detail: [{ field: "split" }, { field: "iteration" }],
      opacity: whenChosen(1),
    },
  }];
}

function bandLayer(
  scale: ValueScale,
  limits: readonly [number, number] | undefined,
): Spec {
  return {
    data: { name: "mean" },
    transform: [{ filter: "datum.n > 1" }, ...bandTransform(scale, limits)],
    mark: { type: "area", fillOpacity: 0.18, aria: false },
    encoding: {
      x: { field: "epoch", type: "quantitative" },
      y: { field: "low", type: "quantitative" },
      y2: { field: "high" },
      color: COLOR_KEY,
      detail: DETAIL,
      opacity: whenChosen(1),
    },
  };
}

function meanLayer(
  { labels, axis }: CurveFigureOptions,
  { series, scale }: {
    series: readonly Series[];
    scale: ValueScale;
  },
): Spec {
  const colors = labelColors(labels.length);
  const names = labels.filter((label) =>
    series.some((one) => one.label === label)
  );
  const splits = SPLITS.filter((split) =>
    series.some((one) => one.split === split)
  );
  const y = scaleProperties(scale);
  return {
    data: { name: "mean" },
    params: [
      {
        name: "label",
        select: { type: "point", fields: ["label"] },
        bind: "legend",
      },
      {
        name: "split",
        select: { type: "point", fields: ["split"] },
        bind: "legend",
      },
    ],
    mark: { type: "line", strokeWidth: 1.4, strokeCap: "butt" },
    encoding: {
      x: {
        field: "epoch",
        type: "quantitative",
        title: "epoch",
        scale: { nice: false, zero: false },
        axis: { grid: false, tickCount: 6, format: "~d" },
      },
      y: {
        field: "mean",
        type: "quantitative",
        title: axisTitle(axis, scale),
        scale: y.scale,
        axis: y.axis,
      },
      color: {
        ...COLOR_KEY,
        title: null,
        scale: {
          domain: names,
          range: names.map((name) => colors[labels.indexOf(name)] ?? INK),
        },
        legend: { symbolType: "stroke", symbolOpacity: 1 },
      },
      strokeDash: {
        field: "split",
        type: "nominal",
        title: null,
        scale: {
          domain: splits,
          range: splits.map((split) => DASHES[SPLITS.indexOf(split)] ?? []),
        },
        legend: {
          symbolType: "stroke",
          symbolStrokeColor: INK,
          symbolOpacity: 1,
        },
      },
      opacity: whenChosen(1),
    },
  };
}

/** The line, and its name at the right, above it. */
function baselineLayers(
  baseline: Baseline | undefined,
  series: readonly Series[],
): Spec[] {
  if (baseline === undefined) return [];
  const last = Math.max(
    ...series.map(({ start, mean }) => start + mean.length - 1),
  );
  const data = {
    values: [{ baseline: baseline.value, epoch: last, text: baseline.label }],
  };
  const y = { field: "baseline", type: "quantitative" };
  return [
    {
      data,
      mark: {
        type: "rule",
        strokeWidth: 0.8,
        strokeDash: [1, 2],
        color: MUTED,
        tooltip: baseline.label,
      },
      encoding: { y },
    },
    // Twice, first in broad white, so that it can be read on curves.
    ...[{ stroke: "white", strokeWidth: 2.5, strokeOpacity: 0.8 }, {}].map((
      halo,
    ): Spec => ({
      data,
      mark: {
        type: "text",
        align: "right",
        baseline: "bottom",
        dy: -2,
        fontSize: 8,
        color: MUTED,
        ...halo,
        aria: Object.keys(halo).length === 0,
      },
      encoding: {
        x: { field: "epoch", type: "quantitative" },
        y,
        text: { field: "text", type: "nominal" },
      },
    })),
  ];
}

/** The point next to the mouse, with its numbers. */
function pointLayer(quantity: string): Spec {
  return {
    name: HOVER,
    data: { name: "mean" },
    transform: [{ filter: { and: [{ param: "label" }, { param: "split" }] } }],
    params: [{
      name: "near",
      select: {
        type: "point",
        nearest: true,
        on: "pointerover",
        clear: "pointerout",
      },
    }],
    mark: { type: "point", filled: true, size: 24, aria: false },
    encoding: {
      x: { field: "epoch", type: "quantitative" },
      y: { field: "mean", type: "quantitative" },
      color: COLOR_KEY,
      opacity: {
        condition: { param: "near", empty: false, value: 1 },
        value: 0,
      },
      tooltip: [
        { field: "label", title: "label" },
        { field: "split", title: "data" },
        { field: "epoch", title: "epoch", type: "quantitative" },
        {
          field: "mean",
          title: `mean ${quantity}`,
          type: "quantitative",
          format: ".5~g",
        },
        {
          field: "sd",
          title: "standard deviation",
          type: "quantitative",
          format: ".3~g",
        },
        { field: "n", title: "runs", type: "quantitative" },
      ],
    },
  };
}
