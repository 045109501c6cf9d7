/**
 * `statistics.csv`: the comparisons as a table, one a line (RFC 4180).
 *
 * @module
 */

import { Papa } from "../text/csv.ts";
import type { Comparison } from "./comparison.ts";
import { MEASURES } from "./summary.ts";

/** NaN as nothing: a missing value to R, pandas and spreadsheets. */
function cell(value: number | undefined): number | "" {
  return value === undefined || Number.isNaN(value) ? "" : value;
}

/**
 * The text of `statistics.csv`. Numbers have all their digits; an empty cell
 * means that there is no such number. Each key of the grid has a column.
 *
 * @example
 * ```ts
 * import { compareLabels } from "./src/analysis/compare.ts";
 * import { formatStatisticsCsv } from "./src/analysis/statistics_csv.ts";
 *
 * formatStatisticsCsv(compareLabels([]).rows); // the line of names
 * ```
 */
export function formatStatisticsCsv(rows: readonly Comparison[]): string {
  const keys = [
    ...new Set(
      rows.flatMap(({ combination }) =>
        Object.keys(combination?.parameters ?? {})
      ),
    ),
  ];
  const fields = [
    "measure",
    "unit",
    "combination",
    ...keys,
    ...["reference", "other"].flatMap((side) => [
      side,
      ...["n", "mean", "sd", "median"].map((name) => `${side}_${name}`),
    ]),
    "paired",
    "test",
    "method",
    "statistic",
    "p",
    "p_holm",
    "cliffs_delta",
    "cliffs_delta_low",
    "cliffs_delta_high",
    "mean_difference",
    "equivalence_margin",
    "p_equivalence",
    "p_equivalence_holm",
    "p_not_worse",
    "p_not_worse_holm",
    "sentence",
  ];
  const data = rows.map((row) => [
    MEASURES[row.measure].name,
    MEASURES[row.measure].unit,
    row.combination?.title ?? "all",
    ...keys.map((key) => row.combination?.parameters[key] ?? ""),
    ...[row.reference, row.other].flatMap(({ label, n, mean, sd, median }) => [
      label,
      n,
      cell(mean),
      cell(sd),
      cell(median),
    ]),
    row.paired,
    row.test,
    row.method,
    cell(row.statistic),
    cell(row.p),
    cell(row.pHolm),
    cell(row.delta),
    ...row.deltaInterval.map(cell),
    cell(row.difference),
    cell(row.margin),
    cell(row.equivalenceP),
    cell(row.equivalencePHolm),
    cell(row.notWorseP),
    cell(row.notWorsePHolm),
    row.sentence,
  ]);
  return `${Papa.unparse({ fields, data }, { newline: "\r\n" })}\r\n`;
}
