/**
 * What figures share: channels, legends of labels, plots with a value axis and
 * the baseline's name in the right margin, and small panels that lay out a grid
 * of hyper-parameters, whatever its keys are.
 *
 * @module
 */

import { combinationName, keyInWords } from "../analysis/match.ts";
import type { Baseline } from "../analysis/summary.ts";
import type { Plain } from "../results/experiment_record.ts";
import {
  CHARACTER_PIXELS,
  drawableText,
  type Drawing,
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  type Json,
  labelColors,
  makeFigure,
  MUTED,
  SMALL_TEXT,
  type Spec,
} from "./figure.ts";
import type { ValueScale } from "./series.ts";

/** What figures of labelled results have in common. */
export interface LabelOptions {
  /** All of the comparison, in order, so that one has the same colour in every figure. */
  readonly labels: readonly string[];
  readonly width: FigureWidth;
}

/** Those of figures with one value axis. */
export interface ValueOptions extends LabelOptions {
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly axis: string;
  readonly baseline: Baseline | undefined;
}

export function quantity(field: string): Spec {
  return { field, type: "quantitative" };
}

/** The channels of a mark that reaches from one number to another. */
export function span(channel: "x" | "y", [from, to]: [string, string]): Spec {
  return { [channel]: quantity(from), [`${channel}2`]: { field: to } };
}

/** A number's field in a tooltip. */
export function number(field: string, title: string, format = ".5~g"): Spec {
  return { field, title, type: "quantitative", format };
}

/** A text's field in a tooltip. */
export function text(field: string, title = field): Spec {
  return { field, title, type: "nominal" };
}

/** A click on a legend's entry chooses it; the first of the layers with a common legend must have this. */
export function legendParam(field: string): Spec {
  const select = { type: "point", fields: [field] };
  return { name: field, select, bind: "legend" };
}

/** What is not chosen in the legends of these fields steps back. */
export function whenChosen(...fields: readonly string[]): Spec {
  const test = { and: fields.map((param) => ({ param })) };
  return { condition: { test, value: 1 }, value: 0.04 };
}

/** A field of names, each with its colour or its dash. */
function named(
  field: string,
  domain: readonly string[],
  range: readonly Json[],
  legend: Spec | null,
): Spec {
  const scale = { domain, range };
  return { field, type: "nominal", title: null, scale, legend };
}

/** The colour of a label, the same in every figure whether or not all labels are in it; `legend`: Vega-Lite's. */
export function labelColor(
  labels: readonly string[],
  { shown = labels, legend }: {
    readonly shown?: readonly string[];
    readonly legend: Spec | null;
  },
): Spec {
  const colors = labelColors(labels.length);
  const range = shown.map((name) => colors[labels.indexOf(name)] ?? INK);
  return named("label", shown, range, legend);
}

/** How the dashes of a legend look, in order. */
export const DASHES = [[1, 0], [4, 2], [1, 1.5], [6, 2, 1, 2]] as const;

/** Dashes of a field; without a type of symbol there is no legend. */
export function dashes(
  field: string,
  { values, symbolType }: {
    readonly values: readonly string[];
    readonly symbolType: string | undefined;
  },
): Spec {
  const range = values.map((_, i) => DASHES[i] ?? DASHES[0]);
  const legend = symbolType === undefined
    ? null
    : { symbolType, symbolStrokeColor: INK, symbolOpacity: 1 };
  return named(field, values, range, legend);
}

export const DOT_LEGEND: Spec = { symbolType: "circle", symbolSize: 30 };

/** Text that fits beside a plot: words in lines of so many signs at most; what stands in brackets stays together. */
export function lines(text: string, most: number): string[] {
  return joined(text.match(/\([^)]*\)|\S+/g) ?? [], most, " ");
}

/** Pieces in lines of so many signs at most. */
export function joined(
  pieces: readonly string[],
  most: number,
  blank = "",
): string[] {
  const all: string[] = [];
  for (const piece of pieces) {
    const longer = `${all.at(-1)}${blank}${piece}`;
    if (all.length > 0 && longer.length <= most) all[all.length - 1] = longer;
    else all.push(piece);
  }
  return all;
}

/** Texts as ticks of an axis that counts from 1. */
export function namedTicks(names: readonly (readonly string[])[]): Spec {
  const drawn = names.map((own) => own.map(drawableText));
  return {
    values: names.map((_, i) => i + 1),
    labelExpr: `${JSON.stringify(drawn)}[datum.value - 1]`,
    grid: false,
    ticks: false,
    labelAngle: 0,
    labelLimit: 0,
    labelOverlap: false,
  };
}

/** The title of a value axis: a reader must not take a logarithmic scale for a linear one. */
export function axisTitle(quantity: string, { log }: ValueScale): string {
  if (!log) return quantity;
  return quantity.endsWith(")")
    ? `${quantity.slice(0, -1)}, log scale)`
    : `${quantity} (log scale)`;
}

