/**
 * Results as one tidy table, for pandas, polars, R and spreadsheets.
 *
 * @module
 */

import type { Plain } from "../results/experiment_record.ts";
import type { CombinationResult } from "../results/results_folder.ts";
import type { LabelledResults } from "./match.ts";
import { curveOf, summarizeResults } from "./summary.ts";

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
