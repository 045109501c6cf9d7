/**
 * How far every combination got: the minimum validation loss of each run, by
 * the task's difficulty, a column a kind of network and optimizer.
 *
 * @module
 */

import { facetPanels, SIDES } from "./facet.ts";
import { type Figure, type Json, SCHEMA, type Spec } from "./figure.ts";
import { type Baseline } from "../analysis/baseline.ts";
import { describeKeys, gridLayout, type Parameters } from "./grid_layout.ts";
import type { RunValue } from "./summary_figure.ts";
import {
  FIGURE_PIXELS,
  type FigureWidth,
  labelColors,
  MUTED,
  themeConfig,
} from "./theme.ts";
import { sixDigits } from "./thin.ts";
import {
  axisTitle,
  bandTransform,
  chooseScale,
  scaleProperties,
} from "./value_scale.ts";

/** A run's number, with its place in the grid. */
export interface GridRunValue extends RunValue {
  readonly parameters: Parameters;
}

/** What the figure shows. */
export interface MinimumFigureOptions {
  readonly name: string;
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly quantity: string;
  readonly labels: readonly string[];
  readonly baseline: Baseline | undefined;
  readonly width: FigureWidth;
}

interface Row {
  readonly row: string;
  readonly column: string;
  readonly difficulty: string;
  readonly label: string;
  readonly combination: string;
  readonly iteration: number;
  readonly value: number;
}

function placed(runs: readonly GridRunValue[]): {
  rows: Row[];
  keys: ReturnType<typeof gridLayout>;
} {
  const keys = gridLayout(runs.map(({ parameters }) => parameters));
  const { difficulty, kinds, others } = keys;
  const rows = runs.map(({ parameters, ...run }) => ({
    row: describeKeys(parameters, others),
    column: describeKeys(parameters, kinds),
    difficulty: difficulty === undefined ? "" : String(parameters[difficulty]),
    ...run,
  }));
  return { rows, keys };
}

function groupBy<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Mean ± standard deviation of each place and label. */
function summaries(rows: readonly Row[]): Json[] {
  const groups = groupBy(
    rows,
    (r) => JSON.stringify([r.row, r.column, r.difficulty, r.label]),
  );
  return [...groups.values()].map((group) => {
    const n = group.length;
    const { row, column, difficulty, label } = group[0] as Row;
    const mean = group.reduce((sum, { value }) => sum + value, 0) / n;
    const squares = group.reduce((s, { value }) => s + (value - mean) ** 2, 0);
    const sd = n > 1 ? Math.sqrt(squares / (n - 1)) : 0;
    return {
      kind: "mean",
      row,
      column,
      difficulty,
      label,
      mean: sixDigits(mean),
      sd: sixDigits(sd),
      n,
    };
  });
}

/**
 * Draws every run as a faint point, and mean ± standard deviation over them.
 *
 * @returns undefined where there is no run, or one combination only.
 *
 * @example
 * ```ts
 * import { minimumFigure } from "./src/viz/minimum_figure.ts";
 *
 * const run = (n_back: number, value: number) => ({
 *   label: "bio",
 *   combination: `(${n_back},)`,
 *   iteration: 0,
 *   value,
 *   parameters: { n_back },
 * });
 * minimumFigure([run(2, 0.1), run(3, 0.2)], {
 *   name: "overview_minimum",
 *   quantity: "minimum validation loss (NLL)",
 *   labels: ["bio"],
 *   baseline: undefined,
 *   width: "two",
 * });
 * ```
 */
