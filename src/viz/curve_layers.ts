/**
 * The layers of a figure of curves: faint runs, bands, means, the baseline,
 * and the point next to the mouse.
 *
 * @module
 */

import { type Baseline, type Quantity } from "../analysis/baseline.ts";
import { isPoint, type Series, SPLITS } from "./curve_series.ts";
import { HOVER, type Json, type Spec } from "./figure.ts";
import { INK, labelColors, MUTED } from "./theme.ts";
import {
  axisTitle,
  bandTransform,
  limitsOf,
  scaleProperties,
  type ValueScale,
} from "./value_scale.ts";

const DASHES: readonly (readonly number[])[] = [[1, 0], [4, 2]];

/** What the layers show. */
export interface CurveLayersOptions {
  readonly quantity: Quantity;
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly axis: string;
  readonly labels: readonly string[];
  readonly baseline: Baseline | undefined;
  readonly scale: ValueScale;
}

/** All layers, from the back to the front; their data are the tables `mean` and `runs`. */
export function curveLayers(
  series: readonly Series[],
  options: CurveLayersOptions,
): Spec[] {
  const [first, ...others]: Spec[] = [
    ...runLayer(series),
    ...bandLayer(series, options),
    meanLayer(series, options),
    ...pointLayers(series, options),
    ...baselineLayers(options.baseline, series),
    hoverLayer(options.axis),
  ];
  return [
    // Of layers with a common legend, that of the first one answers clicks.
    { ...first, params: [LABEL_PARAM, ...paramsOf(first)] },
    ...others,
  ];
}

/** The mean's layer, which has a parameter, may be the first. */
function paramsOf(layer: Spec | undefined): readonly Json[] {
  return Array.isArray(layer?.params) ? layer.params : [];
}

const LABEL_PARAM: Spec = {
  name: "label",
  select: { type: "point", fields: ["label"] },
  bind: "legend",
};

/** What is not chosen in the legends steps back. */
function whenChosen(value: number): Spec {
  return {
    condition: {
      test: { and: [{ param: "label" }, { param: "split" }] },
      value,
    },
    value: 0.03,
  };
}

const COLOR_KEY: Spec = { field: "label", type: "nominal" };

const DETAIL: Json = [{ field: "split" }];

/** What text is written in: a broad white outline first, then the text itself. */
const HALOS: readonly Spec[] = [
  { stroke: "white", strokeWidth: 2.5, strokeOpacity: 0.8 },
  {},
];

function runLayer(series: readonly Series[]): Spec[] {
  if (series.every(({ runs }) => runs.length < 2)) return [];
  return [{
    data: { name: "runs" },
    mark: {
      type: "line",
      strokeWidth: 0.5,
      strokeOpacity: 0.3,
      aria: false,
    },
    encoding: {
      x: { field: "epoch", type: "quantitative" },
      y: { field: "value", type: "quantitative" },
      color: COLOR_KEY,
      detail: [{ field: "split" }, { field: "iteration" }],
      opacity: whenChosen(1),
    },
  }];
}

/** None where no row is left: an axis has no range then. */
function bandLayer(
  series: readonly Series[],
  { scale, quantity }: CurveLayersOptions,
): Spec[] {
  if (series.every(({ n }) => n < 2)) return [];
  return [{
    data: { name: "mean" },
    transform: [
      { filter: "datum.n > 1" },
      ...bandTransform(scale, limitsOf(quantity)),
    ],
    mark: { type: "area", fillOpacity: 0.18, aria: false },
    encoding: {
      x: { field: "epoch", type: "quantitative" },
      y: { field: "low", type: "quantitative" },
      y2: { field: "high" },
      color: COLOR_KEY,
      detail: DETAIL,
      opacity: whenChosen(1),
    },
  }];
}

