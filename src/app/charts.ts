/// <reference lib="dom" />
/**
 * The charts of the page, by Vega without `eval`, which the page's policy
 * forbids, and without Vega-Lite, which would be a quarter of the page's scripts.
 *
 * @module
 */

import type { TrialPicture } from "./pictures.ts";

/** Colours of the page, from its style sheet. */
export interface Colors {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly card: string;
  /** Ends of the scale of quantities. */
  readonly low: string;
  readonly high: string;
  /** One an arm. */
  readonly arms: readonly string[];
}

/** A specification as wide as its host; its numbers are the data set "rows". */
interface ChartSpec {
  readonly colors: Colors;
  readonly description: string;
  readonly height: number;
  /** Data sets made of the rows. */
  readonly transforms?: readonly object[];
  readonly scales: readonly object[];
  readonly axes: readonly object[];
  readonly marks: readonly object[];
}

/** A chart that stands in the page. */
export interface Chart {
  /** Draws other numbers. */
  update(rows: readonly object[]): void;
  destroy(): void;
}

const FONT = "system-ui, sans-serif";
const WIDTH = "max(120, containerSize()[0])";

/** Draws a chart into an element, in place of what is there. */
export async function drawChart(
  host: HTMLElement,
  { colors: { ink, muted, line }, transforms = [], ...spec }: ChartSpec,
): Promise<Chart> {
  // Vega is large, and nobody waits for it before the first epoch.
  const [{ vega }, { expressionInterpreter }] = await Promise.all([
    import("../viz/vega.ts"),
    import("npm:vega-interpreter@2.3.2"),
  ]);
  const whole = {
    ...spec,
    autosize: { type: "fit-x", contains: "padding" },
    padding: 4,
    signals: [{
      name: "width",
      init: WIDTH,
      on: [{ events: "window:resize", update: WIDTH }],
    }],
    data: [{ name: "rows" }, ...transforms],
    config: {
      style: { cell: { stroke: null } },
      axis: {
        labelColor: muted,
        labelFont: FONT,
        labelFontSize: 12,
        titleColor: ink,
        titleFont: FONT,
        titleFontSize: 12,
        titleFontWeight: "normal",
        domain: false,
        ticks: false,
        labelPadding: 6,
        gridColor: line,
        gridOpacity: 0.7,
      },
    },
  };
  const view = new vega.View(
    vega.parse(whole as never, undefined, { ast: true }),
    {
      expr: expressionInterpreter as never,
      renderer: "canvas",
      container: host,
      hover: false,
      logLevel: vega.Error,
    },
  );
  let last: Promise<unknown> = view.runAsync();
  return {
    update(rows) {
      last = last.then(() => view.data("rows", [...rows]).runAsync());
    },
    destroy: () => view.finalize(),
  };
}

/** What every mark of a chart is drawn by. */
const encode = (update: object) => ({ encode: { update } });

const below = (title: string, of: object = {}) => ({
  ...{ orient: "bottom", scale: "x", labelOverlap: true, title, ...of },
});
const left = (of: object) => ({ orient: "left", scale: "y", ...of });

/** Heights of numbers that stand in these fields of the rows. */
const heights = (...fields: string[]) => ({
  ...{ name: "y", type: "linear", range: "height", nice: true },
  domain: { data: "rows", fields },
});

/** The loss of each arm by epoch, with its band. */
export function curvesChart(
  { arms, epochs, colors }: {
    readonly arms: readonly string[];
    readonly epochs: number;
    readonly colors: Colors;
  },
): ChartSpec {
  const y = (field: string) => ({ scale: "y", field });
  const color = { scale: "color", field: "arm" };
  const curve = (type: string, by: object) => ({
    type,
    from: { data: "own" },
    ...encode({ x: { scale: "x", field: "epoch" }, ...by }),
  });
  return {
    colors,
    description:
      "Validation loss by epoch: a line and a band, mean and standard deviation over runs, for each arm",
    height: 260,
    scales: [
      { name: "x", type: "linear", domain: [0, epochs], range: "width" },
      { ...heights("low", "high"), zero: false },
      {
        name: "color",
        type: "ordinal",
        domain: arms,
        range: colors.arms.slice(0, arms.length),
      },
    ],
    axes: [
      below("epoch", { tickCount: 10, tickMinStep: 1 }),
      left({
        title: "validation loss",
        grid: true,
        tickCount: 6,
        minExtent: 40,
      }),
    ],
    marks: [{
      type: "group",
      from: { facet: { name: "own", data: "rows", groupby: "arm" } },
      marks: [
        curve("area", {
          y: y("low"),
          y2: y("high"),
          fill: color,
          fillOpacity: { value: 0.2 },
        }),
        curve("line", {
          y: y("middle"),
          stroke: color,
          strokeWidth: { value: 2 },
        }),
      ],
    }],
  };
}

