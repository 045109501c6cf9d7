/// <reference lib="dom" />
/**
 * The charts of the page, by Vega without `eval`, which the page's policy
 * forbids.
 *
 * @module
 */

import { expressionInterpreter } from "npm:vega-interpreter@2.3.2";
import * as vega from "npm:vega@6.4.0";
import { compile, type TopLevelSpec } from "npm:vega-lite@6.5.0";
import type { Band, TrialPicture } from "./trainer.ts";

/** Colours of the page, from its style sheet. */
export interface Colors {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly card: string;
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

const DATA = "rows";

function draw(
  host: HTMLElement,
  { spec, colors, description }: {
    readonly spec: object;
    readonly colors: Colors;
    readonly description: string;
  },
): Chart {
  const { ink, muted, line } = colors;
  const axis = {
    labelColor: muted,
    titleColor: ink,
    domainColor: line,
    tickColor: line,
    gridColor: line,
    gridOpacity: 0.6,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
  };
  const { spec: compiled } = compile({
    ...spec,
    description,
    width: "container",
    autosize: { type: "fit", contains: "padding", resize: true },
    background: "transparent",
    data: { name: DATA },
    config: {
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis,
      legend: {
        labelColor: ink,
        labelFontSize: 12,
        titleColor: muted,
        titleFontWeight: "normal",
        labelLimit: 300,
      },
    },
  } as unknown as TopLevelSpec, {
    logger: vega.logger(vega.Error),
  });
  const view = new vega.View(
    vega.parse(compiled, undefined, { ast: true }),
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
      last = last.then(() => view.data(DATA, [...rows]).runAsync());
    },
    destroy: () => view.finalize(),
  };
}

/** The loss of each arm by epoch, with its band. */
export function drawCurves(
  host: HTMLElement,
  { arms, epochs, colors }: {
    readonly arms: readonly string[];
    readonly epochs: number;
    readonly colors: Colors;
  },
): Chart {
  const y = { type: "quantitative", scale: { zero: false, nice: true } };
  return draw(host, {
    colors,
    description:
      "Validation loss by epoch: a line and a band, mean and standard deviation over runs, for each arm",
    spec: {
      height: 280,
      encoding: {
        x: {
          field: "epoch",
          type: "quantitative",
          title: "epoch",
          scale: { domain: [0, epochs], nice: false },
          axis: { grid: false, tickMinStep: 1, tickCount: 10 },
        },
        color: {
          field: "arm",
          type: "nominal",
          scale: { domain: arms, range: colors.arms },
          legend: {
            orient: "top",
            title: null,
            symbolType: "stroke",
            symbolStrokeWidth: 3,
            symbolSize: 160,
            symbolOpacity: 1,
          },
        },
      },
      layer: [
        {
          mark: { type: "area", opacity: 0.2 },
          encoding: {
            y: { ...y, field: "low", title: "validation loss" },
            y2: { field: "high" },
          },
        },
        {
          mark: { type: "line", strokeWidth: 2 },
          encoding: { y: { ...y, field: "middle", title: "validation loss" } },
        },
      ],
    },
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

/** Inputs of a trial: time to the right, a row an input. */
export function drawInputs(
  host: HTMLElement,
  { names, colors }: {
    readonly names: readonly string[];
    readonly colors: Colors;
  },
): Chart {
  const many = names.length > 8;
  return draw(host, {
    colors,
    description: "Inputs of a trial by time step",
    spec: {
      height: many ? 120 : 22 * names.length,
      mark: { type: "rect" },
      encoding: {
        x: {
          field: "t",
          type: "ordinal",
          axis: null,
          scale: { paddingInner: many ? 0 : 0.08 },
        },
        y: {
          field: "input",
          type: "ordinal",
          sort: names,
          title: many ? `${names.length} inputs` : null,
          axis: many
            ? { labels: false, ticks: false, domain: false }
            : { ticks: false, domain: false, minExtent: 56 },
          scale: { paddingInner: many ? 0 : 0.12 },
        },
        color: {
          field: "value",
          type: "quantitative",
          legend: null,
          scale: { range: [colors.low, colors.high] },
        },
      },
    },
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
  { classifies, steps, colors }: {
    readonly classifies: boolean;
    readonly steps: number;
    readonly colors: Colors;
  },
): Chart {
  const x = {
    field: "t",
    type: "ordinal",
    title: "time step",
    scale: {
      domain: Array.from({ length: steps }, (_, t) => t + 1),
      paddingInner: 0.08,
    },
    axis: { labelAngle: 0, labelOverlap: true, domain: false, ticks: false },
  };
  const [answer = colors.ink] = colors.arms;
  if (classifies) {
    return draw(host, {
      colors,
      description:
        "Probability of each class by time step; a ring marks the target",
      spec: {
        height: 110,
        encoding: {
          x,
          y: {
            field: "class",
            type: "ordinal",
            title: "class",
            scale: { paddingInner: 0.12 },
            axis: { ticks: false, domain: false, minExtent: 40 },
          },
        },
        layer: [
          {
            mark: "rect",
            encoding: {
              color: {
                field: "output",
                type: "quantitative",
                legend: null,
                scale: { domain: [0, 1], range: [colors.low, colors.high] },
              },
            },
          },
          {
            transform: [{ filter: "datum.target" }],
            mark: {
              type: "point",
              size: 130,
              strokeWidth: 3,
              color: colors.arms[1],
              filled: false,
            },
          },
        ],
      },
    });
  }
  const y = {
    type: "quantitative",
    title: "output",
    axis: { tickCount: 4, minExtent: 56 },
  };
  return draw(host, {
    colors,
    description: "Output of the network by time step, and the targets",
    spec: {
      height: 130,
      encoding: { x },
      layer: [
        {
          mark: { type: "line", strokeWidth: 2, color: answer, point: false },
          encoding: { y: { ...y, field: "output" } },
        },
        {
          transform: [{ filter: "datum.target !== 0" }],
          mark: {
            type: "point",
            size: 90,
            strokeWidth: 2.5,
            filled: false,
            color: colors.arms[1],
          },
          encoding: { y: { ...y, field: "target" } },
        },
      ],
    },
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
