/**
 * Whether two programs trained the same: their losses, number by number.
 *
 * @module
 */

import type { EpochHistory } from "../src/engine/ensemble.ts";
import type { Losses } from "./contestant.ts";
import { spread } from "./work.ts";

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

/** How far apart two programs' losses are, relative to the larger one. */
export interface LossDifference {
  /** The largest of the first {@linkcode EXACT_EPOCHS} epochs, over all models. */
  readonly first: number;
  /** The median over the models, of the last epoch that both have. */
  readonly last: number;
}

/**
 * So long the losses of all models must agree. In some networks rounding errors
 * grow a hundredfold an epoch (relu with RMSprop; single precision is then as
 * far from double as two programs in single precision are from each other).
 */
export const EXACT_EPOCHS = 4;

/**
 * How far apart two programs' losses are, over the epochs and models that both
 * have; Infinity where a loss is no number.
 *
 * @throws {RangeError} If they have no epoch or no model in common.
 */
export function lossDifference(a: Losses, b: Losses): LossDifference {
  const epochs = Math.min(a.trainLoss.length, b.trainLoss.length);
  const byEpoch = Array.from({ length: epochs }, (_, epoch) => [
    ...differences(a.trainLoss[epoch], b.trainLoss[epoch]),
    ...differences(a.validateLoss[epoch], b.validateLoss[epoch]),
  ]);
  const last = byEpoch.at(-1);
  if (last === undefined || last.length === 0) {
    throw new RangeError("Cannot compare losses: no epoch in common");
  }
  return {
    first: Math.max(...byEpoch.slice(0, EXACT_EPOCHS).flat()),
    last: spread(last).median,
  };
}

/** The relative difference of each model's loss. */
function differences(
  ours: readonly number[] = [],
  theirs: readonly number[] = [],
): number[] {
  const models = Math.min(ours.length, theirs.length);
  return Array.from({ length: models }, (_, model) => {
    const [x, y] = [ours[model] as number, theirs[model] as number];
    if (x === y) return 0;
    const difference = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
    return Number.isNaN(difference) ? Infinity : difference;
  });
}
