/**
 * The dispatches of one batch: their order, and the uniforms that say which batch
 * and which time step a dispatch is for.
 *
 * @module
 */

import type { WatchedDevice } from "./device.ts";
import {
  type Kernel,
  kernelCacheOf,
  type KernelName,
  LOAD_LANES,
  readoutVectors,
  writeStruct,
} from "./kernels.ts";
import type { Rules } from "../engine/ensemble.ts";
import { ruleTexts } from "./rules.ts";
import type { EnsembleBuffers } from "./buffers.ts";
import { rangeBuffer, rangesOf, type SlotRange } from "./layout.ts";
import type { SubmitTimer } from "./profiler.ts";
import type { StepProduct, WeightFormat } from "./weight_format.ts";

/** Bytes between two entries of the uniform buffers; dynamic offsets are multiples of it. */
const UNIFORM_STRIDE = 256;

/** Batches of a submit, which have an entry each in a uniform buffer. */
export const MOST_ENTRIES = 1024;

/** A batch to run, as the kernels are told of it. */
export interface BatchEntry {
  /** Number of the batch in an epoch, training batches first. */
  readonly number: number;
  /** Where its losses go in the history. */
  readonly slot: number;
  /** Number of the update, from 1. */
  readonly update: number;
  /** The one model to run, in the device's order, for its outputs at all steps and its gradient instead of an update; by default all train. */
  readonly probed?: number;
}

/** Collects batches for a submit. */
export interface Recorder {
  /** Takes a batch down; a submit has room for {@linkcode MOST_ENTRIES}. */
  add(entry: BatchEntry): void;
  /** Ends the recording; `last` may add copies that come after all dispatches. Returns what submits it. */
  finish(last?: (encoder: GPUCommandEncoder) => void): () => void;
}

/** Runs batches of an ensemble. */
export interface BatchRunner {
  readonly format: WeightFormat;
  /** T of the models, falling. */
  readonly steps: readonly number[];
  /** Operations of the recurrent products of an update: 2 for each time step, trial and entry of W_hh that the kernels multiply. */
  readonly flopPerTrial: number;
  record(label: string, timer?: SubmitTimer): Recorder;
  destroy(): void;
}