/**
 * Round numbers on a logarithmic scale: 1, 2 and 5 times powers of ten up to
 * two decades, beyond that powers of ten, seven at most.
 */
function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const factors = decades <= 2 ? [1, 2, 5] : [1];
  const step = Math.max(1, Math.ceil(decades / 7));
  const ticks: number[] = [];
  const last = Math.floor(Math.log10(high));
  for (let power = last; 10 ** (power + 1) > low; power -= step) {
    // Decimal text is exact where a product of floats is not: 2e-3.
    ticks.unshift(...factors.map((factor) => Number(`${factor}e${power}`)));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** Vega-Lite's properties of the scale and the axis; `whole` numbers have no ticks between them. */
export function scaleProperties(
  { log, low, high }: ValueScale,
  { whole = false, tickCount = log ? 7 : 5 } = {},
): { scale: Spec; axis: Spec } {
  if (log) {
    return {
      scale: { type: "log", nice: false, padding: 4 },
      // Vega's own ticks would draw a grid line at each of nine numbers a decade.
      axis: { values: logTicks(low, high), tickCount, format: "~g" },
    };
  }
  // Of a single value no axis can be made.
  const room = whole ? 1 : Math.abs(low) * 0.05 || 1;
  const single = low === high && { domain: [low - room, high + room] };
  const ticks = whole && { tickMinStep: 1, format: "d" };
  return {
    scale: {
      type: "linear",
      zero: false,
      nice: !single,
      padding: 4,
      ...single,
    },
    axis: { tickCount, ...ticks },
  };
}

/**
 * The baseline as a dotted line. Its name stands in the right margin, as the
 * one tick of an axis there, so that it never covers a curve.
 */
function baselineLayer({ value, label }: Baseline): Spec {
  return {
    data: { values: [{ baseline: value }] },
    mark: {
      type: "rule",
      strokeWidth: 0.8,
      strokeDash: [1, 2],
      color: MUTED,
      tooltip: label,
    },
    encoding: {
      y: {
        ...quantity("baseline"),
        title: null,
        axis: {
          orient: "right",
          values: [value],
          labelExpr: JSON.stringify(lines(label, 11)),
          labelColor: MUTED,
          labelFontSize: SMALL_TEXT,
          labelLimit: 0,
          labelPadding: 3,
          domain: false,
          ticks: false,
          grid: false,
        },
      },
    },
  };
}

/** What a caption says of the baseline. */
export function dotted(baseline: Baseline | undefined): string {
  return baseline === undefined ? "" : ` Dotted: ${baseline.label}.`;
}

/** A plot of layers that have their channels in common, on a value axis that has room for the baseline. */
export function valuePlot(
  [first, ...others]: readonly Spec[],
  { scale, baseline, title, tickCount, ...channels }:
    & Pick<ValueOptions, "baseline">
    & { readonly [channel in "x" | "color" | "opacity"]: Spec }
    & {
      readonly scale: ValueScale;
      readonly title: string | null;
      readonly tickCount?: number;
    },
): Spec {
  const { value = scale.low } = baseline ?? {};
  const low = Math.min(scale.low, value);
  const high = Math.max(scale.high, value);
  const { scale: own, axis } = scaleProperties({ ...scale, low, high }, {
    tickCount,
  });
  const { params = [] } = first as { params?: readonly Json[] };
  return {
    layer: [{
      encoding: { ...channels, y: { title, scale: own, axis } },
      layer: [
        { ...first, params: [legendParam("label"), ...params] },
        ...others,
      ],
    }, ...(baseline ? [baselineLayer(baseline)] : [])],
    resolve: { axis: { y: "independent" } },
  };
}

export type Parameters = Readonly<Record<string, Plain>>;

/** How the tasks call their difficulty. */
const DIFFICULTIES = ["n_back", "pattern_length", "trial_length"];

/** Keys that are no difficulty though they are numbers. */
const RATES = /^(lr|learning_rate|weight_decay|momentum)$/;

/**
 * Finds the keys that vary, and what each is: the task's difficulty, a kind of
 * network or optimizer (a key with names for values), or something else, such
 * as the learning rate.
 */
export function gridLayout(combinations: readonly Parameters[]) {
  const entries = combinations.flatMap((one) => Object.entries(one));
  const values = Map.groupBy(entries, ([key]) => key);
  const varying = [...values.keys()].filter((key) =>
    new Set(values.get(key)!.map(([, value]) => value)).size > 1
  );
  const isOf = (type: string) => (key: string) =>
    values.get(key)!.map(([, value]): string => typeof value)
      .every((one) => one === type);
  const numeric = varying.filter(isOf("number"))
    .filter((key) => !RATES.test(key));
  const difficulty = DIFFICULTIES.find((key) => numeric.includes(key)) ??
    numeric.at(-1);
  const kinds = varying.filter(isOf("string"));
  const others = varying.filter((key) =>
    key !== difficulty && !kinds.includes(key)
  );
  return { difficulty, kinds, others };
}

/**
 * Names of panels by some keys, a name a combination. One that has none of the
 * keys, as of another task, is a dash: Vega can't draw an empty title.
 */
export function panelNames(
  combinations: readonly Parameters[],
  keys: readonly string[],
): string[] {
  return combinations.map((parameters) =>
    keys.length === 0 ? "" : combinationName(parameters, keys) || "–"
  );
}

/** What a caption says of keys, after the part before: `; rows: learning rate, optimizer`. */
export function keysInWords(what: string, keys: readonly string[]): string {
  return keys.length === 0
    ? ""
    : `; ${what}: ${keys.map(keyInWords).join(", ")}`;
}

/** Room for the value axis, the baseline's name, and the rows' titles, which have a line a key. */
const AXIS_PIXELS = 46;
const BASELINE_PIXELS = 66;
const TITLE_PIXELS = 14;
const LINE_PIXELS = 11;
/** Room beside the legends. */
export const SIDES = AXIS_PIXELS + BASELINE_PIXELS;
const SPACING = 8;
/** Rows that have panels of full height, and how low the panels of more may be. */
const FULL_ROWS = 4;
const LOWEST = 56;

/**
 * A figure of small panels, laid out by the fields `row` and `column` of its
 * data. A field with one value makes no rows or columns.
 *
 * @param places Of all panels, in order.
 * @param options What is drawn in each panel, of all `rows`; `height` where there are few panels.
 */
export function gridFigure(
  places: readonly { readonly row: string; readonly column: string }[],
  { axis, labels, baseline, scale, x, ...options }: ValueOptions & {
    readonly caption: string;
    readonly scale: ValueScale;
    readonly height: number;
    readonly rows: readonly Json[];
    readonly x: Spec;
    /** That of labels, and the entries of one of dashes. */
    readonly legend: Spec;
    readonly dashes?: readonly string[];
    readonly layers: readonly Spec[];
  },
): Drawing {
  const { caption, legend, dashes = [], layers } = options;
  const width = FIGURE_PIXELS[options.width];
  return makeFigure({
    section: "overview",
    title: `Overview: ${axis}`,
    caption: `${caption}.${dotted(baseline)}`,
    width,
    legends: { legends: [labels, dashes], width: width - SIDES },
  }, {
    datasets: { rows: options.rows },
    data: { name: "rows" },
    // One title for all: beside each row there is no room for it.
    title: { text: axisTitle(axis, scale), offset: 2 },
    ...panelGrid(places, {
      width: width - AXIS_PIXELS - (baseline ? BASELINE_PIXELS : 0),
      height: options.height,
      panel: valuePlot(layers, {
        scale,
        title: null,
        tickCount: 4,
        baseline,
        x,
        color: labelColor(labels, { legend }),
        opacity: whenChosen("label"),
      }),
    }),
  });
}

const LINE_A_KEY: Spec = {
  labelExpr: "split(datum.label, ' · ')",
  labelLineHeight: 10,
};

/** How high panels are in so many rows: a few may be higher than usual. */
function heightShare(rows: number): number {
  if (rows <= 1) return 1.9;
  return rows === 2 ? 1.4 : Math.min(1, FULL_ROWS / rows);
}

function panelGrid(
  places: readonly { readonly row: string; readonly column: string }[],
  { width, height, panel }: { width: number; height: number; panel: Spec },
): Spec {
  const rows = [...new Set(places.map(({ row }) => row))];
  const columns = [...new Set(places.map(({ column }) => column))];
  const titles = rows.length < 2 ? 0 : TITLE_PIXELS +
    LINE_PIXELS * Math.max(...rows.map((row) => row.split(" · ").length));
  const gaps = SPACING * (columns.length - 1);
  const spec = {
    width: Math.floor((width - titles - gaps) / columns.length),
    height: Math.max(LOWEST, Math.round(heightShare(rows.length) * height)),
    ...panel,
  };
  if (rows.length < 2 && columns.length < 2) return spec;
  const side = (field: string, sort: readonly string[], header: Spec) =>
    sort.length < 2 ? {} : {
      [field]: {
        field,
        type: "nominal",
        title: null,
        sort,
        header: { labelLimit: 0, ...header },
      },
    };
  // Names that would run into each other.
  const tight = columns.some((name) =>
    CHARACTER_PIXELS * name.length > spec.width
  );
  return {
    facet: {
      ...side("row", rows, {
        labelAngle: -90,
        labelOrient: "right",
        labelPadding: 6,
        ...LINE_A_KEY,
      }),
      ...side("column", columns, tight ? LINE_A_KEY : {}),
    },
    spacing: { row: SPACING + 4, column: SPACING },
    spec,
  };
}
