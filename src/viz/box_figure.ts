/**
 * Box plots over all runs by label, with the runs as points on top.
 *
 * @module
 */

import { type Figure, type Json, SCHEMA, type Spec } from "./figure.ts";
import {
  jitter,
  labelColor,
  lines,
  namedTicks,
  number,
  quantity,
  type RunValue,
  text,
} from "./layers.ts";
import { axisTitle, chooseScale, scaleProperties } from "./scale.ts";
import { quartiles } from "./series.ts";
import {
  CHARACTER_PIXELS,
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  themeConfig,
} from "./theme.ts";

/** One panel of box plots. */
export interface BoxPanel {
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly title: string;
  /** Whether the values count epochs: whole numbers, on a linear scale. */
  readonly epochs?: boolean;
  readonly runs: readonly RunValue[];
}

/** Room for an axis with its title. */
const AXIS_PIXELS = 70;
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
 * import { boxFigure } from "./src/viz/box_figure.ts";
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
