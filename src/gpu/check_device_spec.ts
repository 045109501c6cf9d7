/**
 * What the kernels ask of an ensemble, beyond what every engine does.
 *
 * @module
 */

import type { EnsembleSpec } from "../engine/ensemble.ts";

/**
 * Checks that the kernels can run these models side by side.
 *
 * @throws {RangeError} If there are more than four outputs, or runs that go on from different epochs or steps.
 */
export function checkDeviceSpec({ outputSize, runs }: EnsembleSpec): void {
  if (outputSize > 4) {
    throw new RangeError(
      `Cannot create an ensemble: at most 4 outputs, found ${outputSize}`,
    );
  }
  const first = runs[0]!;
  for (const run of runs) {
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
