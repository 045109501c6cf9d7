/**
 * Losses or accuracies against epochs: of one combination, training and
 * validation with every run, and of the whole grid as small multiples.
 *
 * @module
 */

import type { Baseline, Quantity } from "../analysis/summary.ts";
import type { Curves } from "../results/data_files.ts";
import { type Drawing, HOVER, makeFigure, type Spec } from "./figure.ts";
import {
  axisTitle,
  baselineLayer,
  curveLayers,
  DASHES,
  dashes,
  dotted,
  epochAxis,
  labelColor,
  legendParam,
  number,
  quantity,
  scaleProperties,
  text,
  whenChosen,
  withAxis,
} from "./layers.ts";
import {
  facetPanels,
  type GridLayout,
  gridLayout,
  keysInWords,
  panelNames,
  type Parameters,
  SIDES,
} from "./panels.ts";
import {
  including,
  isPoint,
  type LeftOutRun,
  type Middle,
  MIDDLE_WORDS,
  middleRows,
  runRows,
  type Series,
  seriesOf,
  type Split,
  SPLITS,
  type ValueScale,
} from "./series.ts";
import { FIGURE_PIXELS, type FigureWidth, legendPixels } from "./theme.ts";

/** What figures of curves show. */
interface CurveOptions {
  readonly quantity: Quantity;
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly axis: string;
  readonly baseline: Baseline | undefined;
  /** All labels, so that one has the same colour in every figure, whether or not it is in all. */
  readonly labels: readonly string[];
  readonly width: FigureWidth;
}

/** The curves of one results label. */
type LabelCurves =
  & { readonly label: string }
  & { readonly [split in Split]?: Curves };

/** A run that is not drawn. */
export interface LeftOutCurve extends LeftOutRun {
  readonly label: string;
  readonly split: Split;
}

/** A figure and what it lacks; without any curve there is no figure. */
interface CurveFigure {
  readonly figure: Drawing | undefined;
  readonly leftOut: readonly LeftOutCurve[];
}

/** What tells curves of a combination apart. */
type LabelSeries = Series & { readonly label: string; readonly split: Split };

/** How they are drawn. */
interface Drawn {
  readonly scale: ValueScale;
  readonly kind: Middle;
}

/** Room for the value axis. */
const AXIS_PIXELS = 50;

/**
 * Draws the middle and the spread over iterations against epochs, colour =
 * label, dash = training or validation, with every run as a faint line
 * beneath: mean ± standard deviation, or median and quartiles where the scale
 * is logarithmic. The first epoch is left out where there are others; a single
 * one is a circle.
 *
 * @param labels The curves of each label, in the order of the legend.
 * @param options `title`, e.g. `lr 1e-4 · relu · Adam · length 3`.
 */
export function curveFigure(
  labels: readonly LabelCurves[],
  options: CurveOptions & { readonly title: string },
): CurveFigure {
  const { series, leftOut, ...drawn } = seriesOf(
    labels.flatMap(({ label, ...own }) =>
      SPLITS.flatMap((split) => {
        const curves = own[split];
        return curves === undefined
          ? []
          : [[{ label, split }, curves] as const];
      })
    ),
    options.quantity,
  );
  if (series.length === 0) return { figure: undefined, leftOut };
  const { title, quantity: section } = options;
  const width = FIGURE_PIXELS[options.width];
  const legends = {
    legends: [options.labels, SPLITS],
    width: width - AXIS_PIXELS,
  };
  const caption = curveCaption(series, { ...options, kind: drawn.kind });
  const figure = makeFigure({ section, title, caption, width, legends }, {
    title: { text: title },
    width,
    height: Math.round(width * (options.width === 85 ? 0.66 : 0.48)) +
      legendPixels(legends),
    autosize: { type: "fit", contains: "padding" },
    datasets: {
      middle: series.flatMap((one) =>
        middleRows(one, { label: one.label, split: one.split })
      ),
      runs: runRows(series),
    },
    layer: combinationLayers(series, { ...options, ...drawn }),
    resolve: { axis: { y: "independent" } },
  });
  return { figure, leftOut };
}

