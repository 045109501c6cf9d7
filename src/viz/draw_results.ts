/**
 * All that is made of results folders: figures that a notebook shows, or a
 * folder of figures, statistics and a report.
 *
 * @module
 */

import { compareLabels } from "../analysis/compare.ts";
import type { Comparison } from "../analysis/comparison.ts";
import {
  combinationName,
  type LabelledResults,
  matchCombinations,
  type MatchedCombination,
} from "../analysis/match.ts";
import {
  baselineOf,
  type Quantity,
  quantityTitle,
  type RunNumber,
  summarizeResults,
  taskFacts,
} from "../analysis/summary.ts";
import { formatStatisticsCsv } from "../analysis/tables.ts";
import { InputError } from "../files/input_error.ts";
import { curveFigure, curvesIn, overviewFigure } from "./curve_figures.ts";
import {
  effectFigure,
  type MeasureChange,
  measureFigure,
} from "./dot_figures.ts";
import {
  type Drawing,
  drawnLabels,
  type Figure,
  type FigureWidth,
} from "./figure.ts";
import { networkFigure, readNetworks } from "./network_figure.ts";
import { boxFigure, minimumFigure, type RunValue } from "./run_figures.ts";
import {
  combinationFileName,
  DEFAULT_FORMATS,
  fileName,
  missingLetters,
  openFigureFolder,
  uniqueNames,
  type WriteOptions,
} from "./write_figures.ts";

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

/** A figure that is made when it is needed: hundreds at once would fill the memory. */
interface Plan extends Pick<Figure, "name"> {
  /** The figure, unless there is nothing to draw; a sentence for each curve that it leaves out is added to the warnings. */
  readonly build: (warnings: string[]) => Drawing | undefined;
}

interface Context extends DrawFiguresOptions {
  /** With their labels as figures have them. */
  readonly folders: readonly LabelledResults[];
  readonly labels: readonly string[];
  readonly combinations: readonly MatchedCombination[];
  /** From `compareLabels`, for the forest plot. */
  readonly comparisons: readonly Comparison[];
}

const PLANNERS: Readonly<
  Record<FigureKind, (context: Context) => readonly Plan[] | Promise<Plan[]>>
> = { overview, boxplots, curves, networks, measures };

/**
 * Plans the figures of results that are compared, and reads what they need
 * besides the curves.
 *
 * @param folders Results and their labels, in the order of the legend.
 * @throws {InputError} If a file of a results folder is damaged.
 */
export async function planFigures(
  folders: readonly LabelledResults[],
  { comparisons = [], kinds = FIGURE_KINDS, ...options }:
    & DrawFiguresOptions
    & Partial<Pick<Context, "comparisons">>,
): Promise<Plan[]> {
  const given = folders.map(({ label }) => label);
  const labels = drawnLabels(given);
  const renamed = <T extends { readonly label: string }>(one: T): T => ({
    ...one,
    label: labels[given.indexOf(one.label)] ?? one.label,
  });
  const all = folders.map(({ results }) => results);
  const context: Context = {
    ...options,
    folders: folders.map(renamed),
    labels,
    combinations: matchCombinations(all).combinations,
    comparisons: comparisons.map((row) => ({
      ...row,
      reference: renamed(row.reference),
      other: renamed(row.other),
    })),
  };
  const plans: Plan[] = [];
  for (const kind of FIGURE_KINDS) {
    if (kinds.includes(kind)) plans.push(...await PLANNERS[kind](context));
  }
  const names = uniqueNames(plans.map(({ name }) => name));
  return plans.map(({ build }, i) => ({ name: names[i]!, build }));
}

/** What the folders, or those that have a combination, say of a quantity of their task, which may be different ones. */
function valueOptions(
  { folders, labels, ylabel, width }: Context,
  quantity: Quantity,
  match?: MatchedCombination,
) {
  const facts = taskFacts(
    folders.filter((_, i) => !match || match.members[i])
      .map(({ results }) => results),
    match?.parameters,
  );
  const title = quantityTitle(facts, quantity);
  return {
    axis: quantity === "loss" ? ylabel ?? title : title,
    baseline: baselineOf(facts, quantity),
    labels,
    width: width ?? (match ? 85 : 178),
  };
}

/** Number of a combination, where it occurs first. */
function indexOf({ members }: MatchedCombination): number {
  return members.find((member) => member !== undefined)?.index ?? 0;
}

