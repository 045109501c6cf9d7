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
import { kernelCacheOf, kernelTexts } from "./kernels.ts";
import { planBatches } from "./layout.ts";
import { planOnGpu } from "./plan.ts";
import type { FormatName } from "./weight_format.ts";

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
  /**
   * Bytes that one ensemble may take on the device. WebGPU does not tell how much a
   * device has: by default 16 GiB on a GPU, where a training that is refused memory
   * goes on with smaller ensembles, and 2 GiB on a software adapter.
   */
  readonly memoryBytes?: number | undefined;
  /** Time every kernel of every batch, which is slower, or of a sample of the batches; by default none. */
  readonly profile?: ProfileExtent | undefined;
  /** How weights are kept on the device; by default what suits the network. */
  readonly format?: FormatName | undefined;
  /** False: a dispatch a time step, even where all fit one. */
  readonly allSteps?: boolean | undefined;
  /** Bytes of loss history kept on the device; an epoch at least. */
  readonly historyBytes?: number | undefined;
}

const DEFAULT_BYTES = { hardware: 2 ** 34, software: 2 ** 31 } as const;

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
  const { adapter } = gpu;
  const memoryBytes = options.memoryBytes ??
    DEFAULT_BYTES[adapter.software ? "software" : "hardware"];
  return {
    kind: "webgpu",
    description: adapter.description,
    adapter,
    gpu,
    plan(shape) {
      const { groups, bytes, reason, formatFor } = planOnGpu(shape, {
        ...options,
        limits: adapter.limits,
        memoryBytes,
      });
      return {
        groups,
        bytes,
        reason,
        prepare() {
          const format = formatFor(planBatches(shape));
          kernelCacheOf(gpu).get(kernelTexts(format, shape.loss));
        },
        createEnsemble: (runs) =>
          createGpuEnsemble(gpu, { ...shape, runs }, { ...options, formatFor }),
      };
    },
    destroy: () => gpu.destroy(),
  };
}
