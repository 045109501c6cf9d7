/**
 * How a grid is cut into ensembles that fit the device.
 *
 * @module
 */

import type { EnsembleSize, MemoryPlan } from "../engine/ensemble.ts";
import {
  BUFFER_NAMES,
  type BufferName,
  type Layout,
  makeLayout,
  modelWords,
} from "./layout.ts";

/** Memory of an ensemble where nothing else is said. */
const DEFAULT_MEMORY_BYTES = 2 ** 31;

const MEBIBYTE = 2 ** 20;

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
 *   steps: [7, 7, 11],
 *   trialCount: 1000,
 *   batchSize: 128,
 * }, {
 *   limits: {
 *     maxStorageBufferBindingSize: 2 ** 27,
 *     maxBufferSize: 2 ** 28,
 *     maxComputeWorkgroupsPerDimension: 65535,
 *   },
 * });
 * plan.groups; // [[0, 1, 2]]
 * ```
 */
export function planMemory(
  size: EnsembleSize,
  options: {
    /** Limits of the adapter, by their WebGPU names. */
    readonly limits: Readonly<Record<string, number>>;
    /** Bytes that one ensemble may take, default 2 GiB. */
    readonly memoryBytes?: number;
  },
): MemoryPlan {
  const { limits, memoryBytes = DEFAULT_MEMORY_BYTES } = options;
  const binding = Math.min(
    limits.maxStorageBufferBindingSize as number,
    limits.maxBufferSize as number,
  );
  const bindingName = binding === limits.maxStorageBufferBindingSize as number
    ? "maxStorageBufferBindingSize"
    : "maxBufferSize";
  const mostModels = limits.maxComputeWorkgroupsPerDimension as number;
  const layout = makeLayout({
    ...size,
    batchRows: Math.min(size.batchSize, size.trialCount),
  });
  const { trialCount } = size;

  const groups: number[][] = [];
  const bytes: number[] = [];
  const neededBytes: number[] = [];
  let used: Record<BufferName, number> | undefined;
  let limitedBy: string | undefined;
  for (const [run, steps] of size.steps.entries()) {
    const words = modelWords(layout, { steps, trialCount });
    const own = total(words);
    const largest = BUFFER_NAMES.reduce((a, b) => words[b] > words[a] ? b : a);
    if (4 * words[largest] > binding) {
      throw new RangeError(
        `Cannot train a model of H = ${size.hiddenSize}, T = ${steps} on this adapter: its buffer "${largest}" takes ${
          megabytes(4 * words[largest])
        }, and ${bindingName} is ${megabytes(binding)}`,
      );
    }
    if (own > memoryBytes) {
      throw new RangeError(
        `Cannot train a model of H = ${size.hiddenSize}, T = ${steps}: it takes ${
          megabytes(own)
        }, and the memory for an ensemble is ${megabytes(memoryBytes)}`,
      );
    }
    const group = groups.at(-1);
    let reason: string | undefined;
    if (group !== undefined && used !== undefined) {
      const full = used;
      const name = BUFFER_NAMES.find((name) =>
        4 * (full[name] + words[name]) > binding
      );
      if (name !== undefined) {
        reason = `${bindingName} of ${megabytes(binding)} (${name})`;
      } else if (bytes.at(-1)! + own > memoryBytes) {
        reason = `${megabytes(memoryBytes)} for an ensemble`;
      } else if (group.length === mostModels) {
        reason = `maxComputeWorkgroupsPerDimension of ${mostModels}`;
      }
    }
    if (group === undefined || reason !== undefined) {
      limitedBy ??= reason;
      groups.push([run]);
      bytes.push(own);
      neededBytes.push(needed(layout, { steps, trialCount }));
      used = { ...words };
    } else {
      group.push(run);
      bytes[bytes.length - 1]! += own;
      neededBytes[neededBytes.length - 1]! += needed(layout, {
        steps,
        trialCount,
      });
      for (const name of BUFFER_NAMES) used![name] += words[name];
    }
  }
  return {
    groups,
    bytes,
    neededBytes,
    reason: limitedBy === undefined
      ? "all models fit in one ensemble"
      : `limited by ${limitedBy}`,
  };
}

function total(words: Record<BufferName, number>): number {
  return 4 * BUFFER_NAMES.reduce((sum, name) => sum + words[name], 0);
}

/** Parameters with Adam's moments, trials, and the states and deltas of one batch, without padding. */
function needed(
  layout: Layout,
  options: { readonly steps: number; readonly trialCount: number },
): number {
  const { hiddenSize: h, inputSize: i, outputSize: o, batchRows } = layout;
  const { steps, trialCount } = options;
  const parameters = h * (h + i + 2) + o * (h + 1);
  return 4 * (3 * parameters + trialCount * steps * (i + 1) +
    steps * batchRows * (2 * h + 2 * o));
}

function megabytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(bytes < 10 * MEBIBYTE ? 1 : 0)} MiB`;
}
