/**
 * Tables for other programs and for the terminal: `statistics.csv` with a
 * comparison a line (RFC 4180), the same in short, and results as one tidy table
 * for pandas, polars, R and spreadsheets.
 *
 * @module
 */

import type { Plain } from "../results/experiment_record.ts";
import type { CombinationResult } from "../results/results_folder.ts";
import { Papa } from "../text/csv.ts";
import { formatTable } from "../text/words.ts";
import {
  type ComparedGroup,
  type Comparison,
  isEquivalent,
  short,
  tableP,
} from "./comparison.ts";
import type { LabelledResults } from "./match.ts";
import { curveOf, MEASURES, summarizeResults } from "./summary.ts";

/** NaN as nothing: a missing value to R, pandas and spreadsheets. */
function cell(value: number | undefined): number | "" {
  return value === undefined || Number.isNaN(value) ? "" : value;
}

/** A column: its name, and what it has in a row. */
type CsvColumn = readonly [
  name: string,
  of: (row: Comparison) => string | number | boolean,
];

function groupColumns(
  side: "reference" | "other",
): CsvColumn[] {
  const number = (
    name: string,
    of: (group: ComparedGroup) => number | undefined,
  ): CsvColumn => [`${side}_${name}`, (row) => cell(of(row[side]))];
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

const COMPARISON: readonly CsvColumn[] = [
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
 */
export function formatStatisticsCsv(rows: readonly Comparison[]): string {
  const keys = [
    ...new Set(
      rows.flatMap(({ combination }) =>
        Object.keys(combination?.parameters ?? {})
      ),
    ),
  ];
  const columns: CsvColumn[] = [
    ["measure", (row) => MEASURES[row.measure].name],
    ["unit", (row) => MEASURES[row.measure].unit],
    ["combination", (row) => row.combination?.title ?? "all"],
    ...keys.map((key): CsvColumn => [
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

/** A column of a table; undefined where a row has no value. */
export interface Column {
  /** Its heading. */
  readonly name: string;
  /** A value a row. */
  readonly data: readonly (Plain | undefined)[];
}

/** What a row of a table is. */
export type TableRow = "epoch" | "run";

type Row = Readonly<Record<string, Plain | undefined>>;

/**
 * The results of experiments as one table: a row a run and epoch, or a row a
 * run. Epochs count from 0, as in the names of models. Combinations that are
 * not finished are left out.
 *
 * With a row a run and epoch the columns are `results` (the label),
 * `combination`, a column for each key of the grid, `iteration`, `epoch`,
 * `train_loss`, `validation_loss`, and for tasks that have it
 * `train_accuracy` and `validation_accuracy` in %.
 *
 * With a row a run they are what the experiment says (`task`, `connectome`,
 * `null_model`, `remap_w`, `seed`), `combination`, the keys of the grid,
 * `iteration`, `epochs`, `min_validation_loss`, `epoch_of_minimum`,
 * `epoch_within_1_percent`, `still_falling`, `final_train_loss`,
 * `final_validation_loss`, `final_validation_accuracy` and `diverged`; the
 * numbers are those that experiments are compared by, the first epoch left out.
 *
 * @returns The columns, all of one length.
 *
 * @example
 * ```ts
 * import { prepare, tidyTable, train } from "@biornn/biornn";
 *
 * const overrides = { epochs: 3 };
 * const prepared = await prepare("config/quickstart.ini", { overrides });
 * const { results } = await train(prepared);
 * const columns = tidyTable([{ label: "bio", results }], "run");
 * columns.find(({ name }) => name === "min_validation_loss")?.data; // a number a run
 * ```
 */
export function tidyTable(
  folders: readonly LabelledResults[],
  row: TableRow,
): Column[] {
  const columns = new Map<string, (Plain | undefined)[]>();
  let count = 0;
  for (const folder of folders) {
    for (const cells of row === "epoch" ? epochRows(folder) : runRows(folder)) {
      for (const [name, value] of Object.entries(cells)) {
        if (value === undefined || Number.isNaN(value)) continue;
        const data = columns.get(name) ?? [];
        columns.set(name, data);
        data[count] = value;
      }
      count++;
    }
  }
  for (const data of columns.values()) data.length = count;
  return Array.from(columns, ([name, data]) => ({ name, data }));
}

function* epochRows({ label, results }: LabelledResults): Generator<Row> {
  for (const combination of results.combinations) {
    const { trainLoss, validateLoss, trainMetrics, validateMetrics } =
      combination;
    for (let iteration = 0; iteration < validateLoss.iterations; iteration++) {
      const at = (curves: typeof trainLoss | undefined, epoch: number) =>
        curves === undefined || iteration >= curves.iterations
          ? undefined
          : curveOf(curves, iteration)[epoch];
      for (let epoch = 0; epoch < validateLoss.epochs; epoch++) {
        yield {
          results: label,
          ...keysOf(combination),
          iteration,
          epoch,
          train_loss: at(trainLoss, epoch),
          validation_loss: at(validateLoss, epoch),
          train_accuracy: at(trainMetrics, epoch),
          validation_accuracy: at(validateMetrics, epoch),
        };
      }
    }
  }
}

function* runRows({ label, results }: LabelledResults): Generator<Row> {
  const { experiment, combinations } = results;
  const byIndex = new Map(combinations.map((one) => [one.index, one]));
  for (const run of summarizeResults(results).runs) {
    const combination = byIndex.get(run.combination)!;
    const { trainLoss, validateLoss } = combination;
    const { iteration, loss } = run;
    yield {
      results: label,
      task: experiment?.task.name,
      connectome: experiment?.connectome.name,
      null_model: experiment &&
        (experiment.nullModel ?? (experiment.randomW ? "permute" : "none")),
      remap_w: experiment?.remapW,
      seed: experiment?.seed,
      ...keysOf(combination),
      iteration,
      epochs: validateLoss.epochs,
      min_validation_loss: loss?.minLoss,
      epoch_of_minimum: loss?.minLossEpoch,
      epoch_within_1_percent: loss?.epoch99,
      still_falling: loss?.stillFalling,
      final_train_loss: iteration < trainLoss.iterations
        ? curveOf(trainLoss, iteration).at(-1)
        : undefined,
      final_validation_loss: curveOf(validateLoss, iteration).at(-1),
      final_validation_accuracy: run.finalAccuracy,
      diverged: loss === undefined,
    };
  }
}

function keysOf({ index, parameters }: CombinationResult): Row {
  return { combination: index, ...parameters };
}
