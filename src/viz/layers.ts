/**
 * What figures of curves and of runs share: colours and legends of labels,
 * bands, middles, single runs, the baseline with its name in the right margin,
 * and what steps back when a legend's entry is clicked.
 *
 * @module
 */

import type { Baseline } from "../analysis/baseline.ts";
import type { Json, Spec } from "./figure.ts";
import { drawableText } from "./names.ts";
import type { Parameters } from "./panels.ts";
import { INK, labelColors, MUTED, SMALL_TEXT } from "./theme.ts";

/** How the dashes of a legend look, in order. */
export const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [4, 2],
  [1, 1.5],
  [6, 2, 1, 2],
];

/** A click on a legend's entry chooses it. Of layers with a common legend, the first one must have this. */
export function legendParam(field: string): Spec {
  return {
    name: field,
    select: { type: "point", fields: [field] },
    bind: "legend",
  };
}

/** What is not chosen in the legends of these fields steps back. */
export function whenChosen(...fields: readonly string[]): Spec {
  return {
    condition: {
      test: { and: fields.map((param) => ({ param })) },
      value: 1,
    },
    value: 0.04,
  };
}

/** A number's field. */
export function quantity(field: string): Spec {
  return { field, type: "quantitative" };
}

/** A number's field in a tooltip. */
export function number(field: string, title: string, format = ".5~g"): Spec {
  return { field, title, type: "quantitative", format };
}

/** A text's field in a tooltip. */
export function text(field: string, title: string): Spec {
  return { field, title, type: "nominal" };
}

/** The colour of a label, the same in every figure whether or not all labels are in it. */
export function labelColor(
  labels: readonly string[],
  { shown = labels, legend }: {
    readonly shown?: readonly string[];
    /** Vega-Lite's legend; null for none. */
    readonly legend: Spec | null;
  },
): Spec {
  const colors = labelColors(labels.length);
  return {
    field: "label",
    type: "nominal",
    title: null,
    scale: {
      domain: [...shown],
      range: shown.map((name) => colors[labels.indexOf(name)] ?? INK),
    },
    legend,
  };
}

/** Dashes of a field, with a legend where there are several. */
export function dashes(
  field: string,
  { values, symbolType = "stroke", legend = values.length > 1 }: {
    readonly values: readonly string[];
    readonly symbolType?: string;
    readonly legend?: boolean;
  },
): Spec {
  return {
    field,
    type: "nominal",
    title: null,
    scale: {
      domain: [...values],
      range: values.map((_, i) => DASHES[i] ?? [1, 0]),
    },
    legend: legend
      ? { symbolType, symbolStrokeColor: INK, symbolOpacity: 1 }
      : null,
  };
}

/** An axis of epochs. */
export function epochAxis(tickCount: number): Spec {
  return {
    field: "epoch",
    type: "quantitative",
    title: "epoch",
    scale: { nice: false, zero: false },
    axis: { grid: false, tickCount, tickMinStep: 1, format: "~d" },
  };
}

/** Text that fits beside a plot: words in lines of so many signs at most; what stands in brackets stays together. */
export function lines(text: string, most: number): string[] {
  const all: string[] = [];
  for (const word of text.match(/\([^)]*\)|\S+/g) ?? []) {
    const last = all.at(-1);
    if (last !== undefined && last.length + word.length < most) {
      all[all.length - 1] = `${last} ${word}`;
    } else all.push(word);
  }
  return all;
}

/**
 * The baseline as a dotted line. Its name stands in the right margin, as the
 * one tick of an axis there, so that it never covers a curve; the figure must
 * have independent y axes.
 */
