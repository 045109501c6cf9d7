/**
 * From results folders to all their figures.
 *
 * @module
 */

import {
  baselineOf,
  type Quantity,
  quantityTitle,
  taskFacts,
} from "../analysis/baseline.ts";
import type { LabelledResults } from "../analysis/compare.ts";
import type { Comparison } from "../analysis/comparison.ts";
import {
  combinationName,
  matchCombinations,
  type MatchedCombination,
} from "../analysis/match.ts";
import { type RunSummary, summarizeResults } from "../analysis/summary.ts";
import { boxFigure } from "./box_figure.ts";
import { curveFigure, type LeftOutCurve } from "./curve_figure.ts";
import { effectFigure } from "./effect_figure.ts";
import type { Figure } from "./figure.ts";
import {
  combinationFileName,
  drawnLabels,
  fileName,
  uniqueNames,
} from "./names.ts";
import { networkFigure } from "./network_figure.ts";
import { overviewFigure } from "./overview_figure.ts";
import type { Networks } from "./read_networks.ts";
import type { RunValue } from "./layers.ts";
import { minimumFigure } from "./minimum_figure.ts";
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
  /** From `compareLabels`, for the forest plot. */
  readonly comparisons?: readonly Comparison[];
}

/** A figure that is made when it is needed: hundreds at once would fill the memory. */
export interface PlannedFigure {
  /** As of `Figure`. */
  readonly name: string;
  /** The figure, unless there is nothing to draw, and a sentence for each curve that it leaves out. */
  readonly build: () => {
    readonly figure: Figure | undefined;
    readonly warnings: readonly string[];
  };
}

/** The figures, and a sentence for each curve that is not drawn. */
export interface BuiltFigures {
  readonly figures: readonly Figure[];
  readonly warnings: readonly string[];
}

interface Context extends BuildFiguresOptions {
  readonly folders: readonly LabelledResults[];
  /** Labels as they were given, and as figures have them. */
  readonly names: readonly string[];
  readonly labels: readonly string[];
  readonly combinations: readonly MatchedCombination[];
}

/**
 * Makes the figures of results that are compared.
 *
 * @param folders Results and their labels, in the order of the legend.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "@biornn/biornn";
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
  const built = planFigures(folders, options).map(({ build }) => build());
  return {
    figures: built.flatMap(({ figure }) => figure ?? []),
    warnings: built.flatMap(({ warnings }) => warnings),
  };
}

/** The same, a figure at a time. */
export function planFigures(
  folders: readonly LabelledResults[],
  options: BuildFiguresOptions,
): PlannedFigure[] {
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
  const has = (kind: FigureKind) => options.kinds.includes(kind);
  const planned = [
    ...(has("overview") ? overviews(context) : []),
    ...(has("boxplots") ? [boxplots(context)] : []),
    ...(has("curves") ? curves(context) : []),
    ...(has("networks") ? networks(context) : []),
  ];
  const fileNames = uniqueNames(planned.map(({ name }) => name));
  return planned.map(({ build }, i) => {
    const name = fileNames[i]!;
    return {
      name,
      build: () => {
        const { figure, warnings } = build();
        return { figure: figure && { ...figure, name }, warnings };
      },
    };
  });
}

