/**
 * Chooses the dispatches of a training step.
 *
 * @module
 */

import { createBlockDispatches } from "./block_dispatches.ts";
import type { BlockStorage } from "./block_storage.ts";
import { createDenseDispatches } from "./dense_dispatches.ts";
import type { DenseStorage } from "./dense_storage.ts";
import type { Dispatches } from "./dispatches.ts";
import type { AdapterLimits } from "./limits.ts";
import type { BatchPlace } from "./pack_trials.ts";
import type { TimeVariant } from "./sequence_tile.ts";

/** The dispatches that go with a storage. */
export function createDispatches(
  storage: DenseStorage | BlockStorage,
  options: {
    readonly software: boolean;
    readonly limits: AdapterLimits;
    /** The batches of an epoch. */
    readonly batches: readonly Pick<BatchPlace, "size" | "training">[];
    readonly variant?: TimeVariant | undefined;
  },
): Dispatches {
  return storage.kind === "dense"
    ? createDenseDispatches(storage, options)
    : createBlockDispatches(storage, options);
}
