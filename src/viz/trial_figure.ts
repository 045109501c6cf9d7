/**
 * What a task shows and asks: the inputs and targets of two trials over time.
 *
 * @module
 */

import { namesOfInputs, type Task, type Trials } from "../tasks/task.ts";
import { type Figure, makeFigure, type Spec } from "./figure.ts";
import { quantity } from "./layers.ts";
import { DIVERGING, FIGURE_PIXELS } from "./theme.ts";

/** Room for the names of inputs and, beside them, the legend. */
const MARGIN_PIXELS = 190;
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
  const each = Math.floor((width - MARGIN_PIXELS) / trials.length);
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
