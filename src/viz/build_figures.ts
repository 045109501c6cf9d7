/**
 * From results folders to all their figures.
 *
 * @module
 */

import {
  baselineOf,
  type Quantity,
  quantityTitle,
  type RunSummary,
  summarizeResults,
  taskFacts,
} from "../analysis/summary.ts";
import {
  combinationName,
  type LabelledResults,
  matchCombinations,
  type MatchedCombination,
} from "../analysis/match.ts";
import type { Comparison } from "../analysis/comparison.ts";
import type { CombinationResult } from "../results/results_folder.ts";
import {
  curveFigure,
  type LeftOutCurve,
  overviewFigure,
} from "./curve_figures.ts";
import { type Drawing, drawnLabels, type Figure } from "./figure.ts";
import {
  effectFigure,
  type MeasureChange,
  measureFigure,
} from "./dot_figures.ts";
import { networkFigure, readNetworks } from "./network_figure.ts";
import { boxFigure, minimumFigure, type RunValue } from "./run_figures.ts";
import type { FigureWidth } from "./theme.ts";
import { combinationFileName, fileName, uniqueNames } from "./write_figures.ts";

/** Kinds of figures that can be asked for. */
export const FIGURE_KINDS = [
  "overview",
  "boxplots",
  "curves",
  "networks",
  "measures",
] as const;

/** One of them. */
export type FigureKind = typeof FIGURE_KINDS[number];

/** Which figures to draw, and how. */
export interface DrawFiguresOptions {
  /** Default all: overviews of the grid, box plots, curves, matrices of weights, what null models changed. */
  readonly kinds?: readonly FigureKind[] | undefined;
  /** Only the curves of the combination that has this number in the first folder that has it; by default of all. */
  readonly combination?: number | undefined;
  /** The loss's name on axes; by default that of the task's loss. */
  readonly ylabel?: string | undefined;
  /** Print width in mm, of one column of a journal or two; by default one for curves, two for the others. */
  readonly width?: FigureWidth | undefined;
}

/** What `compareLabels` says, for the forest plot. */
interface Compared {
  readonly comparisons?: readonly Comparison[];
}

/** What was drawn, and a sentence for each curve that was not. */
interface Built {
  readonly figure: Drawing | undefined;
  readonly warnings: readonly string[];
}

/** A figure that is made when it is needed: hundreds at once would fill the memory. */
interface PlannedFigure {
  /** As of `Figure`. */
  readonly name: string;
  /** The figure, unless there is nothing to draw, and a sentence for each curve that it leaves out. */
  readonly build: () => Built & { readonly figure: Figure | undefined };
}

/** One that has no file of its own yet. */
type Plan = readonly [name: string, build: () => Built];

interface Context extends DrawFiguresOptions, Compared {
  readonly folders: readonly LabelledResults[];
  /** Labels as they were given, and as figures have them. */
  readonly names: readonly string[];
  readonly labels: readonly string[];
  readonly combinations: readonly MatchedCombination[];
}

/**
 * Plans the figures of results that are compared, and reads what they need
 * besides the curves.
 *
 * @param folders Results and their labels, in the order of the legend.
 * @throws {InputError} If a file of a results folder is damaged.
 */
export async function planFigures(
  folders: readonly LabelledResults[],
  options: DrawFiguresOptions & Compared,
): Promise<PlannedFigure[]> {
  const { combinations } = matchCombinations(
    folders.map(({ results }) => results),
  );
  const names = folders.map(({ label }) => label);
  const labels = drawnLabels(names);
  const context: Context = {
    ...options,
    folders: folders.map(({ results }, i) => ({ results, label: labels[i]! })),
    names,
    labels,
    combinations,
  };
  const { kinds = FIGURE_KINDS } = options;
  const has = (kind: FigureKind) => kinds.includes(kind);
  const plans = [
    ...(has("overview") ? overviews(context) : []),
    ...(has("boxplots") ? [boxplots(context)] : []),
    ...(has("curves") ? curves(context) : []),
    ...(has("networks") ? await networks(context) : []),
    ...(has("measures") ? measures(context) : []),
  ];
  const fileNames = uniqueNames(plans.map(([name]) => name));
  return plans.map(([, build], i) => {
    const name = fileNames[i]!;
    return {
      name,
      build: () => {
        const { figure, warnings } = build();
        return { figure: figure && { name, ...figure }, warnings };
      },
    };
  });
}

