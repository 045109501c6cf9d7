/**
 * The forest plot: the effect size of every comparison with its interval, for
 * two labels by combination, for more labels a row a pair.
 *
 * @module
 */

import type { Comparison } from "../analysis/comparison.ts";
import { ALPHA } from "../analysis/describe_comparison.ts";
import { MEASURES } from "../analysis/summary.ts";
import { type Figure, type Json, SCHEMA, type Spec } from "./figure.ts";
import { lines, number, text } from "./layers.ts";
import { drawnLabels } from "./names.ts";
import { sixDigits } from "./series.ts";
import {
  CHARACTER_PIXELS,
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  MUTED,
  themeConfig,
} from "./theme.ts";

/** Most combinations that have a row each. */
const MOST_ROWS = 48;
const ROW_PIXELS = 15;
/** Least width of a panel, and what stands between and beside panels. */
const LEAST_PIXELS = 110;
const GAP_PIXELS = 14;
const SIDE_PIXELS = 24;

/** What the forest plot shows. */
export interface EffectFigureOptions {
  readonly labels: readonly string[];
  readonly width: FigureWidth;
}

/**
 * Draws effect sizes and their 95 % intervals, a panel a measure.
 *
 * @param rows From `compareLabels`.
 * @returns undefined where nothing was compared.
 *
 * @example
 * ```ts no-eval
 * import { compareLabels, type LabelledResults } from "./src/analysis/compare.ts";
 * import { effectFigure } from "./src/viz/effect_figure.ts";
 *
 * declare const folders: LabelledResults[];
 * const { rows } = compareLabels(folders);
 * effectFigure(rows, { labels: ["bio", "rand"], width: "two" });
 * ```
 */
export function effectFigure(
  rows: readonly Comparison[],
  { labels, width }: EffectFigureOptions,
): Figure | undefined {
  const compared = rows.filter(({ effect }) => !Number.isNaN(effect.estimate));
  const over = compared.filter(({ combination }) => combination === undefined);
  const single = compared.filter(({ combination }) =>
    combination !== undefined
  );
  const two = labels.length === 2;
  const byCombination = two && single.length > 1 &&
    new Set(single.map(nameOf)).size <= MOST_ROWS;
  const drawn = byCombination ? [...over, ...single] : over;
  if (drawn.length === 0) return undefined;
  const measures = [...new Set(drawn.map(({ measure }) => measure))];
  const total = FIGURE_PIXELS[width];
  // In one column the panels stand below each other.
  const columns = width === "one" ? 1 : measures.length;
  const free = total - GAP_PIXELS * (columns - 1) - SIDE_PIXELS;
  const longest = Math.floor(
    (free - columns * LEAST_PIXELS) / CHARACTER_PIXELS,
  );
  const name = namesOf(drawn, { labels, longest });
  const names = [...new Set(drawn.map(name))];
  const room = CHARACTER_PIXELS *
    Math.max(...names.map((one) => [...one].length));
  const panel = Math.max(LEAST_PIXELS, Math.floor((free - room) / columns));
  const [first, other] = two ? labels : ["the first label", "the second"];
  const caption = `Effect sizes with 95 % intervals: ${
    [...new Set(drawn.map(({ effectName }) => effectName))].join(", ")
  }, below 0 where ${first} is lower than ${other}; filled: p < ${ALPHA} after Holm's correction. Combinations that no run learned are not among them.`;
  return {
    name: "effects",
    section: "overview",
    title: "Effect sizes",
    caption,
    width: total,
    spec: {
      $schema: SCHEMA,
      description: caption,
      config: themeConfig() as Spec,
      columns,
      spacing: GAP_PIXELS,
      concat: measures.map((measure, i) =>
        panelSpec(
          drawn.filter((row) => row.measure === measure).map((row): Json => ({
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
          {
            title: MEASURES[measure].name,
            names,
            width: panel,
            named: columns === 1 || i === 0,
            sides: two
              ? `← ${labels[0]} lower | higher →`
              : "← lower | higher →",
          },
        )
      ),
    },
  };
}

function finite(value: number, instead: number): number {
  return sixDigits(Number.isNaN(value) ? instead : value);
}

function nameOf({ combination }: Comparison): string {
  return combination?.title ?? "over all";
}

/** What rows are called, in so many signs: combinations of two labels, pairs of more. */
function namesOf(
  rows: readonly Comparison[],
  { labels, longest }: {
    readonly labels: readonly string[];
    readonly longest: number;
  },
): (row: Comparison) => string {
  if (labels.length === 2) {
    const names = [...new Set(rows.map(nameOf))];
    const short = drawnLabels(names, longest);
    return (row) => short[names.indexOf(nameOf(row))]!;
  }
  const short = drawnLabels(labels, Math.floor((longest - 3) / 2));
  const of = (label: string) => short[labels.indexOf(label)] ?? label;
  return ({ reference, other }) =>
    `${of(reference.label)} – ${of(other.label)}`;
}

function panelSpec(
  values: readonly Json[],
  { title, names, width, named, sides }: {
    readonly title: string;
    readonly names: readonly string[];
    readonly width: number;
    /** Whether the rows' names stand at its left. */
    readonly named: boolean;
    readonly sides: string;
  },
): Spec {
  const x = (field: string): Spec => ({
    field,
    type: "quantitative",
    title: sides,
    scale: { domain: [-1.04, 1.04], nice: false },
    axis: { values: [-1, -0.5, 0, 0.5, 1], format: "~g" },
  });
  const y: Spec = {
    field: "name",
    type: "nominal",
    title: null,
    sort: [...names],
    scale: { domain: [...names] },
    axis: named
      ? { labelLimit: 0, ticks: false, domain: false }
      : { labels: false, ticks: false, domain: false },
  };
  return {
    title: {
      text: lines(title, Math.max(16, Math.floor(width / CHARACTER_PIXELS))),
      fontSize: 9,
    },
    width,
    height: { step: ROW_PIXELS },
    data: { values: [...values] },
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