/** A figure that leaves nothing out. */
function planned(
  name: string,
  build: () => Figure | undefined,
): PlannedFigure {
  return { name, build: () => ({ figure: build(), warnings: [] }) };
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
export function indexOf({ members }: MatchedCombination): number {
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

function overviews(context: Context): PlannedFigure[] {
  const { labels, width = "two", comparisons = [] } = context;
  const baseline = (quantity: Quantity) =>
    baselineOf(factsOf(context), quantity);
  const pages = pagesOf(context.combinations);
  const of = (quantity: Quantity) =>
    pages.map(({ combinations, shared }, page) => {
      const part = pages.length === 1 ? "" : `_${page + 1}`;
      const name = `overview_${quantity}${part}`;
      return planned(name, () =>
        overviewFigure(
          combinations.map(({ parameters, members }) => ({
            parameters,
            byLabel: members.flatMap((member, i) => {
              const curves = quantity === "loss"
                ? member?.validateLoss
                : member?.validateMetrics;
              return curves === undefined
                ? []
                : [{ label: labels[i]!, curves }];
            }),
          })),
          {
            name,
            quantity,
            axis: [shared, `validation ${titleOf(context, quantity)}`]
              .filter(Boolean).join(": "),
            labels,
            baseline: baseline(quantity),
            width,
          },
        ));
    });
  const minimum = planned(
    "overview_minimum",
    () =>
      minimumFigure(valuesOf(context, (run) => run.loss?.minLoss), {
        name: "overview_minimum",
        quantity: `minimum validation ${titleOf(context, "loss")}`,
        labels,
        baseline: baseline("loss"),
        width,
      }),
  );
  const effects = planned(
    "effects",
    () => effectFigure(renamed(comparisons, context), { labels, width }),
  );
  return [
    ...of("loss"),
    ...of("accuracy"),
    minimum,
    ...(comparisons.length === 0 ? [] : [effects]),
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

function boxplots(context: Context): PlannedFigure {
  return planned("boxplots", () => {
    const loss = titleOf(context, "loss");
    return boxFigure([
      {
        title: `minimum validation ${loss}`,
        runs: valuesOf(context, (run) => run.loss?.minLoss),
      },
      {
        title: "epoch of the minimum",
        epochs: true,
        runs: valuesOf(context, (run) => run.loss?.minLossEpoch),
      },
      {
        title:
          "epoch at which the loss came within 1 % of its range above the minimum",
        epochs: true,
        runs: valuesOf(context, (run) => run.loss?.epoch99),
      },
      {
        title: "final validation accuracy (%)",
        runs: valuesOf(context, (run) => run.finalAccuracy),
      },
    ], { labels: context.labels, width: context.width ?? "two" });
  });
}

function curves(context: Context): PlannedFigure[] {
  const { combinations, combination } = context;
  return combinations.filter((match) =>
    combination === undefined || indexOf(match) === combination
  ).flatMap((match) =>
    (["loss", "accuracy"] as const).flatMap((quantity) => {
      const has = match.members.some((member) =>
        quantity === "loss" ||
        (member?.trainMetrics ?? member?.validateMetrics) !== undefined
      );
      return has ? [curvesOf(match, { context, quantity })] : [];
    })
  );
}

function curvesOf(
  match: MatchedCombination,
  { context, quantity }: { context: Context; quantity: Quantity },
): PlannedFigure {
  const { members, title, parameters } = match;
  const { labels, width = "one" } = context;
  const name = combinationFileName(quantity, {
    index: indexOf(match),
    parameters,
  });
  return {
    name,
    build: () => {
      const { figure, leftOut } = curveFigure(
        members.flatMap((member, i) => {
          if (member === undefined) return [];
          const [training, validation] = quantity === "loss"
            ? [member.trainLoss, member.validateLoss]
            : [member.trainMetrics, member.validateMetrics];
          return [{
            label: labels[i]!,
            ...(training === undefined ? {} : { training }),
            ...(validation === undefined ? {} : { validation }),
          }];
        }),
        {
          name,
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
        warnings: leftOut.map((curve) =>
          leftOutSentence(curve, match, quantity)
        ),
      };
    },
  };
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

function networks(
  { folders, networks = [], combinations, combination, width }: Context,
): PlannedFigure[] {
  const match = combination === undefined
    ? combinations[0]
    : combinations.find((one) => indexOf(one) === combination);
  return folders.flatMap(({ label, results }, i) => {
    const matrices = networks[i];
    if (matrices === undefined || match === undefined) return [];
    const name = fileName("networks", [label]);
    return [{
      name,
      build: () => ({
        figure: networkFigure(matrices, {
          name,
          label,
          combination: match.title,
          randomized: results.experiment?.randomW === true,
          regionNames: results.experiment?.connectome.regionNames ?? [],
          width: width ?? "two",
        }),
        warnings: matrices.undrawnNeurons === undefined ? [] : [
          `${label}: the network has ${matrices.undrawnNeurons} neurons, too many to be drawn one by one; it and its weights are not drawn`,
        ],
      }),
    }];
  });
}
