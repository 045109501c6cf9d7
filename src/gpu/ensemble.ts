/**
 * Many models that train side by side on the device.
 *
 * @module
 */

import type {
  BatchProbe,
  Ensemble,
  EnsembleSpec,
  EpochHistory,
  ModelState,
} from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import { createBuffers } from "./ensemble_buffers.ts";
import { historyCollector } from "./history.ts";
import {
  type BoundBuffer,
  createKernel,
  createUniformLayout,
  KERNEL_SOURCES,
  type KernelName,
} from "./kernels.ts";
import { type Layout, makeLayout } from "./layout.ts";
import { unpackMatrix } from "./pack_parameters.ts";
import { type BatchPlace, placeBatches } from "./pack_trials.ts";
import { type BufferPart, readBack } from "./read_back.ts";
import { createProfiler, type KernelTime, type Profiler } from "./profiler.ts";
import {
  type BoundKernel,
  kernelsOf,
  type PassSource,
  recordStep,
  type StepPlan,
  UNIFORM_STRIDE,
} from "./record_step.ts";
import { chooseSequenceTile, type TimeVariant } from "./sequence_tile.ts";
import { BATCH_FIELDS, TIME_FIELDS, writeStruct } from "./structs.ts";
import { chooseTiles, tileConstants } from "./tiles.ts";

/** Entries of the uniform buffer of batches, and so batches of one submit. */
const MOST_ENTRIES = 1024;
/** Loss history kept on the device between two reads. */
const HISTORY_BYTES = 1 << 22;
/** A submit is to keep the device busy for so long. */
const SUBMIT_SECONDS = 0.5;

/** An ensemble that can say how long its kernels took. */
export interface GpuEnsemble extends Ensemble {
  /** Times of the kernels in training so far; empty unless asked for, or without timestamps. */
  profile(): readonly KernelTime[];
  /** The buffers on the device, for tests that look inside or poison them. */
  readonly buffers: Readonly<Record<BoundBuffer, GPUBuffer>>;
  readonly layout: Layout;
}

/** How an ensemble runs. */
export interface GpuEnsembleOptions {
  /** Time every kernel. */
  readonly profile?: boolean;
  /** How forward and backward go through time, instead of the rule in `sequence_tile.ts`. */
  readonly variant?: TimeVariant | undefined;
  /** Choose tiles and variant as for a software adapter, or as for a GPU, whatever this one is. */
  readonly software?: boolean | undefined;
}

