/**
 * Dots with their intervals, a row each: effect sizes of combinations, pairs of
 * labels or many experiments (forest plots), and how the networks of null
 * models differ from the biological one.
 *
 * @module
 */

import { ALPHA, type Comparison } from "../analysis/comparison.ts";
import { MEASURES } from "../analysis/summary.ts";
import {
  CHARACTER_PIXELS,
  drawableText,
  type Drawing,
  drawnLabels,
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  type Json,
  makeFigure,
  MUTED,
  type Spec,
} from "./figure.ts";
import {
  DOT_LEGEND,
  labelColor,
  type LabelOptions,
  lines,
  number,
  quantity,
  span,
  text,
} from "./layers.ts";
import { sixDigits } from "./series.ts";

/** Most combinations that have a row each, and most rows of a page of experiments, all panels below each other counted. */
const MOST_ROWS = 48;
const ROWS_A_PAGE = 60;
const ROW_PIXELS = 15;
/** Least width of a panel, and what stands between and beside panels. */
const LEAST_PIXELS = 110;
const GAP_PIXELS = 14;
const SIDE_PIXELS = 24;

/** What panels have in common, their rows among it. */
interface DotOptions {
  readonly width: FigureWidth;
  readonly x: Spec;
  /** Height of a row. */
  readonly step: number;
  /** What rows are called in so many signs, from above. */
  readonly names: (longest: number) => readonly string[];
  /** Those that are headings of others, from 0. */
  readonly headings?: readonly number[];
}

/** A panel, its values with the field `row` from 0. */
interface Panel {
  readonly title: string;
  readonly values: readonly Json[];
  readonly layers: readonly Spec[];
}

const ROW: Spec = { field: "row", type: "ordinal" };

/** The part of a specification that lays panels out; in one column they stand below each other. */
function dotPanels(
  panels: readonly Panel[],
  { width, x, step, names, headings = [] }: DotOptions,
): Spec {
  const columns = width === 85 ? 1 : panels.length;
  const free = FIGURE_PIXELS[width] - GAP_PIXELS * (columns - 1) - SIDE_PIXELS;
  const own = names(
    Math.floor((free - columns * LEAST_PIXELS) / CHARACTER_PIXELS),
  );
  const room = CHARACTER_PIXELS *
    Math.max(...own.map((name) => [...name].length));
  const panel = Math.max(LEAST_PIXELS, Math.floor((free - room) / columns));
  const labels: Spec = {
    labelLimit: 0,
    labelOverlap: false,
    labelExpr: `${JSON.stringify(own.map(drawableText))}[datum.value]`,
    labelColor: {
      condition: {
        test: `indexof(${JSON.stringify(headings)}, datum.value) < 0`,
        value: headings.length === 0 ? INK : MUTED,
      },
      value: INK,
    },
  };
  return {
    columns,
    spacing: GAP_PIXELS,
    concat: panels.map(({ title, values, layers }, i): Spec => ({
      ...(title !== "" && {
        title: {
          text: lines(
            title,
            Math.max(16, Math.floor(panel / CHARACTER_PIXELS)),
          ),
          fontSize: 9,
        },
      }),
      width: panel,
      height: { step, for: "position" },
      data: { values },
      encoding: {
        x,
        y: {
          title: null,
          scale: { domain: [...own.keys()] },
          axis: {
            ...(columns > 1 && i > 0 ? { labels: false } : labels),
            ticks: false,
            domain: false,
          },
        },
      },
      layer: [
        // Without bold letters, which the font lacks, a band tells a heading.
        ...(headings.length === 0 ? [] : [{
          data: { values: headings.map((row) => ({ row })) },
          mark: { type: "rect", color: "#ebebeb", aria: false },
          encoding: { y: ROW },
        }]),
        {
          data: { values: [{ zero: 0 }] },
          mark: { type: "rule", strokeWidth: 0.8, color: MUTED },
          encoding: { x: quantity("zero") },
        },
        ...layers,
      ],
    })),
  };
}

const EFFECT_LAYERS: readonly Spec[] = [{
  mark: { type: "rule", strokeWidth: 1.2, color: INK, aria: false },
  encoding: { ...span("x", ["low", "high"]), y: ROW },
}, {
  mark: { type: "point", size: 34, strokeWidth: 1.2, stroke: INK, opacity: 1 },
  encoding: {
    x: quantity("effect"),
    y: ROW,
    fill: { condition: { test: "datum.shown", value: INK }, value: "white" },
    tooltip: [
      text("name", "of"),
      number("effect", "effect size", ".3~g"),
      number("low", "from", ".3~g"),
      number("high", "to", ".3~g"),
      number("p", "p (Holm)", ".2~g"),
      number("lower", "lower in combinations", "d"),
      number("higher", "higher in combinations", "d"),
    ],
  },
}];

interface EffectRow {
  readonly name: string;
  readonly row: number;
  readonly of: Comparison;
}

