/**
 * Whether two programs trained the same: their losses, number by number.
 *
 * @module
 */

import type { EpochHistory } from "../src/engine/ensemble.ts";
import type { Losses } from "./contestant.ts";

/** Losses of an ensemble as the peers give them, [epochs][models]. */
export function lossesOf(history: EpochHistory): Losses {
  const rows = (values: Float64Array) =>
    Array.from(
      { length: history.epochs },
      (_, epoch) =>
        Array.from(
          { length: history.models },
          (_, model) => values[model * history.epochs + epoch] as number,
        ),
    );
  return {
    trainLoss: rows(history.trainLoss),
    validateLoss: rows(history.validateLoss),
  };
}

/** Epoch after epoch, in one. */
export function joinLosses(parts: readonly Losses[]): Losses {
  return {
    trainLoss: parts.flatMap((part) => part.trainLoss),
    validateLoss: parts.flatMap((part) => part.validateLoss),
  };
}

/**
 * The largest relative difference between two programs' losses, over the
 * epochs and models that both have; Infinity where one of them is no number.
 *
 * @throws {RangeError} If they have no epoch or no model in common.
 */
export function worstDifference(a: Losses, b: Losses): number {
  let worst = 0;
  let compared = 0;
  for (const name of ["trainLoss", "validateLoss"] as const) {
    const epochs = Math.min(a[name].length, b[name].length);
    for (let epoch = 0; epoch < epochs; epoch++) {
      const [ours = [], theirs = []] = [a[name][epoch], b[name][epoch]];
      const models = Math.min(ours.length, theirs.length);
      for (let model = 0; model < models; model++) {
        const [x = NaN, y = NaN] = [ours[model], theirs[model]];
        const difference = Math.abs(x - y) /
          Math.max(Math.abs(x), Math.abs(y), Number.MIN_VALUE);
        worst = Math.max(
          worst,
          Number.isNaN(difference) ? Infinity : difference,
        );
        compared++;
      }
    }
  }
  if (compared === 0) {
    throw new RangeError("Cannot compare losses: no epoch in common");
  }
  return worst;
}
