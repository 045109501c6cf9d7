/**
 * One number of every run, as points: how far each combination got, by the
 * task's difficulty, and box plots of all combinations together.
 *
 * @module
 */

import type { Baseline } from "../analysis/summary.ts";
import { keyInWords } from "../analysis/match.ts";
import { type Drawing, type Json, makeFigure, type Spec } from "./figure.ts";
import {
  axisTitle,
  baselineLayer,
  dotted,
  labelColor,
  lines,
  namedTicks,
  number,
  quantity,
  scaleProperties,
  text,
  whenChosen,
  withAxis,
} from "./layers.ts";
import {
  facetPanels,
  gridLayout,
  keysInWords,
  panelNames,
  type Parameters,
  SIDES,
} from "./panels.ts";
import {
  chooseScale,
  including,
  type Middle,
  MIDDLE_WORDS,
  middleCurve,
  quartiles,
  sixDigits,
  type ValueScale,
} from "./series.ts";
import {
  CHARACTER_PIXELS,
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
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

/** What is told of the point next to the mouse. */
function runTooltip(title: string): Json {
  return [
    text("label", "label"),
    text("combination", "combination"),
    number("iteration", "iteration", "d"),
    number("value", title),
  ];
}

/** What {@linkcode minimumFigure} shows. */
interface MinimumFigureOptions {
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly quantity: string;
  readonly labels: readonly string[];
  readonly baseline: Baseline | undefined;
  readonly width: FigureWidth;
}

/**
 * Draws every run as a faint point, with their middle and spread: mean ±
 * standard deviation, or median and quartiles where the scale is logarithmic;
 * a column a kind of network and optimizer.
 *
 * @returns undefined where there is no run, or one combination only.
 */
export function minimumFigure(
  runs: readonly RunValue[],
  options: MinimumFigureOptions,
): Drawing | undefined {
  if (new Set(runs.map(({ combination }) => combination)).size < 2) {
    return undefined;
  }
  const { labels, baseline, quantity: title } = options;
  const all = runs.map(({ parameters }) => parameters);
  const { difficulty, kinds, others } = gridLayout(all);
  const scale = chooseScale(runs.map(({ value }) => value));
  const kind = scale.log ? "median" : "mean";
  const width = FIGURE_PIXELS[options.width];
  const difficulties = panelNamesOf(all, difficulty);
  const ticks = [...new Set(difficulties)];
  const place = (label: string) =>
    (labels.indexOf(label) - (labels.length - 1) / 2) * (0.8 / labels.length);
  const [rowNames, columnNames] = [
    panelNames(all, others),
    panelNames(all, kinds),
  ];
  const alone = runs.every(({ iteration }) => iteration === 0);
  const rows = runs.map(({ parameters: _, ...run }, i) => ({
    kind: "run",
    row: rowNames[i]!,
    column: columnNames[i]!,
    x: ticks.indexOf(difficulties[i]!) + 1 + place(run.label),
    jitter: alone ? 0 : jitter(i) * 0.1 / labels.length,
    ...run,
  }));
  const { line, band } = MIDDLE_WORDS[kind];
  const caption =
    `${title} of every run (points), ${line} (tick) and ${band} (bar)${
      difficulty === undefined ? "" : `, by ${keyInWords(difficulty)}`
    }${keysInWords("columns", kinds)}${keysInWords("rows", others)}.${
      dotted(baseline)
    }`;
  return makeFigure({
    section: "overview",
    title: `Overview: ${title}`,
    caption,
    width,
    legends: { legends: [labels], width: width - SIDES },
  }, {
    // A facet takes its panels from one table: runs and middles stand in it together.
    datasets: {
      runs: [
        ...rows.map(({ jitter, x, ...row }): Json => ({
          ...row,
          x: x + jitter,
          value: sixDigits(row.value),
        })),
        ...middles(rows, kind),
      ],
    },
    data: { name: "runs" },
    ...facetPanels(rows, {
      width,
      height: 110,
      title: axisTitle(title, scale),
      baseline: baseline !== undefined,
      layer: minimumLayers(options, {
        scale,
        kind,
        tick: Math.min(
          11,
          0.6 * (width - SIDES) / new Set(columnNames).size / ticks.length /
            labels.length,
        ),
        x: {
          field: "x",
          type: "quantitative",
          title: difficulty === undefined ? null : keyInWords(difficulty),
          scale: {
            domain: [0.5, ticks.length + 0.5],
            nice: false,
            zero: false,
          },
          axis: namedTicks(ticks.map((one) => [one])),
        },
      }),
    }),
  });
}

/** The value of a key in each combination. */
function panelNamesOf(
  all: readonly Parameters[],
  key: string | undefined,
): string[] {
  return all.map((parameters) =>
    key === undefined ? "" : String(parameters[key] ?? "–")
  );
}

/** Middle and spread of each place and label. */
function middles(
  rows: readonly (Omit<RunValue, "parameters"> & {
    readonly row: string;
    readonly column: string;
    readonly x: number;
  })[],
  of: Middle,
): Json[] {
  const groups = Map.groupBy(
    rows,
    ({ row, column, x }) => JSON.stringify([row, column, x]),
  );
  return [...groups.values()].map((group) => {
    const { row, column, x, label } = group[0]!;
    const { n, ...curve } = middleCurve(
      group.map(({ value }) => Float64Array.of(value)),
      { of },
    );
    const [middle, low, high] = [curve.middle, curve.low, curve.high].map((
      [value],
    ) => sixDigits(value!));
    return {
      kind: "middle",
      row,
      column,
      x,
      label,
      n,
      middle: middle!,
      low: low!,
      high: high!,
    };
  });
}

function minimumLayers(
  { labels, quantity: title, baseline }: MinimumFigureOptions,
  { scale, kind, x, tick }: {
    readonly scale: ValueScale;
    readonly kind: Middle;
    readonly x: Spec;
    /** Width of a label's mark in pixels. */
    readonly tick: number;
  },
): Spec[] {
  const y = scaleProperties(including(scale, baseline?.value));
  const channels: Spec = {
    x,
    color: labelColor(labels, {
      legend: { symbolType: "circle", symbolSize: 30 },
    }),
    opacity: whenChosen("label"),
  };
  const of = (kind: string): Spec => ({
    transform: [{ filter: `datum.kind == '${kind}'` }],
  });
  return withAxis([
    {
      ...of("run"),
      mark: { type: "circle", size: 12, fillOpacity: 0.35, aria: false },
      encoding: {
        ...channels,
        y: quantity("value"),
        tooltip: runTooltip(title),
      },
    },
    {
      ...of("middle"),
      mark: { type: "rule", strokeWidth: 1.2, aria: false },
      encoding: { ...channels, y: quantity("low"), y2: { field: "high" } },
    },
    {
      ...of("middle"),
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
          number("middle", kind),
          number("low", "from"),
          number("high", "to"),
          number("n", "runs", "d"),
        ],
      },
    },
    ...baselineLayer(baseline),
  ], { title: null, scale: y.scale, axis: { ...y.axis, tickCount: 4 } });
}

