/**
 * Counts what a training has done, for its progress line.
 *
 * @module
 */

import type { RunGroup } from "./plan_groups.ts";
import type { Progress } from "./progress.ts";
import { runKey, type RunUnit } from "./run_unit.ts";
import type { EpochsTrained } from "./train_group.ts";

/** Counts epochs and steps over all ensembles of a training. */
export interface Tally {
  /** An ensemble begins, and so many are to follow. */
  begin(units: readonly RunUnit[], following: number): void;
  /** Epochs of the ensemble were trained. */
  add(event: EpochsTrained): void;
}

/**
 * Makes the tally of a training whose runs stand as the groups say. Epochs
 * that are trained again, from a state before, count once.
 */
export function createTally(
  groups: readonly RunGroup[],
  { epochs, progress }: {
    readonly epochs: number;
    readonly progress: Progress;
  },
): Tally {
  const reached = new Map<string, number>();
  let total = 0;
  for (const { units, epoch } of groups) {
    total += units.length * (epochs - epoch);
    for (const unit of units) reached.set(runKey(unit), epoch);
  }
  let done = 0;
  let steps = 0;
  let best: EpochsTrained["best"];
  let current: readonly RunUnit[] = [];
  let ensemble = -1;
  let ensembles = 0;
  return {
    begin(units, following) {
      current = units;
      ensemble++;
      ensembles = ensemble + 1 + following;
    },
    add(event) {
      for (const unit of current) {
        const key = runKey(unit);
        const before = reached.get(key) ?? 0;
        done += Math.max(0, event.epoch - before);
        reached.set(key, Math.max(before, event.epoch));
      }
      steps += event.steps;
      if (
        event.best !== undefined &&
        (best === undefined || event.best.loss < best.loss)
      ) best = event.best;
      progress.update({
        done,
        total,
        epoch: event.epoch,
        epochs,
        models: event.models,
        ensemble,
        ensembles,
        steps,
        best,
      });
    },
  };
}
