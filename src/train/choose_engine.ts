/**
 * Which engine trains: WebGPU where there is a GPU, else WebAssembly.
 *
 * @module
 */

import { DeviceError, type Engine } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { createWebGpuEngine, type WebGpuEngine } from "../gpu/engine.ts";
import { createReferenceEngine } from "../reference/engine.ts";
import { createWasmEngine } from "../wasm/engine.ts";

/**
 * `--device`: "gpu" is WebGPU on whatever adapter there is, "cpu" the
 * WebAssembly engine, "reference" the float64 one, the slow oracle of the
 * tests. "auto" takes WebGPU where there is a real GPU, else WebAssembly.
 */
export type DeviceChoice = "auto" | "gpu" | "cpu" | "reference";

const CHOICES: readonly DeviceChoice[] = ["auto", "gpu", "cpu", "reference"];

/** How to open an engine. */
export interface ChooseEngineOptions {
  /** Told which engine was taken, and why, where nobody has named it. */
  readonly warn?: (line: string) => void;
  /** Time the device, where it can be timed. */
  readonly profile?: boolean;
  /** Workers of the WebAssembly engine, by default one for each core. */
  readonly workers?: number | undefined;
  /** Bytes that an ensemble may take on the GPU. */
  readonly memoryBytes?: number | undefined;
  /** False: the WebAssembly engine does without fused multiply-add. */
  readonly fused?: boolean;
}

/**
 * Opens an engine.
 *
 * @throws {InputError} If "gpu" was asked for and there is no adapter.
 * @throws {DeviceError} If "gpu" was asked for and the adapter can't be opened.
 *
 * @example
 * ```ts
 * import { chooseEngine, prepare, train } from "@biornn/biornn";
 *
 * const engine = await chooseEngine("cpu"); // e.g. to use it for several experiments
 * const overrides = { epochs: 2 };
 * await train(await prepare("config/quickstart.ini", { overrides }), { engine });
 * engine.destroy();
 * ```
 */
export async function chooseEngine(
  device: DeviceChoice = "auto",
  options: ChooseEngineOptions = {},
): Promise<Engine> {
  const {
    warn = () => {},
    profile = false,
    workers,
    memoryBytes,
    fused = true,
  } = options;
  if (device === "reference") return createReferenceEngine();
  const openCpu = () =>
    createWasmEngine({ profile, fused, ...(workers && { workers }) });
  if (device === "cpu") return openCpu();
  const gpu = await createWebGpuEngine({
    profile: profile ? "sample" : undefined,
    memoryBytes,
  }).catch((error: unknown) => {
    if (device === "gpu" || !(error instanceof DeviceError)) throw error;
    return error;
  });
  if (device === "gpu") return checkAdapter(gpu, warn);
  if (gpu === undefined || gpu instanceof DeviceError) {
    const why = gpu === undefined
      ? "this machine has no GPU that WebGPU can use"
      : `the GPU can't be used (${gpu.message})`;
    warn(`note: training on the CPU, as ${why}`);
    return openCpu();
  }
  if (!gpu.adapter.software) {
    warn(`note: training on the GPU, ${gpu.description}`);
    return gpu;
  }
  warn(
    `note: training on the CPU with WebAssembly, which is faster than this machine's only WebGPU adapter, the software one ${gpu.description}`,
  );
  gpu.destroy();
  return openCpu();
}

function checkAdapter(
  gpu: WebGpuEngine | DeviceError | undefined,
  warn: (line: string) => void,
): WebGpuEngine {
  if (gpu instanceof DeviceError) throw gpu;
  if (gpu === undefined) {
    throw new InputError(
      "Cannot use --device gpu: this machine has no WebGPU adapter; install the graphics driver, or leave --device out to train on the CPU",
    );
  }
  if (gpu.adapter.software) {
    warn(
      `note: the only WebGPU adapter is ${gpu.description}, which computes on the CPU; --device cpu does so faster`,
    );
  }
  return gpu;
}

/** Reads the value of `--device`. */
export function readDeviceChoice(value = "auto"): DeviceChoice {
  const choice = CHOICES.find((name) => name === value);
  if (choice !== undefined) return choice;
  throw new InputError(
    `Cannot use --device ${value}: allowed are auto, gpu, cpu and reference`,
  );
}
