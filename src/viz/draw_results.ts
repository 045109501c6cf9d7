/**
 * All that `deno task viz` makes of results folders: figures, statistics and
 * the report.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { makeFolder, stageFile, writeFileWhole } from "../files/write.ts";
import { compareLabels, type LabelledResults } from "../analysis/compare.ts";
import type { Comparison } from "../analysis/comparison.ts";
import { matchCombinations } from "../analysis/match.ts";
import { formatStatisticsCsv } from "../analysis/tables.ts";
import { buildFigures, type FigureKind, indexOf } from "./build_figures.ts";
import { type Networks, readNetworks } from "./read_networks.ts";
import type { FigureWidth } from "./theme.ts";
import { type Format, writeFigures } from "./write_figures.ts";

/** What to make. */
export interface DrawResultsOptions {
  readonly directory: string;
  readonly formats: readonly Format[];
  readonly kinds: readonly FigureKind[];
  readonly combination: number | undefined;
  readonly ylabel: string | undefined;
  readonly width: FigureWidth | undefined;
  /** Whether all is wanted, statistics included. */
  readonly all: boolean;
}

/** What was made. */
export interface DrawnResults {
  /** Names of files, in the order in which they were written. */
  readonly files: readonly string[];
  /** One sentence each: what the comparisons over all combinations say. */
  readonly findings: readonly string[];
  /** One sentence each: what was left out. */
  readonly warnings: readonly string[];
}

/**
 * Makes the folder for figures, and finds out whether it can be written to
 * before any work is done.
 *
 * @throws {InputError} If not.
 */
export async function prepareFolder(directory: string): Promise<void> {
  await makeFolder(directory);
  await (await stageFile(join(directory, "figures"), "")).discard();
}

/**
 * Draws and compares results, and writes everything to a folder.
 *
 * @param folders Results and their labels; the others are compared with the first.
 * @throws {InputError} If a file is damaged or can't be written, or there is no such combination.
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
  const { directory, formats, combination, ylabel, width, all } = options;
  const comparison = all ? compareLabels(folders) : { rows: [], warnings: [] };
  const { figures, warnings } = buildFigures(folders, {
    kinds: options.kinds,
    networks: options.kinds.includes("networks")
      ? await networksOf(folders, combination)
      : [],
    ...(combination === undefined ? {} : { combination }),
    ...(ylabel === undefined ? {} : { ylabel }),
    ...(width === undefined ? {} : { width }),
  });
  if (figures.length === 0) {
    throw new InputError(
      combination === undefined
        ? "Cannot draw the results: there is nothing of what --only asks for"
        : `Cannot draw combination ${combination}: no folder has a curve of it that can be drawn`,
    );
  }
  const files: string[] = [];
  if (all && comparison.rows.length > 0) {
    await writeFileWhole(
      join(directory, "statistics.csv"),
      formatStatisticsCsv(comparison.rows),
    );
    files.push("statistics.csv");
  }
  files.push(...await writeFigures(figures, options));
  const allWarnings = [
    ...folders.flatMap(({ results }) => results.warnings),
    ...comparison.warnings,
    ...warnings,
  ];
  if (formats.includes("html")) {
    const { buildReport } = await import("./report.ts");
    await writeFileWhole(
      join(directory, "report.html"),
      await buildReport({
        folders,
        figures,
        comparisons: comparison.rows,
        warnings: allWarnings,
      }),
    );
    files.push("report.html");
  }
  return {
    files,
    findings: findingsOf(comparison.rows),
    warnings: allWarnings,
  };
}

/** The sentences on all combinations together. */
export function findingsOf(rows: readonly Comparison[]): string[] {
  return rows.filter(({ combination }) => combination === undefined)
    .map(({ sentence }) => sentence);
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
