/**
 * Box plots over all runs by label, with the runs as points on top.
 *
 * @module
 */

import { type Figure, type Json, SCHEMA, type Spec } from "./figure.ts";
import {
  FIGURE_PIXELS,
  type FigureWidth,
  labelColors,
  labelPixels,
  themeConfig,
} from "./theme.ts";
import {
  axisTitle,
  brokenTitle,
  chooseScale,
  scaleProperties,
} from "./value_scale.ts";

/** One number of one run. */
export interface RunValue {
  readonly label: string;
  /** Title of the combination. */
  readonly combination: string;
  readonly iteration: number;
  readonly value: number;
}

/** One panel of box plots. */
export interface SummaryPanel {
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly title: string;
  /** Whether a wide range asks for a logarithmic scale; never for counts of epochs. */
  readonly mayBeLog: boolean;
  readonly runs: readonly RunValue[];
}

/** What a figure of box plots shows. */
export interface SummaryFigureOptions {
  /** Order of the boxes. */
  readonly labels: readonly string[];
  readonly width: FigureWidth;
}

/** Room for an axis with its title. */
const AXIS_PIXELS = 58;

/** Runs side by side, the same way each time: steps of the golden ratio spread evenly. */
function jitter(index: number): number {
  return Math.round(2e3 * (index * 0.6180339887498949 % 1) - 1e3) / 1e3;
}

/**
 * Draws a panel of box plots a quantity, a box a label: median, quartiles, and
 * whiskers to the last run within 1.5 times the box's height.
 *
 * @param panels From left to right; those without a run are left out.
 * @returns undefined where no panel has a run.
 *
 * @example
 * ```ts
 * import { summaryFigure } from "./src/viz/summary_figure.ts";
 *
 * const run = { label: "bio", combination: "(0.001, 3)", iteration: 0, value: 0.02 };
 * summaryFigure([{ title: "minimum validation loss", mayBeLog: true, runs: [run] }], {
 *   labels: ["bio"],
 *   width: "two",
 * });
 * ```
 */
export function summaryFigure(
  panels: readonly SummaryPanel[],
  { labels, width }: SummaryFigureOptions,
): Figure | undefined {
  const drawn = panels.filter(({ runs }) => runs.length > 0);
  if (drawn.length === 0) return undefined;
  const columns = width === "one" ? 1 : drawn.length;
  const total = FIGURE_PIXELS[width];
  const panelWidth = Math.round(total / columns - AXIS_PIXELS);
  const caption = captionOf(drawn, labels);
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
      spacing: 12,
      concat: drawn.map((panel) =>
        panelSpec(panel, { labels, width: panelWidth })
      ),
    },
  };
}

function captionOf(
  panels: readonly SummaryPanel[],
  labels: readonly string[],
): string {
  const titles = panels.map(({ title }) => title).join("; ");
  const counts = labels.map((label) =>
    `${label} ${
      Math.max(
        ...panels.map(({ runs }) =>
          runs.filter((run) => run.label === label).length
        ),
      )
    }`
  );
  return `${titles}. Each point is a run (${
    counts.join(", ")
  }); boxes: median and quartiles; whiskers: the last run within 1.5 times the height of the box.`;
}

function panelSpec(
  { title, mayBeLog, runs }: SummaryPanel,
  { labels, width }: { labels: readonly string[]; width: number },
): Spec {
  const chosen = chooseScale(runs.map(({ value }) => value));
  const range = mayBeLog ? chosen : { ...chosen, log: false };
  const { scale, axis } = scaleProperties(range);
  const x: Spec = {
    field: "label",
    type: "nominal",
    title: null,
    sort: [...labels],
    axis: {
      labelOverlap: false,
      labelLimit: 90,
      // Side by side as long as there is room.
      ...(labels.every((label) => labelPixels(label) < width / labels.length)
        ? { labelAngle: 0 }
        : { labelAngle: -40, labelAlign: "right", labelBaseline: "top" }),
    },
  };
  const y: Spec = {
    field: "value",
    type: "quantitative",
    title: brokenTitle(axisTitle(title, range)),
    scale,
    // Epochs are whole numbers: there is no tick between two of them.
    axis: runs.every(({ value }) => Number.isInteger(value))
      ? { ...axis, tickMinStep: 1 }
      : axis,
  };
  const color: Spec = {
    field: "label",
    type: "nominal",
    legend: null,
    scale: { domain: [...labels], range: labelColors(labels.length) },
  };
  const size = Math.min(46, Math.round(0.55 * width / labels.length));
  return {
    width,
    height: 170,
    data: {
      values: runs.map((run, i): Json => ({ ...run, jitter: jitter(i) })),
    },
    layer: [
      {
        mark: {
          type: "boxplot",
          extent: 1.5,
          size,
          outliers: false,
          box: { fillOpacity: 0.16 },
          median: { color: "#222222", strokeWidth: 1.6 },
          rule: { strokeWidth: 1 },
          ticks: false,
        },
        encoding: { x, y, color },
      },
      {
        mark: { type: "circle", size: 7, opacity: 0.55, aria: false },
        encoding: {
          x,
          xOffset: {
            field: "jitter",
            type: "quantitative",
            scale: { domain: [-1.4, 1.4] },
          },
          y,
          color,
          tooltip: [
            { field: "label", title: "label" },
            { field: "combination", title: "combination" },
            { field: "iteration", title: "iteration", type: "quantitative" },
            {
              field: "value",
              title,
              type: "quantitative",
              format: ".5~g",
            },
          ],
        },
      },
    ],
  };
}
