/**
 * The figure of a combination: loss or accuracy against epochs, training and
 * validation, for each results label.
 *
 * @module
 */

import type { Baseline, Quantity } from "../analysis/baseline.ts";
import type { Curves } from "../results/results_folder.ts";
import { type Figure, HOVER, SCHEMA, type Spec } from "./figure.ts";
import {
  baselineLayer,
  curveLayers,
  dashes,
  epochAxis,
  labelColor,
  legendParam,
  number,
  quantity,
  text,
  whenChosen,
  withAxis,
} from "./layers.ts";
import { axisTitle, chooseScale, including, scaleProperties } from "./scale.ts";
import {
  drawnValues,
  isPoint,
  type LeftOutRun,
  type Middle,
  MIDDLE_WORDS,
  middleCurve,
  middleRows,
  runRows,
  type Series,
  type Split,
  SPLITS,
  usableRuns,
} from "./series.ts";
import {
  FIGURE_PIXELS,
  type FigureWidth,
  legendPixels,
  themeConfig,
} from "./theme.ts";

/** Room for the value axis. */
const AXIS_PIXELS = 50;

/** The curves of one results label. */
export type LabelCurves =
  & { readonly label: string }
  & { readonly [split in Split]?: Curves };

/** A run that is not drawn. */
export interface LeftOutCurve extends LeftOutRun {
  readonly label: string;
  readonly split: Split;
}

/** What a figure of curves shows. */
export interface CurveFigureOptions {
  readonly name: string;
  /** Title, e.g. `lr 1e-4 · relu · Adam · length 3`. */
  readonly title: string;
  readonly quantity: Quantity;
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly axis: string;
  readonly baseline: Baseline | undefined;
  /** All labels, so that one has the same colour in every figure, whether or not it is in all. */
  readonly labels: readonly string[];
  readonly width: FigureWidth;
}

/** A figure and what it lacks; without any curve there is no figure. */
export interface CurveFigure {
  readonly figure: Figure | undefined;
  readonly leftOut: readonly LeftOutCurve[];
}

/**
 * Draws the middle and the spread over iterations against epochs, colour =
 * label, dash = training or validation, with every run as a faint line
 * beneath: mean ± standard deviation, or median and quartiles where the scale
 * is logarithmic. The first epoch is left out where there are others; a single
 * one is a circle.
 *
 * @param labels The curves of each label, in the order of the legend.
 *
 * @example
 * ```ts
 * import { curveFigure } from "./src/viz/curve_figure.ts";
 *
 * const training = { iterations: 1, epochs: 3, values: Float64Array.of(3, 2, 1) };
 * const { figure } = curveFigure([{ label: "bio", training }], {
 *   name: "loss_00",
 *   title: "lr 1e-4 · relu · Adam · length 3",
 *   quantity: "loss",
 *   axis: "loss (MSE)",
 *   baseline: undefined,
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
  const { series, leftOut, middle } = collectSeries(labels, options.quantity);
  if (series.length === 0) return { figure: undefined, leftOut };
  const width = FIGURE_PIXELS[options.width];
  const room = {
    legends: [options.labels, SPLITS],
    width: width - AXIS_PIXELS,
  };
  const caption = captionOf(series, { ...options, middle });
  const spec: Spec = {
    $schema: SCHEMA,
    description: caption,
    title: { text: options.title },
    width,
    height: Math.round(width * (options.width === "one" ? 0.66 : 0.48)) +
      legendPixels(room),
    autosize: { type: "fit", contains: "padding" },
    config: themeConfig(room) as Spec,
    datasets: {
      middle: series.flatMap(({ label, split, ...curve }) =>
        middleRows(curve, { label, split })
      ),
      runs: runRows(series),
    },
    layer: layersOf(series, { ...options, middle }),
    resolve: { axis: { y: "independent" } },
  };
  const figure: Figure = {
    name: options.name,
    section: options.quantity,
    title: options.title,
    caption,
    width,
    spec,
  };
  return { figure, leftOut };
}

/** Takes the curves that can be drawn, and names the others. */
function collectSeries(labels: readonly LabelCurves[], quantity: Quantity): {
  series: Series[];
  leftOut: LeftOutCurve[];
  middle: Middle;
} {
  const usable = labels.flatMap(({ label, ...curves }) =>
    SPLITS.flatMap((split) => {
      const own = curves[split];
      return own === undefined
        ? []
        : [{ label, split, ...usableRuns(own, quantity) }];
    })
  );
  const middle = chooseScale(drawnValues(usable)).log ? "median" : "mean";
  return {
    middle,
    leftOut: usable.flatMap(({ label, split, leftOut }) =>
      leftOut.map((run) => ({ label, split, ...run }))
    ),
    series: usable.filter(({ runs }) => runs.length > 0).map(
      ({ leftOut: _, ...one }) => ({
        ...one,
        ...middleCurve(one.runs.map(({ values }) => values), {
          of: middle,
          quantity,
        }),
      }),
    ),
  };
}