/** The runs of all labels that have a value. */
function valuesOf(
  { folders, combinations }: Context,
  of: RunNumber,
): RunValue[] {
  return folders.flatMap(({ label, results }, f) => {
    const matches = new Map(
      combinations.map((match) => [match.members[f]?.index, match]),
    );
    return summarizeResults(results).runs.flatMap((run) => {
      const value = run[of];
      const match = matches.get(run.combination);
      if (value === undefined || match === undefined) return [];
      const { title: combination, parameters } = match;
      const { iteration } = run;
      return [{ label, combination, parameters, iteration, value }];
    });
  });
}

/** More panels are more than a page holds, and than a picture's memory. */
const MOST_ON_A_PAGE = 120;

/** Combinations by what those that share an overview have in common: as few pages as fit, each of one value of the first keys. */
function pagesOf(combinations: readonly MatchedCombination[]) {
  const keys = Object.keys(combinations[0]?.parameters ?? {});
  for (let count = 0;; count++) {
    const pages = Map.groupBy(
      combinations,
      ({ parameters }) =>
        count === 0 ? "" : combinationName(parameters, keys.slice(0, count)),
    );
    const most = Math.max(...pages.values().map(({ length }) => length));
    if (most <= MOST_ON_A_PAGE || count === keys.length) return [...pages];
  }
}

function overview(context: Context): Plan[] {
  const { labels, width = 178, comparisons } = context;
  const pages = pagesOf(context.combinations);
  const optionsOf = (quantity: Quantity, what: string) => {
    const { axis, ...options } = valueOptions(context, quantity);
    return { axis: `${what} ${axis}`, quantity, ...options };
  };
  const grids = (["loss", "accuracy"] as const).flatMap((quantity) =>
    pages.map(([shared, combinations], page): Plan => {
      const what = shared === "" ? "validation" : `${shared}: validation`;
      return {
        name: `overview_${quantity}${pages.length > 1 ? `_${page + 1}` : ""}`,
        build: () => overviewFigure(combinations, optionsOf(quantity, what)),
      };
    })
  );
  const minimum = () =>
    minimumFigure(
      valuesOf(context, "minLoss"),
      optionsOf("loss", "minimum validation"),
    );
  const effects = () => effectFigure(comparisons, { labels, width });
  return [
    ...grids,
    { name: "overview_minimum", build: minimum },
    ...(comparisons.length > 0 ? [{ name: "effects", build: effects }] : []),
  ];
}

function boxplots(context: Context): Plan[] {
  const { labels, width = 178 } = context;
  const loss = valueOptions(context, "loss").axis;
  const panel = (title: string, of: RunNumber, epochs = false) => ({
    title,
    epochs,
    runs: valuesOf(context, of),
  });
  const build = () =>
    boxFigure([
      panel(`minimum validation ${loss}`, "minLoss"),
      panel("epoch of the minimum", "minLossEpoch", true),
      panel(
        "epoch at which the loss came within 1 % of its range above the minimum",
        "epoch99",
        true,
      ),
      panel("final validation accuracy (%)", "finalAccuracy"),
    ], { labels, width });
  return [{ name: "boxplots", build }];
}

function curves(context: Context): Plan[] {
  const { combinations, combination, labels } = context;
  const shown = combinations.filter((match) =>
    combination === undefined || indexOf(match) === combination
  );
  return shown.flatMap((match) =>
    (["loss", "accuracy"] as const).flatMap((quantity): Plan[] => {
      const { members, title, parameters } = match;
      const all = members.map((member) => curvesIn(member, quantity));
      if (all.every((one) => Object.keys(one).length === 0)) return [];
      const build: Plan["build"] = (warnings) => {
        const options = valueOptions(context, quantity, match);
        const { figure, leftOut } = curveFigure(
          all.map((one, i) => ({ label: labels[i]!, ...one })),
          { title, quantity, ...options },
        );
        warnings.push(
          ...leftOut.map(({ label, split, iteration, reason }) =>
            `${label}: the ${split} ${quantity} of ${title}, iteration ${iteration}, ${
              reason === "constant" ? "never changes" : "is NaN or infinite"
            }; its curve is not drawn`
          ),
        );
        return figure;
      };
      const id = { index: indexOf(match), parameters };
      return [{ name: combinationFileName(quantity, id), build }];
    })
  );
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
    const { path, experiment } = results;
    const member = match?.members[i];
    if (match === undefined || member === undefined || path === "") continue;
    const matrices = await readNetworks(path, { combination: member.index });
    const build: Plan["build"] = (warnings) => {
      if (matrices.undrawnNeurons !== undefined) {
        warnings.push(
          `${label}: the network has ${matrices.undrawnNeurons} neurons, too many to be drawn one by one; it and its weights are not drawn`,
        );
      }
      const combination = match.title;
      return networkFigure(matrices, { label, combination, experiment, width });
    };
    plans.push({ name: fileName("networks", [label]), build });
  }
  return plans;
}