/** Room for what stands left of a trial, so that its charts are below each other. */
const MARGIN = 56;

const timeScale = (steps: number) => ({
  name: "x",
  type: "band",
  domain: Array.from({ length: steps }, (_, t) => t + 1),
  range: "width",
  paddingInner: steps > 40 ? 0 : 0.08,
});

/** A table by time step and row, its cells as dark as their value is large. */
const table = (
  rows: readonly unknown[],
  steps: number,
  values: unknown,
  { low, high }: Colors,
) => ({
  scales: [
    timeScale(steps),
    {
      ...{ name: "y", type: "band", domain: rows, range: "height" },
      paddingInner: rows.length > MANY ? 0 : 0.12,
    },
    { name: "shade", type: "linear", domain: values, range: [low, high] },
  ],
  marks: [{
    type: "rect",
    from: { data: "rows" },
    ...encode({
      x: { scale: "x", field: "t" },
      width: { scale: "x", band: 1 },
      y: { scale: "y", field: "row" },
      height: { scale: "y", band: 1 },
      fill: { scale: "shade", field: "value" },
    }),
  }],
});

/** More rows have no names of their own. */
const MANY = 8;

/** Inputs of a trial: time to the right, a row an input. */
export function inputsChart(
  { steps, names }: TrialPicture,
  colors: Colors,
): ChartSpec {
  const many = names.length > MANY;
  return {
    colors,
    description: "Inputs of a trial by time step",
    height: many ? 120 : 22 * names.length,
    ...table(names, steps, { data: "rows", field: "value" }, colors),
    axes: [left({
      minExtent: MARGIN,
      ...(many && { labels: false, title: `${names.length} inputs` }),
    })],
  };
}

/** What is asked of the network and what it answers: a number a time step, or the probability of each class. */
export function outputsChart(
  { steps, classes }: TrialPicture,
  colors: Colors,
): ChartSpec {
  const classifies = classes.length > 0;
  const x = { scale: "x", field: "t", band: 0.5 };
  const [line, ring] = colors.arms;
  const rings = {
    type: "symbol",
    from: { data: "targets" },
    ...encode({
      x,
      y: classifies
        ? { scale: "y", field: "row", band: 0.5 }
        : { scale: "y", field: "target" },
      size: { value: classifies ? 130 : 90 },
      stroke: { value: ring },
      strokeWidth: { value: 2.5 },
      fill: { value: "transparent" },
    }),
  };
  const answers = table(classes, steps, [0, 1], colors);
  const curve = {
    type: "line",
    from: { data: "rows" },
    ...encode({
      x,
      y: { scale: "y", field: "value" },
      stroke: { value: line },
      strokeWidth: { value: 2 },
    }),
  };
  return {
    colors,
    description: `${
      classifies ? "Probability of each class" : "Output"
    } by time step; rings mark what is right`,
    height: classifies ? 26 * classes.length : 130,
    transforms: [{
      name: "targets",
      source: "rows",
      transform: [{ type: "filter", expr: "datum.target" }],
    }],
    scales: classifies
      ? answers.scales
      : [timeScale(steps), heights("value", "target")],
    axes: [
      below("time step"),
      left({
        minExtent: MARGIN - 16,
        ...(classifies
          ? { title: "class" }
          : { title: "output", grid: true, tickCount: 4 }),
      }),
    ],
    marks: [...(classifies ? answers.marks : [curve]), rings],
  };
}
