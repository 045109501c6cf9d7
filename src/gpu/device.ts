/**
 * The WebGPU device: asked for with the adapter's real limits, and watched, so
 * that no error stays silent.
 *
 * @module
 */

/** What is known of an adapter, for logs, `experiment.json` and `doctor`. */
export interface AdapterDescription {
  /** E.g. "NVIDIA H100", or "llvmpipe (LLVM 15.0.6, 256 bits)" for Mesa's software adapter. */
  readonly description: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** True where a CPU does the work. */
  readonly software: boolean;
  readonly features: readonly string[];
  /** The adapter's limits, by their WebGPU names. */
  readonly limits: Readonly<Record<string, number>>;
}

/** A device and what it has complained of. */
export interface WatchedDevice {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  /** Throws the first error that the device reported since it was made. */
  check(): void;
  /** Waits until all submitted work is done, then {@linkcode WatchedDevice.check}. */
  finish(): Promise<void>;
  destroy(): void;
}

/** The limits biornn gains from when an adapter grants more than the default. */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
] as const;

const SOFTWARE_ADAPTERS =
  /llvmpipe|lavapipe|swiftshader|softpipe|basic render/i;

/** What `info` and `limits` of an adapter say. */
export function describeAdapter(adapter: GPUAdapter): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[name] = value;
  }
  return {
    description: description || device || vendor || "unknown adapter",
    vendor,
    architecture,
    device,
    software: SOFTWARE_ADAPTERS.test(`${description} ${device}`),
    features: [...adapter.features].sort(),
    limits,
  };
}

/**
 * Opens a device; undefined where there is no adapter.
 *
 * @throws {Error} If there is an adapter but it gives no device.
 *
 * @example
 * ```ts
 * import { openDevice } from "./src/gpu/device.ts";
 *
 * const gpu = await openDevice();
 * gpu?.adapter.description; // "llvmpipe (LLVM 15.0.6, 256 bits)"
 * gpu?.destroy();
 * ```
 */
export async function openDevice(): Promise<WatchedDevice | undefined> {
  const found = await navigator.gpu?.requestAdapter({
    powerPreference: "high-performance",
  });
  if (found === null || found === undefined) return undefined;
  const adapter = describeAdapter(found);
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) {
    requiredLimits[name] = adapter.limits[name] as number;
  }
  const device = await found.requestDevice({
    label: "biornn",
    requiredFeatures: found.features.has("timestamp-query")
      ? ["timestamp-query"]
      : [],
    requiredLimits,
  });

  let failure: Error | undefined;
  let destroyed = false;
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    const { error } = event as GPUUncapturedErrorEvent;
    failure ??= new Error(
      `WebGPU error on ${adapter.description}: ${error.message}`,
    );
  });
  device.lost.then((info) => {
    if (destroyed) return;
    failure ??= new Error(
      `WebGPU device lost on ${adapter.description}: ${
        info.message || info.reason
      }`,
    );
  });
  function check(): void {
    if (failure !== undefined) throw failure;
  }
  return {
    device,
    adapter,
    check,
    async finish() {
      await device.queue.onSubmittedWorkDone();
      // Error events and signals arrive between two turns of the event loop.
      await new Promise((resolve) => setTimeout(resolve, 0));
      check();
    },
    destroy() {
      destroyed = true;
      device.destroy();
    },
  };
}
