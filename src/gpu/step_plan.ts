/**
 * What it takes to run training steps of an ensemble: compiled kernels with
 * their buffers, tiles, and the uniforms that say which batch and which time
 * step a dispatch is for.
 *
 * @module
 */

import type { EnsembleSpec } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { Dispatches } from "./dispatches.ts";
import type { EnsembleBuffers } from "./ensemble_buffers.ts";
import type { ShaderConstants } from "./expand_shader.ts";
import { type KernelCache, kernelCacheOf } from "./kernel_cache.ts";
import { type Kernel, KERNEL_SOURCES, type KernelName } from "./kernels.ts";
import type { BatchPlace } from "./pack_trials.ts";
import type { Storage } from "./storage.ts";
import {
  BATCH_FIELDS,
  type StructFields,
  TIME_FIELDS,
  writeStruct,
} from "./structs.ts";

/** Bytes between two entries of the uniform buffers; dynamic offsets are multiples of it. */
export const UNIFORM_STRIDE = 256;

/** Entries of the uniform buffer of batches, and so batches of one submit. */
export const MOST_ENTRIES = 1024;

/** A kernel with its buffers. */
export interface BoundKernel {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
}

/** All that recording needs of an ensemble. */
export interface StepPlan {
  readonly storage: Storage;
  readonly dispatches: Dispatches;
  /** The kernels that the plan takes. */
  readonly kernels: ReadonlyMap<KernelName, BoundKernel>;
  readonly uniforms: GPUBindGroup;
  readonly batchUniforms: GPUBuffer;
  readonly timeUniforms: GPUBuffer;
  readonly batches: readonly BatchPlace[];
  /** T of the models, falling. */
  readonly steps: readonly number[];
}

/** What the texts of an ensemble's kernels depend on. */
export interface KernelFacts {
  readonly loss: EnsembleSpec["loss"];
  readonly storage: Pick<Storage, "constants">;
  readonly dispatches: Pick<
    Dispatches,
    "kernels" | "constants" | "lossTrials"
  >;
  /** T of the model that has most steps. */
  readonly mostSteps: number;
  readonly models: number;
  /** Batches of an epoch. */
  readonly batches: number;
}

/** Constants of a kernel's text. */
export function kernelConstants(
  name: KernelName,
  { loss, storage, dispatches, mostSteps, models, batches }: KernelFacts,
): ShaderConstants {
  return {
    ...storage.constants,
    STEPS: mostSteps,
    BATCHES: batches,
    MODELS: models,
    LOSS_TRIALS: dispatches.lossTrials,
    LOSS: loss === "mse" ? 0 : 1,
    ...dispatches.constants(name),
  };
}

/** The kernels of an ensemble, in the order of a step. */
export function kernelsOf(cache: KernelCache, facts: KernelFacts): Kernel[] {
  return facts.dispatches.kernels.map((name) =>
    cache.get(name, kernelConstants(name, facts))
  );
}

/** Binds the kernels' buffers. */
export function createStepPlan(
  gpu: WatchedDevice,
  options: {
    readonly storage: Storage;
    readonly dispatches: Dispatches;
    readonly kernels: readonly Kernel[];
    readonly buffers: EnsembleBuffers["buffers"];
    /** T of the models, falling. */
    readonly steps: readonly number[];
    readonly batches: readonly BatchPlace[];
  },
): StepPlan {
  const { device } = gpu;
  const { storage, dispatches, buffers, steps, batches } = options;
  const mostSteps = steps[0] as number;
  const kernels = new Map<KernelName, BoundKernel>();
  for (const { name, pipeline, layout } of options.kernels) {
    const group = device.createBindGroup({
      label: name,
      layout,
      entries: KERNEL_SOURCES[name].bindings.map(([buffer], binding) => ({
        binding,
        resource: { buffer: buffers[buffer] },
      })),
    });
    kernels.set(name, { pipeline, group });
  }
  const uniform = (label: string, entries: number) =>
    device.createBuffer({
      label,
      size: entries * UNIFORM_STRIDE,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  const batchUniforms = uniform("batches", MOST_ENTRIES);
  const times = [
    ...Array.from({ length: mostSteps }, (_, i) => ({
      step: i + 1,
      first_unit: 0,
    })),
    ...dispatches.parts.map((start) => ({ step: 1, first_unit: start })),
  ];
  const timeUniforms = uniform("time steps", times.length);
  writeEntries(device, {
    buffer: timeUniforms,
    fields: TIME_FIELDS,
    entries: times,
  });
  const uniforms = device.createBindGroup({
    label: "batch and time step",
    layout: kernelCacheOf(gpu).uniformLayout,
    entries: [batchUniforms, timeUniforms].map((buffer, binding) => ({
      binding,
      resource: { buffer, size: UNIFORM_STRIDE },
    })),
  });
  return {
    storage,
    dispatches,
    kernels,
    uniforms,
    batchUniforms,
    timeUniforms,
    batches,
    steps,
  };
}

/** A batch to run, as the kernels are told of it. */
export interface BatchEntry {
  /** Number of the batch in an epoch, training batches first. */
  readonly number: number;
  /** Where its losses go in the history. */
  readonly slot: number;
  /** Number of the optimizer step, from 1. */
  readonly step: number;
  /** Whether outputs are wanted of steps that nothing scores, and the gradient instead of an update. */
  readonly probe?: boolean;
  /** The first model to run, in the device's order. */
  readonly firstModel?: number;
}

/** Tells the kernels of the batches of the next submit. */
export function writeBatchEntries(
  device: GPUDevice,
  { batchUniforms, batches }: StepPlan,
  entries: readonly BatchEntry[],
): void {
  writeEntries(device, {
    buffer: batchUniforms,
    fields: BATCH_FIELDS,
    entries: entries.map(({ number, slot, step, probe, firstModel }) => ({
      start: batches[number]!.start,
      size: batches[number]!.size,
      number,
      history_slot: slot,
      // In double precision: 1 − 0.999ᵏ cancels in single.
      adam_step_scale: 1 / (1 - 0.9 ** step),
      adam_root_scale: 1 / Math.sqrt(1 - 0.999 ** step),
      probe: probe ? 1 : 0,
      first_model: firstModel ?? 0,
    })),
  });
}

function writeEntries<F extends StructFields>(
  device: GPUDevice,
  { buffer, fields, entries }: {
    readonly buffer: GPUBuffer;
    readonly fields: F;
    readonly entries: readonly Readonly<Record<keyof F, number>>[];
  },
): void {
  const view = new DataView(new ArrayBuffer(entries.length * UNIFORM_STRIDE));
  for (const [i, values] of entries.entries()) {
    writeStruct(view, { fields, offset: i * UNIFORM_STRIDE, values });
  }
  device.queue.writeBuffer(buffer, 0, view);
}
