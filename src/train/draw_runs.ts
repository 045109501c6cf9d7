/**
 * Draws the trials and initial weights of a group's runs, at once or bit by
 * bit while the device trains the group before.
 *
 * What was drawn ahead stays on the host until the group before is done with
 * the device: the memory plan fills the device with one ensemble, and to halve
 * it for an upload ahead would gain next to nothing, as drawing a model takes
 * many times as long as uploading it.
 *
 * @module
 */

import type { ModelRun } from "../engine/ensemble.ts";
import { buildRun, type PreparedExperiment } from "./prepare.ts";
import type { RunId } from "../results/layout.ts";

/** The runs of a group, drawn or still to draw. */
export interface RunDrawer {
  /**
   * Draws runs ahead of their turn until the time, in milliseconds, is up; the
   * last one may take longer. Where a run can't be drawn it draws no more:
   * that is told when the turn of the runs has come, and does not disturb what
   * trains now.
   */
  drawFor(milliseconds: number): Promise<void>;
  /**
   * All runs; draws those that are missing.
   *
   * @throws {InputError} If a pretrained model is asked for and does not fit.
   */
  all(): Promise<readonly ModelRun[]>;
}

/** Makes the drawer of some runs; nothing is drawn yet. */
export function createRunDrawer(
  prepared: PreparedExperiment,
  ids: readonly RunId[],
): RunDrawer {
  const runs: ModelRun[] = [];
  let failed = false;
  return {
    async drawFor(milliseconds) {
      const end = performance.now() + milliseconds;
      while (!failed && performance.now() < end) {
        const id = ids[runs.length];
        if (id === undefined) return;
        try {
          runs.push(await buildRun(prepared, id));
        } catch {
          failed = true;
        }
      }
    },
    async all() {
      for (const id of ids.slice(runs.length)) {
        runs.push(await buildRun(prepared, id));
      }
      return runs;
    },
  };
}