function curveCaption(
  series: readonly LabelSeries[],
  { axis, title, baseline, kind }: CurveOptions & {
    readonly title: string;
    readonly kind: Middle;
  },
): string {
  const counts = [...new Set(series.map(({ n }) => n))].sort((a, b) => a - b);
  const many = counts.some((n) => n > 1);
  const labels = [...new Set(series.map(({ label }) => label))].join(", ");
  const points = series.every(isPoint);
  const { line, band } = MIDDLE_WORDS[kind];
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
  }.${dotted(baseline)}`;
}

function combinationLayers(
  series: readonly LabelSeries[],
  { labels, axis, baseline, kind, scale }: CurveOptions & Drawn,
): Spec[] {
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
  return withAxis([
    ...(series.every(({ runs }) => runs.length < 2) ? [] : [{
      data: { name: "runs" },
      mark: { type: "line", strokeWidth: 0.5, strokeOpacity: 0.3, aria: false },
      encoding: {
        x,
        y: quantity("value"),
        color,
        detail: [{ field: "split" }, { field: "iteration" }],
        opacity,
      },
    }]),
    ...curveLayers({
      series,
      data: "middle",
      detail: "split",
      x,
      color,
      strokeDash: dashes("split", { values: splits, symbolType, legend: true }),
      opacity,
      strokeWidth: 1.4,
      params: [legendParam("split")],
    }),
    ...baselineLayer(baseline),
    hoverLayer(`${kind} ${axis}`, { x, color }),
  ], {
    title: axisTitle(axis, scale),
    ...scaleProperties(including(scale, baseline?.value)),
  });
}

/** The point next to the mouse, with its numbers. */
function hoverLayer(
  title: string,
  { x, color }: { readonly x: Spec; readonly color: Spec },
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
        number("middle", title),
        number("low", "band from"),
        number("high", "to"),
        number("n", "runs", "d"),
      ],
    },
  };
}

/** Points that are kept of a curve in a small panel. */
const PANEL_POINTS = 70;
/** Most rows of panels; with more, what would make them becomes dashes. */
const MOST_ROWS = 8;

/** A combination, with the curves of each label that has it. */
interface OverviewCombination {
  readonly parameters: Parameters;
  readonly byLabel: readonly {
    readonly label: string;
    readonly curves: Curves;
  }[];
}

/**
 * Which keys make rows, and which dashes: curves of one panel that differ in
 * colour and dash can't be told apart, so all but the difficulty makes rows,
 * while there is room.
 */
function rowsAndDashes(
  all: readonly Parameters[],
  { kinds, others }: GridLayout,
): { readonly rows: readonly string[]; readonly dashed: readonly string[] } {
  const rows = [...others, ...kinds];
  const count = (keys: readonly string[]) =>
    new Set(panelNames(all, keys)).size;
  return count(rows) > MOST_ROWS && count(others) <= DASHES.length
    ? { rows: kinds, dashed: others }
    : { rows, dashed: [] };
}

/**
 * Draws the middle and the spread of the validation curves of all
 * combinations: a row a kind of network, optimizer and learning rate, a column
 * a difficulty of the task.
 *
 * @returns undefined where there is one combination only, or no curve.
 */
export function overviewFigure(
  combinations: readonly OverviewCombination[],
  options: CurveOptions,
): Drawing | undefined {
  if (combinations.length < 2) return undefined;
  const all = combinations.map(({ parameters }) => parameters);
  const layout = gridLayout(all);
  const { difficulty } = layout;
  const { rows, dashed } = rowsAndDashes(all, layout);
  const columns = difficulty === undefined ? [] : [difficulty];
  const [rowNames, columnNames, dashNames] = [rows, columns, dashed].map((
    keys,
  ) => panelNames(all, keys));
  const { series, scale, kind } = seriesOf(
    combinations.flatMap(({ byLabel }, i) =>
      byLabel.map(({ label, curves }) =>
        [{
          label,
          row: rowNames![i]!,
          column: columnNames![i]!,
          dash: dashNames![i]!,
        }, curves] as const
      )
    ),
    options.quantity,
  );
  if (series.length === 0) return undefined;
  const { axis, labels, baseline } = options;
  const values = [...new Set(series.map(({ dash }) => dash))];
  const { line, band } = MIDDLE_WORDS[kind];
  const caption =
    `${axis} against epochs: ${line} (line) and ${band} (band) of the runs${
      keysInWords("rows", rows)
    }${keysInWords("columns", columns)}${
      keysInWords("dashes, of which the first alone has bands", dashed)
    }.${dotted(baseline)}`;
  const width = FIGURE_PIXELS[options.width];
  const y = scaleProperties(including(scale, baseline?.value));
  return makeFigure({
    section: "overview",
    title: `Overview: ${axis}`,
    caption,
    width,
    legends: {
      legends: [labels, values.length > 1 ? values : []],
      width: width - SIDES,
    },
  }, {
    datasets: {
      middle: series.flatMap((one) =>
        middleRows(one, {
          row: one.row,
          column: one.column,
          dash: one.dash,
          label: one.label,
          points: PANEL_POINTS,
          banded: one.n > 1 && one.dash === values[0],
        })
      ),
    },
    data: { name: "middle" },
    ...facetPanels(series, {
      width,
      height: 84,
      title: axisTitle(axis, scale),
      baseline: baseline !== undefined,
      layer: withAxis([
        ...curveLayers({
          series,
          detail: "dash",
          x: epochAxis(4),
          color: labelColor(labels, { legend: { symbolType: "stroke" } }),
          strokeDash: dashes("dash", { values }),
          opacity: whenChosen("label"),
          strokeWidth: 1.2,
          bands: "datum.banded",
          tooltip: [
            text("label", "label"),
            text("row", "network and optimizer"),
            text("column", "task"),
          ],
        }),
        ...baselineLayer(baseline),
      ], { title: null, scale: y.scale, axis: { ...y.axis, tickCount: 4 } }),
    }),
  });
}
