/**
 * All that `deno task viz` makes of results folders: figures, statistics and
 * the report.
 *
 * @module
 */

import { compareLabels, type LabelledResults } from "../analysis/compare.ts";
import type { Comparison } from "../analysis/comparison.ts";
import { matchCombinations } from "../analysis/match.ts";
import { formatStatisticsCsv } from "../analysis/tables.ts";
import { InputError } from "../files/input_error.ts";
import { type FigureKind, indexOf, planFigures } from "./build_figures.ts";
import { type Networks, readNetworks } from "./read_networks.ts";
import type { FigureWidth } from "./theme.ts";
import {
  missingLetters,
  openFigureFolder,
  type WriteOptions,
} from "./write_figures.ts";

/** What to make. */
export interface DrawResultsOptions extends WriteOptions {
  readonly kinds: readonly FigureKind[];
  readonly combination: number | undefined;
  readonly ylabel: string | undefined;
  readonly width: FigureWidth | undefined;
  /** Margin of equivalence; default as of `compareLabels`. */
  readonly margin?: number | undefined;
  /** Whether every label is compared with every other one. */
  readonly allPairs?: boolean;
  /** Whether all is wanted, statistics included. */
  readonly all: boolean;
}

/** What was made. */
export interface DrawnResults {
  /** Names of files, in the order in which they were written. */
  readonly files: readonly string[];
  /** From `compareLabels`. */
  readonly comparisons: readonly Comparison[];
  /** One sentence each: what was left out. */
  readonly warnings: readonly string[];
}

/** Names of the files that are no figures. */
const STATISTICS = "statistics.csv";
const REPORT = "report.html";

/**
 * Draws and compares results, and writes everything to a folder.
 *
 * @param folders Results and their labels; the others are compared with the first.
 * @throws {InputError} If a file is damaged or can't be written, would replace somebody else's, or there is no such combination.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "./src/results/results_folder.ts";
 * import { FIGURE_KINDS } from "./src/viz/build_figures.ts";
 * import { drawResults } from "./src/viz/draw_results.ts";
 * import { FORMATS } from "./src/viz/write_figures.ts";
 *
 * const results = await readResultsFolder("results/bio");
 * await drawResults([{ label: "bio", results }], {
 *   directory: "figs",
 *   formats: FORMATS,
 *   kinds: FIGURE_KINDS,
 *   combination: undefined,
 *   ylabel: undefined,
 *   width: undefined,
 *   all: true,
 * });
 * ```
 */
export async function drawResults(
  folders: readonly LabelledResults[],
  options: DrawResultsOptions,
): Promise<DrawnResults> {
  const { formats, combination, ylabel, width, margin, allPairs, all } =
    options;
  const compared = compareLabels(folders, {
    ...(margin === undefined ? {} : { margin }),
    ...(allPairs === undefined ? {} : { allPairs }),
  });
  const comparisons = all ? compared.rows : [];
  const planned = planFigures(folders, {
    kinds: options.kinds,
    networks: options.kinds.includes("networks")
      ? await networksOf(folders, combination)
      : [],
    comparisons,
    ...(combination === undefined ? {} : { combination }),
    ...(ylabel === undefined ? {} : { ylabel }),
    ...(width === undefined ? {} : { width }),
  });
  const folder = await openFigureFolder([
    ...planned.flatMap(({ name }) => formats.map((one) => `${name}.${one}`)),
    ...(comparisons.length > 0 ? [STATISTICS] : []),
    ...(formats.includes("html") ? [REPORT] : []),
  ], options);
  const warnings = [
    ...folders.flatMap(({ results }) => results.warnings),
    ...compared.warnings,
    ...await letterWarnings(folders, options),
  ];
  if (comparisons.length > 0) {
    await folder.write(STATISTICS, formatStatisticsCsv(comparisons));
  }
  const report = formats.includes("html")
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

/** What of the texts in figures the font can't draw. */
async function letterWarnings(
  folders: readonly LabelledResults[],
  { formats, ylabel }: DrawResultsOptions,
): Promise<string[]> {
  if (!formats.includes("png") && !formats.includes("pdf")) return [];
  const { fontWidths, loadFont } = await import("./render.ts");
  const texts = folders.flatMap(({ label, results }) => [
    label,
    ...results.combinations.map(({ title }) => title),
    ...results.experiment?.connectome.regionNames ?? [],
  ]);
  return missingLetters(
    ylabel === undefined ? texts : [...texts, ylabel],
    fontWidths(await loadFont()),
  );
}

/** Matrices of one combination, which folders may number differently. */
export async function networksOf(
  folders: readonly LabelledResults[],
  combination: number | undefined,
): Promise<(Networks | undefined)[]> {
  const { combinations } = matchCombinations(
    folders.map(({ results }) => results),
  );
  const match = combinations.find((one) =>
    combination === undefined || indexOf(one) === combination
  );
  const read: (Networks | undefined)[] = [];
  for (const [i, { results }] of folders.entries()) {
    const member = match?.members[i];
    read.push(
      member === undefined || results.path === ""
        ? undefined
        : await readNetworks(results.path, { combination: member.index }),
    );
  }
  return read;
}