/** Creates an ensemble on a device. */
export async function createGpuEnsemble(
  gpu: WatchedDevice,
  spec: EnsembleSpec,
  options: GpuEnsembleOptions = {},
): Promise<GpuEnsemble> {
  const { device } = gpu;
  gpu.check();
  checkSpec(spec);
  // Models with more time steps first: then those that have a step t are a prefix.
  const order = spec.runs.map((_, i) => i).sort((a, b) =>
    spec.runs[b]!.trials.steps - spec.runs[a]!.trials.steps || a - b
  );
  const placeOf = new Map(order.map((run, place) => [run, place]));
  const runs = order.map((i) => spec.runs[i]!);
  const batches = placeBatches(runs[0]!.trials);
  const layout = makeLayout({
    hiddenSize: spec.hiddenSize,
    inputSize: spec.inputSize,
    outputSize: spec.outputSize,
    batchRows: Math.max(...batches.map(({ size }) => size)),
  });
  const slotBytes = runs.length * 8;
  const epochSlots = batches.length *
    Math.max(1, Math.floor(HISTORY_BYTES / (slotBytes * batches.length)));
  const made = createBuffers(device, {
    spec,
    runs,
    layout,
    batches,
    historySlots: epochSlots + 1,
  });
  const { buffers, offsets } = made;
  const plan = createPlan(gpu, {
    variant: options.variant,
    software: options.software ?? gpu.adapter.software,
    spec,
    layout,
    made,
    steps: runs.map((r) => r.trials.steps),
    batches,
  });
  const uniformBuffers = plan.uniformBuffers;
  const profiler = options.profile ? createProfiler(gpu) : undefined;
  const owned = [...Object.values(buffers), ...uniformBuffers];

  let epoch = runs[0]!.state?.epoch ?? 0;
  let step = runs[0]!.state?.step ?? 0;
  let destroyed = false;
  await gpu.finish();

  function check(): void {
    gpu.check();
    if (destroyed) {
      throw new TypeError("Cannot use an ensemble after its destroy()");
    }
  }

  /** Writes the uniform entries of some batches. */
  function writeBatches(
    entries: readonly {
      number: number;
      slot: number;
      step: number;
      allOutputs: boolean;
      firstModel: number;
    }[],
  ): void {
    const view = new DataView(new ArrayBuffer(entries.length * UNIFORM_STRIDE));
    for (const [i, entry] of entries.entries()) {
      const { start, size } = batches[entry.number]!;
      writeStruct(view, {
        fields: BATCH_FIELDS,
        offset: i * UNIFORM_STRIDE,
        values: {
          start,
          size,
          number: entry.number,
          history_slot: entry.slot,
          // In double precision: 1 − 0.999ᵏ cancels in single.
          adam_step_scale: 1 / (1 - 0.9 ** entry.step),
          adam_root_scale: 1 / Math.sqrt(1 - 0.999 ** entry.step),
          all_outputs: entry.allOutputs ? 1 : 0,
          first_model: entry.firstModel,
        },
      });
    }
    device.queue.writeBuffer(uniformBuffers[0]!, 0, view);
  }

  /** Work of one batch over all models, in multiply-adds of the recurrent product. */
  function work({ size, training }: BatchPlace): number {
    let rows = 0;
    for (const t of plan.step.steps) rows += t;
    return rows * size * layout.width * layout.hidden * (training ? 3 : 1);
  }

  function countFlop({ size, training }: BatchPlace): void {
    let rows = 0;
    for (const t of plan.step.steps) rows += t * size;
    const flop = 2 * rows * layout.hiddenSize ** 2;
    const [forward, backward] = plan.step.sequence === undefined
      ? ["forwardStep", "backwardStep"] as const
      : ["forwardSequence", "backwardSequence"] as const;
    profiler?.addFlop(forward, flop);
    if (!training) return;
    profiler?.addFlop(backward, flop);
    profiler?.addFlop("gradient", flop);
  }

  let speed = 0; // work a second, of the last submit

  /** Trains so many epochs, at most as the history holds. */
  async function trainSome(
    epochs: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    let done = 0;
    let next = 0; // batch of the epoch under way
    while (done < epochs) {
      const budget = speed === 0 ? 0 : speed * SUBMIT_SECONDS;
      const entries: {
        number: number;
        slot: number;
        step: number;
        allOutputs: boolean;
        firstModel: number;
      }[] = [];
      let planned = 0;
      const recorder = createRecorder(device, { label: "train", profiler });
      do {
        const batch = batches[next]!;
        if (batch.training) step++;
        recordStep(recorder.pass, plan.step, {
          batch,
          entry: entries.length,
          until: batch.training ? "update" : "loss",
        });
        entries.push({
          number: next,
          slot: done * batches.length + next,
          step,
          allOutputs: false,
          firstModel: 0,
        });
        planned += work(batch);
        countFlop(batch);
        next++;
        if (next === batches.length) {
          next = 0;
          done++;
          if (signal?.aborted) break;
        }
      } while (
        done < epochs && planned < budget && entries.length < MOST_ENTRIES
      );
      const commands = recorder.finish();
      writeBatches(entries);
      const start = performance.now();
      device.queue.submit([commands]);
      await gpu.finish();
      await profiler?.collect();
      const seconds = (performance.now() - start) / 1000;
      // The first submit compiles; let no outlier make the next one long.
      speed = Math.min(planned / seconds, speed === 0 ? Infinity : 4 * speed);
      if (signal?.aborted && next === 0) break;
    }
    epoch += done;
    return done;
  }

  async function train(
    epochs: number,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<EpochHistory> {
    check();
    if (!Number.isInteger(epochs) || epochs < 0) {
      throw new RangeError(
        `Cannot train: epochs must be a whole number, found ${epochs}`,
      );
    }
    const collector = historyCollector({
      loss: spec.loss,
      order,
      batches,
      scored: made.scored,
    });
    let left = epochs;
    while (left > 0 && !signal?.aborted) {
      const wanted = Math.min(left, epochSlots / batches.length);
      const done = await trainSome(wanted, signal);
      const [values] = await readBack(gpu, [{
        buffer: buffers.history,
        firstWord: 0,
        words: done * batches.length * runs.length * 2,
      }]);
      collector.add(values!);
      left -= done;
    }
    return collector.history();
  }

  async function readState(models: readonly number[]): Promise<ModelState[]> {
    const names = [
      "parameters",
      "biases",
      "firstMoment",
      "secondMoment",
    ] as const;
    const matrix = layout.units * layout.width;
    const parts: BufferPart[] = models.flatMap((model) => {
      const own = offsets[placeOf.get(model)!]!;
      return names.map((name) => ({
        buffer: buffers[name],
        firstWord: own[name],
        words: name === "biases" ? 2 * layout.hidden : matrix,
      }));
    });
    const arrays = await readBack(gpu, parts);
    return models.map((_, i) => {
      const [parameters, biases, first, second] = arrays.slice(4 * i);
      return {
        epoch,
        step,
        parameters: unpackMatrix(parameters!, layout, biases!),
        firstMoment: unpackMatrix(first!, layout),
        secondMoment: unpackMatrix(second!, layout),
      };
    });
  }

  async function state(model?: number): Promise<ModelState[]> {
    check();
    if (model !== undefined) {
      checkModel(model);
      return await readState([model]);
    }
    const states: ModelState[] = [];
    const bytes = 12 * layout.units * layout.width;
    const some = Math.max(1, Math.floor(HISTORY_BYTES * 16 / bytes));
    const all = spec.runs.map((_, i) => i);
    for (let i = 0; i < all.length; i += some) {
      states.push(...await readState(all.slice(i, i + some)));
    }
    return states;
  }

  function checkModel(model: number): void {
    if (!Number.isInteger(model) || spec.runs[model] === undefined) {
      throw new RangeError(
        `Cannot find model ${model}: there are ${spec.runs.length}`,
      );
    }
  }

  async function probe(model: number, number: number): Promise<BatchProbe> {
    check();
    checkModel(model);
    const batch = batches[number];
    if (batch === undefined || !batch.training) {
      throw new RangeError(
        `Cannot probe training batch ${number}: there are ${
          spec.runs[0]!.trials.trainBatches.length
        }`,
      );
    }
    const place = placeOf.get(model)!;
    writeBatches([{
      number,
      slot: epochSlots,
      step: 1,
      allOutputs: true,
      firstModel: place,
    }]);
    const recorder = createRecorder(device, { label: "probe" });
    recordStep(recorder.pass, plan.step, {
      batch,
      entry: 0,
      models: { first: place, count: 1 },
      until: "gradient",
    });
    device.queue.submit([recorder.finish()]);

    const own = offsets[place]!;
    const { steps } = runs[place]!.trials;
    const { batchRows, width, units, hiddenSize, outputSize } = layout;
    const [history, outputs, hidden, matrix] = await readBack(gpu, [
      {
        buffer: buffers.history,
        firstWord: (epochSlots * runs.length + place) * 2,
        words: 2,
      },
      {
        buffer: buffers.outputs,
        firstWord: own.outputs,
        words: steps * batchRows * 4,
      },
      {
        buffer: buffers.state,
        firstWord: own.state + steps * batchRows * width,
        words: batch.size * width,
      },
      {
        buffer: buffers.gradient,
        firstWord: own.gradient,
        words: units * width,
      },
    ]);
    const output = new Float32Array(batch.size * steps * outputSize);
    const hiddenLast = new Float32Array(batch.size * hiddenSize);
    for (let b = 0; b < batch.size; b++) {
      for (let t = 0; t < steps; t++) {
        const from = (t * batchRows + b) * 4;
        output.set(
          outputs!.subarray(from, from + outputSize),
          (b * steps + t) * outputSize,
        );
      }
      hiddenLast.set(
        hidden!.subarray(b * width, b * width + hiddenSize),
        b * hiddenSize,
      );
    }
    const gradient = unpackMatrix(matrix!, layout);
    const { mask, trainRecurrent } = runs[place]!;
    for (let i = 0; i < mask.length; i++) {
      if (!trainRecurrent || mask[i] === 0) gradient.weightHh[i] = 0;
    }
    const scored = made.scored[place]![number]!;
    return {
      loss: history![0]!,
      accuracy: spec.loss === "nll" ? 100 * history![1]! / scored : undefined,
      output,
      hiddenLast,
      gradient,
    };
  }

  return {
    models: runs.length,
    train,
    state,
    probe,
    profile: () => profiler?.times() ?? [],
    buffers,
    layout,
    destroy() {
      destroyed = true;
      profiler?.destroy();
      for (const buffer of owned) buffer.destroy();
    },
  };
}

/** Collects dispatches into one command buffer. */
function createRecorder(
  device: GPUDevice,
  options: { readonly label: string; readonly profiler?: Profiler | undefined },
): { pass: PassSource; finish(): GPUCommandBuffer } {
  const { label, profiler } = options;
  const encoder = device.createCommandEncoder({ label });
  let pass: GPUComputePassEncoder | undefined;
  return {
    pass(kernel) {
      if (profiler !== undefined) {
        pass?.end();
        pass = profiler.beginPass(encoder, kernel);
      }
      pass ??= encoder.beginComputePass({ label });
      return pass;
    },
    finish() {
      pass?.end();
      profiler?.resolve(encoder);
      return encoder.finish();
    },
  };
}

function checkSpec(spec: EnsembleSpec): void {
  const first = spec.runs[0];
  if (first === undefined) {
    throw new RangeError("Cannot create an ensemble without models");
  }
  if (spec.outputSize > 4) {
    throw new RangeError(
      `Cannot create an ensemble: at most 4 outputs, found ${spec.outputSize}`,
    );
  }
  const sizes = (run: typeof first) =>
    placeBatches(run.trials).map(({ size, training }) => `${size}${training}`)
      .join();
  const shape = sizes(first);
  for (const run of spec.runs) {
    if (sizes(run) !== shape) {
      throw new RangeError(
        `Cannot create an ensemble: the batches of ${run.label} are not as large as those of ${first.label}`,
      );
    }
    if (
      (run.state?.step ?? 0) !== (first.state?.step ?? 0) ||
      (run.state?.epoch ?? 0) !== (first.state?.epoch ?? 0)
    ) {
      throw new RangeError(
        `Cannot create an ensemble: ${run.label} and ${first.label} stand at different epochs`,
      );
    }
  }
}

function createPlan(
  gpu: WatchedDevice,
  options: {
    readonly spec: EnsembleSpec;
    readonly layout: Layout;
    readonly made: ReturnType<typeof createBuffers>;
    readonly steps: readonly number[];
    readonly batches: readonly BatchPlace[];
    readonly variant: TimeVariant | undefined;
    readonly software: boolean;
  },
): { step: StepPlan; uniformBuffers: GPUBuffer[] } {
  const { device, adapter } = gpu;
  const { spec, layout, made, steps, batches, variant, software } = options;
  const tiles = chooseTiles(layout, { software });
  const sequence = chooseSequenceTile(layout, {
    limits: adapter.limits,
    software,
    variant,
  });
  const uniformLayout = createUniformLayout(device);
  const sizes = {
    HIDDEN: layout.hidden,
    WIDTH: layout.width,
    USED: layout.used,
    BATCH: layout.batchRows,
    INPUTS: layout.inputSize,
    OUTPUTS: layout.outputSize,
    UNITS: layout.units,
    MASK_WORDS: layout.maskWords,
    STEPS: steps[0]!,
    BATCHES: batches.length,
    MODELS: steps.length,
    LOSS: spec.loss === "mse" ? 0 : 1,
  };
  const kernels = new Map<KernelName, BoundKernel>();
  for (const name of kernelsOf(sequence)) {
    const kernel = createKernel(device, {
      name,
      constants: { ...sizes, ...tileConstants(name, { tiles, sequence }) },
      uniformLayout,
    });
    const group = device.createBindGroup({
      label: name,
      layout: kernel.layout,
      entries: KERNEL_SOURCES[name].bindings.map(([buffer], binding) => ({
        binding,
        resource: { buffer: made.buffers[buffer] },
      })),
    });
    kernels.set(name, { pipeline: kernel.pipeline, group });
  }
  const uniform = (label: string, entries: number) =>
    device.createBuffer({
      label,
      size: entries * UNIFORM_STRIDE,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  const uniformBuffers = [
    uniform("batches", MOST_ENTRIES),
    uniform("time steps", steps[0]! + 1),
  ];
  const times = new DataView(
    new ArrayBuffer((steps[0]! + 1) * UNIFORM_STRIDE),
  );
  for (let t = 0; t <= steps[0]!; t++) {
    writeStruct(times, {
      fields: TIME_FIELDS,
      offset: t * UNIFORM_STRIDE,
      values: { step: t },
    });
  }
  device.queue.writeBuffer(uniformBuffers[1]!, 0, times);
  const uniforms = device.createBindGroup({
    label: "batch and time step",
    layout: uniformLayout,
    entries: uniformBuffers.map((buffer, binding) => ({
      binding,
      resource: { buffer, size: UNIFORM_STRIDE },
    })),
  });
  return {
    step: { layout, kernels, uniforms, tiles, sequence, steps },
    uniformBuffers,
  };
}