/** Binds the kernels' buffers. */
export function createBatchRunner(
  gpu: WatchedDevice,
  { format, rules, kernels, made: { buffers, models } }: {
    readonly format: WeightFormat;
    readonly rules: Rules;
    readonly kernels: readonly Kernel[];
    readonly made: EnsembleBuffers;
  },
): BatchRunner {
  const { device } = gpu;
  const { layout } = format;
  const { batches } = layout;
  const { perUpdate } = ruleTexts(rules);
  const steps = models.map(({ run }) => run.trials.steps);
  const ranges = rangesOf(layout, steps[0]!);
  const bound = new Map(kernels.map(({ name, bindings, pipeline, layout }) => {
    const groups = ranges.map((_, range) =>
      device.createBindGroup({
        label: name,
        layout,
        entries: bindings.map(({ buffer }, binding) => ({
          binding,
          resource: {
            buffer: buffers[rangeBuffer(buffer, range)] ?? buffers[buffer]!,
          },
        })),
      })
    );
    return [name, { pipeline, groups }] as const;
  }));
  const uniform = (label: string, entries: number) =>
    device.createBuffer({
      label,
      size: entries * UNIFORM_STRIDE,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  const batchUniforms = uniform("batches", MOST_ENTRIES);
  const timeUniforms = uniform("time steps", steps[0]!);
  write(
    timeUniforms,
    "Time",
    ranges.flatMap(({ first, last }) =>
      Array.from(
        { length: last - first },
        (_, i) => ({ step: first + i + 1, first, last }),
      )
    ),
  );
  const uniforms = device.createBindGroup({
    label: "batch and time step",
    layout: kernelCacheOf(gpu).uniformLayout,
    entries: [batchUniforms, timeUniforms].map((buffer, binding) => ({
      binding,
      resource: { buffer, size: UNIFORM_STRIDE },
    })),
  });
  const readoutTile = readoutVectors(format);
  const gradientGroups = format.gradient.groups(
    [...new Set(models.map(({ topology }) => topology))],
  );

  function write(
    buffer: GPUBuffer,
    struct: "Batch" | "Time",
    entries: readonly Readonly<Record<string, number>>[],
  ): void {
    const view = new DataView(new ArrayBuffer(entries.length * UNIFORM_STRIDE));
    for (const [i, values] of entries.entries()) {
      writeStruct(view, { struct, offset: i * UNIFORM_STRIDE, values });
    }
    device.queue.writeBuffer(buffer, 0, view);
  }

  function record(label: string, timer?: SubmitTimer): Recorder {
    const encoder = device.createCommandEncoder({ label });
    const entries: Record<string, number>[] = [];
    let pass: GPUComputePassEncoder | undefined;
    /** Whether the present batch, and whether the open pass, is of single kernels, to time them. */
    let single = false;
    let openSingle = false;

    function endPass(): void {
      pass?.end();
      pass = undefined;
    }

    function use(name: KernelName, range: number): GPUComputePassEncoder {
      if (single || openSingle) endPass();
      openSingle = single;
      pass ??= timer?.beginPass(encoder, single ? name : undefined) ??
        encoder.beginComputePass({ label });
      const { pipeline, groups } = bound.get(name)!;
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, groups[range]!);
      return pass;
    }

    /** Hands the hidden units of a slot that two ranges have on from one to the other. */
    function handOn(
      name: "state" | "delta",
      { from, to }: { readonly from: number; readonly to: number },
    ): void {
      endPass();
      const row = 16 * layout.vectors;
      const rows = name === "state" ? layout.slot : layout.units;
      const shared = ranges[Math.max(from, to)]!.first;
      const at = (range: number) =>
        (shared - ranges[range]!.first) * rows * row;
      encoder.copyBufferToBuffer(
        buffers[rangeBuffer(name, from)]!,
        at(from),
        buffers[rangeBuffer(name, to)]!,
        at(to),
        layout.hidden * row,
      );
    }

    function add({ number, slot, update, probed }: BatchEntry): void {
      const { start, size, training } = batches[number]!;
      const vectors = Math.ceil(size / 4);
      const own = probed === undefined ? steps : [steps[probed]!];
      const [mostSteps, count] = [own[0]!, own.length];
      const offset = entries.length * UNIFORM_STRIDE;
      entries.push({
        start,
        size,
        number,
        history_slot: slot,
        // In double precision: Adam's 1 − 0.999ⁿ cancels in single.
        ...Object.fromEntries(
          perUpdate.map((of, i) => [`update_${i}`, of(update)]),
        ),
        probe: probed === undefined ? 0 : 1,
        first_model: probed ?? 0,
        models: models.length,
      });
      single = timer?.beginBatch(size) ?? false;
      /** Workgroups along x, y and z, and the number of a time step. */
      type Groups = readonly [number, number, number, number];
      const dispatch = (
        name: KernelName,
        range: number,
        groups: readonly Groups[],
      ) => {
        const open = use(name, range);
        for (const [x, y, z, step] of groups) {
          open.setBindGroup(1, uniforms, [offset, (step - 1) * UNIFORM_STRIDE]);
          open.dispatchWorkgroups(x, y, z);
        }
        timer?.count(name, groups.length);
      };
      /** Dispatches of a range: one, or one a time step. */
      const throughTime = (
        { allSteps, unitGroups: x, vectors: tile }: StepProduct,
        { first, last }: SlotRange,
      ): Groups[] => {
        const y = Math.ceil(vectors / tile);
        if (allSteps) return [[x, y, count, 1]];
        // Models with more steps come first, so those that have a step are a prefix.
        return Array.from({ length: last - first }, (_, i) => {
          const having = own.filter((steps) => steps > first + i).length;
          return [x, y, having, first + i + 1];
        });
      };
      const used = rangesOf(layout, mostSteps);
      const rows = Math.ceil((layout.inputSize + 1) * vectors / LOAD_LANES);
      for (const [range, { first, last }] of used.entries()) {
        dispatch("load", range, [[rows, last - first + 1, count, first + 1]]);
      }
      for (const [range, slots] of used.entries()) {
        if (range > 0) handOn("state", { from: range - 1, to: range });
        dispatch("forward", range, throughTime(format.forward, slots));
      }
      const tiles = Math.ceil(vectors / readoutTile);
      for (const [range, { first, last }] of used.entries()) {
        dispatch("readout", range, [[last - first, tiles, count, first + 1]]);
      }
      dispatch("finishLoss", 0, [[Math.ceil(count / 64), 1, 1, 1]]);
      if (!training) return;
      for (const [range, slots] of [...used.entries()].reverse()) {
        const steps = throughTime(format.backward, slots).reverse();
        dispatch("backward", range, steps);
        if (range > 0) handOn("delta", { from: range, to: range - 1 });
      }
      const [x, y] = gradientGroups;
      for (const [range, { first }] of used.entries()) {
        dispatch("gradient", range, [[x, y, count, first + 1]]);
      }
    }

    return {
      add,
      finish(last) {
        endPass();
        last?.(encoder);
        timer?.resolve(encoder);
        const commands = encoder.finish();
        return () => {
          write(batchUniforms, "Batch", entries);
          device.queue.submit([commands]);
        };
      },
    };
  }

  return {
    format,
    steps,
    flopPerTrial: 2 * models.reduce(
      (sum, { topology, run }) => sum + run.trials.steps * topology.entries,
      0,
    ),
    record,
    destroy() {
      batchUniforms.destroy();
      timeUniforms.destroy();
    },
  };
}