function captionOf(
  series: readonly Series[],
  { axis, title, baseline, middle }: CurveFigureOptions & { middle: Middle },
): string {
  const counts = [...new Set(series.map(({ n }) => n))].sort((a, b) => a - b);
  const many = counts.some((n) => n > 1);
  const labels = [...new Set(series.map(({ label }) => label))].join(", ");
  const points = series.every(isPoint);
  const { line, band } = MIDDLE_WORDS[middle];
  const marks = points ? ["circles", "bars"] : ["lines", "bands"];
  const whole = series.every(({ start }) => start === 0);
  return `${axis} of ${labels} at ${title}: ${
    many
      ? `${line} (${marks[0]}) and ${band} (${marks[1]}) of ${
        counts.join(" to ")
      } runs${points ? "" : ", each run as a faint line"}`
      : "one run"
  }; solid: training, dashed: validation. Epochs are numbered from 0; ${
    whole ? "there is one" : "the first is left out"
  }.${baseline === undefined ? "" : ` Dotted: ${baseline.label}.`}`;
}

function layersOf(
  series: readonly Series[],
  { labels, axis, baseline, middle }: CurveFigureOptions & { middle: Middle },
): Spec[] {
  const range = chooseScale(drawnValues(series));
  const x = epochAxis(6);
  const symbolType = series.every(isPoint) ? "circle" : "stroke";
  const opacity = whenChosen("label", "split");
  const color = labelColor(labels, {
    shown: labels.filter((label) => series.some((one) => one.label === label)),
    legend: { symbolType, symbolOpacity: 1 },
  });
  const splits = SPLITS.filter((split) =>
    series.some((one) => one.split === split)
  );
  const [first, ...others]: Spec[] = withAxis([
    ...(series.every(({ runs }) => runs.length < 2) ? [] : [{
      data: { name: "runs" },
      mark: {
        type: "line",
        strokeWidth: 0.5,
        strokeOpacity: 0.3,
        aria: false,
      },
      encoding: {
        x,
        y: quantity("value"),
        color,
        detail: [{ field: "split" }, { field: "iteration" }],
        opacity,
      },
    }]),
    ...curveLayers({
      data: "middle",
      detail: ["split"],
      x,
      color,
      strokeDash: dashes("split", { values: splits, symbolType, legend: true }),
      opacity,
      strokeWidth: 1.4,
      params: [legendParam("split")],
      ...(series.some(({ n }) => n > 1) ? { bands: "datum.n > 1" } : {}),
      points: series.some(isPoint),
      bars: series.some((one) => isPoint(one) && one.n > 1),
    }),
    ...baselineLayer(baseline),
    hoverLayer(axis, { middle, x, color }),
  ], {
    title: axisTitle(axis, range),
    ...scaleProperties(including(range, baseline?.value)),
  });
  const own = Array.isArray(first?.params) ? first.params : [];
  return [{ ...first, params: [legendParam("label"), ...own] }, ...others];
}

/** The point next to the mouse, with its numbers. */
function hoverLayer(
  axis: string,
  { middle, x, color }: { middle: Middle; x: Spec; color: Spec },
): Spec {
  return {
    name: HOVER,
    data: { name: "middle" },
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
      x,
      y: quantity("middle"),
      color,
      opacity: {
        condition: { param: "near", empty: false, value: 1 },
        value: 0,
      },
      tooltip: [
        text("label", "label"),
        text("split", "data"),
        number("epoch", "epoch", "d"),
        number("middle", `${middle} ${axis}`),
        number("low", "band from"),
        number("high", "to"),
        number("n", "runs", "d"),
      ],
    },
  };
}
