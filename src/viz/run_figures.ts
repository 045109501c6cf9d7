/**
 * One number of every run, as points: how far each combination got, by the
 * task's difficulty, and box plots of all combinations together.
 *
 * @module
 */

import { keyInWords } from "../analysis/match.ts";
import {
  CHARACTER_PIXELS,
  type Drawing,
  FIGURE_PIXELS,
  INK,
  type Json,
  makeFigure,
  type Spec,
} from "./figure.ts";
import {
  axisTitle,
  DOT_LEGEND,
  gridFigure,
  gridLayout,
  joined,
  keysInWords,
  labelColor,
  type LabelOptions,
  lines,
  namedTicks,
  number,
  panelNames,
  type Parameters,
  quantity,
  scaleProperties,
  SIDES,
  span,
  text,
  type ValueOptions,
} from "./layers.ts";
import {
  chooseScale,
  type Middle,
  middleCurve,
  middleOn,
  quartiles,
  sixDigits,
  SPREAD_WORDS,
} from "./series.ts";

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

function runTooltip(title: string): Json {
  return [
    text("label"),
    text("combination"),
    number("iteration", "iteration", "d"),
    number("value", title),
  ];
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
  options: ValueOptions,
): Drawing | undefined {
  if (new Set(runs.map(({ combination }) => combination)).size < 2) {
    return undefined;
  }
  const { labels, axis } = options;
  const all = runs.map(({ parameters }) => parameters);
  const { difficulty, kinds, others } = gridLayout(all);
  const scale = chooseScale(runs.map(({ value }) => value));
  const of = middleOn(scale);
  const word = difficulty === undefined ? null : keyInWords(difficulty);
  const difficulties = all.map((parameters) =>
    difficulty === undefined ? "" : String(parameters[difficulty] ?? "–")
  );
  const ticks = [...new Set(difficulties)];
  const rowNames = panelNames(all, others);
  const columnNames = panelNames(all, kinds);
  const count = labels.length;
  const places = runs.map(({ label }, i) => ({
    row: rowNames[i]!,
    column: columnNames[i]!,
    x: ticks.indexOf(difficulties[i]!) + 1 +
      (labels.indexOf(label) - (count - 1) / 2) * (0.8 / count),
  }));
  const alone = runs.every(({ iteration }) => iteration === 0);
  const points = runs.map(({ parameters: _, value, ...run }, i): Json => {
    const { x, ...place } = places[i]!;
    const aside = alone ? 0 : jitter(i) * 0.1 / count;
    const shown = { x: x + aside, value: sixDigits(value) };
    return { kind: "run", ...place, ...run, ...shown };
  });
  const columns = new Set(columnNames).size;
  const room = 0.6 * (FIGURE_PIXELS[options.width] - SIDES) / columns /
    ticks.length;
  return gridFigure(places, {
    ...options,
    caption: `${axis} of every run (points), ${of} (tick) and ${
      SPREAD_WORDS[of]
    } (bar)${word === null ? "" : `, by ${word}`}${
      keysInWords("columns", kinds)
    }${keysInWords("rows", others)}`,
    scale,
    height: 110,
    // A facet takes its panels from one table: runs and middles stand in it together.
    rows: [...points, ...middles(runs, places, of)],
    x: {
      ...quantity("x"),
      title: word,
      scale: { domain: [0.5, ticks.length + 0.5], nice: false, zero: false },
      axis: namedTicks(ticks.map((one) => [one])),
    },
    legend: DOT_LEGEND,
    layers: minimumLayers(axis, of, Math.min(11, room / count)),
  });
}

/** Middle and spread of each place and label. */
function middles(
  runs: readonly RunValue[],
  places: readonly Readonly<Record<string, Json>>[],
  of: Middle,
): Json[] {
  const groups = Map.groupBy(runs.keys(), (i) => JSON.stringify(places[i]));
  return [...groups.values()].map((own) => {
    const values = own.map((i) => Float64Array.of(runs[i]!.value));
    const { n, ...curve } = middleCurve(values, { of });
    const [middle, low, high] = [curve.middle, curve.low, curve.high]
      .map(([value]) => sixDigits(value!));
    const { label } = runs[own[0]!]!;
    return {
      kind: "middle",
      label,
      n,
      middle: middle!,
      low: low!,
      high: high!,
      ...places[own[0]!],
    };
  });
}

