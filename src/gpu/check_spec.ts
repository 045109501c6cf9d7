/**
 * What models must have in common to be one ensemble on a device.
 *
 * @module
 */

import type { EnsembleSpec, ModelRun } from "../engine/ensemble.ts";
import { placeBatches } from "./pack_trials.ts";

/**
 * Checks that the models can share kernels and batches.
 *
 * @throws {RangeError} If there are none, more than four outputs, or runs that differ in the sizes of their batches or in where they stand.
 */
export function checkSpec(spec: EnsembleSpec): void {
  const first = spec.runs[0];
  if (first === undefined) {
    throw new RangeError("Cannot create an ensemble without models");
  }
  if (spec.outputSize > 4) {
    throw new RangeError(
      `Cannot create an ensemble: at most 4 outputs, found ${spec.outputSize}`,
    );
  }
  const sizes = (run: ModelRun) =>
    placeBatches(run.trials).map(({ size, training }) => `${size}${training}`)
      .join();
  const shape = sizes(first);
  for (const run of spec.runs) {
    if (sizes(run) !== shape) {
      throw new RangeError(
        `Cannot create an ensemble: the batches of ${run.label} are not as large as those of ${first.label}`,
      );
    }
    if (
      (run.state?.step ?? 0) !== (first.state?.step ?? 0) ||
      (run.state?.epoch ?? 0) !== (first.state?.epoch ?? 0)
    ) {
      throw new RangeError(
        `Cannot create an ensemble: ${run.label} and ${first.label} stand at different epochs`,
      );
    }
  }
}
