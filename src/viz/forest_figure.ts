/**
 * Forest plots: effect sizes with their intervals, a row a combination, a pair
 * of labels, or an arm of one of many experiments.
 *
 * @module
 */

import type { Comparison } from "../analysis/comparison.ts";
import { ALPHA } from "../analysis/describe_comparison.ts";
import { type Measure, MEASURES } from "../analysis/summary.ts";
import { type Drawing, drawnLabels, makeFigure, type Spec } from "./figure.ts";
import { lines, number, quantity, text } from "./layers.ts";
import { sixDigits } from "./series.ts";
import {
  CHARACTER_PIXELS,
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  MUTED,
} from "./theme.ts";

/** Most combinations that have a row each. */
const MOST_ROWS = 48;
const ROW_PIXELS = 15;
/** Least width of a panel, and what stands between and beside panels. */
const LEAST_PIXELS = 110;
const GAP_PIXELS = 14;
const SIDE_PIXELS = 24;

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
  const known = rows.filter(({ effect }) => !Number.isNaN(effect.estimate));
  const over = known.filter(({ combination }) => combination === undefined);
  const single = known.filter(({ combination }) => combination !== undefined);
  const two = labels.length === 2;
  const byCombination = two && single.length > 1 &&
    new Set(single.map(combinationOf)).size <= MOST_ROWS;
  const drawn = byCombination ? [...over, ...single] : over;
  if (drawn.length === 0) return undefined;
  const [first, other] = two ? labels : ["the first label", "the second"];
  return forest(drawn, {
    title: "Effect sizes",
    caption: `Effect sizes with 95 % intervals: ${
      [...new Set(drawn.map(({ effectName }) => effectName))].join(", ")
    }, below 0 where ${first} is lower than ${other}; filled: p < ${ALPHA} after Holm's correction. Combinations that no run learned are not among them.`,
    sides: two ? `← ${labels[0]} lower | higher →` : "← lower | higher →",
    width,
    namesIn: (longest) => {
      if (two) {
        const names = [...new Set(drawn.map(combinationOf))];
        const short = drawnLabels(names, longest);
        return (row) => short[names.indexOf(combinationOf(row))]!;
      }
      const short = drawnLabels(labels, Math.floor((longest - 3) / 2));
      const of = (label: string) => short[labels.indexOf(label)] ?? label;
      return ({ reference, other }) =>
        `${of(reference.label)} – ${of(other.label)}`;
    },
  });
}

function combinationOf({ combination }: Comparison): string {
  return combination?.title ?? "over all";
}

/** How a forest plot is drawn. */
interface ForestOptions {
  readonly title: string;
  readonly caption: string;
  /** Below the axis: what its two sides mean. */
  readonly sides: string;
  readonly width: FigureWidth;
  /** What rows are called in so many signs. */
  readonly namesIn: (longest: number) => (row: Comparison) => string;
}

function forest(
  rows: readonly Comparison[],
  { title, caption, sides, width, namesIn }: ForestOptions,
): Drawing {
  const measures = [...new Set(rows.map(({ measure }) => measure))];
  const total = FIGURE_PIXELS[width];
  // In one column the panels stand below each other.
  const columns = width === "one" ? 1 : measures.length;
  const free = total - GAP_PIXELS * (columns - 1) - SIDE_PIXELS;
  const name = namesIn(
    Math.floor((free - columns * LEAST_PIXELS) / CHARACTER_PIXELS),
  );
  const names = [...new Set(rows.map(name))];
  const room = CHARACTER_PIXELS *
    Math.max(...names.map((one) => [...one].length));
  const panel = Math.max(LEAST_PIXELS, Math.floor((free - room) / columns));
  return makeFigure({ section: "overview", title, caption, width: total }, {
    columns,
    spacing: GAP_PIXELS,
    concat: measures.map((measure, i) =>
      measurePanel(rows.filter((row) => row.measure === measure), {
        measure,
        name,
        names,
        width: panel,
        named: columns === 1 || i === 0,
        sides,
      })
    ),
  });
}

function finite(value: number, instead: number): number {
  return sixDigits(Number.isNaN(value) ? instead : value);
}

function measurePanel(
  rows: readonly Comparison[],
  { measure, name, names, width, named, sides }: {
    readonly measure: Measure;
    readonly name: (row: Comparison) => string;
    readonly names: readonly string[];
    readonly width: number;
    /** Whether the rows' names stand at its left. */
    readonly named: boolean;
    readonly sides: string;
  },
): Spec {
  const x = (field: string): Spec => ({
    ...quantity(field),
    title: sides,
    scale: { domain: [-1.04, 1.04], nice: false },
    axis: { values: [-1, -0.5, 0, 0.5, 1], format: "~g" },
  });
  const y: Spec = {
    field: "name",
    type: "nominal",
    title: null,
    sort: names,
    scale: { domain: names },
    axis: {
      ...(named ? { labelLimit: 0 } : { labels: false }),
      ticks: false,
      domain: false,
    },
  };
  return {
    title: {
      text: lines(
        MEASURES[measure].name,
        Math.max(16, Math.floor(width / CHARACTER_PIXELS)),
      ),
      fontSize: 9,
    },
    width,
    height: { step: ROW_PIXELS },
    data: {
      values: rows.map((row) => ({
        name: name(row),
        effect: sixDigits(row.effect.estimate),
        // Of too few runs there is no interval.
        low: finite(row.effect.low, row.effect.estimate),
        high: finite(row.effect.high, row.effect.estimate),
        p: finite(row.holm.p, 1),
        shown: row.holm.p < ALPHA,
        lower: row.lower,
        higher: row.higher,
      })),
    },
    layer: [
      {
        data: { values: [{ zero: 0 }] },
        mark: { type: "rule", strokeWidth: 0.8, color: MUTED },
        encoding: { x: x("zero") },
      },
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
    ],
  };
}
