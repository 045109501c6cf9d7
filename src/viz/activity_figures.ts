/**
 * What happens over time: what a task shows and asks, what regions do, and which
 * of them do it together.
 *
 * @module
 */

import {
  coactivation,
  type HiddenStates,
  regionMeans,
} from "../analysis/activity.ts";
import { namesOfInputs, type Task, type Trials } from "../tasks/task.ts";
import {
  DIVERGING,
  type Figure,
  FIGURE_PIXELS,
  type Json,
  makeFigure,
  NO_CONNECTION,
  SEQUENTIAL,
  type Spec,
} from "./figure.ts";
import { lines, number, quantity, text } from "./layers.ts";
import {
  cellHover,
  type MatrixAxis,
  matrixPanel,
  MOST_PIXELS,
  nameTicks,
  regionStep,
} from "./matrices.ts";
import { sixDigits } from "./series.ts";

/** What is said of the model and its trials. */
export interface ActivityFigureOptions {
  /** A name for each region. */
  readonly regionNames: readonly string[];
  /** What the model is, in a line. */
  readonly model: string;
}

/**
 * Draws what regions do over time, mean over trials, and their co-activation.
 *
 * @param states Hidden states, e.g. of `simulate()`.
 * @throws {RangeError} If the neurons can't be shared out among the regions.
 *
 * @example
 * ```ts
 * import { drawActivity } from "@biornn/biornn";
 *
 * const [activity, coactivation] = drawActivity({
 *   trialCount: 1,
 *   steps: 2,
 *   hiddenSize: 2,
 *   hidden: Float64Array.of(0, 0.5, 0.2, 0.1),
 * }, { regionNames: ["V1", "V2"], model: "an example" });
 * ```
 */
export function drawActivity(
  states: HiddenStates,
  options: ActivityFigureOptions,
): [activity: Figure, coactivation: Figure] {
  const regions = options.regionNames.length;
  return [
    activityFigure(states, options),
    coactivationFigure(coactivation(states, { regions }), options),
  ];
}

/** Tooltips are a row a cell; beyond so many cells there are none. */
const MOST_TOOLTIPS = 4096;

const NAMES_PIXELS = 74;
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
  options: ActivityFigureOptions,
): Figure {
  const { regionNames } = options;
  const regions = regionNames.length;
  const { steps, trialCount } = states;
  const means = regionMeans(states, { regions });
  const values = new Float64Array(regions * steps);
  for (let at = 0; at < means.length; at++) {
    const place = at % (steps * regions);
    const t = Math.floor(place / regions);
    values[(place % regions) * steps + t]! += means[at]! / trialCount;
  }
  const known = values.filter(Number.isFinite);
  const low = known.reduce((least, one) => Math.min(least, one), 0);
  const high = known.reduce((most, one) => Math.max(most, one), 0);
  const limit = Math.max(-low, high);
  return regionFigure(values, options, {
    name: "activity",
    title: "Mean activity of the regions",
    caption:
      `mean hidden state of each region's neurons at each time step, over ${trialCount} trials.`,
    width: FIGURE_PIXELS[85],
    legend: "mean hidden state",
    ...(low < 0
      ? { colors: DIVERGING, domain: [-limit, limit], none: DIVERGING[3]! }
      : { colors: SEQUENTIAL, domain: [0, high || 1], none: SEQUENTIAL[0]! }),
    x: {
      title: "time step",
      units: steps,
      pixels: FIGURE_PIXELS[85] - NAMES_PIXELS,
      ticks: { tickMinStep: 1, format: "d" },
    },
    y: regionAxis(regionNames, Math.min(regions * ROW_PIXELS, MOST_HEIGHT)),
    fieldsOf: (i, j) => ({ region: regionNames[i]!, step: j + 1 }),
    tooltip: [
      text("region"),
      number("step", "time step", "d"),
      number("value", "mean hidden state", ".3~g"),
    ],
  });
}

/** Co-activation of every two regions: [R, R], as `coactivation()` gives it. */
export function coactivationFigure(
  matrix: Float64Array,
  options: ActivityFigureOptions,
): Figure {
  const { regionNames } = options;
  const width = FIGURE_PIXELS[178];
  const axis = regionAxis(regionNames, width - 2 * NAMES_PIXELS);
  return regionFigure(matrix, options, {
    name: "coactivation",
    title: "Co-activation of the regions",
    caption:
      "Spearman's rank correlation of the mean activity of every two regions, over all time steps of all trials; grey: a region whose activity never changes.",
    width,
    legend: "Spearman's rank correlation",
    colors: DIVERGING,
    domain: [-1, 1],
    none: NO_CONNECTION,
    x: axis,
    y: axis,
    fieldsOf: (i, j) => ({ one: regionNames[i]!, other: regionNames[j]! }),
    tooltip: [
      text("one", "region"),
      text("other", "region"),
      number("value", "correlation", ".3~g"),
    ],
  });
}

/** Names where there is room; else numbers, from 0 as in configs and arrays. */
function regionAxis(names: readonly string[], pixels: number): MatrixAxis {
  const units = names.length;
  const ticks = nameTicks(names, { units, pixels });
  if (ticks !== undefined) return { title: "region", units, pixels, ticks };
  const step = regionStep(units);
  const values: number[] = [];
  for (let i = 0; i < units; i += step) values.push(1 + i);
  return {
    title: "number of the region",
    units,
    pixels,
    ticks: { values, labelExpr: "datum.value - 1" },
  };
}