function meanLayer(
  series: readonly Series[],
  { labels, axis, scale }: CurveLayersOptions,
): Spec {
  const colors = labelColors(labels.length);
  const names = labels.filter((label) =>
    series.some((one) => one.label === label)
  );
  const splits = SPLITS.filter((split) =>
    series.some((one) => one.split === split)
  );
  const y = scaleProperties(scale);
  const symbolType = series.every(isPoint) ? "circle" : "stroke";
  return {
    data: { name: "mean" },
    params: [
      {
        name: "split",
        select: { type: "point", fields: ["split"] },
        bind: "legend",
      },
    ],
    mark: { type: "line", strokeWidth: 1.4, strokeCap: "butt" },
    encoding: {
      x: {
        field: "epoch",
        type: "quantitative",
        title: "epoch",
        scale: { nice: false, zero: false },
        axis: { grid: false, tickCount: 6, tickMinStep: 1, format: "~d" },
      },
      y: {
        field: "mean",
        type: "quantitative",
        title: axisTitle(axis, scale),
        scale: y.scale,
        axis: y.axis,
      },
      color: {
        field: "label",
        type: "nominal",
        title: null,
        scale: {
          domain: names,
          range: names.map((name) => colors[labels.indexOf(name)] ?? INK),
        },
        legend: { symbolType, symbolOpacity: 1 },
      },
      strokeDash: {
        field: "split",
        type: "nominal",
        title: null,
        scale: {
          domain: splits,
          range: splits.map((split) => DASHES[SPLITS.indexOf(split)] ?? []),
        },
        legend: {
          symbolType,
          symbolStrokeColor: INK,
          symbolOpacity: 1,
        },
      },
      opacity: whenChosen(1),
    },
  };
}

/** Curves of one epoch: circles, and bars where others have bands. */
function pointLayers(
  series: readonly Series[],
  { scale, quantity }: CurveLayersOptions,
): Spec[] {
  if (!series.some(isPoint)) return [];
  const data = { name: "mean" };
  const points: Spec = { filter: "datum.point" };
  const common: Spec = {
    x: { field: "epoch", type: "quantitative" },
    color: COLOR_KEY,
    strokeDash: { field: "split", type: "nominal" },
    opacity: whenChosen(1),
  };
  return [
    {
      data,
      transform: [points, ...bandTransform(scale, limitsOf(quantity))],
      mark: { type: "rule", strokeWidth: 1, aria: false },
      encoding: {
        ...common,
        y: { field: "low", type: "quantitative" },
        y2: { field: "high" },
      },
    },
    {
      data,
      transform: [points],
      mark: { type: "point", size: 60, strokeWidth: 1.4 },
      encoding: {
        ...common,
        y: { field: "mean", type: "quantitative" },
      },
    },
  ];
}

/** The line, and its name at the right, above it. */
function baselineLayers(
  baseline: Baseline | undefined,
  series: readonly Series[],
): Spec[] {
  if (baseline === undefined) return [];
  const last = Math.max(
    ...series.map(({ start, mean }) => start + mean.length - 1),
  );
  const data = {
    values: [{ baseline: baseline.value, epoch: last, text: baseline.label }],
  };
  const y = { field: "baseline", type: "quantitative" };
  return [
    {
      data,
      mark: {
        type: "rule",
        strokeWidth: 0.8,
        strokeDash: [1, 2],
        color: MUTED,
        tooltip: baseline.label,
      },
      encoding: { y },
    },
    // Twice, first in broad white, so that it can be read on curves.
    ...HALOS.map((halo): Spec => ({
      data,
      mark: {
        type: "text",
        align: "right",
        baseline: "bottom",
        dy: -2,
        fontSize: 8,
        color: MUTED,
        ...halo,
        aria: Object.keys(halo).length === 0,
      },
      encoding: {
        x: { field: "epoch", type: "quantitative" },
        y,
        text: { field: "text", type: "nominal" },
      },
    })),
  ];
}

/** The point next to the mouse, with its numbers. */
function hoverLayer(quantity: string): Spec {
  return {
    name: HOVER,
    data: { name: "mean" },
    transform: [{ filter: { and: [{ param: "label" }, { param: "split" }] } }],
    params: [{
      name: "near",
      select: {
        type: "point",
        nearest: true,
        on: "pointerover",
        clear: "pointerout",
      },
    }],
    mark: { type: "point", filled: true, size: 24, aria: false },
    encoding: {
      x: { field: "epoch", type: "quantitative" },
      y: { field: "mean", type: "quantitative" },
      color: COLOR_KEY,
      opacity: {
        condition: { param: "near", empty: false, value: 1 },
        value: 0,
      },
      tooltip: [
        { field: "label", title: "label" },
        { field: "split", title: "data" },
        { field: "epoch", title: "epoch", type: "quantitative" },
        {
          field: "mean",
          title: `mean ${quantity}`,
          type: "quantitative",
          format: ".5~g",
        },
        {
          field: "sd",
          title: "standard deviation",
          type: "quantitative",
          format: ".3~g",
        },
        { field: "n", title: "runs", type: "quantitative" },
      ],
    },
  };
}