interface BoxPanel {
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly title: string;
  /** Whether the values count epochs: whole numbers, on a linear scale. */
  readonly epochs?: boolean;
  readonly runs: readonly RunValue[];
}

interface BoxOptions {
  /** Order of the boxes. */
  readonly labels: readonly string[];
  readonly width: FigureWidth;
}

/** Room for an axis with its title. */
const AXIS_PIXELS = 70;
const PANEL_HEIGHT = 170;

/**
 * Draws a panel of box plots a quantity, a box a label: median, quartiles, and
 * whiskers to the last run within 1.5 times the box's height, at the box where
 * there is none; the runs as points on top.
 *
 * @param panels From left to right; those without a run are left out.
 * @returns undefined where no panel has a run.
 */
export function boxFigure(
  panels: readonly BoxPanel[],
  { labels, width }: BoxOptions,
): Drawing | undefined {
  const drawn = panels.filter(({ runs }) => runs.length > 0);
  if (drawn.length === 0) return undefined;
  const total = FIGURE_PIXELS[width];
  const widthOf = (columns: number) =>
    Math.round(total / columns - AXIS_PIXELS);
  // Many or long labels need broad panels.
  const columns = width === 85
    ? 1
    : [Math.min(drawn.length, labels.length > 3 ? 2 : 4), 2].find((count) =>
      labels.every((label) => labelLines(label, widthOf(count) / labels.length))
    ) ?? 1;
  const counts = labels.map((label) =>
    `${label} ${
      Math.max(
        ...drawn.map(({ runs }) =>
          runs.filter((run) => run.label === label).length
        ),
      )
    }`
  );
  return makeFigure({
    section: "summary",
    title: "Box plots over all runs",
    caption: `${
      drawn.map(({ title }) => title).join("; ")
    }. All combinations together; each point is a run (${
      counts.join(", ")
    }); boxes: median and quartiles; whiskers: the last run within 1.5 times the height of the box. Epochs are numbered from 0.`,
    width: total,
  }, {
    columns,
    spacing: 14,
    concat: drawn.map((panel) => boxPanel(panel, labels, widthOf(columns))),
  });
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
  labels: readonly string[],
  width: number,
): Spec {
  const values = chooseScale(runs.map(({ value }) => value));
  const scale = epochs ? { ...values, log: false } : values;
  const room = width / labels.length;
  const half = Math.min(0.28, 23 / room);
  const names = labels.map((label) => labelLines(label, room));
  const broken = names.every((one) => one !== undefined);
  const x = (field: string): Spec => ({
    ...quantity(field),
    title: null,
    scale: { domain: [0.5, labels.length + 0.5], nice: false, zero: false },
    axis: broken ? namedTicks(names) : {
      ...namedTicks(labels.map((label) => [label])),
      labelAngle: -30,
      labelAlign: "right",
      labelBaseline: "top",
    },
  });
  const properties = {
    title: lines(axisTitle(title, scale), 30),
    ...scaleProperties(scale, { whole: epochs }),
  };
  const y = (field: string): Spec => ({ ...quantity(field), ...properties });
  const color = labelColor(labels, { legend: null });
  const boxes = labels.flatMap((label, i): Json[] => {
    const own = runs.filter((run) => run.label === label);
    return own.length === 0 ? [] : [{
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
  const across: Spec = { x: x("left"), x2: { field: "right" } };
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
          ...across,
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
        encoding: { ...across, y: y("median") },
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
          tooltip: runTooltip(title),
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