export function minimumFigure(
  runs: readonly GridRunValue[],
  options: MinimumFigureOptions,
): Figure | undefined {
  if (new Set(runs.map(({ combination }) => combination)).size < 2) {
    return undefined;
  }
  const { rows, keys } = placed(runs);
  const scale = chooseScale(rows.map(({ value }) => value));
  const total = FIGURE_PIXELS[options.width];
  const caption = captionOf(keys, options);
  return {
    name: options.name,
    section: "overview",
    title: `Overview: ${options.quantity}`,
    caption,
    width: total,
    spec: {
      $schema: SCHEMA,
      description: caption,
      config: themeConfig({
        legends: [options.labels],
        width: total - SIDES,
      }) as Spec,
      title: { text: axisTitle(options.quantity, scale), offset: 2 },
      // A facet takes its panels from one table: runs and means stand in it together.
      datasets: {
        runs: [
          ...rows.map((row): Json => ({
            kind: "run",
            ...row,
            value: sixDigits(row.value),
          })),
          ...summaries(rows),
        ],
      },
      data: { name: "runs" },
      ...facetPanels(rows, {
        width: total,
        height: 110,
        layer: panelLayers(options, { scale, rows, title: keys.difficulty }),
      }),
    },
  };
}

function captionOf(
  { difficulty, kinds, others }: ReturnType<typeof gridLayout>,
  { quantity, baseline }: MinimumFigureOptions,
): string {
  return `${quantity} of every run (points), and mean ± standard deviation${
    difficulty === undefined ? "" : `, by ${difficulty}`
  }${kinds.length === 0 ? "" : `; columns: ${kinds.join(" and ")}`}${
    others.length === 0 ? "" : `; rows: ${others.join(", ")}`
  }.${baseline === undefined ? "" : ` Dotted: ${baseline.label}.`}`;
}

function panelLayers(
  { labels, quantity, baseline }: MinimumFigureOptions,
  { scale, rows, title }: {
    scale: ReturnType<typeof chooseScale>;
    rows: readonly Row[];
    title: string | undefined;
  },
): Json[] {
  const { scale: yScale, axis } = scaleProperties(scale);
  const x: Spec = {
    field: "difficulty",
    type: "ordinal",
    title: title ?? null,
    sort: [...new Set(rows.map(({ difficulty }) => difficulty))],
    axis: { labelAngle: 0 },
  };
  const xOffset: Spec = {
    field: "label",
    type: "nominal",
    sort: [...labels],
    scale: { domain: [...labels] },
  };
  const color: Spec = {
    field: "label",
    type: "nominal",
    title: null,
    scale: { domain: [...labels], range: labelColors(labels.length) },
    legend: { symbolType: "circle" },
  };
  const opacity: Spec = {
    condition: { param: "label", value: 1 },
    value: 0.05,
  };
  const kind = (
    name: string,
  ): Spec[] => [{ filter: `datum.kind == '${name}'` }];
  return [
    {
      transform: kind("run"),
      params: [{
        name: "label",
        select: { type: "point", fields: ["label"] },
        bind: "legend",
      }],
      mark: { type: "circle", size: 12, fillOpacity: 0.35, aria: false },
      encoding: {
        x,
        xOffset,
        y: {
          field: "value",
          type: "quantitative",
          title: null,
          scale: yScale,
          axis: { tickCount: 4, ...axis },
        },
        color,
        opacity,
        tooltip: [
          { field: "label", title: "label" },
          { field: "combination", title: "combination" },
          { field: "iteration", title: "iteration", type: "quantitative" },
          {
            field: "value",
            title: quantity,
            type: "quantitative",
            format: ".5~g",
          },
        ],
      },
    },
    {
      transform: [...kind("mean"), ...bandTransform(scale, undefined)],
      mark: { type: "rule", strokeWidth: 1, aria: false },
      encoding: {
        x,
        xOffset,
        y: { field: "low", type: "quantitative" },
        y2: { field: "high" },
        color,
        opacity,
      },
    },
    {
      transform: kind("mean"),
      mark: { type: "tick", thickness: 1.8, size: 13 },
      encoding: {
        x,
        xOffset,
        y: { field: "mean", type: "quantitative" },
        color,
        opacity,
        tooltip: [
          { field: "label", title: "label" },
          { field: "column", title: "network and optimizer" },
          {
            field: "mean",
            title: "mean",
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
    },
    ...(baseline === undefined ? [] : [{
      data: { values: [{ baseline: baseline.value }] },
      mark: {
        type: "rule",
        strokeWidth: 0.8,
        strokeDash: [1, 2],
        color: MUTED,
        tooltip: baseline.label,
      },
      encoding: { y: { field: "baseline", type: "quantitative" } },
    }]),
  ];
}
