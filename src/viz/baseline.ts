/**
 * What a network that has learned nothing about its task would reach.
 *
 * @module
 */

/** A reference line. */
export interface Baseline {
  readonly value: number;
  /** As it stands beside the line. */
  readonly label: string;
}

/** What is drawn: a loss, or accuracy in percent. */
export type Quantity = "loss" | "accuracy";

/** What a quantity can't leave: a band of mean ± standard deviation ends there. */
export function limitsOf(
  quantity: Quantity,
): readonly [number, number] | undefined {
  return quantity === "accuracy" ? [0, 100] : undefined;
}

/** What is known of a task. */
export interface TaskFacts {
  /** `seq_mem`, `nback_mem`, …; undefined where nothing says. */
  readonly name: string | undefined;
  /** Which loss it has; undefined where nothing says. */
  readonly loss: "mse" | "nll" | undefined;
}

/**
 * The baseline of a task. Sequence memory: values are uniform on (0, 1), so
 * always answering their mean 1/2 has the mean squared error 1/12. N-back: one
 * of two classes, equally often, so guessing costs ln 2 and is right half the
 * time.
 *
 * @returns undefined where the task is not known.
 *
 * @example
 * ```ts
 * import { baselineOf } from "./src/viz/baseline.ts";
 *
 * baselineOf({ name: "seq_mem", loss: "mse" }, "loss")?.value; // 1 / 12
 * ```
 */
export function baselineOf(
  { name, loss }: TaskFacts,
  quantity: Quantity,
): Baseline | undefined {
  if (quantity === "accuracy") return { value: 50, label: "chance (50 %)" };
  if (loss === "nll") return { value: Math.LN2, label: "chance (ln 2)" };
  if (name === "seq_mem") {
    return { value: 1 / 12, label: "predicting the mean (1/12)" };
  }
  return undefined;
}

/** The axis title of a quantity. */
export function quantityTitle(
  { loss }: TaskFacts,
  quantity: Quantity,
): string {
  if (quantity === "accuracy") return "accuracy (%)";
  if (loss === "mse") return "loss (MSE)";
  return loss === "nll" ? "loss (NLL)" : "loss";
}
