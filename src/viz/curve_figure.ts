/**
 * The figure of a combination: loss or accuracy against epochs, training and
 * test, for each results label.
 *
 * @module
 */

import type { Baseline, Quantity } from "../analysis/baseline.ts";
import { curveLayers } from "./curve_layers.ts";
import {
  collectSeries,
  drawnValues,
  isPoint,
  type LabelCurves,
  type LeftOutCurve,
  meanRows,
  runRows,
  type Series,
  SPLITS,
} from "./curve_series.ts";
import { type Figure, SCHEMA, type Spec } from "./figure.ts";
import {
  FIGURE_PIXELS,
  type FigureWidth,
  legendPixels,
  themeConfig,
} from "./theme.ts";
import { chooseScale } from "./value_scale.ts";

/** Room for the value axis. */
const AXIS_PIXELS = 50;

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

/** A figure and what it lacks; without any curve there is no figure. */
export interface CurveFigure {
  readonly figure: Figure | undefined;
  readonly leftOut: readonly LeftOutCurve[];
}

/**
 * Draws mean ± standard deviation over iterations against epochs, colour =
 * label, dash = training or test, with every run as a faint line beneath. The
 * first epoch is left out where there are others; a single one is a circle.
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
  const { series, leftOut } = collectSeries(labels, options.quantity);
  if (series.length === 0) return { figure: undefined, leftOut };
  const scale = chooseScale(drawnValues(series));
  const width = FIGURE_PIXELS[options.width];
  const room = {
    legends: [options.labels, SPLITS],
    width: width - AXIS_PIXELS,
  };
  const spec: Spec = {
    $schema: SCHEMA,
    description: captionOf(series, { ...options, log: scale.log }),
    title: { text: options.title },
    width,
    height: Math.round(width * (options.width === "one" ? 0.66 : 0.48)) +
      legendPixels(room),
    autosize: { type: "fit", contains: "padding" },
    config: themeConfig(room) as Spec,
    datasets: { mean: meanRows(series), runs: runRows(series) },
    layer: curveLayers(series, { ...options, scale }),
  };
  const figure: Figure = {
    name: options.name,
    section: options.quantity,
    title: options.title,
    caption: captionOf(series, { ...options, log: scale.log }),
    width,
    spec,
  };
  return { figure, leftOut };
}

/** What a reader of a band must know. */
export const LOG_BAND_NOTE =
  "On a logarithmic scale, a band that would reach 0 or below ends at the lowest run.";

function captionOf(
  series: readonly Series[],
  { axis, title, baseline, log }: CurveFigureOptions & { log: boolean },
): string {
  const counts = [...new Set(series.map(({ n }) => n))].sort((a, b) => a - b);
  const many = counts.some((n) => n > 1);
  const labels = [...new Set(series.map(({ label }) => label))].join(", ");
  const points = series.every(isPoint);
  const [mean, deviation, each] = points
    ? ["circles", "bars", ""]
    : ["lines", "bands", ", each run as a faint line"];
  const whole = series.every(({ start }) => start === 0);
  return `${axis} of ${labels} at ${title}: ${
    many
      ? `mean (${mean}) ± standard deviation (${deviation}) of ${
        counts.join(" to ")
      } runs${each}`
      : "one run"
  }; solid: train, dashed: test; ${
    whole ? "there is one epoch" : "the first epoch is left out"
  }.${log ? ` ${LOG_BAND_NOTE}` : ""}${
    baseline === undefined ? "" : ` Dotted: ${baseline.label}.`
  }`;
}
