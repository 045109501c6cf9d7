/**
 * The WebGPU engine, and its ensembles: many models that train side by side on
 * the device.
 *
 * @module
 */

import { checkSpec } from "../engine/create_ensemble.ts";
import type { DeviceProfile } from "../engine/device_profile.ts";
import type {
  BatchProbe,
  Engine,
  Ensemble,
  EnsembleShape,
  EnsembleSpec,
  EpochHistory,
  ModelRun,
  Plan,
  Rules,
} from "../engine/ensemble.ts";
import { createHistory, guardEnsemble } from "../engine/common.ts";
import { closePorts } from "../rnn/parameters.ts";
import {
  checkOnGpu,
  createBuffers,
  type EnsembleBuffers,
  readStates,
} from "./buffers.ts";
import {
  type AdapterDescription,
  openDevice,
  readBack,
  type WatchedDevice,
} from "./device.ts";
import { kernelCacheOf, kernelTexts } from "./kernels.ts";
import {
  type BatchPlace,
  placeBatches,
  planBatches,
  rangeBuffer,
  rangesOf,
} from "./layout.ts";
import { planOnGpu, type PlanOptions } from "./plan.ts";
import { createProfiler, sampleInterval } from "./profiler.ts";
import { type BatchRunner, createBatchRunner } from "./record_batch.ts";
import { createEpochTrainer } from "./train_epochs.ts";
import { unpackWeights, type WeightFormat } from "./weight_format.ts";

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
export interface WebGpuEngineOptions
  extends
    Pick<GpuEnsembleOptions, "profile">,
    Pick<PlanOptions, "format" | "allSteps"> {
  /**
   * Bytes that one ensemble may take on the device. WebGPU does not tell how much a
   * device has: by default 16 GiB on a GPU, where a training that is refused memory
   * goes on with smaller ensembles, and 2 GiB on a software adapter.
   */
  readonly memoryBytes?: number | undefined;
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
      const { formatFor, ...decided } = planOnGpu(shape, {
        ...options,
        limits: adapter.limits,
        memoryBytes,
      });
      return {
        ...decided,
        prepare() {
          const format = formatFor(planBatches(shape));
          kernelCacheOf(gpu).get(kernelTexts(format, shape));
        },
        createEnsemble: (runs) =>
          createGpuEnsemble(gpu, { ...shape, runs }, {
            ...options,
            formatFor,
          }),
      };
    },
    destroy: () => gpu.destroy(),
  };
}

/** Loss history kept on the device, unless told otherwise. */
const HISTORY_BYTES = 1 << 22;

/** An ensemble that can say how long its kernels took. */
export interface GpuEnsemble extends Ensemble {
  profile(): DeviceProfile | undefined;
  /** What is on the device, for tests that look inside or poison it. */
  readonly made: EnsembleBuffers;
  readonly format: WeightFormat;
}

/**
 * What to time: "all" gives each kernel a pass of its own, which makes training
 * slower; "sample" does so with a sample of the batches, which hardly does.
 */
export type ProfileExtent = "all" | "sample";

/** How an ensemble runs. */
export interface GpuEnsembleOptions {
  /** How weights are kept, with batches of those sizes. */
  readonly formatFor: (batches: readonly BatchPlace[]) => WeightFormat;
  /** Time every kernel of every batch, which is slower, or of a sample of the batches; by default none. */
  readonly profile?: ProfileExtent | undefined;
  /** Bytes of loss history kept on the device, default 4 MiB; an epoch at least. */
  readonly historyBytes?: number | undefined;
}

/**
 * Creates an ensemble on a device.
 *
 * @throws {RangeError} If the models cannot be one ensemble, or do not fit the device.
 */