/** Effect sizes, a panel a measure. */
function forestPlot(
  effects: readonly EffectRow[],
  { title, below, filled, axis, ...options }:
    & Omit<DotOptions, "x" | "step">
    & {
      readonly title: string;
      /** What the caption says of values below 0, and of filled dots. */
      readonly below: string;
      readonly filled: string;
      readonly axis: string;
    },
): Drawing {
  const names = [...new Set(effects.map(({ of }) => of.effectName))].join(", ");
  const finite = (value: number, instead: number) =>
    sixDigits(Number.isNaN(value) ? instead : value);
  const byMeasure = Map.groupBy(effects, ({ of }) => of.measure);
  const panels = [...byMeasure].map(([measure, own]): Panel => ({
    title: MEASURES[measure].name,
    layers: EFFECT_LAYERS,
    values: own.map(({ name, row, of: { effect, holm, lower, higher } }) => ({
      name,
      row,
      effect: sixDigits(effect.estimate),
      // Of too few runs there is no interval.
      low: finite(effect.low, effect.estimate),
      high: finite(effect.high, effect.estimate),
      p: finite(holm.p, 1),
      shown: holm.p < ALPHA,
      lower,
      higher,
    })),
  }));
  return makeFigure(
    {
      section: "overview",
      title,
      caption:
        `Effect sizes with 95 % intervals: ${names}, below 0 where ${below}; filled: p < ${ALPHA} after Holm's correction${filled}.`,
      width: FIGURE_PIXELS[options.width],
    },
    dotPanels(panels, {
      ...options,
      x: {
        title: axis,
        scale: { domain: [-1.04, 1.04], nice: false },
        axis: { values: [-1, -0.5, 0, 0.5, 1], format: "~g" },
      },
      step: ROW_PIXELS,
    }),
  );
}

function known({ effect }: Comparison): boolean {
  return !Number.isNaN(effect.estimate);
}

/**
 * Draws effect sizes and their 95 % intervals, a panel a measure: for two
 * labels by combination, for more labels a row a pair.
 *
 * @param rows From `compareLabels`.
 * @returns undefined where nothing was compared.
 */
export function effectFigure(
  rows: readonly Comparison[],
  { labels, width }: LabelOptions,
): Drawing | undefined {
  const compared = rows.filter(known);
  const over = compared.filter(({ combination }) => !combination);
  const single = compared.filter(({ combination }) => combination);
  const two = labels.length === 2;
  const keyOf = ({ combination, reference, other }: Comparison) =>
    two
      ? combination?.title ?? "over all"
      : JSON.stringify([reference.label, other.label]);
  const byCombination = two && single.length > 1 &&
    new Set(single.map(keyOf)).size <= MOST_ROWS;
  const drawn = byCombination ? [...over, ...single] : over;
  if (drawn.length === 0) return undefined;
  const keys = [...new Set(drawn.map(keyOf))];
  const names = (longest: number) => {
    if (two) return drawnLabels(keys, longest);
    const short = drawnLabels(labels, Math.floor((longest - 3) / 2));
    return keys.map((pair) =>
      (JSON.parse(pair) as string[]).map((label) =>
        short[labels.indexOf(label)] ?? label
      ).join(" – ")
    );
  };
  const whole = names(200);
  const [first, other] = two ? labels : ["the first label", "the second"];
  return forestPlot(
    drawn.map((of) => {
      const row = keys.indexOf(keyOf(of));
      return { name: whole[row]!, row, of };
    }),
    {
      title: "Effect sizes",
      below: `${first} is lower than ${other}`,
      filled: ". Combinations that no run learned are not among them",
      axis: two ? `← ${first} lower | higher →` : "← lower | higher →",
      width,
      names,
    },
  );
}

/** An experiment of many, and what came out of comparing its first label with each other one. */
export interface Cell {
  /** E.g. its connectome, task and way of building networks. */
  readonly name: string;
  /** From `compareLabels`; those over all combinations are drawn. */
  readonly comparisons: readonly Comparison[];
}

/**
 * Draws a forest plot over experiments: a row a label that the first one is
 * compared with, below the experiment's name.
 *
 * @returns A page for some 60 rows each, none where nothing was compared.
 */
