/**
 * The WebGPU device: asked for with the adapter's real limits, and watched, so
 * that no error stays silent; and numbers back from it to the host.
 *
 * @module
 */

import { DeviceError, type DeviceTrouble } from "../engine/ensemble.ts";

/** What is known of an adapter, for logs, `experiment.json` and `doctor`. */
export type AdapterDescription = Readonly<ReturnType<typeof describeAdapter>>;

/** A device and what it has complained of. */
export type WatchedDevice = NonNullable<
  Awaited<ReturnType<typeof openDevice>>
>;

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
export function describeAdapter(adapter: GPUAdapter) {
  const { vendor, architecture, device, description } = adapter.info;
  const limits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = adapter.limits[name as keyof GPUSupportedLimits];
    if (typeof value === "number") limits[name] = value;
  }
  // Browsers tell vendor and architecture only.
  const name = description || device || `${vendor} ${architecture}`.trim() ||
    "unknown adapter";
  const backend = backendOf(adapter.features);
  return {
    /** Name and driver, e.g. "NVIDIA H200, Vulkan", or "llvmpipe (LLVM 15.0.6, 256 bits), Vulkan" for Mesa's software adapter. */
    description: backend === undefined ? name : `${name}, ${backend}`,
    vendor,
    architecture,
    device,
    /** Whether a CPU does the work. */
    software: SOFTWARE_ADAPTERS.test(
      `${description} ${device} ${architecture}`,
    ),
    features: [...adapter.features].sort(),
    /** By their WebGPU names. */
    limits,
  };
}

/**
 * One card has an adapter for each of its drivers, under one name, and their
 * numbers differ; WebGPU does not say which driver it is. Deno's OpenGL alone lacks
 * half precision and writable BGRA textures; browsers do not tell. Undefined
 * where there is no telling: on Windows Vulkan and Direct3D look alike.
 */
function backendOf(
  features: { has(name: string): boolean },
): string | undefined {
  if (!("Deno" in globalThis)) return undefined;
  if (!features.has("shader-f16") && !features.has("bgra8unorm-storage")) {
    return "OpenGL";
  }
  if (Deno.build.os === "windows") return undefined;
  return Deno.build.os === "darwin" ? "Metal" : "Vulkan";
}

function troubleOf(error: GPUError): DeviceTrouble {
  if (/\bdevice (?:is|was) lost\b/i.test(error.message)) return "lost";
  if (error instanceof GPUOutOfMemoryError) return "out-of-memory";
  return error instanceof GPUValidationError ? "validation" : "internal";
}

/** What the driver answers; what it refuses becomes a sentence. */
async function asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError(`${what}: ${reason.trim()}`, {
      reason: "internal",
      cause,
    });
  }
}

/**
 * Opens a device; undefined where there is no adapter.
 *
 * @throws {DeviceError} If the adapter, or its device, is refused.
 *
 * @example
 * ```ts
 * import { openDevice } from "./src/gpu/device.ts";
 *
 * const gpu = await openDevice();
 * gpu?.adapter.description; // "llvmpipe (LLVM 15.0.6, 256 bits), Vulkan"
 * gpu?.destroy();
 * ```
 */
export async function openDevice() {
  const found = await asked(
    "Cannot ask for a WebGPU adapter",
    () =>
      navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }),
  );
  if (found === null || found === undefined) return undefined;
  const adapter = describeAdapter(found);
  const requiredLimits = Object.fromEntries(
    WANTED_LIMITS.map((name) => [name, adapter.limits[name]!]),
  );
  const device = await asked(
    `Cannot open the device ${adapter.description}`,
    () =>
      found.requestDevice({
        label: "biornn",
        requiredFeatures: found.features.has("timestamp-query")
          ? ["timestamp-query"]
          : [],
        requiredLimits,
      }),
  );

  let failure: DeviceError | undefined;
  let loss: DeviceError | undefined;
  let destroyed = false;
  function errorOf(error: GPUError, what: string | undefined): DeviceError {
    const message = error.message.trim();
    const place = what === undefined ? "" : ` in ${what}`;
    return new DeviceError(
      `WebGPU error${place} on ${adapter.description}: ${message}`,
      { reason: troubleOf(error) },
    );
  }
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    failure ??= errorOf((event as GPUUncapturedErrorEvent).error, undefined);
  });
  device.lost.then(({ message, reason }) => {
    if (destroyed) return;
    loss = new DeviceError(
      `the device ${adapter.description} was lost (${message || reason})`,
      { reason: "lost" },
    );
  });
  /** @throws {DeviceError} The first error that the device reported since it was made. */
  function check(): void {
    // A lost device refuses everything: its other errors follow from that.
    const error = loss ?? failure;
    if (error !== undefined) throw error;
  }
  /** Lets error events and signals arrive, then checks. */
  async function settle(): Promise<void> {
    // They do so between two turns of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 0));
    check();
  }
  return {
    device,
    adapter,
    check,
    settle,
    /** Runs `make`; what the device refuses in it is reported under the name given. */
    named<T>(what: string, make: () => T): T {
      device.pushErrorScope("validation");
      try {
        return make();
      } finally {
        device.popErrorScope().then((error) => {
          if (error !== null) failure ??= errorOf(error, what);
        });
      }
    },
    /** Waits until all submitted work is done, then checks. */
    async finish(): Promise<void> {
      await device.queue.onSubmittedWorkDone();
      await settle();
    },
    destroy(): void {
      destroyed = true;
      device.destroy();
    },
  };
}

/** A part of a buffer, in 32-bit words. */
export interface BufferPart {
  readonly buffer: GPUBuffer;
  readonly firstWord: number;
  readonly words: number;
}

/**
 * Copies parts of buffers to the host, with one wait for all of them: a wait
 * costs over 10 ms.
 */
export async function readBack(
  gpu: WatchedDevice,
  parts: readonly BufferPart[],
): Promise<Float32Array<ArrayBuffer>[]> {
  const bytes = parts.reduce((sum, { words }) => sum + words * 4, 0);
  const staging = gpu.device.createBuffer({
    label: "read back",
    size: bytes,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  try {
    const encoder = gpu.device.createCommandEncoder({ label: "read back" });
    let end = 0;
    const places = parts.map(({ buffer, firstWord, words }) => {
      const at = end;
      end += 4 * words;
      encoder.copyBufferToBuffer(buffer, 4 * firstWord, staging, at, 4 * words);
      return at;
    });
    gpu.device.queue.submit([encoder.finish()]);
    try {
      await staging.mapAsync(GPUMapMode.READ);
    } catch (error) {
      // What the device reported says more than that it could not be mapped.
      await gpu.finish();
      throw error;
    }
    const copy = staging.getMappedRange().slice(0);
    const arrays = parts.map(({ words }, i) =>
      new Float32Array(copy, places[i], words)
    );
    staging.unmap();
    await gpu.finish();
    return arrays;
  } finally {
    staging.destroy();
  }
}