/** @param values [R, columns of `x`], row-major. */
function regionFigure(
  values: Float64Array,
  { model, regionNames }: ActivityFigureOptions,
  { name, title, caption, width, fieldsOf, tooltip, ...panel }:
    & Pick<Figure, "name" | "title" | "caption" | "width">
    & Omit<Parameters<typeof matrixPanel>[1], "size" | "columns" | "hover">
    & {
      /** What is told of a cell beside its value. */
      readonly fieldsOf: (i: number, j: number) => Record<string, Json>;
      readonly tooltip: readonly Spec[];
    },
): Figure {
  const columns = panel.x.units;
  const cells = values.length > MOST_TOOLTIPS
    ? []
    : Array.from(values, (value, at) => {
      const [i, j] = [Math.floor(at / columns), at % columns];
      const shown = Number.isFinite(value) ? sixDigits(value) : null;
      return { i, j, value: shown, ...fieldsOf(i, j) };
    });
  // Exactly 0 is a number here, with a colour of its own.
  const drawn = values.map((value) => value === 0 ? Number.MIN_VALUE : value);
  const reduced = regionNames.length > MOST_PIXELS
    ? " A pixel shows the value of largest size among its regions."
    : "";
  const subtitle = lines(model, Math.floor(width / SIGN_PIXELS));
  return {
    name,
    ...makeFigure({
      section: "overview",
      title,
      caption: `${model}: ${caption}${reduced}`,
      width,
    }, {
      ...matrixPanel(drawn, {
        ...panel,
        size: regionNames.length,
        columns,
        hover: cells.length === 0
          ? []
          : [cellHover({ values: cells }, tooltip)],
      }),
      title: { text: title, subtitle },
    }),
  };
}

/** Room for the names of inputs and, beside them, the legend. */
const TRIAL_MARGIN_PIXELS = 190;
/** More inputs than these are not named. */
const MOST_NAMES = 60;

/**
 * Draws what a task shows and asks: the first and the last of some trials
 * side by side, time to the right: above, a row an input; below, the targets
 * (numbers as colours, classes as numbers), in grey where nothing is scored.
 *
 * @param trials E.g. of the task's `generate()`, or of a run that `buildRun()` gave.
 *
 * @example
 * ```ts
 * import { createStream, drawTrials, TASKS } from "@biornn/biornn";
 *
 * const task = TASKS.get("seq_mem")!;
 * const stream = createStream({ seed: 0, purpose: "trials" });
 * drawTrials(task, task.generate({ pattern_length: 3, nr_of_trials: 2 }, { stream }));
 * ```
 */
export function drawTrials(
  task: Pick<Task, "name" | "description" | "inputNames" | "loss">,
  { trialCount, steps: T, inputSize: I, inputs, targets }: Trials,
): Figure {
  const { name, description } = task;
  const names = namesOfInputs(task, I);
  const trials = [...new Set([0, trialCount - 1])].map((trial) => ({
    shown: Array.from({ length: T * I }, (_, k) => ({
      t: 1 + Math.floor(k / I),
      input: names[k % I]!,
      value: inputs[trial * T * I + k]!,
    })),
    asked: Array.from({ length: T }, (_, t) => ({
      t: t + 1,
      input: "target",
      value: targets[trial * T + t]!,
    })),
  }));
  const width = FIGURE_PIXELS[178];
  const each = Math.floor((width - TRIAL_MARGIN_PIXELS) / trials.length);
  const isNumber = task.loss === "mse";
  const most = trials.flatMap(({ shown, asked }) =>
    isNumber ? [...shown, ...asked] : shown
  ).reduce((m, { value }) => Math.max(m, Math.abs(value)), 0);
  const color: Spec = {
    ...quantity("value"),
    title: "value",
    scale: { domain: [-most, most], range: [...DIVERGING] },
  };
  const named = I <= MOST_NAMES;
  const x: Spec = { field: "t", type: "ordinal", title: "time step" };
  const y: Spec = { field: "input", type: "ordinal", title: null };
  const scored: Spec = { transform: [{ filter: "datum.value !== 0" }] };
  const fontSize = each / T < 14 ? 6 : 9;
  return {
    name: `trial_${name}`,
    ...makeFigure({
      section: "overview",
      title: `Trials of ${name}`,
      caption: `${name}: ${
        description ?? "a task"
      }. The first and the last of ${trialCount} trials; grey: not scored.`,
      width,
    }, {
      title: { text: `${name}: ${description ?? ""}` },
      hconcat: trials.map(({ shown, asked }, place): Spec => ({
        vconcat: [{
          width: each,
          height: Math.max(24 * Math.min(I, 12), 60),
          data: { values: shown },
          mark: "rect",
          encoding: {
            x: { ...x, axis: null },
            y: {
              ...y,
              sort: names,
              ...(!named && { title: `${I} inputs` }),
              axis: place > 0 ? null : { labels: named, ticks: named },
            },
            color,
          },
        }, {
          width: each,
          height: 24,
          data: { values: asked },
          encoding: {
            x: { ...x, axis: { labelAngle: 0, labelOverlap: true } },
            y: { ...y, axis: place > 0 ? null : {} },
          },
          layer: [
            { mark: { type: "rect", color: "#dddddd" } },
            ...(isNumber
              ? [{ ...scored, mark: "rect", encoding: { color } }]
              : [{ ...scored, mark: { type: "rect", color: "#ffffff" } }, {
                ...scored,
                mark: { type: "text", fontSize },
                encoding: { text: { field: "value" } },
              }]),
          ],
        }],
        spacing: 4,
      })),
      spacing: 16,
    }),
  };
}
