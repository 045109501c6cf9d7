/**
 * From results folders to all their figures.
 *
 * @module
 */

import type { LabelledResults } from "../analysis/compare.ts";
import {
  matchCombinations,
  type MatchedCombination,
} from "../analysis/match.ts";
import type { Curves } from "../results/results_folder.ts";
import { type RunSummary, summarizeResults } from "../analysis/summary.ts";
import {
  type Baseline,
  baselineOf,
  type Quantity,
  quantityTitle,
  type TaskFacts,
  taskFacts,
} from "../analysis/baseline.ts";
import { curveFigure } from "./curve_figure.ts";
import type { LeftOutCurve } from "./curve_series.ts";
import type { Figure } from "./figure.ts";
import { combinationFileName, fileName, uniqueNames } from "./file_name.ts";
import { minimumFigure } from "./minimum_figure.ts";
import { networkFigure } from "./network_figure.ts";
import { overviewFigure } from "./overview_figure.ts";
import type { Networks } from "./read_networks.ts";
import { type RunValue, summaryFigure } from "./summary_figure.ts";
import type { FigureWidth } from "./theme.ts";

/** Kinds of figures that can be asked for. */
export const FIGURE_KINDS = [
  "overview",
  "boxplots",
  "curves",
  "networks",
] as const;

/** One of them. */
export type FigureKind = typeof FIGURE_KINDS[number];

/** Which figures to make, and how. */
export interface BuildFiguresOptions {
  readonly kinds: readonly FigureKind[];
  /** Only the curves of the combination that has this number in the first folder that has it. */
  readonly combination?: number;
  /** The quantity's name on axes; default by the task's loss. */
  readonly ylabel?: string;
  /** All figures at this width; default one column for curves, two for the others. */
  readonly width?: FigureWidth;
  /** Matrices of each folder, in their order; undefined entries have no figure. */
  readonly networks?: readonly (Networks | undefined)[];
}

/** The figures, and a sentence for each curve that is not drawn. */
export interface BuiltFigures {
  readonly figures: readonly Figure[];
  readonly warnings: readonly string[];
}

interface Context extends BuildFiguresOptions {
  readonly folders: readonly LabelledResults[];
  readonly labels: readonly string[];
  readonly combinations: readonly MatchedCombination[];
  readonly facts: TaskFacts;
}

/**
 * Makes the figures of results that are compared.
 *
 * @param folders Results and their labels, in the order of the legend.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "./src/results/results_folder.ts";
 * import { buildFigures } from "./src/viz/build_figures.ts";
 *
 * const results = await readResultsFolder("results/bio");
 * const { figures } = buildFigures([{ label: "bio", results }], { kinds: ["curves"] });
 * figures[0]?.spec; // Vega-Lite
 * ```
 */
export function buildFigures(
  folders: readonly LabelledResults[],
  options: BuildFiguresOptions,
): BuiltFigures {
  const results = folders.map(({ results }) => results);
  const context: Context = {
    ...options,
    folders,
    labels: folders.map(({ label }) => label),
    combinations: matchCombinations(results).combinations,
    facts: taskFacts(results),
  };
  const has = (kind: FigureKind) => options.kinds.includes(kind);
  const runs = has("overview") || has("boxplots") ? runsOf(context) : [];
  const curves = has("curves")
    ? curveFigures(context)
    : { figures: [], warnings: [] };
  const figures = [
    ...(has("overview") ? overviewFigures(context, runs) : []),
    ...(has("boxplots") ? boxplots(context, runs) : []),
    ...curves.figures,
    ...(has("networks") ? networkFigures(context) : []),
  ];
  const warnings = has("networks") ? undrawnNetworks(context) : [];
  const names = uniqueNames(figures.map(({ name }) => name));
  return {
    figures: figures.map((figure, i) => ({
      ...figure,
      name: names[i] as string,
    })),
    warnings: [...curves.warnings, ...warnings],
  };
}

function titleOf(
  { facts, ylabel }: Pick<Context, "facts" | "ylabel">,
  quantity: Quantity,
): string {
  return quantity === "loss" && ylabel !== undefined
    ? ylabel
    : quantityTitle(facts, quantity);
}

/** Number of a combination, where it occurs first. */
export function indexOf({ members }: MatchedCombination): number {
  return members.find((member) => member !== undefined)?.index ?? 0;
}

interface PlacedRun extends RunSummary {
  readonly label: string;
  readonly match: MatchedCombination;
}

/** Summaries of all runs, with label and parameters. */
function runsOf({ folders, combinations }: Context): PlacedRun[] {
  return folders.flatMap(({ label, results }, f) => {
    const { runs } = summarizeResults(results);
    return runs.flatMap((run) => {
      const match = combinations.find(({ members }) =>
        members[f]?.index === run.combination
      );
      return match === undefined ? [] : [{ ...run, label, match }];
    });
  });
}

/** The runs that have a value. */
function valuesOf(
  runs: readonly PlacedRun[],
  valueOf: (run: RunSummary) => number | undefined,
) {
  return runs.flatMap((run) => {
    const value = valueOf(run);
    if (value === undefined) return [];
    const { label, iteration, match } = run;
    const { title, parameters } = match;
    return [{ label, combination: title, iteration, value, parameters }];
  });
}

