/**
 * What regions do over time, and which of them do it together, as heat maps.
 *
 * @module
 */

import { type HiddenStates, regionMeans } from "../analysis/activity.ts";
import { type Figure, type Json, makeFigure, type Spec } from "./figure.ts";
import { lines, number, text } from "./layers.ts";
import { MOST_PIXELS } from "./matrices.ts";
import {
  cellHover,
  type MatrixAxis,
  matrixPanel,
  regionStep,
  ticksOf,
} from "./network_figure.ts";
import { sixDigits } from "./series.ts";
import {
  DIVERGING,
  FIGURE_PIXELS,
  NO_CONNECTION,
  SEQUENTIAL,
} from "./theme.ts";

/** What is said of the model and its trials. */
export interface ActivityFigureOptions {
  /** A name for each region. */
  readonly regionNames: readonly string[];
  /** What the model is, in a line. */
  readonly model: string;
}

/** Tooltips are a row a cell; beyond so many cells there are none. */
const MOST_TOOLTIPS = 4096;

/** Room for an axis with its title, and with the names of regions. */
const NAMES_PIXELS = 74;
/** Room of a sign of a subtitle. */
const SIGN_PIXELS = 7;
/** Largest height of a row with a name, and of all rows. */
const ROW_PIXELS = 14;
const MOST_HEIGHT = 640;

/**
 * The mean activity of each region, a row, at each time step, a column; means over
 * its neurons and all trials.
 */
export function activityFigure(
  states: HiddenStates,
  { regionNames, model }: ActivityFigureOptions,
): Figure {
  const regions = regionNames.length;
  const { steps, trialCount } = states;
  const means = regionMeans(states, { regions });
  const values = new Float64Array(regions * steps);
  for (let at = 0; at < means.length; at++) {
    const place = at % (steps * regions);
    const t = Math.floor(place / regions);
    values[(place % regions) * steps + t]! += means[at]! / trialCount;
  }
  const { low, high } = rangeOf(values);
  const colors = low < 0
    ? {
      colors: DIVERGING,
      domain: [-Math.max(-low, high), Math.max(-low, high)] as const,
      log: false,
    }
    : { colors: SEQUENTIAL, domain: [0, high] as const, log: false };
  const width = FIGURE_PIXELS[85] - NAMES_PIXELS;
  const height = Math.min(regions * ROW_PIXELS, MOST_HEIGHT);
  return finish(
    "activity",
    {
      title: "Mean activity of the regions",
      model,
      caption:
        `${model}: mean hidden state of each region's neurons at each time step, over ${trialCount} trials.${
          reduced(regions)
        }`,
      width: FIGURE_PIXELS[85],
    },
    matrixPanel({
      legend: "mean hidden state",
      values,
      size: regions,
      columns: steps,
      none: low < 0 ? DIVERGING[3]! : SEQUENTIAL[0]!,
      colors,
      x: {
        title: "time step",
        units: steps,
        pixels: width,
        ticks: { tickMinStep: 1, format: "d" },
      },
      y: regionAxis(regionNames, height),
      hover: hoverLayer(values, {
        columns: steps,
        fields: (i, j) => ({ region: regionNames[i]!, step: j + 1 }),
        tooltip: [
          text("region"),
          number("step", "time step", "d"),
          number("value", "mean hidden state", ".3~g"),
        ],
      }),
    }),
  );
}

/** Co-activation of every two regions: [R, R], as `coactivation()` gives it. */
export function coactivationFigure(
  matrix: Float64Array,
  { regionNames, model }: ActivityFigureOptions,
): Figure {
  const regions = regionNames.length;
  const side = FIGURE_PIXELS[178] - 2 * NAMES_PIXELS;
  const axis = regionAxis(regionNames, side);
  // Exactly 0 is a number here, and has the colour between the two.
  const values = matrix.map((value) => value === 0 ? Number.MIN_VALUE : value);
  return finish(
    "coactivation",
    {
      title: "Co-activation of the regions",
      model,
      caption:
        `${model}: Spearman's rank correlation of the mean activity of every two regions, over all time steps of all trials; grey: a region whose activity never changes.${
          reduced(regions)
        }`,
      width: FIGURE_PIXELS[178],
    },
    matrixPanel({
      legend: "Spearman's rank correlation",
      values,
      size: regions,
      none: NO_CONNECTION,
      colors: { colors: DIVERGING, domain: [-1, 1], log: false },
      x: axis,
      y: axis,
      hover: hoverLayer(matrix, {
        columns: regions,
        fields: (i, j) => ({ one: regionNames[i]!, other: regionNames[j]! }),
        tooltip: [
          text("one", "region"),
          text("other", "region"),
          number("value", "correlation", ".3~g"),
        ],
      }),
    }),
  );
}

/** Names where there is room; else numbers, from 0 as in configs and arrays. */
function regionAxis(names: readonly string[], pixels: number): MatrixAxis {
  const units = names.length;
  const ticks = ticksOf(names, { units, side: pixels });
  if ("labelFontSize" in ticks) {
    return { title: "region", units, pixels, ticks };
  }
  const step = regionStep(units);
  const values = Array.from(
    { length: Math.ceil(units / step) },
    (_, i) => 1 + i * step,
  );
  return {
    title: "number of the region",
    units,
    pixels,
    ticks: { values, labelExpr: "datum.value - 1" },
  };
}

/** Where there are more regions than pixels. */
function reduced(regions: number): string {
  return regions > MOST_PIXELS
    ? " A pixel shows the value of largest size among its regions."
    : "";
}

function finish(
  name: string,
  { model, ...facts }: Pick<Figure, "title" | "caption" | "width"> & {
    readonly model: string;
  },
  panel: Spec,
): Figure {
  const subtitle = lines(model, Math.floor(facts.width / SIGN_PIXELS));
  const title = { text: facts.title, subtitle };
  return {
    name,
    ...makeFigure({ section: "overview", ...facts }, { ...panel, title }),
  };
}

function rangeOf(values: Float64Array): { low: number; high: number } {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high: high === 0 && low === 0 ? 1 : high };
}

function hoverLayer(
  values: Float64Array,
  { columns, fields, tooltip }: {
    readonly columns: number;
    readonly fields: (i: number, j: number) => Record<string, Json>;
    readonly tooltip: readonly Spec[];
  },
): Spec[] {
  if (values.length > MOST_TOOLTIPS) return [];
  const rows = Array.from(values, (value, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    const shown = Number.isFinite(value) ? sixDigits(value) : null;
    return { i, j, value: shown, ...fields(i, j) };
  });
  return [cellHover({ values: rows }, tooltip)];
}
