/**
 * How far every combination got: the minimum validation loss of each run, by
 * the task's difficulty, a column a kind of network and optimizer.
 *
 * @module
 */

import type { Baseline } from "../analysis/baseline.ts";
import { keyInWords } from "../analysis/match.ts";
import { type Figure, type Json, SCHEMA, type Spec } from "./figure.ts";
import {
  baselineLayer,
  jitter,
  labelColor,
  legendParam,
  namedTicks,
  number,
  quantity,
  type RunValue,
  text,
  whenChosen,
  withAxis,
} from "./layers.ts";
import {
  facetPanels,
  gridLayout,
  panelNames,
  type Parameters,
  SIDES,
} from "./panels.ts";
import {
  axisTitle,
  chooseScale,
  including,
  scaleProperties,
  type ValueScale,
} from "./scale.ts";
import { type Middle, MIDDLE_WORDS, middleCurve, sixDigits } from "./series.ts";
import { FIGURE_PIXELS, type FigureWidth, themeConfig } from "./theme.ts";

/** What {@linkcode minimumFigure} shows. */
export interface MinimumFigureOptions {
  readonly name: string;
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly quantity: string;
  readonly labels: readonly string[];
  readonly baseline: Baseline | undefined;
  readonly width: FigureWidth;
}

/**
 * Draws every run as a faint point, with their middle and spread: mean ±
 * standard deviation, or median and quartiles where the scale is logarithmic.
 *
 * @returns undefined where there is no run, or one combination only.
 *
 * @example
 * ```ts
 * import { minimumFigure } from "./src/viz/minimum_figure.ts";
 *
 * const run = (n_back: number, value: number) => ({
 *   label: "bio",
 *   combination: `n-back ${n_back}`,
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
  runs: readonly RunValue[],
  options: MinimumFigureOptions,
): Figure | undefined {
  if (new Set(runs.map(({ combination }) => combination)).size < 2) {
    return undefined;
  }
  const layout = gridLayout(runs.map(({ parameters }) => parameters));
  const { difficulty, kinds, others } = layout;
  const scale = chooseScale(runs.map(({ value }) => value));
  const middle = scale.log ? "median" : "mean";
  const total = FIGURE_PIXELS[options.width];
  const difficulties = [
    ...new Set(runs.map(({ parameters }) => nameOf(parameters, difficulty))),
  ];
  const place = (label: string, at: number) =>
    at + 1 +
    (options.labels.indexOf(label) - (options.labels.length - 1) / 2) *
      (0.8 / options.labels.length);
  const all = runs.map(({ parameters }) => parameters);
  const [rowNames, columnNames] = [
    panelNames(all, others),
    panelNames(all, kinds),
  ];
  const alone = runs.every(({ iteration }) => iteration === 0);
  const rows = runs.map(({ parameters, label, ...run }, i) => ({
    kind: "run",
    row: rowNames[i]!,
    column: columnNames[i]!,
    x: place(label, difficulties.indexOf(nameOf(parameters, difficulty))),
    jitter: alone ? 0 : jitter(i) * 0.1 / options.labels.length,
    label,
    ...run,
  }));
  const caption = captionOf({ ...options, middle, ...layout });
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
      // A facet takes its panels from one table: runs and middles stand in it together.
      datasets: {
        runs: [
          ...rows.map(({ jitter, x, ...row }): Json => ({
            ...row,
            x: x + jitter,
            value: sixDigits(row.value),
          })),
          ...middles(rows, middle),
        ],
      },
      data: { name: "runs" },
      ...facetPanels(rows, {
        width: total,
        height: 110,
        title: axisTitle(options.quantity, scale),
        baseline: options.baseline !== undefined,
        layer: minimumLayers(options, {
          scale,
          middle,
          tick: Math.min(
            11,
            0.6 * (total - SIDES) / new Set(columnNames).size /
              difficulties.length / options.labels.length,
          ),
          x: {
            type: "quantitative",
            title: difficulty === undefined ? null : keyInWords(difficulty),
            scale: {
              domain: [0.5, difficulties.length + 0.5],
              nice: false,
              zero: false,
            },
            axis: namedTicks(difficulties.map((one) => [one])),
          },
        }),
      }),
    },
  };
}

function nameOf(parameters: Parameters, key: string | undefined): string {
  return key === undefined ? "" : String(parameters[key] ?? "–");
}

function captionOf(
  { difficulty, kinds, others, quantity, baseline, middle }:
    & MinimumFigureOptions
    & ReturnType<typeof gridLayout>
    & { readonly middle: Middle },
): string {
  const { line, band } = MIDDLE_WORDS[middle];
  const part = (what: string, keys: readonly string[]) =>
    keys.length === 0 ? "" : `; ${what}: ${keys.map(keyInWords).join(", ")}`;
  return `${quantity} of every run (points), ${line} (tick) and ${band} (bar)${
    difficulty === undefined ? "" : `, by ${keyInWords(difficulty)}`
  }${part("columns", kinds)}${part("rows", others)}.${
    baseline === undefined ? "" : ` Dotted: ${baseline.label}.`
  }`;
}

/** Middle and spread of each place and label. */
function middles(
  rows: readonly {
    readonly row: string;
    readonly column: string;
    readonly x: number;
    readonly label: string;
    readonly value: number;
  }[],
  of: Middle,
): Json[] {
  const groups = Map.groupBy(
    rows,
    ({ row, column, x }) => JSON.stringify([row, column, x]),
  );
  return [...groups.values()].map((group) => {
    const { row, column, x, label } = group[0]!;
    const { n, middle, low, high } = middleCurve(
      group.map(({ value }) => Float64Array.of(value)),
      { of },
    );
    return {
      kind: "middle",
      row,
      column,
      x,
      label,
      n,
      middle: sixDigits(middle[0]!),
      low: sixDigits(low[0]!),
      high: sixDigits(high[0]!),
    };
  });
}

