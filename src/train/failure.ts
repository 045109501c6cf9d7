/**
 * Runs whose loss stopped being a number.
 *
 * @module
 */

import type { RunHistory } from "./run_file.ts";

/** Where and how a run went wrong. */
export interface LossFailure {
  /** The first epoch, from 0, whose loss is no number. */
  readonly epoch: number;
  /** E.g. "training loss became NaN". */
  readonly what: string;
}

/**
 * Finds where a loss became NaN or infinite.
 *
 * @returns undefined where all losses are finite.
 *
 * @example
 * ```ts
 * import { failureOf } from "./src/train/failure.ts";
 *
 * failureOf({
 *   trainLoss: Float64Array.of(0.5, NaN),
 *   validateLoss: Float64Array.of(0.6, NaN),
 * }); // { epoch: 1, what: "training loss became NaN" }
 * ```
 */
export function failureOf(history: RunHistory): LossFailure | undefined {
  for (let epoch = 0; epoch < history.trainLoss.length; epoch++) {
    for (const name of ["trainLoss", "validateLoss"] as const) {
      const value = history[name][epoch] as number;
      if (Number.isFinite(value)) continue;
      const which = name === "trainLoss" ? "training" : "validation";
      const became = Number.isNaN(value) ? "NaN" : "infinite";
      return { epoch, what: `${which} loss became ${became}` };
    }
  }
  return undefined;
}
