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
  drawableText,
  type Drawing,
  drawnLabels,
  type Json,
  makeFigure,
  type Spec,
} from "./figure.ts";
import { labelColor, lines, number, quantity, text } from "./layers.ts";
import { sixDigits } from "./series.ts";
import {
  CHARACTER_PIXELS,
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  MUTED,
} from "./theme.ts";

/** Most combinations that have a row each, and most rows of a page of experiments, all panels below each other counted. */
const MOST_ROWS = 48;
const ROWS_A_PAGE = 60;
const ROW_PIXELS = 15;
/** Least width of a panel, and what stands between and beside panels. */
const LEAST_PIXELS = 110;
const GAP_PIXELS = 14;
const SIDE_PIXELS = 24;

/** Panels of dots that have their rows in common. */
interface DotPanels {
  readonly width: FigureWidth;
  /** What the rows are called in so many signs, from above; undefined: a heading follows as text. */
  readonly rows: (longest: number) => readonly Row[];
  readonly panels: readonly Panel[];
  readonly x: (field: string) => Spec;
  readonly step: number;
}

/** A row's name, or a heading above some. */
interface Row {
  readonly name: string;
  readonly heading?: boolean;
}

/** A panel: its rows' values, with the field `row` from 0, and what is drawn of them. */
interface Panel {
  readonly title: string;
  readonly values: readonly Json[];
  readonly layers: (x: DotPanels["x"], y: Spec) => readonly Spec[];
}