function minimumLayers(
  { labels, quantity: title, baseline }: MinimumFigureOptions,
  { scale, middle, x, tick }: {
    readonly scale: ValueScale;
    /** Width of a label's mark in pixels. */
    readonly tick: number;
    readonly middle: Middle;
    readonly x: Spec;
  },
): Spec[] {
  const y = scaleProperties(including(scale, baseline?.value));
  const channels: Spec = {
    x: { field: "x", ...x },
    color: labelColor(labels, {
      legend: { symbolType: "circle", symbolSize: 30 },
    }),
    opacity: whenChosen("label"),
  };
  const kind = (
    name: string,
  ): Spec[] => [{ filter: `datum.kind == '${name}'` }];
  return withAxis([
    {
      transform: kind("run"),
      params: [legendParam("label")],
      mark: { type: "circle", size: 12, fillOpacity: 0.35, aria: false },
      encoding: {
        ...channels,
        y: quantity("value"),
        tooltip: [
          text("label", "label"),
          text("combination", "combination"),
          number("iteration", "iteration", "d"),
          number("value", title),
        ],
      },
    },
    {
      transform: kind("middle"),
      mark: { type: "rule", strokeWidth: 1.2, aria: false },
      encoding: {
        ...channels,
        y: quantity("low"),
        y2: { field: "high" },
      },
    },
    {
      transform: kind("middle"),
      mark: {
        type: "tick",
        orient: "horizontal",
        thickness: 1.8,
        size: tick,
      },
      encoding: {
        ...channels,
        y: quantity("middle"),
        tooltip: [
          text("label", "label"),
          text("column", "network and optimizer"),
          number("middle", middle),
          number("low", "from"),
          number("high", "to"),
          number("n", "runs", "d"),
        ],
      },
    },
    ...baselineLayer(baseline),
  ], { title: null, scale: y.scale, axis: { ...y.axis, tickCount: 4 } });
}
