/**
 * All that is made of results folders: figures that a notebook shows, or a
 * folder of figures, statistics and a report.
 *
 * @module
 */

import { compareLabels } from "../analysis/compare.ts";
import type { LabelledResults } from "../analysis/match.ts";
import type { Comparison } from "../analysis/comparison.ts";
import { formatStatisticsCsv } from "../analysis/tables.ts";
import { InputError } from "../files/input_error.ts";
import {
  type DrawFiguresOptions,
  FIGURE_KINDS,
  planFigures,
} from "./build_figures.ts";
import type { Figure } from "./figure.ts";
import {
  DEFAULT_FORMATS,
  missingLetters,
  openFigureFolder,
  type WriteOptions,
} from "./write_figures.ts";

export interface DrawResultsOptions extends DrawFiguresOptions, WriteOptions {
  /** Margin of equivalence; default as of `compareLabels`. */
  readonly margin?: number | undefined;
  /** Whether every label is compared with every other one. */
  readonly allPairs?: boolean | undefined;
}

interface DrawnResults {
  /** Names of files, in the order in which they were written. */
  readonly files: readonly string[];
  /** From `compareLabels`. */
  readonly comparisons: readonly Comparison[];
  /** One sentence each: what was left out. */
  readonly warnings: readonly string[];
}

const STATISTICS = "statistics.csv";
const REPORT = "report.html";

/**
 * Draws and compares results, and writes everything to a folder, or the kinds
 * of figures, or the combination, that is asked for, without statistics.
 *
 * @param folders Results and their labels; the others are compared with the first.
 * @throws {InputError} If a file is damaged or can't be written, would replace somebody else's, or there is no such combination.
 */
export async function drawResults(
  folders: readonly LabelledResults[],
  options: DrawResultsOptions,
): Promise<DrawnResults> {
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
  for (const { build } of planned) {
    const { figure, warnings: leftOut } = build();
    warnings.push(...leftOut);
    if (figure === undefined) continue;
    drawn++;
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
  return planned.flatMap(({ build }) => build().figure ?? []);
}