export function baselineLayer(
  baseline: Baseline | undefined,
  { margin = true }: { readonly margin?: boolean } = {},
): Spec[] {
  if (baseline === undefined) return [];
  const { value, label } = baseline;
  return [{
    data: { values: [{ baseline: value }] },
    mark: {
      type: "rule",
      strokeWidth: 0.8,
      strokeDash: [1, 2],
      color: MUTED,
      tooltip: label,
    },
    encoding: {
      y: {
        ...quantity("baseline"),
        title: null,
        axis: margin
          ? {
            orient: "right",
            values: [value],
            labelExpr: JSON.stringify(lines(label, 11)),
            labelColor: MUTED,
            labelFontSize: SMALL_TEXT,
            labelLimit: 0,
            labelPadding: 3,
            domain: false,
            ticks: false,
            grid: false,
          }
          : null,
      },
    },
  }];
}

/**
 * Gives layers their common value axis: the first one draws it, with its grid;
 * those that have none of their own draw none.
 *
 * @param axis `title`, `scale` and `axis` of the y channel.
 */
export function withAxis(layers: readonly Spec[], axis: Spec): Spec[] {
  return layers.map((layer, i) => {
    const { y, ...encoding } = layer.encoding as Spec;
    return {
      ...layer,
      encoding: {
        ...encoding,
        y: i === 0 ? { ...y as Spec, ...axis } : { axis: null, ...y as Spec },
      },
    };
  });
}

/** Middle curves with their bands; curves of one epoch are circles with bars. */
export interface CurveLayers {
  /** Name of the table with `epoch`, `middle`, `low`, `high`, `label`; undefined: the figure's own. */
  readonly data?: string;
  /** Fields that tell the curves of a label apart. */
  readonly detail: readonly string[];
  readonly x: Spec;
  readonly color: Spec;
  readonly strokeDash: Spec;
  readonly opacity: Spec;
  readonly strokeWidth: number;
  /** Of the curves' layer. */
  readonly params?: readonly Json[];
  /** Which of the curves have a band; undefined: none has. */
  readonly bands?: string;
  /** Curves of one epoch: whether there are any, and any of several runs, which have bars. */
  readonly points: boolean;
  readonly bars: boolean;
  readonly tooltip?: Json;
}

/** The layers, from the back to the front. */
export function curveLayers(options: CurveLayers): Spec[] {
  const { x, color, strokeDash, opacity, strokeWidth, params, tooltip } =
    options;
  const data: Spec = options.data === undefined
    ? {}
    : { data: { name: options.data } };
  const detail = options.detail.map((field) => ({ field }));
  const spread: Spec = {
    x,
    y: quantity("low"),
    y2: { field: "high" },
    color,
    opacity,
  };
  return [
    ...(options.bands === undefined ? [] : [{
      ...data,
      transform: [{ filter: options.bands }],
      mark: { type: "area", fillOpacity: 0.16, aria: false },
      encoding: { ...spread, detail },
    }]),
    {
      ...data,
      ...(params === undefined ? {} : { params }),
      mark: {
        type: "line",
        strokeWidth,
        strokeCap: "butt",
        ...(tooltip === undefined ? {} : { tooltip: true }),
      },
      encoding: {
        x,
        y: quantity("middle"),
        color,
        strokeDash,
        opacity,
        ...(tooltip === undefined ? {} : { tooltip }),
      },
    },
    // An axis has no range of no rows: layers without any are left out.
    ...(options.bars
      ? [{
        ...data,
        transform: [{ filter: "datum.point && datum.n > 1" }],
        mark: { type: "rule", strokeWidth: 1, aria: false },
        encoding: spread,
      }]
      : []),
    ...(!options.points ? [] : [
      {
        ...data,
        transform: [{ filter: "datum.point" }],
        mark: { type: "point", size: 50, strokeWidth },
        encoding: { x, y: quantity("middle"), color, strokeDash, opacity },
      },
    ]),
  ];
}

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
export function jitter(index: number): number {
  return Math.round(2e3 * (index * 0.6180339887498949 % 1) - 1e3) / 1e3;
}

/** Texts as ticks of an axis that counts from 1. */
export function namedTicks(names: readonly (readonly string[])[]): Spec {
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