function overviewFigures(
  context: Context,
  runs: readonly PlacedRun[],
): Figure[] {
  const { facts, labels, width = "two" } = context;
  const of = (quantity: Quantity): Figure | undefined =>
    overviewFigure(
      context.combinations.map(({ parameters, members }) => ({
        parameters,
        byLabel: members.flatMap((member, i) => {
          const curves = quantity === "loss"
            ? member?.validateLoss
            : member?.validateMetrics;
          return curves === undefined
            ? []
            : [{ label: labels[i] as string, curves }];
        }),
      })),
      {
        name: `overview_${quantity}`,
        quantity,
        axis: `validation ${titleOf(context, quantity)}`,
        labels,
        baseline: baselineOf(facts, quantity),
        width,
      },
    );
  const minimum = minimumFigure(valuesOf(runs, (run) => run.loss?.minLoss), {
    name: "overview_minimum",
    quantity: `minimum validation ${titleOf(context, "loss")}`,
    labels,
    baseline: baselineOf(facts, "loss"),
    width,
  });
  return [of("loss"), of("accuracy"), minimum].filter((one) =>
    one !== undefined
  );
}

function boxplots(context: Context, runs: readonly PlacedRun[]): Figure[] {
  const panel = (
    title: string,
    valueOf: (run: RunSummary) => number | undefined,
  ) => ({
    title,
    mayBeLog: title.includes("loss"),
    // Parameters would be repeated with every run; the combination's title says them.
    runs: valuesOf(runs, valueOf).map(
      ({ parameters: _, ...run }): RunValue => run,
    ),
  });
  const figure = summaryFigure([
    panel(
      `minimum validation ${titleOf(context, "loss")}`,
      (run) => run.loss?.minLoss,
    ),
    panel("epoch of the minimum", (run) => run.loss?.minLossEpoch),
    panel("epoch within 1 % of it", (run) => run.loss?.epoch99),
    panel("final accuracy (%)", (run) => run.finalAccuracy),
  ], { labels: context.labels, width: context.width ?? "two" });
  return figure === undefined ? [] : [figure];
}

function curveFigures(context: Context): BuiltFigures {
  const { combinations, combination } = context;
  const figures: Figure[] = [];
  const warnings: string[] = [];
  for (const match of combinations) {
    if (combination !== undefined && indexOf(match) !== combination) continue;
    for (const quantity of ["loss", "accuracy"] as const) {
      const built = curvesOf(match, { context, quantity });
      if (built.figure !== undefined) figures.push(built.figure);
      warnings.push(
        ...built.leftOut.map((curve) =>
          leftOutSentence(curve, match, quantity)
        ),
      );
    }
  }
  return { figures, warnings };
}

function leftOutSentence(
  { label, split, iteration, reason }: LeftOutCurve,
  { title }: MatchedCombination,
  quantity: Quantity,
): string {
  return `${label}: the ${split} ${quantity} of ${title}, iteration ${iteration}, ${
    reason === "constant" ? "never changes" : "is NaN or infinite"
  }; its curve is not drawn`;
}

function curvesOf(
  { members, title, parameters }: MatchedCombination,
  { context, quantity }: { context: Context; quantity: Quantity },
) {
  const { labels, width = "one" } = context;
  // A combination may be one of some folders only, and these of one task.
  const facts = taskFacts(
    context.folders.filter((_, i) => members[i] !== undefined)
      .map(({ results }) => results),
  );
  const baseline: Baseline | undefined = baselineOf(facts, quantity);
  const index = members.find((member) => member !== undefined)?.index ?? 0;
  return curveFigure(
    members.flatMap((member, i) => {
      if (member === undefined) return [];
      const [train, test]: (Curves | undefined)[] = quantity === "loss"
        ? [member.trainLoss, member.validateLoss]
        : [member.trainMetrics, member.validateMetrics];
      return [{
        label: labels[i] as string,
        ...(train === undefined ? {} : { train }),
        ...(test === undefined ? {} : { test }),
      }];
    }),
    {
      name: combinationFileName(quantity, { index, parameters }),
      title,
      quantity,
      axis: titleOf({ ...context, facts }, quantity),
      labels,
      baseline,
      width,
    },
  );
}

/** What the figures of networks leave out. */
function undrawnNetworks({ labels, networks = [] }: Context): string[] {
  return networks.flatMap((matrices, i) =>
    matrices?.undrawnNeurons === undefined ? [] : [
      `${
        labels[i]
      }: the network has ${matrices.undrawnNeurons} neurons, too many to be drawn one by one; it and its weights are not drawn`,
    ]
  );
}

function networkFigures(
  { folders, networks = [], combinations, combination, width }: Context,
): Figure[] {
  const match = combination === undefined
    ? combinations[0]
    : combinations.find((one) => indexOf(one) === combination);
  return folders.flatMap(({ label, results }, i) => {
    const matrices = networks[i];
    if (matrices === undefined || match === undefined) return [];
    const figure = networkFigure(matrices, {
      name: fileName("networks", [label]),
      label,
      combination: match.title,
      randomized: results.experiment?.randomW === true,
      regionNames: results.experiment?.connectome.regionNames ?? [],
      width: width ?? "two",
    });
    return figure === undefined ? [] : [figure];
  });
}
