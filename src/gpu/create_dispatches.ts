/**
 * Chooses the dispatches of a training step.
 *
 * @module
 */

import { createBlockDispatches } from "./blocks/block_dispatches.ts";
import type { BlockStorage } from "./blocks/block_storage.ts";
import { createDenseDispatches } from "./dense/dense_dispatches.ts";
import type { DenseStorage } from "./dense/dense_storage.ts";
import type { Dispatches } from "./dispatches.ts";
import type { TileOptions } from "./dense/tiles.ts";

/** The dispatches that go with a storage. */
export function createDispatches(
  storage: DenseStorage | BlockStorage,
  options: TileOptions,
): Dispatches {
  return storage.kind === "dense"
    ? createDenseDispatches(storage, options)
    : createBlockDispatches(storage, options);
}