export function cellFigures(
  cells: readonly Cell[],
  { width }: { readonly width: FigureWidth },
): Drawing[] {
  const pages: { names: string[]; headings: number[]; of: EffectRow[] }[] = [];
  const measures = new Set(
    cells.flatMap(({ comparisons }) => comparisons.map((row) => row.measure)),
  );
  const most = ROWS_A_PAGE / (width === 85 ? measures.size : 1);
  for (const { name, comparisons } of cells) {
    const over = comparisons.filter((row) => !row.combination && known(row));
    const labels = [...new Set(over.map(({ other }) => other.label))];
    if (labels.length === 0) continue;
    let page = pages.at(-1);
    if (page === undefined || page.names.length + labels.length >= most) {
      page = { names: [], headings: [], of: [] };
      pages.push(page);
    }
    const { names, headings, of } = page;
    const first = names.length + 1;
    headings.push(names.length);
    names.push(name, ...labels);
    of.push(...over.map((row) => {
      const { label } = row.other;
      const at = first + labels.indexOf(label);
      return { name: `${name}: ${label}`, row: at, of: row };
    }));
  }
  return pages.map(({ names, headings, of }, page) => {
    const reference = of[0]!.of.reference.label;
    const part = pages.length === 1 ? "" : ` (${page + 1} of ${pages.length})`;
    const distinct = [...new Set(names)];
    return forestPlot(of, {
      title: `Effects over experiments${part}`,
      below:
        `${reference} is lower; a row a network that it is compared with, below the experiment${part}`,
      filled:
        " over all experiments, measures and networks; without a bar: too few runs for an interval",
      axis: `← ${reference} lower | higher →`,
      width,
      names: (longest) => {
        const short = drawnLabels(distinct, longest);
        return names.map((name) => short[distinct.indexOf(name)]!);
      },
      headings,
    });
  });
}

/** By how much a null model's networks differ from the biological one. */
export interface MeasureChange {
  readonly label: string;
  readonly measure: string;
  readonly biological: number;
  readonly random: number;
}

/** Null models that share a panel: more dots can't be told apart, but of panels below each other there is room for few. */
const LABELS_A_PANEL = { 85: 6, 178: 4 };
const DOT_PIXELS = 6;
/** Longest name of a measure whose explanation in brackets is shown. */
const LONGEST_MEASURE = 32;
/** Beyond this change, the axis is logarithmic away from 0. */
const WIDE = 2;

/**
 * Draws the relative change of every measure, a row each, and a dot a label.
 *
 * @returns undefined where nothing was measured.
 */
export function measureFigure(
  changes: readonly MeasureChange[],
  { labels, width }: LabelOptions,
): Drawing | undefined {
  const values = changes.flatMap((one) => {
    const change = (one.random - one.biological) / Math.abs(one.biological);
    return Number.isFinite(change)
      ? [{ ...one, change: sixDigits(change) }]
      : [];
  });
  if (values.length === 0) return undefined;
  const measures = [...new Set(values.map(({ measure }) => measure))];
  const shown = labels.filter((label) =>
    values.some((one) => one.label === label)
  );
  const count = Math.ceil(shown.length / LABELS_A_PANEL[width]);
  const each = Math.ceil(shown.length / count);
  const all = values.map(({ change }) => change);
  const wide = Math.max(...all) > WIDE;
  const color = labelColor(labels, { shown, legend: DOT_LEGEND });
  const panels = Array.from({ length: count }, (_, i): Panel => {
    const own = shown.slice(i * each, (i + 1) * each);
    return {
      title: count === 1 ? "" : own.join(", "),
      values: values.filter(({ label }) => own.includes(label)).map((one) => ({
        ...one,
        row: measures.indexOf(one.measure),
      })),
      layers: [{
        mark: { type: "circle", size: 30, opacity: 1 },
        encoding: {
          x: quantity("change"),
          y: ROW,
          yOffset: { field: "label", sort: own, scale: { domain: own } },
          color,
          tooltip: [
            text("label"),
            text("measure"),
            number("change", "relative change", "+.1%"),
            number("biological", "biological"),
            number("random", "random"),
          ],
        },
      }],
    };
  });
  const ticks = wide
    ? { values: [-1, -0.5, 0, 0.5, 1, 2, 5, 10, 20, 50, 100] }
    : { tickCount: 5 };
  return makeFigure({
    section: "networks",
    title: "What null models changed",
    caption: `By how much the networks of ${
      shown.join(", ")
    } differ from the biological one, relative to it${
      wide ? " (the axis is logarithmic away from 0)" : ""
    }: means over samples of the null model, of what is measured before and after training over runs. On the line: nothing changed.`,
    width: FIGURE_PIXELS[width],
    legends: { legends: [shown], width: FIGURE_PIXELS[width] - SIDE_PIXELS },
  }, {
    ...dotPanels(panels, {
      width,
      names: (longest) => drawnLabels(measures.map(measureName), longest),
      x: {
        title: "change against the biological network",
        scale: {
          domain: [Math.min(-0.1, ...all), Math.max(0.1, ...all)],
          ...(wide && { type: "symlog", constant: 0.25 }),
          padding: 6,
          nice: false,
        },
        axis: {
          labelExpr: "datum.value == 0 ? '0' : format(datum.value, '+.0%')",
          ...ticks,
        },
      },
      step: Math.max(ROW_PIXELS, DOT_PIXELS * (each + 1)),
    }),
    resolve: { legend: { color: "shared" } },
  });
}

/** A measure's name on an axis; the tooltip has all of a long one. */
function measureName(name: string): string {
  const short = name.replace(", standard deviation", " (sd)");
  return short.length > LONGEST_MEASURE ? short.replace(/ \(.*\)$/, "") : short;
}