/** A figure that leaves nothing out. */
function whole(name: string, build: () => Drawing | undefined): Plan {
  return [name, () => ({ figure: build(), warnings: [] })];
}

/** What the folders that have a combination say of their task, which may be different ones. */
function factsOf({ folders }: Context, match?: MatchedCombination) {
  return taskFacts(
    folders.filter((_, i) => match?.members[i] !== undefined || !match)
      .map(({ results }) => results),
    match?.parameters,
  );
}

function titleOf(
  context: Context,
  quantity: Quantity,
  match?: MatchedCombination,
): string {
  return quantity === "loss" && context.ylabel !== undefined
    ? context.ylabel
    : quantityTitle(factsOf(context, match), quantity);
}

/** Number of a combination, where it occurs first. */
function indexOf({ members }: MatchedCombination): number {
  return members.find((member) => member !== undefined)?.index ?? 0;
}

/** The runs of all labels that have a value. */
function valuesOf(
  { folders, combinations }: Context,
  valueOf: (run: RunSummary) => number | undefined,
): RunValue[] {
  return folders.flatMap(({ label, results }, f) => {
    const matches = new Map(
      combinations.flatMap((match) => {
        const member = match.members[f];
        return member === undefined ? [] : [[member.index, match] as const];
      }),
    );
    return summarizeResults(results).runs.flatMap((run) => {
      const value = valueOf(run);
      const match = matches.get(run.combination);
      if (value === undefined || match === undefined) return [];
      const { title: combination, parameters } = match;
      return [{
        label,
        combination,
        parameters,
        iteration: run.iteration,
        value,
      }];
    });
  });
}

/** More panels are more than a page holds, and than a picture's memory. */
const MOST_ON_A_PAGE = 120;

/** Combinations that share an overview, and what they have in common where there are several. */
interface Page {
  readonly combinations: readonly MatchedCombination[];
  readonly shared: string;
}

/** As few pages as fit, each of one value of the first keys. */
function pagesOf(combinations: readonly MatchedCombination[]): Page[] {
  const keys = Object.keys(combinations[0]?.parameters ?? {});
  for (let count = 0;; count++) {
    const pages = Map.groupBy(
      combinations,
      ({ parameters }) =>
        count === 0 ? "" : combinationName(parameters, keys.slice(0, count)),
    );
    const most = Math.max(...[...pages.values()].map(({ length }) => length));
    if (most <= MOST_ON_A_PAGE || count === keys.length) {
      return [...pages].map(([shared, combinations]) => ({
        combinations,
        shared,
      }));
    }
  }
}

function curvesIn(member: CombinationResult | undefined, quantity: Quantity) {
  const [training, validation] = quantity === "loss"
    ? [member?.trainLoss, member?.validateLoss]
    : [member?.trainMetrics, member?.validateMetrics];
  return {
    ...(training && { training }),
    ...(validation && { validation }),
  };
}

function overviews(context: Context): Plan[] {
  const { labels, width = 178, comparisons = [] } = context;
  const baseline = (quantity: Quantity) =>
    baselineOf(factsOf(context), quantity);
  const pages = pagesOf(context.combinations);
  const of = (quantity: Quantity) =>
    pages.map(({ combinations, shared }, page) =>
      whole(
        `overview_${quantity}${pages.length === 1 ? "" : `_${page + 1}`}`,
        () =>
          overviewFigure(
            combinations.map(({ parameters, members }) => ({
              parameters,
              byLabel: members.flatMap((member, i) => {
                const curves = curvesIn(member, quantity).validation;
                return curves === undefined
                  ? []
                  : [{ label: labels[i]!, curves }];
              }),
            })),
            {
              quantity,
              axis: [shared, `validation ${titleOf(context, quantity)}`]
                .filter(Boolean).join(": "),
              labels,
              baseline: baseline(quantity),
              width,
            },
          ),
      )
    );
  return [
    ...of("loss"),
    ...of("accuracy"),
    whole(
      "overview_minimum",
      () =>
        minimumFigure(valuesOf(context, (run) => run.loss?.minLoss), {
          axis: `minimum validation ${titleOf(context, "loss")}`,
          labels,
          baseline: baseline("loss"),
          width,
        }),
    ),
    ...(comparisons.length === 0 ? [] : [
      whole(
        "effects",
        () => effectFigure(renamed(comparisons, context), { labels, width }),
      ),
    ]),
  ];
}

