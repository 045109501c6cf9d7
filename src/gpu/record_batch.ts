/**
 * The dispatches of batches: their order, and the uniforms that say which batch
 * and which time step a dispatch is for.
 *
 * @module
 */

import type { Rules } from "../engine/ensemble.ts";
import type { EnsembleBuffers } from "./buffers.ts";
import type { WatchedDevice } from "./device.ts";
import {
  type Kernel,
  type KernelName,
  LANES,
  packStructs,
  readoutVectors,
} from "./kernels.ts";
import { rangeBuffer, rangesOf } from "./layout.ts";
import type { SubmitTimer } from "./profiler.ts";
import { ruleTexts } from "./rules.ts";
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

/** Workgroups along x, y and z, and the number of a time step. */
type Groups = readonly [x: number, y: number, z: number, step: number];

/** Runs batches of an ensemble. */
export type BatchRunner = ReturnType<typeof createBatchRunner>;

/** Binds the kernels' buffers. */
export function createBatchRunner(
  { device }: WatchedDevice,
  { format, rules, kernels, made: { buffers, models } }: {
    readonly format: WeightFormat;
    readonly rules: Rules;
    readonly kernels: readonly Kernel[];
    readonly made: EnsembleBuffers;
  },
) {
  const { layout } = format;
  const { perUpdate } = ruleTexts(rules);
  const steps = models.map(({ run }) => run.trials.steps);
  const ranges = rangesOf(layout, steps[0]!);
  const bound = new Map(kernels.map(({ name, bindings, pipeline }) => {
    const groups = ranges.map((_, range) =>
      device.createBindGroup({
        label: name,
        layout: pipeline.getBindGroupLayout(0),
        entries: bindings.map(({ buffer: own }, binding) => {
          const buffer = buffers[rangeBuffer(own, range)] ?? buffers[own]!;
          return { binding, resource: { buffer } };
        }),
      })
    );
    return [name, { pipeline, groups }] as const;
  }));
  const [batchUniforms, timeUniforms] = [MOST_ENTRIES, steps[0]!].map((
    entries,
  ) =>
    device.createBuffer({
      label: "uniforms",
      size: entries * UNIFORM_STRIDE,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    })
  ) as [GPUBuffer, GPUBuffer];
  const times = ranges.flatMap(({ first, last }) =>
    Array.from(
      { length: last - first },
      (_, i) => ({ step: first + i + 1, first, last }),
    )
  );
  device.queue.writeBuffer(
    timeUniforms,
    0,
    packStructs("Time", times, UNIFORM_STRIDE),
  );
  const uniforms = device.createBindGroup({
    label: "batch and time step",
    layout: kernels[0]!.pipeline.getBindGroupLayout(1),
    entries: [batchUniforms, timeUniforms].map((buffer, binding) => ({
      binding,
      resource: { buffer, size: UNIFORM_STRIDE },
    })),
  });
  const readoutTile = readoutVectors(layout);
  const [gradientX, gradientY] = format.gradient.groups(
    Math.max(...models.map(({ topology }) => topology.chunks)),
  );
  const flopPerTrial = 2 * models.reduce(
    (sum, { topology, run }) => sum + run.trials.steps * topology.entries,
    0,
  );

  /** What the kernels are told of a batch. */
  function fieldsOf(
    { number, slot, update, probed }: BatchEntry,
  ): Record<string, number> {
    const { start, size } = layout.batches[number]!;
    return {
      ...{ start, size, number, history_slot: slot, models: models.length },
      // In double precision: Adam's 1 − 0.999ⁿ cancels in single.
      ...Object.fromEntries(
        perUpdate.map((of, i) => [`update_${i}`, of(update)]),
      ),
      probe: probed === undefined ? 0 : 1,
      first_model: probed ?? 0,
    };
  }

  /**
   * Records batches, at most {@linkcode MOST_ENTRIES}, and `last`, copies that come
   * after all dispatches. Returns what submits it.
   */
  function record(
    entries: readonly BatchEntry[],
    timer?: SubmitTimer,
    last?: (encoder: GPUCommandEncoder) => void,
  ): () => void {
    const encoder = device.createCommandEncoder({ label: "batches" });
    let pass: GPUComputePassEncoder | undefined;
    /** Whether the open pass is of a single kernel, to time it. */
    let isSingle = false;

    function endPass(): void {
      pass?.end();
      pass = undefined;
    }

    /** Hands the hidden units of a slot that two ranges have on from one to the other. */
    function handOn(name: "state" | "delta", from: number, to: number): void {
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

    function add({ number, probed }: BatchEntry, offset: number): void {
      const { size, training } = layout.batches[number]!;
      const vectors = Math.ceil(size / 4);
      const own = probed === undefined ? steps : [steps[probed]!];
      const count = own.length;
      const used = [...rangesOf(layout, own[0]!).entries()];
      const single = timer?.beginBatch(size) ?? false;
      const dispatch = (
        name: KernelName,
        range: number,
        groups: readonly Groups[],
      ) => {
        const { pipeline, groups: buffers } = bound.get(name)!;
        if (single || isSingle) endPass();
        isSingle = single;
        pass ??= encoder.beginComputePass({
          label: single ? name : "batches",
          ...timer?.timePass(single ? name : undefined),
        });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, buffers[range]!);
        for (const [x, y, z, step] of groups) {
          pass.setBindGroup(1, uniforms, [offset, (step - 1) * UNIFORM_STRIDE]);
          pass.dispatchWorkgroups(x, y, z);
        }
        timer?.count(name, groups.length);
      };
      /** Dispatches of a range: one, or one a time step. */
      const throughTime = (
        { allSteps, unitGroups: x, vectors: tile }: StepProduct,
        { first, last }: typeof ranges[number],
      ): Groups[] => {
        const y = Math.ceil(vectors / tile);
        if (allSteps) return [[x, y, count, 1]];
        // Models with more steps come first, so those that have a step are a prefix.
        return Array.from({ length: last - first }, (_, i) => {
          const having = own.filter((steps) => steps > first + i).length;
          return [x, y, having, first + i + 1];
        });
      };
      const rows = Math.ceil((layout.inputSize + 1) * vectors / LANES.load);
      for (const [range, { first, last }] of used) {
        dispatch("load", range, [[rows, last - first + 1, count, first + 1]]);
      }
      for (const [range, slots] of used) {
        if (range > 0) handOn("state", range - 1, range);
        dispatch("forward", range, throughTime(format.forward, slots));
      }
      timer?.addFlop("forward", size * flopPerTrial);
      const tiles = Math.ceil(vectors / readoutTile);
      for (const [range, { first, last }] of used) {
        dispatch("readout", range, [[last - first, tiles, count, first + 1]]);
      }
      const losses = Math.ceil(count / LANES.finishLoss);
      dispatch("finishLoss", 0, [[losses, 1, 1, 1]]);
      if (!training) return;
      for (const [range, slots] of used.toReversed()) {
        const steps = throughTime(format.backward, slots).reverse();
        dispatch("backward", range, steps);
        if (range > 0) handOn("delta", range, range - 1);
      }
      for (const [range, { first }] of used) {
        const groups = [gradientX, gradientY, count, first + 1] as const;
        dispatch("gradient", range, [groups]);
      }
      timer?.addFlop("backward", size * flopPerTrial);
      timer?.addFlop("gradient", size * flopPerTrial);
    }

    entries.forEach((entry, i) => add(entry, i * UNIFORM_STRIDE));
    endPass();
    last?.(encoder);
    timer?.resolve(encoder);
    const commands = encoder.finish();
    const batches = entries.map(fieldsOf);
    return () => {
      const data = packStructs("Batch", batches, UNIFORM_STRIDE);
      device.queue.writeBuffer(batchUniforms, 0, data);
      device.queue.submit([commands]);
    };
  }

  return {
    layout,
    models: models.length,
    /** Operations of the recurrent products of an update: 2 for each time step, trial and entry of W_hh that the kernels multiply. */
    flopPerTrial,
    record,
    destroy() {
      batchUniforms.destroy();
      timeUniforms.destroy();
    },
  };
}
