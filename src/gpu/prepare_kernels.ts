/**
 * Has the kernels of an ensemble compiled before its models are drawn, so that
 * the device is busy with that while the host draws them.
 *
 * @module
 */

import { createDispatches } from "./create_dispatches.ts";
import { createStorage } from "./create_storage.ts";
import type { WatchedDevice } from "./device.ts";
import type { GpuEnsembleOptions } from "./ensemble.ts";
import { kernelCacheOf } from "./kernel_cache.ts";
import { DEFAULT_MEMORY_BYTES } from "./limits.ts";
import type { BatchPlace } from "./pack_trials.ts";
import type { EnsembleSize } from "./model_sizes.ts";
import { kernelsOf } from "./step_plan.ts";

/**
 * Compiles what an ensemble of that size will run.
 */
export function prepareKernels(
  gpu: WatchedDevice,
  size: EnsembleSize,
  options: GpuEnsembleOptions,
): void {
  const { trialCount, trainCount = trialCount, batchSize, steps } = size;
  const batches = [
    ...cut(trainCount, { batchSize, training: true }),
    ...cut(trialCount - trainCount, { batchSize, training: false }),
  ];
  const software = options.software ?? gpu.adapter.software;
  const { limits } = gpu.adapter;
  const storage = createStorage({ ...size, network: size, runs: [] }, {
    runs: [],
    batchRows: Math.max(...batches.map(({ size }) => size)),
    trialCount,
    limits,
    memoryBytes: options.memoryBytes ?? DEFAULT_MEMORY_BYTES,
    software,
    variant: options.variant,
    kind: options.storage,
  });
  const cache = kernelCacheOf(gpu);
  cache.warmUp(kernelsOf(cache, {
    loss: size.loss,
    storage,
    dispatches: createDispatches(storage, { software, batches }),
    mostSteps: Math.max(...steps),
    models: steps.length,
    batches: batches.length,
  }));
}

/** The batches that so many trials are cut into. */
function cut(
  trials: number,
  { batchSize, training }: {
    readonly batchSize: number;
    readonly training: boolean;
  },
): Pick<BatchPlace, "size" | "training">[] {
  const batches = [];
  for (let left = trials; left > 0; left -= batchSize) {
    batches.push({ size: Math.min(left, batchSize), training });
  }
  return batches;
}
