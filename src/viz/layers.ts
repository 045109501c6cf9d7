/**
 * What figures of curves and of runs share: value axes, colours and legends of
 * labels, bands, middles, single runs, the baseline with its name in the right
 * margin, and what steps back when a legend's entry is clicked.
 *
 * @module
 */

import type { Baseline } from "../analysis/summary.ts";
import { drawableText, type Json, type Spec } from "./figure.ts";
import { isPoint, type MiddleCurve, type ValueScale } from "./series.ts";
import { INK, labelColors, MUTED, SMALL_TEXT } from "./theme.ts";

/** How the dashes of a legend look, in order. */
export const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [4, 2],
  [1, 1.5],
  [6, 2, 1, 2],
];

/** A click on a legend's entry chooses it; the first of the layers with a common legend must have this. */
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

export function epochAxis(tickCount: number): Spec {
  return {
    field: "epoch",
    type: "quantitative",
    title: "epoch",
    scale: { nice: false, zero: false },
    axis: { grid: false, tickCount, tickMinStep: 1, format: "~d" },
  };
}

/** The title of a value axis: a reader must not take a logarithmic scale for a linear one. */
export function axisTitle(quantity: string, { log }: ValueScale): string {
  if (!log) return quantity;
  return quantity.endsWith(")")
    ? `${quantity.slice(0, -1)}, log scale)`
    : `${quantity} (log scale)`;
}

/**
 * Round numbers on a logarithmic scale: 1, 2 and 5 times powers of ten up to
 * two decades, beyond that powers of ten, seven at most.
 */
function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const factors = decades <= 2 ? [1, 2, 5] : [1];
  const step = Math.max(1, Math.ceil(decades / 7));
  const last = Math.floor(Math.log10(high));
  const ticks: number[] = [];
  for (let power = last; 10 ** (power + 1) > low; power -= step) {
    for (const factor of factors.toReversed()) {
      // Decimal text is exact where a product of floats is not: 2e-3.
      const tick = Number(`${factor}e${power}`);
      if (tick >= low && tick <= high) ticks.unshift(tick);
    }
  }
  return ticks;
}

/** Vega-Lite's properties of the scale and the axis; whole numbers have no ticks between them. */
export function scaleProperties(
  { log, low, high }: ValueScale,
  { whole = false }: { readonly whole?: boolean } = {},
): { scale: Spec; axis: Spec } {
  if (log) {
    return {
      scale: { type: "log", nice: false, padding: 4 },
      // Vega's own ticks would draw a grid line at each of nine numbers a decade.
      axis: { values: logTicks(low, high), format: "~g" },
    };
  }
  // Of a single value no axis can be made.
  const room = whole ? 1 : Math.abs(low) * 0.05 || 1;
  const domain = low === high ? [low - room, high + room] : undefined;
  return {
    scale: {
      type: "linear",
      zero: false,
      nice: domain === undefined,
      padding: 4,
      ...(domain && { domain }),
    },
    axis: whole
      ? { tickCount: 5, tickMinStep: 1, format: "d" }
      : { tickCount: 5 },
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
export function baselineLayer(baseline: Baseline | undefined): Spec[] {
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
        axis: {
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
        },
      },
    },
  }];
}

/** What a caption says of the baseline. */
export function dotted(baseline: Baseline | undefined): string {
  return baseline === undefined ? "" : ` Dotted: ${baseline.label}.`;
}

/**
 * Gives layers their common value axis: the first one draws it, with its grid;
 * those that have none of their own draw none. The first one listens to the
 * legend of labels, too.
 *
 * @param axis `title`, `scale` and `axis` of the y channel.
 */
export function withAxis(layers: readonly Spec[], axis: Spec): Spec[] {
  return layers.map((layer, i) => {
    const { y, ...encoding } = layer.encoding as Spec;
    const params = Array.isArray(layer.params) ? layer.params : [];
    return {
      ...layer,
      ...(i === 0 ? { params: [legendParam("label"), ...params] } : {}),
      encoding: {
        ...encoding,
        y: i === 0 ? { ...y as Spec, ...axis } : { axis: null, ...y as Spec },
      },
    };
  });
}

/** Middle curves with their bands; curves of one epoch are circles with bars. */
interface CurveLayers {
  /** What is drawn: layers that would have no rows are left out, as an axis has no range of none. */
  readonly series: readonly Pick<MiddleCurve, "n" | "middle">[];
  /** Name of the table with `epoch`, `middle`, `low`, `high`, `label`; undefined: the figure's own. */
  readonly data?: string;
  /** Field that tells the curves of a label apart. */
  readonly detail: string;
  readonly x: Spec;
  readonly color: Spec;
  readonly strokeDash: Spec;
  readonly opacity: Spec;
  readonly strokeWidth: number;
  /** Of the curves' layer. */
  readonly params?: readonly Json[];
  /** Which of the curves have a band; default all of several runs. */
  readonly bands?: string;
  readonly tooltip?: readonly Json[];
}

/** The layers, from the back to the front. */
export function curveLayers(options: CurveLayers): Spec[] {
  const { series, x, color, strokeDash, opacity, strokeWidth } = options;
  const { params, bands = "datum.n > 1", tooltip } = options;
  const data: Spec = options.data ? { data: { name: options.data } } : {};
  const spread: Spec = {
    x,
    y: quantity("low"),
    y2: { field: "high" },
    color,
    opacity,
  };
  const middle: Spec = { x, y: quantity("middle"), color, strokeDash, opacity };
  const points = series.filter(isPoint);
  return [
    ...(!series.some(({ n }) => n > 1) ? [] : [{
      ...data,
      transform: [{ filter: bands }],
      mark: { type: "area", fillOpacity: 0.16, aria: false },
      encoding: { ...spread, detail: [{ field: options.detail }] },
    }]),
    {
      ...data,
      ...(params && { params }),
      mark: {
        type: "line",
        strokeWidth,
        strokeCap: "butt",
        ...(tooltip && { tooltip: true }),
      },
      encoding: { ...middle, ...(tooltip && { tooltip }) },
    },
    ...(!points.some(({ n }) => n > 1) ? [] : [{
      ...data,
      transform: [{ filter: "datum.point && datum.n > 1" }],
      mark: { type: "rule", strokeWidth: 1, aria: false },
      encoding: spread,
    }]),
    ...(points.length === 0 ? [] : [{
      ...data,
      transform: [{ filter: "datum.point" }],
      mark: { type: "point", size: 50, strokeWidth },
      encoding: middle,
    }]),
  ];
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
