/**
 * Tables for other programs and for the terminal: `statistics.csv` with a
 * comparison a line (RFC 4180), the same in short, and results as one tidy table
 * for pandas, polars, R and spreadsheets.
 *
 * @module
 */

import type { Plain } from "../results/experiment_record.ts";
import type { Curves } from "../results/data_files.ts";
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

type Cell = Plain | undefined;

/** A column: its name, and what it has in a row. */
type CsvColumn = readonly [name: string, of: (row: Comparison) => Cell];

const UNITS = {
  learned: "share of what the better label learned",
  mean: "share of the other label's mean",
  ratio: "logarithm of the ratio",
} as const;

/** What is said of each label, by the name of its column, before which stands `reference` or `other`. */
const GROUP: Readonly<Record<string, keyof ComparedGroup>> = {
  "": "label",
  _runs: "runs",
  _networks: "networks",
  _failed: "failed",
  _beat_baseline: "learned",
  _still_falling: "stillFalling",
  _n: "n",
  _mean: "mean",
  _sd: "sd",
  _median: "median",
  _typical: "typical",
};

const COLUMNS: readonly CsvColumn[] = [
  ...(["reference", "other"] as const).flatMap((side) =>
    Object.entries(GROUP).map(([name, key]): CsvColumn => [
      `${side}${name}`,
      (row) => row[side][key],
    ])
  ),
  ["paired", (row) => row.pairs !== undefined],
  ["pairs", (row) => row.pairs],
  ["reference_units", (row) => row.units?.[0]],
  ["other_units", (row) => row.units?.[1]],
  ["combinations", (row) => row.combinations],
  ["combinations_not_learned", (row) => row.notLearned.length],
  ["lower_in", (row) => row.lower],
  ["higher_in", (row) => row.higher],
  ["test", (row) => row.test],
  ["method", (row) => row.method],
  ["statistic", (row) => row.statistic],
  ["p", (row) => row.p],
  ["p_holm", (row) => row.holm.p],
  ["effect", (row) => row.effectName],
  ["effect_size", (row) => row.effect.estimate],
  ["effect_low", (row) => row.effect.low],
  ["effect_high", (row) => row.effect.high],
  ["p_failures", (row) => row.failureP],
  ["p_failures_holm", (row) => row.holm.failureP],
  ["baseline", (row) => row.baseline?.value],
  ["ratio", (row) => row.ratio],
  ["difference", (row) => row.difference],
  ["difference_low", (row) => row.differenceInterval[0]],
  ["difference_high", (row) => row.differenceInterval[1]],
  [
    "difference_unit",
    ({ marginUnit, points }) =>
      marginUnit === "points"
        ? `share of ${short(points)} percentage points`
        : UNITS[marginUnit],
  ],
  ["equivalence_margin", (row) => row.margin],
  ["p_equivalence", (row) => row.equivalenceP],
  ["p_equivalence_holm", (row) => row.holm.equivalenceP],
  ["p_not_worse", (row) => row.notWorseP],
  ["p_not_worse_holm", (row) => row.holm.notWorseP],
  ["sentence", (row) => row.sentence],
];

/**
 * The text of `statistics.csv`. Numbers have all their digits; an empty cell
 * means that there is no such number. Each key of the grid has a column. A
 * text that a spreadsheet would take for a formula begins with an apostrophe.
 */
export function formatStatisticsCsv(rows: readonly Comparison[]): string {
  const keys = new Set(
    rows.flatMap(({ combination }) =>
      Object.keys(combination?.parameters ?? {})
    ),
  );
  const columns: CsvColumn[] = [
    ["measure", (row) => MEASURES[row.measure].name],
    ["unit", (row) => MEASURES[row.measure].unit],
    ["combination", (row) => row.combination?.title ?? "all"],
    ...Array.from(keys, (key): CsvColumn => [
      key,
      (row) => row.combination?.parameters[key],
    ]),
    ...COLUMNS,
  ];
  const text = Papa.unparse({
    fields: columns.map(([name]) => name),
    // NaN as nothing: a missing value to R, pandas and spreadsheets.
    data: rows.map((row) =>
      columns.map(([, of]) => {
        const value = of(row);
        return Number.isNaN(value) ? "" : value;
      })
    ),
  }, { newline: "\r\n", escapeFormulae: true });
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
      const { effect, holm: { p, equivalenceP } } = row;
      const own = (group: ComparedGroup) => [
        group.label,
        `${group.runs}`,
        `${group.learned ?? "–"}`,
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
          tableP(p),
          Number.isNaN(equivalenceP)
            ? "not tested"
            : isEquivalent(row)
            ? `yes, p ${tableP(equivalenceP)}`
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
  const columns = new Map<string, Cell[]>();
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

type Row = Readonly<Record<string, Cell>>;

function* epochRows({ label, results }: LabelledResults): Generator<Row> {
  for (const { index, parameters, ...curves } of results.combinations) {
    const { iterations, epochs } = curves.validateLoss;
    for (let iteration = 0; iteration < iterations; iteration++) {
      const train_loss = rowOf(curves.trainLoss, iteration);
      const validation_loss = rowOf(curves.validateLoss, iteration);
      const train_accuracy = rowOf(curves.trainMetrics, iteration);
      const validation_accuracy = rowOf(curves.validateMetrics, iteration);
      for (let epoch = 0; epoch < epochs; epoch++) {
        yield {
          results: label,
          combination: index,
          ...parameters,
          iteration,
          epoch,
          train_loss: train_loss?.[epoch],
          validation_loss: validation_loss?.[epoch],
          train_accuracy: train_accuracy?.[epoch],
          validation_accuracy: validation_accuracy?.[epoch],
        };
      }
    }
  }
}

function rowOf(curves: Curves | undefined, iteration: number) {
  return curves !== undefined && iteration < curves.iterations
    ? curveOf(curves, iteration)
    : undefined;
}

function* runRows({ label, results }: LabelledResults): Generator<Row> {
  const { experiment, combinations } = results;
  const byIndex = new Map(combinations.map((one) => [one.index, one]));
  for (const run of summarizeResults(results).runs) {
    const combination = byIndex.get(run.combination)!;
    const { trainLoss, validateLoss } = combination;
    const { iteration } = run;
    yield {
      results: label,
      task: experiment?.task.name,
      connectome: experiment?.connectome.name,
      null_model: experiment &&
        (experiment.nullModel ?? (experiment.randomW ? "permute" : "none")),
      remap_w: experiment?.remapW,
      seed: experiment?.seed,
      combination: run.combination,
      ...combination.parameters,
      iteration,
      epochs: validateLoss.epochs,
      min_validation_loss: run.minLoss,
      epoch_of_minimum: run.minLossEpoch,
      epoch_within_1_percent: run.epoch99,
      still_falling: run.stillFalling,
      final_train_loss: rowOf(trainLoss, iteration)?.at(-1),
      final_validation_loss: curveOf(validateLoss, iteration).at(-1),
      final_validation_accuracy: run.finalAccuracy,
      diverged: run.minLoss === undefined,
    };
  }
}
