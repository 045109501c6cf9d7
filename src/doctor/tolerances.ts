/**
 * How far an engine may be from PyTorch's double precision.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";

/** What is compared. */
export type CheckName =
  | "output"
  | "hidden state"
  | "losses"
  | "accuracies"
  | "gradients"
  | "weights after one step"
  | "weights after all epochs"
  | "moments"
  | "frozen weights";

/** Cases up to so many epochs count as short. */
const SHORT_EPOCHS = 10;

/** Largest error allowed, by what is compared; how each error is measured stands in `replay.ts`. */
export type Tolerances = Readonly<Record<CheckName, number>>;

/**
 * PyTorch's own float32 run of these cases is off its float64 run by 2.8e-7 in the
 * first output, 1.1e-7 in gradients, 4.4e-7 in losses, 4.5e-7 in weights and 7.2e-7
 * in moments. Another adapter sums in another order, and WGSL lets it round exp and
 * log more coarsely than a CPU does: about ten times as much is allowed.
 */
const SINGLE: Tolerances = {
  "output": 2e-6,
  "hidden state": 2e-6,
  "losses": 1e-5,
  // Counts: only the mean over the batches may be rounded otherwise.
  "accuracies": 1e-9,
  "gradients": 1e-5,
  "weights after one step": 5e-6,
  "weights after all epochs": 5e-6,
  "moments": 1e-5,
  "frozen weights": 0,
};

/**
 * After 100 epochs it is off by 4.2e-6, 2.0e-5 and 3.6e-5: where a gradient is as
 * small as the optimizer's epsilon, its rounding error steers the step.
 */
const SINGLE_LONG: Tolerances = {
  ...SINGLE,
  "losses": 1e-4,
  "weights after all epochs": 2e-4,
  "moments": 4e-4,
};

/** Two float64 computations differ by 2e-14 at most, after 100 epochs. */
const DOUBLE: Tolerances = {
  "output": 1e-12,
  "hidden state": 1e-12,
  "losses": 1e-12,
  "accuracies": 1e-9,
  "gradients": 1e-12,
  "weights after one step": 1e-12,
  "weights after all epochs": 1e-12,
  "moments": 1e-12,
  "frozen weights": 0,
};

/** The tolerances for an engine and a case of so many epochs. */
export function tolerancesOf(
  { kind }: Pick<Engine, "kind">,
  epochs: number,
): Tolerances {
  if (kind === "reference") return DOUBLE;
  return epochs <= SHORT_EPOCHS ? SINGLE : SINGLE_LONG;
}
