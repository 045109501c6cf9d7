/**
 * What a task shows and asks: the inputs and targets of two trials over time.
 *
 * @module
 */

import { namesOfInputs, type Task, type Trials } from "../tasks/task.ts";
import { type Figure, makeFigure, type Spec } from "./figure.ts";
import { DIVERGING, FIGURE_PIXELS } from "./theme.ts";

/** Room for the names of inputs and, beside them, the legend. */
const MARGIN_PIXELS = 190;
/** More inputs than these are not named. */
const MOST_NAMES = 60;

/**
 * Draws the first and the last of some trials side by side, time to the right:
 * above, a row an input; below, the targets (numbers as colours, classes as
 * numbers), in grey where nothing is scored.
 */
export function trialFigure(
  task: Pick<Task, "name" | "description" | "inputNames" | "loss">,
  { trialCount, steps: T, inputSize: I, inputs, targets }: Trials,
): Figure {
  const names = namesOfInputs(task, I);
  const shown = [...new Set([0, trialCount - 1])];
  const rows = shown.flatMap((trial, place) =>
    Array.from({ length: T * I }, (_, k) => ({
      trial: place,
      t: 1 + Math.floor(k / I),
      input: names[k % I]!,
      value: inputs[trial * T * I + k]!,
    }))
  );
  const asked = shown.flatMap((trial, place) =>
    Array.from({ length: T }, (_, t) => ({
      trial: place,
      t: t + 1,
      input: "target",
      value: targets[trial * T + t]!,
    }))
  );
  const width = FIGURE_PIXELS[178];
  const each = Math.floor((width - MARGIN_PIXELS) / shown.length);
  const most = [...rows, ...(task.loss === "mse" ? asked : [])]
    .reduce((m, { value }) => Math.max(m, Math.abs(value)), 0);
  const color: Spec = {
    field: "value",
    type: "quantitative",
    title: "value",
    scale: { domain: [-most, most], range: [...DIVERGING] },
  };
  const scored: Spec = { transform: [{ filter: "datum.value !== 0" }] };
  const x: Spec = { field: "t", type: "ordinal", title: "time step" };
  const axis = I <= MOST_NAMES ? {} : { labels: false, ticks: false };
  const panel = (place: number): Spec => ({
    vconcat: [{
      width: each,
      height: Math.max(24 * Math.min(I, 12), 60),
      data: { values: rows.filter(({ trial }) => trial === place) },
      mark: "rect",
      encoding: {
        x: { ...x, axis: null },
        y: {
          field: "input",
          type: "ordinal",
          sort: names,
          title: I <= MOST_NAMES ? null : `${I} inputs`,
          axis: place === 0 ? axis : null,
        },
        color,
      },
    }, {
      width: each,
      height: 24,
      data: { values: asked.filter(({ trial }) => trial === place) },
      encoding: {
        x: { ...x, axis: { labelAngle: 0, labelOverlap: true } },
        y: {
          field: "input",
          type: "ordinal",
          title: null,
          axis: place === 0 ? {} : null,
        },
      },
      layer: [
        { mark: { type: "rect", color: "#dddddd" } },
        ...(task.loss === "mse"
          ? [{ ...scored, mark: "rect", encoding: { color } }]
          : [{ ...scored, mark: { type: "rect", color: "#ffffff" } }, {
            ...scored,
            mark: { type: "text", fontSize: each / T < 14 ? 6 : 9 },
            encoding: { text: { field: "value" } },
          }]),
      ],
    }],
    spacing: 4,
  });
  return {
    name: `trial_${task.name}`,
    ...makeFigure({
      section: "overview",
      title: `Trials of ${task.name}`,
      caption: `${task.name}: ${
        task.description ?? "a task"
      }. The first and the last of ${trialCount} trials; grey: not scored.`,
      width,
    }, {
      title: { text: `${task.name}: ${task.description ?? ""}` },
      hconcat: shown.map((_, place) => panel(place)),
      spacing: 16,
    }),
  };
}
