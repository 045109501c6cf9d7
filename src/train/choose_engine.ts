/**
 * Which engine trains, WebGPU where there is a GPU, else WebAssembly; and how a training
 * goes on when its device fails.
 *
 * @module
 */

import { DeviceError, type Engine } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { createWebGpuEngine } from "../gpu/engine.ts";
import { createReferenceEngine } from "../reference/engine.ts";
import { createWasmEngine } from "../wasm/engine.ts";
import { engineName } from "../results/run_file.ts";
import { runName } from "./build_run.ts";
import type { ArmRun } from "./groups.ts";

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
  { warn = () => {}, profile = false, workers, memoryBytes, fused = true }:
    ChooseEngineOptions = {},
): Promise<Engine> {
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
  if (gpu instanceof DeviceError) {
    warn(
      `note: training on the CPU, as the GPU can't be used (${gpu.message})`,
    );
    return openCpu();
  }
  const isSoftware = gpu?.adapter.software;
  if (device === "gpu") {
    if (gpu === undefined) {
      throw new InputError(
        "Cannot use --device gpu: this machine has no WebGPU adapter; install the graphics driver, or leave --device out to train on the CPU",
      );
    }
    if (isSoftware) {
      warn(
        `note: the only WebGPU adapter is ${gpu.description}, which computes on the CPU; --device cpu does so faster`,
      );
    }
    return gpu;
  }
  if (gpu !== undefined && !isSoftware) {
    warn(`note: training on the GPU, ${gpu.description}`);
    return gpu;
  }
  warn(
    gpu === undefined
      ? "note: training on the CPU, as this machine has no GPU that WebGPU can use"
      : `note: training on the CPU with WebAssembly, which is faster than this machine's only WebGPU adapter, the software one ${gpu.description}`,
  );
  gpu?.destroy();
  return openCpu();
}

/** Reads the value of `--device`. */
export function readDeviceChoice(value = "auto"): DeviceChoice {
  const choice = CHOICES.find((name) => name === value);
  if (choice !== undefined) return choice;
  throw new InputError(
    `Cannot use --device ${value}: allowed are auto, gpu, cpu and reference`,
  );
}

/** A driver that resets its device needs some seconds. */
const WAITS = [1000, 5000, 20_000];

/** Looks after the engine of a training; another one after each recovery. */
export class EngineKeeper {
  /** Models of one ensemble at most, as far as is known. */
  mostModels = Infinity;
  /** How often the device was opened again since an epoch was trained. */
  losses = 0;

  constructor(
    public engine: Engine,
    private readonly options: {
      /** Opens the device again; without it every trouble ends the training. */
      readonly reopen?: (() => Promise<Engine>) | undefined;
      readonly warn: (line: string) => void;
      /** Waits so many milliseconds; for tests. */
      readonly wait?: (milliseconds: number) => Promise<void>;
    },
  ) {}

  /**
   * Makes the next attempt possible after an error in the training of some runs.
   *
   * @throws {unknown} The error itself, or one that says more, where there is nothing to be done.
   */
  async recover(error: unknown, runs: readonly ArmRun[]): Promise<void> {
    const { reopen, warn } = this.options;
    if (
      !(error instanceof DeviceError) || error.reason === "validation" ||
      reopen === undefined
    ) throw error;
    if (error.reason === "out-of-memory") {
      if (runs.length === 1) {
        const [{ results, id }] = runs as [ArmRun];
        throw new DeviceError(
          `${
            runName(results.prepared.experiment, id)
          } does not fit the device's memory, even alone: ${error.message}`,
          { reason: "out-of-memory", cause: error },
        );
      }
      this.mostModels = Math.ceil(runs.length / 2);
      warn(
        `warning: ${this.engine.description} has no memory for ${runs.length} models at once (${error.message}); going on with ${this.mostModels} at most`,
      );
      this.losses = 0;
    } else {
      warn(
        `warning: ${error.message}; opening the device again and going on from the last saved states`,
      );
    }
    await this.#open(reopen, error);
  }

  /** Opens the device again, with more patience each time. */
  async #open(
    reopen: () => Promise<Engine>,
    trouble: DeviceError,
  ): Promise<void> {
    const sleep = (milliseconds: number) =>
      new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    const { wait = sleep } = this.options;
    const name = engineName(this.engine);
    this.engine.destroy();
    let last: unknown = trouble;
    while (this.losses < WAITS.length) {
      await wait(WAITS[this.losses++]!);
      try {
        const opened = await reopen();
        const found = engineName(opened);
        if (found === name) {
          this.engine = opened;
          return;
        }
        // Another engine would give other numbers, which nobody asked for; the lost one may come back.
        opened.destroy();
        last = new DeviceError(
          `the device was lost, and there is only ${found} now instead of ${name}`,
          { reason: "lost", cause: trouble },
        );
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }
}