/** @param tick Width of a label's mark in pixels. */
function minimumLayers(axis: string, of: Middle, tick: number): Spec[] {
  const rows = (kind: string): Spec => ({
    transform: [{ filter: `datum.kind == '${kind}'` }],
  });
  return [{
    ...rows("run"),
    mark: { type: "circle", size: 12, fillOpacity: 0.35, aria: false },
    encoding: { y: quantity("value"), tooltip: runTooltip(axis) },
  }, {
    ...rows("middle"),
    mark: { type: "rule", strokeWidth: 1.2, aria: false },
    encoding: span("y", ["low", "high"]),
  }, {
    ...rows("middle"),
    mark: { type: "tick", orient: "horizontal", thickness: 1.8, size: tick },
    encoding: {
      y: quantity("middle"),
      tooltip: [
        text("label"),
        text("column", "network and optimizer"),
        number("middle", of),
        number("low", "from"),
        number("high", "to"),
        number("n", "runs", "d"),
      ],
    },
  }];
}

interface BoxPanel {
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly title: string;
  /** Whether the values count epochs: whole numbers, on a linear scale. */
  readonly epochs?: boolean;
  readonly runs: readonly RunValue[];
}

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
  { labels, width }: LabelOptions,
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
  const counts = labels.map((label) => {
    const own = drawn.map(({ runs }) =>
      runs.filter((run) => run.label === label).length
    );
    return `${label} ${Math.max(...own)}`;
  });
  const titles = drawn.map(({ title }) => title);
  return makeFigure({
    section: "summary",
    title: "Box plots over all runs",
    caption: `${
      titles.join("; ")
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
  { title, epochs: whole = false, runs }: BoxPanel,
  labels: readonly string[],
  width: number,
): Spec {
  const values = chooseScale(runs.map(({ value }) => value));
  const scale = whole ? { ...values, log: false } : values;
  const room = width / labels.length;
  const half = Math.min(0.28, 23 / room);
  const names = labels.map((label) => labelLines(label, room));
  const axis = names.every((one) => one !== undefined) ? namedTicks(names) : {
    ...namedTicks(labels.map((label) => [label])),
    labelAngle: -30,
    labelAlign: "right",
    labelBaseline: "top",
  };
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
  const color = labelColor(labels, { legend: null });
  const across = span("x", ["left", "right"]);
  const whisker = (from: string, to: string): Spec => ({
    mark: { type: "rule", strokeWidth: 1, aria: false },
    encoding: { x: quantity("x"), ...span("y", [from, to]) },
  });
  return {
    width,
    height: PANEL_HEIGHT,
    data: { values: boxes },
    encoding: {
      x: {
        title: null,
        scale: { domain: [0.5, labels.length + 0.5], nice: false, zero: false },
        axis,
      },
      y: {
        title: lines(axisTitle(title, scale), 30),
        ...scaleProperties(scale, { whole }),
      },
      color,
    },
    layer: [
      whisker("bottom", "low"),
      whisker("high", "top"),
      {
        mark: { type: "rect", fillOpacity: 0.16, strokeWidth: 1 },
        encoding: {
          ...across,
          ...span("y", ["low", "high"]),
          stroke: color,
          tooltip: [
            text("label"),
            number("median", "median"),
            number("low", "lower quartile"),
            number("high", "upper quartile"),
            number("n", "runs", "d"),
          ],
        },
      },
      {
        mark: { type: "rule", strokeWidth: 1.6, aria: false },
        encoding: { ...across, y: quantity("median"), color: { value: INK } },
      },
      {
        data: {
          values: runs.map(({ parameters: _, ...run }, i) => ({
            ...run,
            x: labels.indexOf(run.label) + 1 + 0.8 * half * jitter(i),
          })),
        },
        mark: { type: "circle", size: 7, opacity: 0.5, aria: false },
        encoding: {
          x: quantity("x"),
          y: quantity("value"),
          tooltip: runTooltip(title),
        },
      },
    ],
  };
}

/** A label in lines that fit below its box, broken after its own signs; undefined where a part is too long. */
function labelLines(label: string, room: number): string[] | undefined {
  const most = Math.floor(room / CHARACTER_PIXELS);
  const pieces = label.split(/(?<=[ _.\-,/])/);
  return pieces.some((piece) => piece.length > most)
    ? undefined
    : joined(pieces, most);
}