/** What null models changed, of folders that say so; what runs measured is compared with the biological network of the same connectome. */
function measures({ folders, labels, width = 178 }: Context): Plan[] {
  const changes = folders.flatMap(({ label, results }): MeasureChange[] => {
    const { experiment, nullMeasures = [], runMeasures = [] } = results;
    if (experiment?.randomW !== true) return [];
    const biological = folders.find(({ results: { experiment: other } }) =>
      other?.randomW === false &&
      other.connectome.sha256 === experiment.connectome.sha256
    )?.results.runMeasures;
    return [
      // Density tells the same as connections.
      ...nullMeasures.filter(({ measure }) => measure !== "connections")
        .map((one) => ({ label, ...one })),
      ...[...runMeasures].flatMap(([measure, random]) => {
        const value = biological?.get(measure);
        return value === undefined
          ? []
          : [{ label, measure, biological: value, random }];
      }),
    ];
  });
  const build = () => measureFigure(changes, { labels, width });
  return changes.length === 0 ? [] : [{ name: "measures", build }];
}

export interface DrawResultsOptions extends DrawFiguresOptions, WriteOptions {
  /** Margin of equivalence; default as of `compareLabels`. */
  readonly margin?: number | undefined;
  /** Whether every label is compared with every other one. */
  readonly allPairs?: boolean | undefined;
}

const STATISTICS = "statistics.csv";
const REPORT = "report.html";

/**
 * Draws and compares results, and writes everything to a folder, or the kinds
 * of figures, or the combination, that is asked for, without statistics.
 *
 * @param folders Results and their labels; the others are compared with the first.
 * @returns Names of the files in the order in which they were written, what was compared, and a sentence for what was left out.
 * @throws {InputError} If a file is damaged or can't be written, would replace somebody else's, or there is no such combination.
 */
export async function drawResults(
  folders: readonly LabelledResults[],
  options: DrawResultsOptions,
) {
  const { formats = DEFAULT_FORMATS, combination, ylabel = "" } = options;
  const all = options.kinds === undefined && combination === undefined;
  const compared = compareLabels(folders, options);
  const comparisons = all ? compared.rows : [];
  const planned = await planFigures(folders, {
    ...options,
    kinds: options.kinds ?? (all ? FIGURE_KINDS : ["curves"]),
    comparisons,
  });
  const hasReport = formats.includes("html");
  const folder = await openFigureFolder([
    ...(comparisons.length > 0 ? [STATISTICS] : []),
    ...(hasReport ? [REPORT] : []),
  ], { ...options, figures: planned });
  const warnings = [
    ...folders.flatMap(({ results }) => results.warnings),
    ...compared.warnings,
  ];
  if (formats.includes("png") || formats.includes("pdf")) {
    const texts = folders.flatMap(({ label, results }) => [
      label,
      ...results.combinations.map(({ title }) => title),
      ...results.experiment?.connectome.regionNames ?? [],
    ]);
    warnings.push(...await missingLetters([...texts, ylabel]));
  }
  if (comparisons.length > 0) {
    await folder.write(STATISTICS, formatStatisticsCsv(comparisons));
  }
  const report = hasReport
    ? (await import("./report.ts")).startReport()
    : undefined;
  let drawn = 0;
  for (const { name, build } of planned) {
    const drawing = build(warnings);
    if (drawing === undefined) continue;
    drawn++;
    const figure = { name, ...drawing };
    await folder.draw(figure);
    report?.add(figure);
  }
  if (drawn === 0) {
    throw new InputError(
      combination === undefined
        ? "Cannot draw the results: there is nothing of what --only asks for"
        : `Cannot draw combination ${combination}: no folder has a curve of it that can be drawn`,
    );
  }
  warnings.push(...folder.warnings);
  if (report !== undefined) {
    const content = { folders, comparisons, warnings };
    await folder.write(REPORT, await report.finish(content));
  }
  await folder.finish();
  return { files: folder.files, comparisons, warnings };
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
  const planned = await planFigures(folders, options);
  return planned.flatMap(({ name, build }) => {
    const drawing = build([]);
    return drawing ? [{ name, ...drawing }] : [];
  });
}
