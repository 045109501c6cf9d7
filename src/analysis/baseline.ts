/**
 * What a network that has learned nothing about its task would reach, and
 * which runs did better.
 *
 * @module
 */

import type { Plain } from "../results/json_fields.ts";
import type { ResultsFolder } from "../results/results_folder.ts";

/** What is drawn and compared: a loss, or accuracy in percent. */
export type Quantity = "loss" | "accuracy";

/** A reference line. */
export interface Baseline {
  /** The loss or accuracy. */
  readonly value: number;
  /** As it stands beside the line. */
  readonly label: string;
  /** A run has learned something where its lowest loss is below this. */
  readonly beaten: number;
}

/** What is known of a task. */
export interface TaskFacts {
  /** `seq_mem`, `nback_mem`, …; undefined where nothing says. */
  readonly name: string | undefined;
  /** Which loss it has; undefined where nothing says. */
  readonly loss: "mse" | "nll" | undefined;
  /** How many classes there are to tell apart, equally often; default 2. */
  readonly classes?: number;
  /** Between which the values of `seq_mem` are drawn; default 0 and 1. */
  readonly range?: readonly [low: number, high: number];
}

/**
 * By how much a network must be better than its baseline before it counts as
 * having learned: a validation set of some hundred numbers gives away 5 % of
 * a squared error, or 2 % of ln 2, by luck.
 */
const LUCK = { mse: 0.05, nll: 0.02 } as const;

/** Four digits: 8.333 rather than 8.333333333333334. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/**
 * The baseline of a task. Sequence memory: values are uniform between `low`
 * and `high`, so always answering their mean has the mean squared error
 * (high − low)² / 12. N-back: one of two classes, equally often, so guessing
 * costs ln 2 and is right half the time; among K classes it costs ln K.
 *
 * @returns undefined where the task is not known.
 *
 * @example
 * ```ts
 * import { baselineOf } from "./src/analysis/baseline.ts";
 *
 * baselineOf({ name: "seq_mem", loss: "mse" }, "loss")?.value; // 1 / 12
 * ```
 */
export function baselineOf(
  { name, loss, classes = 2, range: [low, high] = [0, 1] }: TaskFacts,
  quantity: Quantity,
): Baseline | undefined {
  if (classes < 2) return undefined;
  if (quantity === "accuracy") {
    const value = 100 / classes;
    return { value, label: `chance (${short(value)} %)`, beaten: value };
  }
  if (loss === "nll") {
    const value = Math.log(classes);
    return {
      value,
      label: `chance (ln ${classes})`,
      beaten: value * (1 - LUCK.nll),
    };
  }
  const value = (high - low) ** 2 / 12;
  if (name !== "seq_mem" || !(value > 0)) return undefined;
  return {
    value,
    label: `predicting the mean (${
      low === 0 && high === 1 ? "1/12" : short(value)
    })`,
    beaten: value * (1 - LUCK.mse),
  };
}

/** Range of the values that `seq_mem` shows; undefined where it is not told in numbers. */
function rangeOf(
  parameters: Readonly<Record<string, Plain>>,
): readonly [number, number] | undefined {
  const { low = 0, high = 1 } = parameters;
  return typeof low === "number" && typeof high === "number"
    ? [low, high]
    : undefined;
}

/**
 * What folders say of their task; what they differ in is not known.
 *
 * @param parameters Those of a combination, where the grid varies what the baseline depends on.
 */
export function taskFacts(
  folders: readonly ResultsFolder[],
  parameters: Readonly<Record<string, Plain>> = {},
): TaskFacts {
  const tasks = folders.flatMap(({ experiment }) => experiment?.task ?? []);
  // Output 0 is what is not scored.
  const classes = folders.flatMap(({ experiment }) =>
    experiment === undefined ? [] : [experiment.size.outputSize - 1]
  );
  const [first] = tasks;
  if (first !== undefined) {
    type Task = typeof tasks[number];
    const same = (of: (task: Task) => unknown) =>
      tasks.every((task) => String(of(task)) === String(of(first)));
    const range = (task: Task) =>
      rangeOf({ ...task.parameters, ...parameters });
    const known = range(first);
    return {
      // Of values in different ranges, one baseline would be wrong.
      name: same(({ name }) => name) && same(range) && known !== undefined
        ? first.name
        : undefined,
      loss: same(({ loss }) => loss) ? first.loss : undefined,
      ...(first.loss === "nll" && { classes: classes[0] }),
      ...(known === undefined ? {} : { range: known }),
    };
  }
  const accuracy = folders.some(({ combinations }) =>
    combinations.some((one) => one.validateMetrics !== undefined)
  );
  // Accuracy tells of classes. Its absence tells nothing: some old results lack the file.
  return { name: undefined, loss: accuracy ? "nll" : undefined };
}

/** The axis title of a quantity. */
export function quantityTitle(
  { loss }: Pick<TaskFacts, "loss">,
  quantity: Quantity,
): string {
  if (quantity === "accuracy") return "accuracy (%)";
  if (loss === "mse") return "loss (MSE)";
  return loss === "nll" ? "loss (NLL)" : "loss";
}
