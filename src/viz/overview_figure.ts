/**
 * The whole grid at a glance: validation curves as small multiples, a row a
 * kind of network and optimizer, a column a difficulty of the task.
 *
 * @module
 */

import type { Curves } from "../results/results_folder.ts";
import { type Baseline, type Quantity } from "../analysis/baseline.ts";
import { isPoint } from "./curve_series.ts";
import { FIRST_EPOCH, meanCurve, usableRuns } from "./curve_statistics.ts";
import { facetPanels, SIDES } from "./facet.ts";
import { type Figure, type Json, SCHEMA, type Spec } from "./figure.ts";
import {
  describeKeys,
  type GridLayout,
  gridLayout,
  type Parameters,
} from "./grid_layout.ts";
import {
  FIGURE_PIXELS,
  type FigureWidth,
  INK,
  labelColors,
  MUTED,
  themeConfig,
} from "./theme.ts";
import { sixDigits, thin } from "./thin.ts";
import {
  axisTitle,
  bandTransform,
  chooseScale,
  limitsOf,
  scaleProperties,
} from "./value_scale.ts";

const POINTS = 70;
const DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [4, 2],
  [1, 1.5],
  [6, 2, 1, 2],
];

/** A combination, with the curves of each label that has it. */
export interface OverviewCombination {
  readonly parameters: Parameters;
  readonly byLabel: readonly {
    readonly label: string;
    readonly curves: Curves;
  }[];
}

/** What an overview shows. */
export interface OverviewOptions {
  readonly name: string;
  readonly quantity: Quantity;
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly axis: string;
  readonly labels: readonly string[];
  readonly baseline: Baseline | undefined;
  readonly width: FigureWidth;
}

/** Where a combination stands. */
interface Place {
  readonly row: string;
  readonly column: string;
  readonly dash: string;
}

/** Up to four values of the other keys become dashes; more become rows. */
function placesOf(
  combinations: readonly OverviewCombination[],
  layout: GridLayout,
): { places: Place[]; dashes: string[] } {
  const { difficulty, kinds, others } = layout;
  const dashes = [
    ...new Set(combinations.map((c) => describeKeys(c.parameters, others))),
  ];
  const dashed = dashes.length <= DASHES.length;
  const places = combinations.map(({ parameters }) => ({
    row: describeKeys(parameters, dashed ? kinds : [...kinds, ...others]),
    column: difficulty === undefined
      ? ""
      : describeKeys(parameters, [difficulty]),
    dash: dashed ? describeKeys(parameters, others) : "",
  }));
  return { places, dashes: dashed ? dashes : [""] };
}

/**
 * Draws mean ± standard deviation of the validation curves of all combinations.
 *
 * @returns undefined where there is one combination only, or no curve.
 *
 * @example
 * ```ts
 * import { overviewFigure } from "./src/viz/overview_figure.ts";
 *
 * const curves = { iterations: 1, epochs: 3, values: Float64Array.of(3, 2, 1) };
 * overviewFigure(
 *   [2, 3].map((n_back) => ({
 *     parameters: { n_back },
 *     byLabel: [{ label: "bio", curves }],
 *   })),
 *   {
 *     name: "overview_loss",
 *     quantity: "loss",
 *     axis: "validation loss (NLL)",
 *     labels: ["bio"],
 *     baseline: undefined,
 *     width: "two",
 *   },
 * ); // one row, two columns
 * ```
 */
export function overviewFigure(
  combinations: readonly OverviewCombination[],
  options: OverviewOptions,
): Figure | undefined {
  const layout = gridLayout(combinations.map(({ parameters }) => parameters));
  const { places, dashes } = placesOf(combinations, layout);
  const drawn: number[] = [];
  const draft: { place: Place; label: string; values: DraftCurve }[] = [];
  for (const [i, { byLabel }] of combinations.entries()) {
    for (const { label, curves } of byLabel) {
      const { runs } = usableRuns(curves, {
        constants: options.quantity === "accuracy",
      });
      if (runs.length === 0) continue;
      const mean = meanCurve(runs.map(({ values }) => values));
      drawn.push(...mean.mean);
      draft.push({
        place: places[i] as Place,
        label,
        values: {
          ...mean,
          start: curves.epochs > FIRST_EPOCH ? FIRST_EPOCH : 0,
        },
      });
    }
  }
  if (combinations.length < 2 || draft.length === 0) return undefined;
  const scale = chooseScale(drawn);
  const rows = draft.flatMap(({ place, label, values }) =>
    rowsOf(values, { ...place, label })
  );
  const caption = captionOf(layout, options);
  const total = FIGURE_PIXELS[options.width];
  return {
    name: options.name,
    section: "overview",
    title: `Overview: ${options.axis}`,
    caption,
    width: total,
    spec: {
      $schema: SCHEMA,
      description: caption,
      config: themeConfig({
        legends: [options.labels, dashes.length > 1 ? dashes : []],
        width: total - SIDES,
      }) as Spec,
      // One title for all: beside each row there is no room for it.
      title: { text: axisTitle(options.axis, scale), offset: 2 },
      datasets: { mean: rows },
      data: { name: "mean" },
      ...facetPanels(places, {
        width: total,
        height: 84,
        layer: panelLayers(options, {
          scale,
          dashes,
          points: draft.some(({ values }) => isPoint(values)),
        }),
      }),
    },
  };
}

