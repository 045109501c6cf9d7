/**
 * Which engine trains: WebGPU where there is an adapter, else the float64
 * reference engine.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { createWebGpuEngine } from "../gpu/engine.ts";
import { createReferenceEngine } from "../reference/engine.ts";

/** `--device`: "auto" takes WebGPU where it can. */
export type DeviceChoice = "auto" | "gpu" | "cpu";

/** How to get an adapter on a machine without one. */
export const ADAPTER_ADVICE =
  "install a graphics driver, or on a machine without a GPU a software one " +
  "(Debian, Ubuntu: apt-get install libvulkan1 mesa-vulkan-drivers)";

/**
 * Opens an engine.
 *
 * @throws {InputError} If "gpu" was asked for and there is no adapter.
 */
export async function chooseEngine(
  device: DeviceChoice,
  options: {
    readonly warn: (line: string) => void;
    /** Time the device, where it can be timed. */
    readonly profile?: boolean;
  },
): Promise<Engine> {
  if (device === "cpu") return createReferenceEngine();
  const engine = await createWebGpuEngine({
    profile: options.profile ? "sample" : undefined,
  });
  if (engine !== undefined) {
    if (engine.adapter.software) {
      options.warn(
        `note: the only WebGPU adapter is ${engine.description}, which computes on the CPU`,
      );
    }
    return engine;
  }
  if (device === "gpu") {
    throw new InputError(
      `Cannot use --device gpu: this machine has no WebGPU adapter; ${ADAPTER_ADVICE}, or use --device cpu`,
    );
  }
  options.warn(
    `warning: no WebGPU adapter was found, so the float64 reference engine trains, many times slower; ${ADAPTER_ADVICE}`,
  );
  return createReferenceEngine();
}

/** Reads the value of `--device`. */
export function readDeviceChoice(value: string | undefined): DeviceChoice {
  if (value === undefined) return "auto";
  if (value === "auto" || value === "gpu" || value === "cpu") return value;
  throw new InputError(
    `Cannot use --device ${value}: allowed are auto, gpu and cpu`,
  );
}
