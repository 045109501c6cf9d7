/**
 * How a grid is cut into ensembles that fit the device.
 *
 * @module
 */

import { chooseStorage } from "./choose_storage.ts";
import { BUFFER_NAMES, type BufferName } from "./buffers.ts";
import {
  type AdapterLimits,
  bindingLimit,
  DEFAULT_MEMORY_BYTES,
  megabytes,
} from "./limits.ts";
import { type EnsembleSize, sizeOfModels } from "./model_sizes.ts";
import type { TimeVariant } from "./dense/sequence_tile.ts";
import type { StorageKind } from "./storage.ts";

/** How a grid is cut into ensembles. */
export interface MemoryPlan {
  /** Numbers of the runs of each ensemble. */
  readonly groups: readonly (readonly number[])[];
  /** Bytes each group holds on the device. */
  readonly bytes: readonly number[];
  /** The sum of what the algorithm needs, without padding. */
  readonly neededBytes: readonly number[];
  /** How weights lie on the device, and why. */
  readonly storage: string;
  /** Entries of W_hh that a product with it goes through. */
  readonly entries: number;
  /** What limited the size of an ensemble. */
  readonly reason: string;
}

/**
 * Cuts runs into groups, in their order, so that every buffer of a group can
 * be bound and all of them together keep within the memory.
 *
 * @throws {RangeError} If a single model does not fit; names the limit and the size.
 *
 * @example
 * ```ts
 * import { planMemory } from "./src/gpu/memory_plan.ts";
 *
 * const plan = planMemory({
 *   hiddenSize: 220,
 *   inputSize: 2,
 *   outputSize: 1,
 *   loss: "mse",
 *   connections: 23_000,
 *   blocks: 1920,
 *   steps: [7, 7, 11],
 *   trialCount: 1000,
 *   trainCount: 800,
 *   batchSize: 128,
 * }, {
 *   limits: {
 *     maxStorageBufferBindingSize: 2 ** 27,
 *     maxBufferSize: 2 ** 28,
 *     maxComputeWorkgroupsPerDimension: 65535,
 *   },
 *   software: false,
 * });
 * plan.groups; // [[0, 1, 2]]
 * plan.storage; // "whole matrices, as 63 % of their blocks of 4 × 4 hold a connection"
 * ```
 */
export function planMemory(
  size: EnsembleSize,
  options: {
    /** Limits of the adapter, by their WebGPU names. */
    readonly limits: AdapterLimits;
    /** True where a CPU does the work. */
    readonly software: boolean;
    /** Bytes that one ensemble may take, default 2 GiB. */
    readonly memoryBytes?: number | undefined;
    /** How forward and backward go through time; by default what suits the adapter. */
    readonly variant?: TimeVariant | undefined;
    /** How weights are to lie on the device, whatever suits the network. */
    readonly storage?: StorageKind | undefined;
  },
): MemoryPlan {
  const { limits, memoryBytes = DEFAULT_MEMORY_BYTES } = options;
  const choice = chooseStorage(size, {
    ...options,
    memoryBytes,
    kind: options.storage,
  });
  const binding = bindingLimit(limits);
  const mostModels = limits.maxComputeWorkgroupsPerDimension as number;
  const sizes = sizeOfModels(size, { ...options, kind: choice.kind });

  const groups: number[][] = [];
  const bytes: number[] = [];
  const neededBytes: number[] = [];
  let used = { ...sizes.shared };
  let limitedBy: string | undefined;
  for (const [run, steps] of size.steps.entries()) {
    const words = sizes.words(steps);
    const own = total(words);
    const common = total(sizes.shared);
    const group = groups.at(-1);
    let reason: string | undefined;
    if (group !== undefined) {
      const name = BUFFER_NAMES.find((name) =>
        4 * (used[name] + words[name]) > binding.bytes
      );
      if (name !== undefined) {
        reason = `${binding.name} of ${megabytes(binding.bytes)} (${name})`;
      } else if (bytes.at(-1)! + own > memoryBytes) {
        reason = `${megabytes(memoryBytes)} for an ensemble`;
      } else if (group.length === mostModels) {
        reason = `maxComputeWorkgroupsPerDimension of ${mostModels}`;
      }
    }
    if (group === undefined || reason !== undefined) {
      limitedBy ??= reason;
      groups.push([run]);
      bytes.push(common + own);
      neededBytes.push(sizes.neededShared + sizes.needed(steps));
      used = { ...sizes.shared };
    } else {
      group.push(run);
      bytes[bytes.length - 1]! += own;
      neededBytes[neededBytes.length - 1]! += sizes.needed(steps);
    }
    for (const name of BUFFER_NAMES) used[name] += words[name];
  }
  return {
    groups,
    bytes,
    neededBytes,
    storage: choice.reason,
    entries: sizes.entries,
    reason: limitedBy === undefined
      ? "all models fit in one ensemble"
      : `limited by ${limitedBy}`,
  };
}

/** Bytes of so many words of each buffer. */
function total(words: Record<BufferName, number>): number {
  return 4 * BUFFER_NAMES.reduce((sum, name) => sum + words[name], 0);
}