/** The part of a specification that lays panels out; in one column they stand below each other. */
function dotPanels({ width, rows, panels, x, step }: DotPanels): Spec {
  const columns = width === 85 ? 1 : panels.length;
  const free = FIGURE_PIXELS[width] - GAP_PIXELS * (columns - 1) - SIDE_PIXELS;
  const own = rows(
    Math.floor((free - columns * LEAST_PIXELS) / CHARACTER_PIXELS),
  );
  const room = CHARACTER_PIXELS *
    Math.max(...own.map(({ name }) => [...name].length));
  const panel = Math.max(LEAST_PIXELS, Math.floor((free - room) / columns));
  const names = own.map(({ name }) => drawableText(name));
  const headings = own.flatMap(({ heading }, i) => heading ? [i] : []);
  return {
    columns,
    spacing: GAP_PIXELS,
    concat: panels.map(({ title, values, layers }, i): Spec => {
      const y: Spec = {
        field: "row",
        type: "ordinal",
        title: null,
        scale: { domain: names.map((_, row) => row) },
        axis: {
          ...(columns > 1 && i > 0 ? { labels: false } : {
            labelLimit: 0,
            labelOverlap: false,
            labelExpr: `${JSON.stringify(names)}[datum.value]`,
            labelColor: {
              condition: {
                test: `indexof(${JSON.stringify(headings)}, datum.value) < 0`,
                value: headings.length === 0 ? INK : MUTED,
              },
              value: INK,
            },
          }),
          ticks: false,
          domain: false,
        },
      };
      return {
        ...(title === "" ? {} : {
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
        layer: [
          // Without bold letters, which the font lacks, a band tells a heading.
          ...(headings.length === 0 ? [] : [{
            data: { values: headings.map((row) => ({ row })) },
            mark: { type: "rect", color: "#ebebeb", aria: false },
            encoding: { y },
          }]),
          {
            data: { values: [{ zero: 0 }] },
            mark: { type: "rule", strokeWidth: 0.8, color: MUTED },
            encoding: { x: x("zero") },
          },
          ...layers(x, y),
        ],
      };
    }),
  };
}

/** What is known of the interval at a row. */
function effectLayers(x: DotPanels["x"], y: Spec): Spec[] {
  return [
    {
      mark: { type: "rule", strokeWidth: 1.2, color: INK, aria: false },
      encoding: { x: x("low"), x2: { field: "high" }, y },
    },
    {
      mark: {
        type: "point",
        size: 34,
        strokeWidth: 1.2,
        stroke: INK,
        opacity: 1,
      },
      encoding: {
        x: x("effect"),
        y,
        fill: {
          condition: { test: "datum.shown", value: INK },
          value: "white",
        },
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
    },
  ];
}

function effectAxis(sides: string): DotPanels["x"] {
  return (field) => ({
    ...quantity(field),
    title: sides,
    scale: { domain: [-1.04, 1.04], nice: false },
    axis: { values: [-1, -0.5, 0, 0.5, 1], format: "~g" },
  });
}

/** A panel a measure. */
function effectPanels(
  rows: readonly (readonly [name: string, row: number, of: Comparison])[],
): Panel[] {
  const finite = (value: number, instead: number) =>
    sixDigits(Number.isNaN(value) ? instead : value);
  return [...Map.groupBy(rows, ([, , { measure }]) => measure)].map((
    [measure, own],
  ) => ({
    title: MEASURES[measure].name,
    layers: effectLayers,
    values: own.map(([name, row, { effect, holm, lower, higher }]) => ({
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
}

function known({ effect }: Comparison): boolean {
  return !Number.isNaN(effect.estimate);
}

function effectNames(rows: readonly Comparison[]): string {
  return [...new Set(rows.map(({ effectName }) => effectName))].join(", ");
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
  { labels, width }: {
    readonly labels: readonly string[];
    readonly width: FigureWidth;
  },
): Drawing | undefined {
  const compared = rows.filter(known);
  const over = compared.filter((row) => row.combination === undefined);
  const single = compared.filter((row) => row.combination !== undefined);
  const two = labels.length === 2;
  const nameOf = ({ combination, reference, other }: Comparison) =>
    two
      ? combination?.title ?? "over all"
      : JSON.stringify([reference.label, other.label]);
  const byCombination = two && single.length > 1 &&
    new Set(single.map(nameOf)).size <= MOST_ROWS;
  const drawn = byCombination ? [...over, ...single] : over;
  if (drawn.length === 0) return undefined;
  const [first, other] = two ? labels : ["the first label", "the second"];
  const names = [...new Set(drawn.map(nameOf))];
  const shownIn = (longest: number) => {
    if (two) return drawnLabels(names, longest);
    const short = drawnLabels(labels, Math.floor((longest - 3) / 2));
    return names.map((pair) =>
      (JSON.parse(pair) as string[]).map((label) =>
        short[labels.indexOf(label)] ?? label
      ).join(" – ")
    );
  };
  const whole = shownIn(200);
  return makeFigure(
    {
      section: "overview",
      title: "Effect sizes",
      caption: `Effect sizes with 95 % intervals: ${
        effectNames(drawn)
      }, below 0 where ${first} is lower than ${other}; filled: p < ${ALPHA} after Holm's correction. Combinations that no run learned are not among them.`,
      width: FIGURE_PIXELS[width],
    },
    dotPanels({
      width,
      rows: (longest) => shownIn(longest).map((name) => ({ name })),
      panels: effectPanels(drawn.map((row) => {
        const at = names.indexOf(nameOf(row));
        return [whole[at]!, at, row] as const;
      })),
      x: effectAxis(
        two ? `← ${labels[0]} lower | higher →` : "← lower | higher →",
      ),
      step: ROW_PIXELS,
    }),
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
  const pages: [rows: Row[], of: (readonly [string, number, Comparison])[]][] =
    [];
  const measures = new Set(
    cells.flatMap(({ comparisons }) => comparisons.map((row) => row.measure)),
  );
  const most = ROWS_A_PAGE / (width === 85 ? measures.size : 1);
  for (const { name, comparisons } of cells) {
    const over = comparisons.filter((row) =>
      row.combination === undefined && known(row)
    );
    const labels = [...new Set(over.map(({ other }) => other.label))];
    if (labels.length === 0) continue;
    let page = pages.at(-1);
    if (page === undefined || page[0].length + labels.length >= most) {
      page = [[], []];
      pages.push(page);
    }
    const [rows, of] = page;
    const first = rows.length + 1;
    rows.push({ name, heading: true }, ...labels.map((name) => ({ name })));
    of.push(
      ...over.map((row) =>
        [
          `${name}: ${row.other.label}`,
          first + labels.indexOf(row.other.label),
          row,
        ] as const
      ),
    );
  }
  return pages.map(([rows, of], page) => {
    const compared = of.map(([, , row]) => row);
    const reference = compared[0]!.reference.label;
    const names = [...new Set(rows.map(({ name }) => name))];
    const part = pages.length === 1 ? "" : ` (${page + 1} of ${pages.length})`;
    return makeFigure(
      {
        section: "overview",
        title: `Effects over experiments${part}`,
        caption: `Effect sizes with 95 % intervals: ${
          effectNames(compared)
        }, below 0 where ${reference} is lower; a row a network that it is compared with, below the experiment${part}; filled: p < ${ALPHA} after Holm's correction over all experiments, measures and networks; without a bar: too few runs for an interval.`,
        width: FIGURE_PIXELS[width],
      },
      dotPanels({
        width,
        rows: (longest) => {
          const short = drawnLabels(names, longest);
          return rows.map((row) => ({
            ...row,
            name: short[names.indexOf(row.name)]!,
          }));
        },
        panels: effectPanels(of),
        x: effectAxis(`← ${reference} lower | higher →`),
        step: ROW_PIXELS,
      }),
    );
  });
}

/** By how much a null model's networks differ from the biological one. */
export interface MeasureChange {
  readonly label: string;
  /** What was measured, in words. */
  readonly measure: string;
  readonly biological: number;
  readonly random: number;
}

/** Null models that share a panel: more dots can't be told apart, but of panels below each other there is room for few. */
const LABELS_A_PANEL: Readonly<Record<FigureWidth, number>> = {
  85: 6,
  178: 4,
};
const DOT_PIXELS = 6;
/** Longest name of a measure whose explanation in brackets is shown. */
const LONGEST_MEASURE = 32;
/** Beyond this change, the axis is logarithmic away from 0. */
const WIDE = 2;

/**
 * Draws the relative change of every measure, a row each, and a dot a label.
 *
 * @param labels All of the comparison, so that one has the same colour in every figure.
 * @returns undefined where nothing was measured.
 */
export function measureFigure(
  changes: readonly MeasureChange[],
  { labels, width }: {
    readonly labels: readonly string[];
    readonly width: FigureWidth;
  },
): Drawing | undefined {
  const values = changes.flatMap(({ biological, random, ...rest }) => {
    const change = (random - biological) / Math.abs(biological);
    return Number.isFinite(change)
      ? [{ ...rest, biological, random, change: sixDigits(change) }]
      : [];
  });
  if (values.length === 0) return undefined;
  const names = [...new Set(values.map(({ measure }) => measure))];
  const shown = labels.filter((label) =>
    values.some((one) => one.label === label)
  );
  const panels = Math.ceil(shown.length / LABELS_A_PANEL[width]);
  const each = Math.ceil(shown.length / panels);
  const all = values.map(({ change }) => change);
  const wide = Math.max(...all) > WIDE;
  const color = labelColor(labels, {
    shown,
    legend: { symbolType: "circle", symbolSize: 30 },
  });
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
    ...dotPanels({
      width,
      rows: (longest) =>
        drawnLabels(
          names.map(measureName),
          longest,
        ).map((name) => ({ name })),
      panels: Array.from({ length: panels }, (_, i): Panel => {
        const own = shown.slice(i * each, (i + 1) * each);
        return {
          title: panels === 1 ? "" : own.join(", "),
          values: values.filter(({ label }) => own.includes(label)).map((
            { measure, ...rest },
          ) => ({ ...rest, measure, row: names.indexOf(measure) })),
          layers: (x, y) => [{
            mark: { type: "circle", size: 30, opacity: 1 },
            encoding: {
              x: x("change"),
              y,
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
      }),
      x: (field) => ({
        ...quantity(field),
        title: "change against the biological network",
        scale: {
          domain: [Math.min(-0.1, ...all), Math.max(0.1, ...all)],
          ...(wide ? { type: "symlog", constant: 0.25 } : {}),
          padding: 6,
          nice: false,
        },
        axis: {
          labelExpr: "datum.value == 0 ? '0' : format(datum.value, '+.0%')",
          ...(wide
            ? { values: [-1, -0.5, 0, 0.5, 1, 2, 5, 10, 20, 50, 100] }
            : { tickCount: 5 }),
        },
      }),
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