export async function createGpuEnsemble(
  gpu: WatchedDevice,
  spec: EnsembleSpec & Rules,
  options: GpuEnsembleOptions,
): Promise<GpuEnsemble> {
  gpu.check();
  checkSpec(spec);
  checkOnGpu(spec);
  // Models with more time steps first: then those that have a step t are a prefix.
  const order = spec.runs.map((_, i) => i).sort((a, b) =>
    spec.runs[b]!.trials.steps - spec.runs[a]!.trials.steps || a - b
  );
  const runs = order.map((i) => spec.runs[i]!);
  const placeOf = order.map((_, model) => order.indexOf(model));
  const sizes = (batches: readonly Uint32Array[]) =>
    batches.map((batch) => batch.length);
  const { trainBatches, validateBatches } = runs[0]!.trials;
  const batches = placeBatches(sizes(trainBatches), sizes(validateBatches));
  const format = options.formatFor(batches);
  const { layout } = format;
  // The driver may go on compiling while the host packs the models.
  const kernels = kernelCacheOf(gpu).get(
    kernelTexts(format, spec),
  );
  const historyEpochs = Math.max(
    1,
    Math.floor(
      (options.historyBytes ?? HISTORY_BYTES) /
        (runs.length * batches.length * 8),
    ),
  );
  // The last slot is kept for probes.
  const probeSlot = historyEpochs * batches.length;
  const made = createBuffers(gpu, {
    runs,
    format,
    rules: spec,
    historySlots: probeSlot + 1,
  });
  const runner = createBatchRunner(gpu, { format, kernels, made, rules: spec });
  const profiler = options.profile === undefined
    ? undefined
    : createProfiler(gpu, {
      every: options.profile === "all" ? 1 : sampleInterval(batches.length),
    });
  const trainer = createEpochTrainer(gpu, runner, {
    epoch: runs[0]!.state?.epoch ?? 0,
    update: runs[0]!.state?.updates ?? 0,
    profiler,
    history: made.buffers.history!,
    historyEpochs,
  });
  await gpu.finish();

  /** Losses of epochs, [epochs, batches, models, 2]: mean loss and right answers. */
  function historyOf(values: Float32Array): EpochHistory {
    const perEpoch = batches.length * runs.length * 2;
    return createHistory(spec, {
      epochs: values.length / perEpoch,
      scoreOf({ model, epoch, batch }) {
        const place = placeOf[model]!;
        const at = epoch * perEpoch + (batch * runs.length + place) * 2;
        const scored = made.models[place]!.scored[batch]!;
        const accuracy = 100 * values[at + 1]! / scored;
        return { loss: values[at]!, accuracy };
      },
    });
  }

  const guarded = guardEnsemble(spec, {
    train(epochs, { onEpochs, ...options }) {
      gpu.check();
      const onHistory = (values: Float32Array) => onEpochs(historyOf(values));
      return trainer.train(epochs, { ...options, onHistory });
    },
    async states(models) {
      gpu.check();
      const places = models.map((model) => placeOf[model]!);
      const { epoch, update } = trainer;
      const states = await readStates(gpu, places, { layout, made });
      return states.map((state) => ({ epoch, updates: update, ...state }));
    },
    probe(model, number) {
      gpu.check();
      return probeBatch(gpu, runner, {
        classifies: spec.loss === "nll",
        place: placeOf[model]!,
        number,
        made,
        slot: probeSlot,
      });
    },
    destroy() {
      profiler?.destroy();
      runner.destroy();
      for (const buffer of Object.values(made.buffers)) buffer.destroy();
    },
  });
  return { ...guarded, made, format, profile: () => profiler?.profile() };
}

/** Runs one training batch of one model without an update, and reads what came of it. */
async function probeBatch(
  gpu: WatchedDevice,
  runner: BatchRunner,
  { classifies, place, number, made, slot }: {
    readonly classifies: boolean;
    /** The model's place in the device's order. */
    readonly place: number;
    /** Number of the training batch. */
    readonly number: number;
    readonly made: EnsembleBuffers;
    /** Where its losses go in the history. */
    readonly slot: number;
  },
): Promise<BatchProbe> {
  const { layout } = runner.format;
  const { buffers, models } = made;
  const { run, topology, at, scored } = models[place]!;
  const recorder = runner.record("probe");
  recorder.add({ number, slot, update: 1, probed: place });
  recorder.finish()();
  const T = run.trials.steps;
  const { hiddenSize: H, outputSize: O, slot: rows } = layout;
  const B = layout.batches[number]!.size;
  const width = 4 * layout.vectors;
  const ranges = rangesOf(layout, T);
  const [history, outputs, hidden, gradient] = await readBack(gpu, [
    {
      buffer: buffers.history!,
      firstWord: (slot * models.length + place) * 2,
      words: 2,
    },
    { buffer: buffers.outputs!, firstWord: 0, words: T * O * width },
    {
      buffer: buffers[rangeBuffer("state", ranges.length - 1)]!,
      firstWord: at.state + (T - ranges.at(-1)!.first) * rows * width,
      words: H * width,
    },
    { buffer: buffers.gradient!, firstWord: 0, words: topology.words.places },
  ]) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const byPlace = unpackWeights(topology, {
    layout,
    values: (place) => gradient[place]!,
  });
  if (!run.trainRecurrent) byPlace.weightHh.fill(0);
  // Another model's gradient may stand where this one has no weight.
  closePorts(byPlace, run.ports);
  return {
    loss: history[0]!,
    accuracy: classifies ? 100 * history[1]! / scored[number]! : undefined,
    output: Float32Array.from({ length: B * T * O }, (_, i) => {
      const [o, t, b] = [i % O, Math.floor(i / O) % T, Math.floor(i / O / T)];
      return outputs[(t * O + o) * width + b]!;
    }),
    hiddenLast: Float32Array.from(
      { length: B * H },
      (_, i) => hidden[i % H * width + Math.floor(i / H)]!,
    ),
    gradient: byPlace,
  };
}
