/// <reference lib="dom" />
/**
 * The charts of the page, by Vega without `eval`, which the page's policy
 * forbids, and without Vega-Lite, which would be a quarter of the page's scripts.
 *
 * @module
 */

import { expressionInterpreter } from "npm:vega-interpreter@2.3.2";
import { vega } from "../viz/vega.ts";
import type { Band, TrialPicture } from "./pictures.ts";

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

/** A chart that stands in the page. */
export interface Chart {
  /** Draws other numbers. */
  update(rows: readonly object[]): void;
  destroy(): void;
}

const FONT = "system-ui, sans-serif";
const WIDTH = "max(120, containerSize()[0])";

/** Draws a specification as wide as its host; its numbers are the data set "rows". */
function draw(
  host: HTMLElement,
  { colors, transforms = [], ...spec }: {
    readonly colors: Colors;
    readonly description: string;
    readonly height: number;
    /** Data sets made of the rows. */
    readonly transforms?: readonly object[];
    readonly scales: readonly object[];
    readonly axes: readonly object[];
    readonly marks: readonly object[];
  },
): Chart {
  const { ink, muted, line } = colors;
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
    vega.parse(whole as unknown as vega.Spec, undefined, { ast: true }),
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

const below = (of: object) => ({
  ...{ orient: "bottom", scale: "x", labelOverlap: true, ...of },
});
const left = (of: object) => ({ orient: "left", scale: "y", ...of });

/** Heights of numbers that stand in these fields of the rows. */
const heights = (fields: readonly string[]) => ({
  ...{ name: "y", type: "linear", range: "height", nice: true },
  domain: { data: "rows", fields },
});

/** The loss of each arm by epoch, with its band. */
export function drawCurves(
  host: HTMLElement,
  { arms, epochs, colors }: {
    readonly arms: readonly string[];
    readonly epochs: number;
    readonly colors: Colors;
  },
): Chart {
  const x = { scale: "x", field: "epoch" };
  const y = (field: string) => ({ scale: "y", field });
  const color = { scale: "color", field: "arm" };
  const curve = (type: string, by: object) => ({
    ...{ type, from: { data: "own" }, ...encode({ x, ...by }) },
  });
  return draw(host, {
    colors,
    description:
      "Validation loss by epoch: a line and a band, mean and standard deviation over runs, for each arm",
    height: 260,
    scales: [
      { name: "x", type: "linear", domain: [0, epochs], range: "width" },
      { ...heights(["low", "high"]), zero: false },
      {
        name: "color",
        type: "ordinal",
        domain: arms,
        range: colors.arms.slice(0, arms.length),
      },
    ],
    axes: [
      below({ title: "epoch", tickCount: 10, tickMinStep: 1 }),
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
  });
}

/** The rows of {@linkcode drawCurves}. */
export function curveRows(
  bands: readonly Band[],
  labelOf: (arm: string) => string,
): object[] {
  return bands.flatMap(({ arm, epochs, middle, low, high }) =>
    epochs.map((epoch, i) => ({
      arm: labelOf(arm),
      epoch,
      middle: middle[i],
      low: low[i],
      high: high[i],
    }))
  );
}

/** Room for what stands left of a trial, so that its charts are below each other. */
const MARGIN = 56;

function timeScale(steps: number) {
  return {
    name: "x",
    type: "band",
    domain: Array.from({ length: steps }, (_, t) => t + 1),
    range: "width",
    paddingInner: steps > 40 ? 0 : 0.08,
  };
}

/** A band for each row of a table. */
const rowScale = (domain: readonly unknown[], paddingInner = 0.12) => ({
  ...{ name: "y", type: "band", domain, range: "height", paddingInner },
});

const shadeScale = (domain: unknown, { low, high }: Colors) => ({
  ...{ name: "shade", type: "linear", domain, range: [low, high] },
});

/** Cells of a table by time step and row, as dark as their number is large. */
function cells({ rows, number }: { rows: string; number: string }) {
  return {
    type: "rect",
    from: { data: "rows" },
    ...encode({
      x: { scale: "x", field: "t" },
      width: { scale: "x", band: 1 },
      y: { scale: "y", field: rows },
      height: { scale: "y", band: 1 },
      fill: { scale: "shade", field: number },
    }),
  };
}

/** Inputs of a trial: time to the right, a row an input. */
export function drawInputs(
  host: HTMLElement,
  { names, steps, colors }: {
    readonly names: readonly string[];
    readonly steps: number;
    readonly colors: Colors;
  },
): Chart {
  const many = names.length > 8;
  return draw(host, {
    colors,
    description: "Inputs of a trial by time step",
    height: many ? 120 : 22 * names.length,
    scales: [
      timeScale(steps),
      rowScale(names, many ? 0 : undefined),
      shadeScale({ data: "rows", field: "value" }, colors),
    ],
    axes: [left({
      minExtent: MARGIN,
      ...(many && { labels: false, title: `${names.length} inputs` }),
    })],
    marks: [cells({ rows: "input", number: "value" })],
  });
}

/** The rows of {@linkcode drawInputs}. */
export function inputRows(
  { steps, inputSize, inputs }: TrialPicture,
  names: readonly string[],
): object[] {
  return Array.from({ length: steps * inputSize }, (_, at) => ({
    t: Math.floor(at / inputSize) + 1,
    input: names[at % inputSize],
    value: inputs[at],
  }));
}

/** What is asked of the network and what it answers: a number a time step, or the probability of each class. */
export function drawOutputs(
  host: HTMLElement,
  { classifies, steps, classes, colors }: {
    readonly classifies: boolean;
    readonly steps: number;
    readonly classes: number;
    readonly colors: Colors;
  },
): Chart {
  const middle = { scale: "x", field: "t", band: 0.5 };
  const [line, ring] = colors.arms;
  const rings = {
    type: "symbol",
    from: { data: "targets" },
    ...encode({
      x: middle,
      y: {
        scale: "y",
        field: classifies ? "class" : "target",
        band: classifies ? 0.5 : 0,
      },
      size: { value: classifies ? 130 : 90 },
      stroke: { value: ring },
      strokeWidth: { value: 2.5 },
      fill: { value: "transparent" },
    }),
  };
  const scored = {
    name: "targets",
    source: "rows",
    transform: [{ type: "filter", expr: "datum.target" }],
  };
  const time = below({ title: "time step" });
  const minExtent = MARGIN - 16;
  return draw(host, {
    colors,
    transforms: [scored],
    ...(classifies
      ? {
        description:
          "Probability of each class by time step; rings mark what is right",
        height: 26 * (classes - 1),
        scales: [
          timeScale(steps),
          rowScale(Array.from({ length: classes - 1 }, (_, i) => i + 1)),
          shadeScale([0, 1], colors),
        ],
        axes: [time, left({ title: "class", minExtent })],
        marks: [cells({ rows: "class", number: "output" }), rings],
      }
      : {
        description: "Output by time step; rings mark what is right",
        height: 130,
        scales: [timeScale(steps), heights(["output", "target"])],
        axes: [
          time,
          left({ title: "output", grid: true, tickCount: 4, minExtent }),
        ],
        marks: [{
          type: "line",
          from: { data: "rows" },
          ...encode({
            x: middle,
            y: { scale: "y", field: "output" },
            stroke: { value: line },
            strokeWidth: { value: 2 },
          }),
        }, rings],
      }),
  });
}

/** The rows of {@linkcode drawOutputs}. */
export function outputRows(
  { steps, classifies, outputs, outputSize, targets }: TrialPicture,
): object[] {
  const rows = Array.from({ length: steps * outputSize }, (_, at) => {
    const t = Math.floor(at / outputSize);
    const output = at % outputSize;
    const target = targets[t]!;
    return {
      t: t + 1,
      class: output,
      output: outputs[at],
      target: classifies ? target !== 0 && target === output : target,
    };
  });
  // Class 0 stands for "not scored".
  return rows.filter((row) => !classifies || row.class > 0);
}
