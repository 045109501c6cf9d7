/**
 * Which engine trains, WebGPU where there is a GPU, else WebAssembly; and how a training
 * goes on when its device fails.
 *
 * @module
 */

import { DeviceError, type Engine } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { createWebGpuEngine, type WebGpuEngine } from "../gpu/engine.ts";
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

/** The engine of a training, and what it can bear. */
interface EngineKeeper {
  /** The engine now; another one after each recovery. */
  readonly engine: Engine;
  /** Models of one ensemble at most, as far as is known. */
  readonly mostModels: number;
  /**
   * Makes the next attempt possible after an error in training.
   *
   * @throws {unknown} The error itself, or one that says more, where there is nothing to be done.
   */
  recover(error: unknown, attempt: FailedAttempt): Promise<void>;
  /** Releases the engine, if it is not the one that the training began with. */
  destroy(): void;
}

/** What was under way. */
interface FailedAttempt {
  readonly runs: readonly ArmRun[];
  /** Whether any epoch was trained since the trouble before. */
  readonly progressed: boolean;
}

/** How to recover. */
interface EngineKeeperOptions {
  /** Opens the device again; without it every trouble ends the training. */
  readonly reopen?: (() => Promise<Engine>) | undefined;
  /** Told what happened, in a sentence. */
  readonly warn: (line: string) => void;
  /** Waits so many milliseconds; for tests. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/** A driver that resets its device needs some seconds. */
const WAITS = [1000, 5000, 20_000];

/** Looks after the engine of a training. */
export function createEngineKeeper(
  first: Engine,
  { reopen, warn, wait = sleep }: EngineKeeperOptions,
): EngineKeeper {
  let engine = first;
  let mostModels = Infinity;
  let losses = 0;

  /** Opens the device again, with more patience each time. */
  async function open(
    openEngine: () => Promise<Engine>,
    trouble: DeviceError,
  ): Promise<void> {
    const name = engineName(engine);
    engine.destroy();
    for (let last: unknown = trouble;; losses++) {
      const pause = WAITS[losses];
      if (pause === undefined) throw last;
      await wait(pause);
      let opened: Engine;
      try {
        opened = await openEngine();
      } catch (error) {
        last = error;
        continue;
      }
      if (engineName(opened) === name) {
        engine = opened;
        losses++;
        return;
      }
      // Another engine would give other numbers, which nobody asked for; the lost one may come back.
      last = new DeviceError(
        `the device was lost, and there is only ${
          engineName(opened)
        } now instead of ${name}`,
        { reason: "lost", cause: trouble },
      );
      opened.destroy();
    }
  }

  return {
    get engine() {
      return engine;
    },
    get mostModels() {
      return mostModels;
    },
    async recover(error, { runs, progressed }) {
      if (!(error instanceof DeviceError) || reopen === undefined) throw error;
      const [run] = runs;
      if (error.reason === "validation" || run === undefined) throw error;
      if (progressed) losses = 0;
      if (error.reason === "out-of-memory") {
        if (runs.length === 1) {
          throw new DeviceError(
            `${
              runName(run.results.prepared.experiment, run.id)
            } does not fit the device's memory, even alone: ${error.message}`,
            { reason: "out-of-memory", cause: error },
          );
        }
        mostModels = Math.ceil(runs.length / 2);
        warn(
          `warning: ${engine.description} has no memory for ${runs.length} models at once (${error.message}); going on with ${mostModels} at most`,
        );
        losses = 0;
      } else {
        warn(
          `warning: ${error.message}; opening the device again and going on from the last saved states`,
        );
      }
      await open(reopen, error);
    },
    destroy() {
      if (engine !== first) engine.destroy();
    },
  };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
