/**
 * Figures of one number a run: how far every combination got, by the task's
 * difficulty, and box plots over all runs.
 *
 * @module
 */

import type { Baseline } from "../analysis/baseline.ts";
import { keyInWords } from "../analysis/match.ts";
import { type Figure, type Json, SCHEMA, type Spec } from "./figure.ts";
import {
  baselineLayer,
  labelColor,
  legendParam,
  lines,
  number,
  quantity,
  text,
  whenChosen,
  withAxis,
} from "./layers.ts";
import { drawableText } from "./names.ts";
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
import {
  type Middle,
  MIDDLE_WORDS,
  middleCurve,
  quartiles,
  sixDigits,
} from "./series.ts";
import {
  CHARACTER_PIXELS,
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  themeConfig,
} from "./theme.ts";

/** One number of one run, with its place in the grid. */
export interface RunValue {
  readonly label: string;
  /** Title of the combination. */
  readonly combination: string;
  readonly parameters: Parameters;
  readonly iteration: number;
  readonly value: number;
}

/** Runs side by side, the same way each time: steps of the golden ratio spread evenly over −1 to 1. */
function jitter(index: number): number {
  return Math.round(2e3 * (index * 0.6180339887498949 % 1) - 1e3) / 1e3;
}

/** Texts as ticks of an axis that counts from 1. */
function namedTicks(names: readonly (readonly string[])[]): Spec {
  return {
    values: names.map((_, i) => i + 1),
    labelExpr: `${
      JSON.stringify(names.map((own) => own.map(drawableText)))
    }[datum.value - 1]`,
    grid: false,
    ticks: false,
    labelAngle: 0,
    labelLimit: 0,
    labelOverlap: false,
  };
}

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
 * import { minimumFigure } from "./src/viz/run_figures.ts";
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
        layer: minimumLayers(options, {
          scale,
          middle,
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
  { scale, middle, x }: {
    readonly scale: ValueScale;
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
      mark: { type: "tick", orient: "horizontal", thickness: 1.8, size: 11 },
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

/** One panel of box plots. */
export interface BoxPanel {
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly title: string;
  /** Whether the values count epochs: whole numbers, on a linear scale. */
  readonly epochs?: boolean;
  readonly runs: readonly RunValue[];
}

/** Room for an axis with its title. */
const AXIS_PIXELS = 58;
const PANEL_HEIGHT = 170;

/**
 * Draws a panel of box plots a quantity, a box a label: median, quartiles, and
 * whiskers to the last run within 1.5 times the box's height, at the box where
 * there is none.
 *
 * @param panels From left to right; those without a run are left out.
 * @returns undefined where no panel has a run.
 *
 * @example
 * ```ts
 * import { boxFigure } from "./src/viz/run_figures.ts";
 *
 * const run = { label: "bio", combination: "lr 1e-3", parameters: {}, iteration: 0, value: 0.02 };
 * boxFigure([{ title: "minimum validation loss", runs: [run] }], {
 *   labels: ["bio"],
 *   width: "two",
 * });
 * ```
 */
export function boxFigure(
  panels: readonly BoxPanel[],
  { labels, width }: {
    /** Order of the boxes. */
    readonly labels: readonly string[];
    readonly width: FigureWidth;
  },
): Figure | undefined {
  const drawn = panels.filter(({ runs }) => runs.length > 0);
  if (drawn.length === 0) return undefined;
  const total = FIGURE_PIXELS[width];
  const widthOf = (columns: number) =>
    Math.round(total / columns - AXIS_PIXELS);
  // Many or long labels need broad panels.
  const columns = width === "one"
    ? 1
    : [Math.min(drawn.length, labels.length > 3 ? 2 : 4), 2].find((count) =>
      labels.every((label) => labelLines(label, widthOf(count) / labels.length))
    ) ?? 1;
  const panelWidth = widthOf(columns);
  const counts = labels.map((label) =>
    `${label} ${
      Math.max(
        ...drawn.map(({ runs }) =>
          runs.filter((run) => run.label === label).length
        ),
      )
    }`
  );
  const caption = `${
    drawn.map(({ title }) => title).join("; ")
  }. All combinations together; each point is a run (${
    counts.join(", ")
  }); boxes: median and quartiles; whiskers: the last run within 1.5 times the height of the box. Epochs are numbered from 0.`;
  return {
    name: "boxplots",
    section: "summary",
    title: "Box plots over all runs",
    caption,
    width: total,
    spec: {
      $schema: SCHEMA,
      description: caption,
      config: themeConfig() as Spec,
      columns,
      spacing: 14,
      concat: drawn.map((panel) =>
        boxPanel(panel, { labels, width: panelWidth })
      ),
    },
  };
}

/** Where a box, its whiskers and its median lie. */
function boxOf(values: readonly number[]) {
  const sorted = Float64Array.from(values);
  const [low, median, high] = quartiles(sorted);
  const reach = 1.5 * (high - low);
  // At the box, where the last run within reach lies inside it.
  const bottom = Math.min(low, sorted.find((value) => value >= low - reach)!);
  const top = Math.max(
    high,
    sorted.findLast((value) => value <= high + reach)!,
  );
  return { low, median, high, bottom, top };
}

function boxPanel(
  { title, epochs = false, runs }: BoxPanel,
  { labels, width }: { labels: readonly string[]; width: number },
): Spec {
  const values = chooseScale(runs.map(({ value }) => value));
  const scale = epochs ? { ...values, log: false } : values;
  const { scale: yScale, axis } = scaleProperties(scale, { whole: epochs });
  const room = width / labels.length;
  const half = Math.min(0.28, 23 / room);
  const names = labels.map((label) => labelLines(label, room));
  const broken = names.every((one) => one !== undefined);
  const x = (field: string): Spec => ({
    field,
    type: "quantitative",
    title: null,
    scale: { domain: [0.5, labels.length + 0.5], nice: false, zero: false },
    axis: broken ? namedTicks(names) : {
      ...namedTicks(labels.map((label) => [label])),
      labelAngle: -30,
      labelAlign: "right",
      labelBaseline: "top",
    },
  });
  const titles = lines(axisTitle(title, scale), 30);
  const y = (field: string): Spec => ({
    ...quantity(field),
    title: titles,
    scale: yScale,
    axis,
  });
  const color = labelColor(labels, { legend: null });
  const boxes = labels.flatMap((label, i): Json[] => {
    const own = runs.filter((run) => run.label === label);
    if (own.length === 0) return [];
    return [{
      label,
      x: i + 1,
      left: i + 1 - half,
      right: i + 1 + half,
      n: own.length,
      ...boxOf(own.map(({ value }) => value)),
    }];
  });
  const whisker = (from: string, to: string): Spec => ({
    data: { values: boxes },
    mark: { type: "rule", strokeWidth: 1, aria: false },
    encoding: { x: x("x"), y: y(from), y2: { field: to }, color },
  });
  return {
    width,
    height: PANEL_HEIGHT,
    layer: [
      whisker("bottom", "low"),
      whisker("high", "top"),
      {
        data: { values: boxes },
        mark: { type: "rect", fillOpacity: 0.16, strokeWidth: 1 },
        encoding: {
          x: x("left"),
          x2: { field: "right" },
          y: y("low"),
          y2: { field: "high" },
          color,
          stroke: { ...color },
          tooltip: [
            text("label", "label"),
            number("median", "median"),
            number("low", "lower quartile"),
            number("high", "upper quartile"),
            number("n", "runs", "d"),
          ],
        },
      },
      {
        data: { values: boxes },
        mark: { type: "rule", strokeWidth: 1.6, color: INK, aria: false },
        encoding: { x: x("left"), x2: { field: "right" }, y: y("median") },
      },
      {
        data: {
          values: runs.map(({ label, combination, iteration, value }, i) => ({
            label,
            combination,
            iteration,
            value,
            x: labels.indexOf(label) + 1 + 0.8 * half * jitter(i),
          })),
        },
        mark: { type: "circle", size: 7, opacity: 0.5, aria: false },
        encoding: {
          x: x("x"),
          y: y("value"),
          color,
          tooltip: [
            text("label", "label"),
            text("combination", "combination"),
            number("iteration", "iteration", "d"),
            number("value", title),
          ],
        },
      },
    ],
  };
}

/** A label in lines that fit below its box, broken after its own signs; undefined where a part is too long. */
function labelLines(label: string, room: number): string[] | undefined {
  const most = Math.floor(room / CHARACTER_PIXELS);
  const all: string[] = [];
  for (const piece of label.split(/(?<=[ _.\-,/])/)) {
    if (piece.length > most) return undefined;
    const last = all.at(-1);
    if (last !== undefined && last.length + piece.length <= most) {
      all[all.length - 1] = last + piece;
    } else all.push(piece);
  }
  return all;
}
