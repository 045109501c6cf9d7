/**
 * Losses or accuracies against epochs: of one combination, training and
 * validation with every run, and of the whole grid as small multiples.
 *
 * @module
 */

import type { MatchedCombination } from "../analysis/match.ts";
import type { Quantity } from "../analysis/summary.ts";
import type { Curves } from "../results/data_files.ts";
import type { CombinationResult } from "../results/results_folder.ts";
import {
  type Drawing,
  FIGURE_PIXELS,
  HOVER,
  type Json,
  legendPixels,
  makeFigure,
  type Spec,
} from "./figure.ts";
import {
  axisTitle,
  DASHES,
  dashes,
  dotted,
  gridFigure,
  gridLayout,
  keysInWords,
  labelColor,
  legendParam,
  number,
  panelNames,
  quantity,
  span,
  text,
  type ValueOptions,
  valuePlot,
  whenChosen,
} from "./layers.ts";
import {
  isPoint,
  type LeftOutRun,
  type Middle,
  middleOn,
  middleRows,
  runRows,
  type Series,
  seriesOf,
  SPREAD_WORDS,
  type Tags,
} from "./series.ts";

/** Training or validation, in the order of the legend. */
const SPLITS = ["training", "validation"] as const;

type Split = typeof SPLITS[number];

type CurveTags = { readonly label: string; readonly split: Split };

interface CurveOptions extends ValueOptions {
  readonly quantity: Quantity;
}

type LeftOutCurve = CurveTags & LeftOutRun;

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
 * @returns The figure, unless there is no curve, and what it lacks.
 */
export function curveFigure(
  labels:
    readonly ({ readonly label: string } & { [split in Split]?: Curves })[],
  options: CurveOptions & { readonly title: string },
): { figure: Drawing | undefined; leftOut: LeftOutCurve[] } {
  const { title, quantity: section, axis, baseline } = options;
  const { series, leftOut, scale } = seriesOf(
    labels.flatMap(({ label, ...own }) =>
      SPLITS.flatMap((split) => {
        const curves = own[split];
        return curves ? [[{ label, split }, curves] as const] : [];
      })
    ),
    section,
  );
  if (series.length === 0) return { figure: undefined, leftOut };
  const width = FIGURE_PIXELS[options.width];
  const legends = {
    legends: [options.labels, SPLITS],
    width: width - AXIS_PIXELS,
  };
  const shown = <T extends string>(all: readonly T[], tag: keyof CurveTags) =>
    all.filter((one) => series.some(({ tags }) => tags[tag] === one));
  const symbolType = series.every(isPoint) ? "circle" : "stroke";
  const of = middleOn(scale);
  const figure = makeFigure({
    section,
    title,
    caption: curveCaption(series, of, options),
    width,
    legends,
  }, {
    title: { text: title },
    width,
    height: Math.round(width * (options.width === 85 ? 0.66 : 0.48)) +
      legendPixels(legends),
    autosize: { type: "fit", contains: "padding" },
    datasets: { middle: middleRows(series), runs: runRows(series) },
    data: { name: "middle" },
    ...valuePlot([
      ...(series.some(({ n }) => n > 1) ? [RUN_LAYER] : []),
      ...curveLayers(series, {
        strokeDash: dashes("split", {
          values: shown(SPLITS, "split"),
          symbolType,
        }),
        strokeWidth: 1.4,
        params: [legendParam("split")],
      }),
      hoverLayer(`${of} ${axis}`),
    ], {
      scale,
      title: axisTitle(axis, scale),
      baseline,
      x: epochAxis(6),
      color: labelColor(options.labels, {
        shown: shown(options.labels, "label"),
        legend: { symbolType, symbolOpacity: 1 },
      }),
      opacity: whenChosen("label", "split"),
    }),
  });
  return { figure, leftOut };
}

function curveCaption(
  series: readonly Series<CurveTags>[],
  of: Middle,
  { axis, title, baseline }: CurveOptions & { readonly title: string },
): string {
  const counts = [...new Set(series.map(({ n }) => n))].sort((a, b) => a - b);
  const labels = [...new Set(series.map(({ tags }) => tags.label))].join(", ");
  const points = series.every(isPoint);
  const [middle, spread] = points ? ["circles", "bars"] : ["lines", "bands"];
  const runs = counts.some((n) => n > 1)
    ? `${of} (${middle}) and ${SPREAD_WORDS[of]} (${spread}) of ${
      counts.join(" to ")
    } runs${points ? "" : ", each run as a faint line"}`
    : "one run";
  const whole = series.every(({ start }) => start === 0);
  return `${axis} of ${labels} at ${title}: ${runs}; solid: training, dashed: validation. Epochs are numbered from 0; ${
    whole ? "there is one" : "the first is left out"
  }.${dotted(baseline)}`;
}

function epochAxis(tickCount: number): Spec {
  return {
    ...quantity("epoch"),
    title: "epoch",
    scale: { nice: false, zero: false },
    axis: { grid: false, tickCount, tickMinStep: 1, format: "~d" },
  };
}

/**
 * Middle curves with their bands, from the back to the front; curves of one
 * epoch are circles with bars. Layers without a row are left out, as an axis
 * has no range of none.
 *
 * @param options `strokeDash`: what tells the curves of a label apart; `bands`: which of them have some.
 */
