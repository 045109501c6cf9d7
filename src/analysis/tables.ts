/**
 * `statistics.csv`: the comparisons as a table, one a line (RFC 4180); and the
 * same in short for a terminal.
 *
 * @module
 */

import { Papa } from "../text/csv.ts";
import { formatTable } from "../text/table.ts";
import type { ComparedGroup, Comparison } from "./comparison.ts";
import { isEquivalent, short } from "./describe_comparison.ts";
import { MEASURES } from "./summary.ts";

/** NaN as nothing: a missing value to R, pandas and spreadsheets. */
function cell(value: number | undefined): number | "" {
  return value === undefined || Number.isNaN(value) ? "" : value;
}

/** A column: its name, and what it has in a row. */
type Column = readonly [
  name: string,
  of: (row: Comparison) => string | number | boolean,
];

function groupColumns(
  side: "reference" | "other",
): Column[] {
  const number = (
    name: string,
    of: (group: ComparedGroup) => number | undefined,
  ): Column => [`${side}_${name}`, (row) => cell(of(row[side]))];
  return [
    [side, (row) => row[side].label],
    number("runs", ({ runs }) => runs),
    number("networks", ({ networks }) => networks),
    number("failed", ({ failed }) => failed),
    number("beat_baseline", ({ learned }) => learned),
    number("still_falling", ({ stillFalling }) => stillFalling),
    number("n", ({ n }) => n),
    number("mean", ({ mean }) => mean),
    number("sd", ({ sd }) => sd),
    number("median", ({ median }) => median),
    number("typical", ({ typical }) => typical),
  ];
}

const COMPARISON: readonly Column[] = [
  ["paired", (row) => row.pairs !== undefined],
  ["pairs", (row) => cell(row.pairs)],
  ["reference_units", (row) => cell(row.units?.[0])],
  ["other_units", (row) => cell(row.units?.[1])],
  ["combinations", (row) => row.combinations],
  ["combinations_not_learned", (row) => row.notLearned.length],
  ["lower_in", (row) => row.lower],
  ["higher_in", (row) => row.higher],
  ["test", (row) => row.test],
  ["method", (row) => row.method],
  ["statistic", (row) => cell(row.statistic)],
  ["p", (row) => cell(row.p)],
  ["p_holm", (row) => cell(row.holm.p)],
  ["effect", (row) => row.effectName],
  ["effect_size", (row) => cell(row.effect.estimate)],
  ["effect_low", (row) => cell(row.effect.low)],
  ["effect_high", (row) => cell(row.effect.high)],
  ["p_failures", (row) => cell(row.failureP)],
  ["p_failures_holm", (row) => cell(row.holm.failureP)],
  ["baseline", (row) => cell(row.baseline?.value)],
  ["ratio", (row) => cell(row.ratio)],
  ["difference", (row) => cell(row.difference)],
  ["difference_low", (row) => cell(row.differenceInterval[0])],
  ["difference_high", (row) => cell(row.differenceInterval[1])],
  [
    "difference_unit",
    ({ marginUnit, points }) =>
      marginUnit === "points"
        ? `share of ${short(points)} percentage points`
        : UNITS[marginUnit],
  ],
  ["equivalence_margin", (row) => row.margin],
  ["p_equivalence", (row) => cell(row.equivalenceP)],
  ["p_equivalence_holm", (row) => cell(row.holm.equivalenceP)],
  ["p_not_worse", (row) => cell(row.notWorseP)],
  ["p_not_worse_holm", (row) => cell(row.holm.notWorseP)],
  ["sentence", (row) => row.sentence],
];

const UNITS = {
  learned: "share of what the better label learned",
  mean: "share of the other label's mean",
  ratio: "logarithm of the ratio",
} as const;

/**
 * The text of `statistics.csv`. Numbers have all their digits; an empty cell
 * means that there is no such number. Each key of the grid has a column. A
 * text that a spreadsheet would take for a formula begins with an apostrophe.
 *
 * @example
 * ```ts
 * import { compareLabels } from "./src/analysis/compare.ts";
 * import { formatStatisticsCsv } from "./src/analysis/tables.ts";
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
  const columns: Column[] = [
    ["measure", (row) => MEASURES[row.measure].name],
    ["unit", (row) => MEASURES[row.measure].unit],
    ["combination", (row) => row.combination?.title ?? "all"],
    ...keys.map((key): Column => [
      key,
      (row) => row.combination?.parameters[key] ?? "",
    ]),
    ...groupColumns("reference"),
    ...groupColumns("other"),
    ...COMPARISON,
  ];
  const table = {
    fields: columns.map(([name]) => name),
    data: rows.map((row) => columns.map(([, of]) => of(row))),
  };
  const text = Papa.unparse(table, { newline: "\r\n", escapeFormulae: true });
  return `${text}\r\n`;
}

/** A p value in a table. */
export function tableP(p: number): string {
  return Number.isNaN(p)
    ? "–"
    : p < 0.001
    ? "< 0.001"
    : String(Number(p.toPrecision(2)));
}

/**
 * The comparisons over all combinations for a terminal: a table a measure and
 * pair of labels, its sentence below.
 *
 * @returns Lines.
 */
export function formatFindings(rows: readonly Comparison[]): string[] {
  return rows.filter(({ combination }) => combination === undefined).flatMap(
    (row) => {
      const { name, unit } = MEASURES[row.measure];
      const { effect } = row;
      const own = (group: ComparedGroup) => [
        group.label,
        `${group.runs}`,
        group.learned === undefined ? "–" : `${group.learned}`,
        `${group.failed}`,
        short(group.typical),
      ];
      const lines = formatTable([
        [
          unit === "" ? name : `${name} (${unit})`,
          "runs",
          "beat baseline",
          "diverged",
          "median",
          "effect",
          "95 % interval",
          "p (Holm)",
          "equivalent",
        ],
        [
          ...own(row.reference),
          short(effect.estimate),
          Number.isNaN(effect.low)
            ? "–"
            : `${short(effect.low)} to ${short(effect.high)}`,
          tableP(row.holm.p),
          Number.isNaN(row.holm.equivalenceP)
            ? "not tested"
            : isEquivalent(row)
            ? `yes, p ${tableP(row.holm.equivalenceP)}`
            : "not shown",
        ],
        own(row.other),
      ], { right: [1, 2, 3, 4, 5] });
      return [...lines, row.sentence, ""];
    },
  );
}
