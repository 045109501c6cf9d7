/**
 * Figures that a notebook shows as they are.
 *
 * @module
 */

import type { LabelledResults } from "../analysis/compare.ts";
import {
  buildFigures,
  FIGURE_KINDS,
  type FigureKind,
} from "./build_figures.ts";
import type { Task } from "../tasks/task.ts";
import type { Trials } from "../tasks/trial_set.ts";
import { networksOf } from "./draw_results.ts";
import type { Figure } from "./figure.ts";
import type { FigureWidth } from "./theme.ts";
import { trialFigure } from "./trial_figure.ts";

/** Which figures to draw, and how. */
export interface DrawFiguresOptions {
  /** Default all: overviews of the grid, box plots, curves, matrices of weights. */
  readonly kinds?: readonly FigureKind[];
  /** Only the curves of the combination with this number; by default of all. */
  readonly combination?: number;
  /** The loss's name on axes; by default that of the task's loss. */
  readonly ylabel?: string;
  /** Print width, one column (85 mm) or two (175 mm); by default one for curves, two for the others. */
  readonly width?: FigureWidth;
}

/**
 * Draws results that are compared: a Vega-Lite specification a figure. As the
 * last value of a notebook's cell, a figure is shown; elsewhere its `spec` is
 * what https://vega.github.io/editor opens. Matrices are drawn of results that
 * lie in a folder.
 *
 * @param folders Results and their labels, in the order of the legend.
 * @returns The figures; there is one of each kind at least, where there is something to draw.
 * @throws {InputError} If a file of a results folder is damaged.
 *
 * @example
 * ```ts
 * import { drawFigures, prepare, train } from "@biornn/biornn";
 *
 * const overrides = { epochs: 3 };
 * const prepared = await prepare("config/quickstart.ini", { overrides });
 * const { results } = await train(prepared);
 * const [overview] = await drawFigures([{ label: "bio", results }], {
 *   kinds: ["overview"],
 * });
 * overview?.spec; // Vega-Lite
 * ```
 */
export async function drawFigures(
  folders: readonly LabelledResults[],
  options: DrawFiguresOptions = {},
): Promise<Figure[]> {
  const { kinds = FIGURE_KINDS, combination } = options;
  const { figures } = buildFigures(folders, {
    ...options,
    kinds,
    networks: kinds.includes("networks")
      ? await networksOf(folders, combination)
      : [],
  });
  return figures.map(shown);
}

/**
 * Draws what a task shows and asks: the first and the last of some trials, time
 * to the right, above a row an input, below the targets.
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
export function drawTrials(task: Task, trials: Trials): Figure {
  return shown(trialFigure(task, trials));
}

/** The type of Vega-Lite in JupyterLab, whose renderer knows what we use of version 6. */
const VEGA_LITE = "application/vnd.vegalite.v5+json";

/** The figure, with what Deno's Jupyter kernel shows of it. */
function shown(figure: Figure): Figure {
  const display = () => ({
    [VEGA_LITE]: figure.spec,
    "text/plain": `${figure.title}: ${figure.caption}`,
  });
  return Object.defineProperty(
    { ...figure },
    Symbol.for("Jupyter.display"),
    { value: display },
  );
}