interface DraftCurve {
  readonly start: number;
  readonly n: number;
  readonly mean: Float64Array;
  readonly sd: Float64Array;
}

function rowsOf(
  { start, n, mean, sd }: DraftCurve,
  { row, column, dash, label }: Place & { label: string },
): Json[] {
  return thin(mean, POINTS).map((i) => ({
    row,
    column,
    dash,
    label,
    n,
    epoch: start + i,
    mean: sixDigits(mean[i] as number),
    sd: sixDigits(sd[i] as number),
    ...(isPoint({ mean }) ? { point: true } : {}),
  }));
}

function captionOf(
  { difficulty, kinds, others }: GridLayout,
  { axis, baseline }: OverviewOptions,
): string {
  return `${axis} against epochs, mean ± standard deviation over runs${
    kinds.length === 0 ? "" : `; rows: ${kinds.join(" and ")}`
  }${difficulty === undefined ? "" : `; columns: ${difficulty}`}${
    others.length === 0 ? "" : `; dashes: ${others.join(", ")}`
  }.${baseline === undefined ? "" : ` Dotted: ${baseline.label}.`}`;
}

function panelLayers(
  { labels, baseline, quantity }: OverviewOptions,
  { scale, dashes, points }: {
    scale: ReturnType<typeof chooseScale>;
    dashes: readonly string[];
    /** Whether there are curves of one epoch. */
    points: boolean;
  },
): Json[] {
  const y = scaleProperties(scale);
  const band = bandTransform(scale, limitsOf(quantity));
  const chosen: Spec = {
    condition: { param: "label", value: 1 },
    value: 0.05,
  };
  const x: Spec = {
    field: "epoch",
    type: "quantitative",
    title: "epoch",
    scale: { nice: false, zero: false },
    axis: { grid: false, tickCount: 4, tickMinStep: 1, format: "~d" },
  };
  const color: Spec = {
    field: "label",
    type: "nominal",
    title: null,
    scale: { domain: [...labels], range: labelColors(labels.length) },
    legend: { symbolType: "stroke" },
  };
  return [
    {
      // Of layers with a common legend, that of the first one answers clicks.
      params: [{
        name: "label",
        select: { type: "point", fields: ["label"] },
        bind: "legend",
      }],
      transform: band,
      mark: { type: "area", fillOpacity: 0.2, aria: false },
      encoding: {
        x,
        y: { field: "low", type: "quantitative" },
        y2: { field: "high" },
        color,
        detail: [{ field: "dash" }],
        opacity: chosen,
      },
    },
    {
      mark: {
        type: "line",
        strokeWidth: 1.2,
        strokeCap: "butt",
        tooltip: true,
      },
      encoding: {
        x,
        y: {
          field: "mean",
          type: "quantitative",
          title: null,
          scale: y.scale,
          axis: { tickCount: 4, ...y.axis },
        },
        color,
        strokeDash: {
          field: "dash",
          type: "nominal",
          title: null,
          scale: {
            domain: [...dashes],
            range: dashes.map((_, i) => DASHES[i] ?? [1, 0]),
          },
          legend: dashes.length < 2
            ? null
            : { symbolType: "stroke", symbolStrokeColor: INK },
        },
        opacity: chosen,
        tooltip: [
          { field: "label", title: "label" },
          { field: "row", title: "network and optimizer" },
          { field: "column", title: "task" },
          { field: "dash", title: "other" },
        ],
      },
    },
    ...(points ? pointLayers({ x, color, chosen, band }) : []),
    ...(baseline === undefined ? [] : [{
      data: { values: [{ baseline: baseline.value }] },
      mark: {
        type: "rule",
        strokeWidth: 0.8,
        strokeDash: [1, 2],
        color: MUTED,
        tooltip: baseline.label,
      },
      encoding: { y: { field: "baseline", type: "quantitative" } },
    }]),
  ];
}

/** Curves of one epoch: circles, and bars where others have bands. */
function pointLayers(
  { x, color, chosen, band }: {
    x: Spec;
    color: Spec;
    chosen: Spec;
    band: ReturnType<typeof bandTransform>;
  },
): Json[] {
  const points: Spec = { filter: "datum.point" };
  const common: Spec = { x, color, opacity: chosen };
  return [
    {
      transform: [points, ...band],
      mark: { type: "rule", strokeWidth: 1, aria: false },
      encoding: {
        ...common,
        y: { field: "low", type: "quantitative" },
        y2: { field: "high" },
      },
    },
    {
      transform: [points],
      mark: { type: "point", size: 40, strokeWidth: 1.2 },
      encoding: {
        ...common,
        y: { field: "mean", type: "quantitative" },
        strokeDash: { field: "dash", type: "nominal" },
      },
    },
  ];
}
