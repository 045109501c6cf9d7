/**
 * The WebGPU engine.
 *
 * @module
 */

import type {
  Engine,
  EnsembleShape,
  ModelRun,
  Plan,
} from "../engine/ensemble.ts";
import {
  type AdapterDescription,
  openDevice,
  type WatchedDevice,
} from "./device.ts";
import {
  createGpuEnsemble,
  type GpuEnsemble,
  type ProfileExtent,
} from "./ensemble.ts";
import { planMemory } from "./memory_plan.ts";
import { sizeOf } from "./model_sizes.ts";
import { prepareKernels } from "./prepare_kernels.ts";
import type { StorageKind } from "./storage.ts";
import type { TimeVariant } from "./dense/sequence_tile.ts";

/** A plan whose ensembles can be looked into. */
export interface GpuPlan extends Plan {
  createEnsemble(runs: readonly ModelRun[]): Promise<GpuEnsemble>;
}

/** The WebGPU engine and what is known of its adapter. */
export interface WebGpuEngine extends Engine {
  readonly kind: "webgpu";
  readonly adapter: AdapterDescription;
  /** The device, for tests and benchmarks. */
  readonly gpu: WatchedDevice;
  plan(shape: EnsembleShape): GpuPlan;
}

/** Options of {@linkcode createWebGpuEngine}. */
export interface WebGpuEngineOptions {
  /** Bytes that one ensemble may take on the device, default 2 GiB. WebGPU does not tell how much a device has. */
  readonly memoryBytes?: number;
  /** Time every kernel of every batch, which is slower, or of a sample of the batches; by default none. */
  readonly profile?: ProfileExtent | undefined;
  /** How forward and backward go through time; by default what suits the adapter. */
  readonly variant?: TimeVariant;
  /** How weights lie on the device; by default what suits the network. */
  readonly storage?: StorageKind;
  /** Treat the adapter as a software one, or as a GPU; by default as what it says it is. */
  readonly software?: boolean;
}

/**
 * Opens the machine's GPU, or the software adapter that stands in for one;
 * undefined where there is no adapter at all.
 *
 * @throws {DeviceError} If the adapter gives no device.
 *
 * @example
 * ```ts
 * import { createWebGpuEngine } from "./src/gpu/engine.ts";
 *
 * const engine = await createWebGpuEngine();
 * engine?.description; // "llvmpipe (LLVM 15.0.6, 256 bits), Vulkan"
 * engine?.destroy();
 * ```
 */
export async function createWebGpuEngine(
  options: WebGpuEngineOptions = {},
): Promise<WebGpuEngine | undefined> {
  const gpu = await openDevice();
  if (gpu === undefined) return undefined;
  return {
    kind: "webgpu",
    description: gpu.adapter.description,
    adapter: gpu.adapter,
    gpu,
    plan(shape) {
      const size = sizeOf(shape);
      const { groups, bytes, storage, reason } = planMemory(size, {
        limits: gpu.adapter.limits,
        memoryBytes: options.memoryBytes,
        software: options.software ?? gpu.adapter.software,
        variant: options.variant,
        storage: options.storage,
      });
      return {
        groups,
        bytes,
        reason: `${storage}; ${reason}`,
        prepare: () => prepareKernels(gpu, size, options),
        createEnsemble: (runs) =>
          createGpuEnsemble(gpu, { ...shape, runs, network: size }, options),
      };
    },
    destroy: () => gpu.destroy(),
  };
}
