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
  ModelRun,
  Plan,
  Rules,
} from "../engine/ensemble.ts";
import { createHistory, guardEnsemble } from "../engine/engine_parts.ts";
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
import { compileKernels, kernelTexts } from "./kernels.ts";
import { placeBatches, planBatches, rangeBuffer, rangesOf } from "./layout.ts";
import { planOnGpu, type PlanOptions } from "./plan.ts";
import { createProfiler, sampleInterval } from "./profiler.ts";
import { type BatchRunner, createBatchRunner } from "./record_batch.ts";
import { createTrainer } from "./train_epochs.ts";
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
  const memoryBytes = options.memoryBytes ?? 2 ** (adapter.software ? 31 : 34);
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
          compileKernels(gpu, kernelTexts(format, shape));
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

/** An ensemble that can say how long its kernels took. */
export interface GpuEnsemble extends Ensemble {
  profile(): DeviceProfile | undefined;
  /** What is on the device, for tests that look inside or poison it. */
  readonly made: EnsembleBuffers;
  readonly format: WeightFormat;
}

/** How an ensemble runs. */
interface GpuEnsembleOptions
  extends Pick<ReturnType<typeof planOnGpu>, "formatFor"> {
  /**
   * What to time, by default nothing: "all" gives each kernel of every batch a pass
   * of its own, which makes training slower; "sample" does so with a sample of the
   * batches, which hardly does.
   */
  readonly profile?: "all" | "sample" | undefined;
  /** Bytes of loss history kept on the device, default 4 MiB; an epoch at least. */
  readonly historyBytes?: number | undefined;
  /** Operations of a part of a submit, at most; by default what the device does in a second. */
  readonly submitWork?: number | undefined;
}

/**
 * Creates an ensemble on a device.
 *
 * @throws {RangeError} If the models cannot be one ensemble, or do not fit the device.
 */
export async function createGpuEnsemble(
  gpu: WatchedDevice,
  spec: EnsembleSpec & Rules,
  { formatFor, profile, historyBytes = 2 ** 22, submitWork }:
    GpuEnsembleOptions,
): Promise<GpuEnsemble> {
  gpu.check();
  checkSpec(spec);
  checkOnGpu(spec);
  // Models with more time steps first: then those that have a step t are a prefix.
  const order = [...spec.runs.keys()].sort((a, b) =>
    spec.runs[b]!.trials.steps - spec.runs[a]!.trials.steps || a - b
  );
  const runs = order.map((i) => spec.runs[i]!);
  const placeOf = order.map((_, model) => order.indexOf(model));
  const { trials: { trainBatches, validateBatches }, state } = runs[0]!;
  const sizes = (batches: readonly Uint32Array[]) =>
    batches.map((batch) => batch.length);
  const format = formatFor(
    placeBatches(sizes(trainBatches), sizes(validateBatches)),
  );
  const batches = format.layout.batches.length;
  // The driver may go on compiling while the host packs the models.
  const kernels = compileKernels(gpu, kernelTexts(format, spec));
  const historyEpochs = Math.max(
    1,
    Math.floor(historyBytes / (runs.length * batches * 8)),
  );
  // The last slot is kept for probes.
  const probeSlot = historyEpochs * batches;
  const made = createBuffers(gpu, {
    runs,
    format,
    rules: spec,
    historySlots: probeSlot + 1,
  });
  const { buffers, models } = made;
  const runner = createBatchRunner(gpu, { format, kernels, made, rules: spec });
  const profiler = profile &&
    createProfiler(gpu, profile === "all" ? 1 : sampleInterval(batches));
  const stand = { epoch: state?.epoch ?? 0, updates: state?.updates ?? 0 };
  const train = createTrainer(gpu, runner, {
    stand,
    profiler,
    historyEpochs,
    history: buffers.history!,
    submitWork,
  });
  await gpu.finish();

  /** Losses of epochs, [epochs, batches, models, 2]: mean loss and right answers. */
  function historyOf(values: Float32Array) {
    const perEpoch = batches * runs.length * 2;
    return createHistory(spec, {
      epochs: values.length / perEpoch,
      scoreOf({ model, epoch, batch }) {
        const place = placeOf[model]!;
        const at = epoch * perEpoch + (batch * runs.length + place) * 2;
        const accuracy = 100 * values[at + 1]! / models[place]!.scored[batch]!;
        return { loss: values[at]!, accuracy };
      },
    });
  }

  const guarded = guardEnsemble(spec, {
    train(epochs, { onEpochs, ...options }) {
      gpu.check();
      const onHistory = (values: Float32Array) => onEpochs(historyOf(values));
      return train(epochs, { ...options, onHistory });
    },
    async states(wanted) {
      gpu.check();
      const { layout } = format;
      const placed = wanted.map((model) => models[placeOf[model]!]!);
      const at = { ...stand };
      const states = await readStates(gpu, placed, { layout, buffers });
      return states.map((state) => ({ ...at, ...state }));
    },
    async probe(model, number) {
      gpu.check();
      const place = placeOf[model]!;
      runner.record([{ number, slot: probeSlot, update: 1, probed: place }])();
      const probe = await readProbe(gpu, runner, {
        place,
        number,
        made,
        slot: probeSlot,
      });
      return spec.loss === "nll" ? probe : { ...probe, accuracy: undefined };
    },
    destroy() {
      profiler?.destroy();
      runner.destroy();
      for (const buffer of Object.values(buffers)) buffer.destroy();
    },
  });
  return { ...guarded, made, format, profile: () => profiler?.profile() };
}

/** Reads what came of a training batch of one model. */
async function readProbe(
  gpu: WatchedDevice,
  { layout }: BatchRunner,
  { place, number, made: { buffers, models }, slot }: {
    /** The model's place in the device's order. */
    readonly place: number;
    /** Number of the training batch. */
    readonly number: number;
    readonly made: EnsembleBuffers;
    /** Where its losses are in the history. */
    readonly slot: number;
  },
): Promise<BatchProbe> {
  const { run, topology, at, scored } = models[place]!;
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
    accuracy: 100 * history[1]! / scored[number]!,
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