/** The comparisons with the labels as figures have them. */
function renamed(
  rows: readonly Comparison[],
  { labels, names }: Context,
): Comparison[] {
  const drawn = (label: string) => labels[names.indexOf(label)] ?? label;
  return rows.map((row) => ({
    ...row,
    reference: { ...row.reference, label: drawn(row.reference.label) },
    other: { ...row.other, label: drawn(row.other.label) },
  }));
}

function boxplots(context: Context): Plan {
  const of = (
    title: string,
    valueOf: (run: RunSummary) => number | undefined,
    epochs = false,
  ) => ({ title, epochs, runs: valuesOf(context, valueOf) });
  return whole("boxplots", () =>
    boxFigure([
      of(
        `minimum validation ${titleOf(context, "loss")}`,
        (run) => run.loss?.minLoss,
      ),
      of("epoch of the minimum", (run) => run.loss?.minLossEpoch, true),
      of(
        "epoch at which the loss came within 1 % of its range above the minimum",
        (run) => run.loss?.epoch99,
        true,
      ),
      of("final validation accuracy (%)", (run) => run.finalAccuracy),
    ], { labels: context.labels, width: context.width ?? 178 }));
}

function curves(context: Context): Plan[] {
  const { combinations, combination } = context;
  return combinations.filter((match) =>
    combination === undefined || indexOf(match) === combination
  ).flatMap((match) =>
    (["loss", "accuracy"] as const).filter((quantity) =>
      match.members.some((member) =>
        Object.keys(curvesIn(member, quantity)).length > 0
      )
    ).map((quantity) => curvesOf(match, { context, quantity }))
  );
}

function curvesOf(
  match: MatchedCombination,
  { context, quantity }: { context: Context; quantity: Quantity },
): Plan {
  const { members, title, parameters } = match;
  const { labels, width = 85 } = context;
  const name = combinationFileName(quantity, {
    index: indexOf(match),
    parameters,
  });
  return [name, () => {
    const { figure, leftOut } = curveFigure(
      members.map((member, i) => ({
        label: labels[i]!,
        ...curvesIn(member, quantity),
      })),
      {
        title,
        quantity,
        axis: titleOf(context, quantity, match),
        labels,
        baseline: baselineOf(factsOf(context, match), quantity),
        width,
      },
    );
    return {
      figure,
      warnings: leftOut.map((run) => leftOutSentence(run, match, quantity)),
    };
  }];
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

/** Matrices of one combination, which folders may number differently; results that lie in no folder have none. */
async function networks(
  { folders, combinations, combination, width = 178 }: Context,
): Promise<Plan[]> {
  const match = combinations.find((one) =>
    combination === undefined || indexOf(one) === combination
  );
  const plans: Plan[] = [];
  for (const [i, { label, results }] of folders.entries()) {
    const member = match?.members[i];
    if (match === undefined || member === undefined || results.path === "") {
      continue;
    }
    const matrices = await readNetworks(results.path, {
      combination: member.index,
    });
    const { undrawnNeurons } = matrices;
    plans.push([fileName("networks", [label]), () => ({
      figure: networkFigure(matrices, {
        label,
        combination: match.title,
        randomized: results.experiment?.randomW === true,
        regionNames: results.experiment?.connectome.regionNames ?? [],
        width,
      }),
      warnings: undrawnNeurons === undefined ? [] : [
        `${label}: the network has ${undrawnNeurons} neurons, too many to be drawn one by one; it and its weights are not drawn`,
      ],
    })]);
  }
  return plans;
}

/** What null models changed, of folders that say so; what runs measured is compared with the biological network of the same connectome. */
function measures({ folders, labels, width = 178 }: Context): Plan[] {
  const changes: MeasureChange[] = [];
  for (const { label, results } of folders) {
    if (results.experiment?.randomW !== true) continue;
    for (const one of results.nullMeasures ?? []) {
      // Density tells the same.
      if (one.measure !== "connections") changes.push({ label, ...one });
    }
    const { connectome } = results.experiment;
    const biological = folders.find(({ results: { experiment } }) =>
      experiment?.randomW === false &&
      experiment.connectome.sha256 === connectome.sha256
    )?.results.runMeasures;
    for (const [measure, random] of results.runMeasures ?? []) {
      const value = biological?.get(measure);
      if (value === undefined) continue;
      changes.push({ label, measure, biological: value, random });
    }
  }
  return changes.length === 0
    ? []
    : [whole("measures", () => measureFigure(changes, { labels, width }))];
}