function curveLayers(
  series: readonly Series<Tags>[],
  { strokeDash, strokeWidth, bands = { field: "n", gt: 1 }, ...options }: {
    readonly strokeDash: Spec;
    readonly strokeWidth: number;
    readonly bands?: Json;
    readonly params?: readonly Json[];
    readonly tooltip?: readonly Json[];
  },
): Spec[] {
  const { params, tooltip } = options;
  const where = (filter: Json): Spec => ({ transform: [{ filter }] });
  const spread = span("y", ["low", "high"]);
  const middle: Spec = { y: quantity("middle"), strokeDash };
  const points = series.filter(isPoint);
  const haveSpread = (some: typeof series) => some.some(({ n }) => n > 1);
  return [
    ...(!haveSpread(series) ? [] : [{
      ...where(bands),
      mark: { type: "area", fillOpacity: 0.16, aria: false },
      encoding: { ...spread, detail: { field: strokeDash.field! } },
    }]),
    {
      ...(params && { params }),
      mark: { type: "line", strokeWidth, strokeCap: "butt" },
      encoding: { ...middle, ...(tooltip && { tooltip }) },
    },
    ...(!haveSpread(points) ? [] : [{
      ...where("datum.point && datum.n > 1"),
      mark: { type: "rule", strokeWidth: 1, aria: false },
      encoding: spread,
    }]),
    ...(points.length === 0 ? [] : [{
      ...where("datum.point"),
      mark: { type: "point", size: 50, strokeWidth },
      encoding: middle,
    }]),
  ];
}

const RUN_LAYER: Spec = {
  data: { name: "runs" },
  mark: { type: "line", strokeWidth: 0.5, strokeOpacity: 0.3, aria: false },
  encoding: {
    y: quantity("value"),
    detail: [{ field: "split" }, { field: "iteration" }],
  },
};

/** The point next to the mouse, with its numbers. */
function hoverLayer(title: string): Spec {
  return {
    name: HOVER,
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
      y: quantity("middle"),
      opacity: {
        condition: { param: "near", empty: false, value: 1 },
        value: 0,
      },
      tooltip: [
        text("label"),
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

/** The curves of a combination that are there. */
export function curvesIn(
  member: CombinationResult | undefined,
  quantity: Quantity,
): { readonly [split in Split]?: Curves } {
  const [training, validation] = quantity === "loss"
    ? [member?.trainLoss, member?.validateLoss]
    : [member?.trainMetrics, member?.validateMetrics];
  return { ...(training && { training }), ...(validation && { validation }) };
}

/** Points that are kept of a curve in a small panel. */
const PANEL_POINTS = 70;
/** Most rows of panels; with more, what would make them becomes dashes. */
const MOST_ROWS = 8;

/**
 * Draws the middle and the spread of the validation curves of all
 * combinations: a row a kind of network, optimizer and learning rate, a column
 * a difficulty of the task.
 *
 * @returns undefined where there is one combination only, or no curve.
 */
export function overviewFigure(
  combinations: readonly MatchedCombination[],
  options: CurveOptions,
): Drawing | undefined {
  if (combinations.length < 2) return undefined;
  const { quantity, labels, axis } = options;
  const all = combinations.map(({ parameters }) => parameters);
  const { difficulty, kinds, others } = gridLayout(all);
  const count = (keys: readonly string[]) =>
    new Set(panelNames(all, keys)).size;
  // Curves of one panel that differ in colour and dash can't be told apart: all
  // but the difficulty makes rows, while there is room.
  const full = count([...others, ...kinds]) > MOST_ROWS &&
    count(others) <= DASHES.length;
  const rows = full ? kinds : [...others, ...kinds];
  const columns = difficulty === undefined ? [] : [difficulty];
  const dashed = full ? others : [];
  const names = [rows, columns, dashed].map((keys) => panelNames(all, keys));
  const { series, scale } = seriesOf(
    combinations.flatMap(({ members }, i) => {
      const [row = "", column = "", dash = ""] = names.map((own) => own[i]);
      return members.flatMap((member, f) => {
        const { validation } = curvesIn(member, quantity);
        const tags = { row, column, dash, label: labels[f]! };
        return validation ? [[tags, validation] as const] : [];
      });
    }),
    quantity,
  );
  if (series.length === 0) return undefined;
  const of = middleOn(scale);
  const values = [...new Set(series.map(({ tags }) => tags.dash))];
  const several = values.length > 1;
  return gridFigure(series.map(({ tags }) => tags), {
    ...options,
    caption: `${axis} against epochs: ${of} (line) and ${
      SPREAD_WORDS[of]
    } (band) of the runs${keysInWords("rows", rows)}${
      keysInWords("columns", columns)
    }${keysInWords("dashes, of which the first alone has bands", dashed)}`,
    scale,
    height: 84,
    rows: middleRows(series, PANEL_POINTS),
    x: epochAxis(4),
    legend: { symbolType: "stroke" },
    dashes: several ? values : [],
    layers: curveLayers(series, {
      strokeDash: dashes("dash", {
        values,
        symbolType: several ? "stroke" : undefined,
      }),
      strokeWidth: 1.2,
      bands: {
        and: [{ field: "n", gt: 1 }, { field: "dash", equal: values[0]! }],
      },
      tooltip: [
        text("label"),
        text("row", "network and optimizer"),
        text("column", "task"),
      ],
    }),
  });
}
