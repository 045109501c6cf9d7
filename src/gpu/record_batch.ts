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

/** Operations of a part of a submit to a device whose speed is not known yet: half a second at 20 billion a second. */
const CAREFUL = 1e10;

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
  const createUniforms = (entries: number) =>
    device.createBuffer({
      label: "uniforms",
      size: entries * UNIFORM_STRIDE,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  const batchUniforms = createUniforms(MOST_ENTRIES);
  const timeUniforms = createUniforms(steps[0]!);
  const times = ranges.flatMap(({ first, last }) =>
    Array.from(
      { length: last - first },
      (_, i) => ({ step: first + i + 1, first, last }),
    )
  );
  const timeData = packStructs("Time", times, UNIFORM_STRIDE);
  device.queue.writeBuffer(timeUniforms, 0, timeData);
  const uniforms = device.createBindGroup({
    label: "batch and time step",
    layout: kernels[0]!.pipeline.getBindGroupLayout(1),
    entries: [batchUniforms, timeUniforms].map((buffer, binding) => ({
      binding,
      resource: { buffer, size: UNIFORM_STRIDE },
    })),
  });
  const readoutTile = readoutVectors(layout);
  const gradientGroups = format.gradient.groups(
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
      start,
      size,
      number,
      history_slot: slot,
      models: models.length,
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
   * after all dispatches. Returns what submits it; in several parts where it is more
   * than so many operations, as a batch of a whole nervous system alone may be.
   */
  function record(
    entries: readonly BatchEntry[],
    { timer, last, most = CAREFUL }: {
      readonly timer?: SubmitTimer | undefined;
      readonly last?: (encoder: GPUCommandEncoder) => void;
      readonly most?: number | undefined;
    } = {},
  ): () => void {
    const begin = () => device.createCommandEncoder({ label: "batches" });
    let encoder = begin();
    const parts: GPUCommandBuffer[] = [];
    /** Operations of the part under way. */
    let work = 0;
    let pass: GPUComputePassEncoder | undefined;
    /** Whether the open pass is of a single kernel, to time it. */
    let isSingle = false;

    function endPass(): void {
      pass?.end();
      pass = undefined;
    }

    function endPart(): void {
      endPass();
      parts.push(encoder.finish());
      encoder = begin();
      work = 0;
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
      /** Runs a kernel of so many operations on each range of slots; `groupsOf` gives its dispatches. */
      const run = (
        name: KernelName,
        groupsOf: (slots: typeof ranges[number]) => readonly Groups[],
        order = used,
        flop = 0,
      ) => {
        const { pipeline, groups: buffers } = bound.get(name)!;
        for (const [range, slots] of order) {
          if (name === "forward" && range > 0) {
            handOn("state", range - 1, range);
          }
          if (single || isSingle) endPass();
          isSingle = single;
          const enter = () => {
            pass ??= encoder.beginComputePass({
              label: single ? name : "batches",
              ...timer?.timePass(single ? name : undefined),
            });
            pass.setPipeline(pipeline);
            pass.setBindGroup(0, buffers[range]!);
            timer?.enter(name);
            return pass;
          };
          let open = enter();
          const groups = groupsOf(slots);
          const each = flop / (order.length * groups.length);
          for (const [x, y, z, step] of groups) {
            if (work > 0 && work + each > most) {
              endPart();
              open = enter();
            }
            work += each;
            const time = (step - 1) * UNIFORM_STRIDE;
            open.setBindGroup(1, uniforms, [offset, time]);
            open.dispatchWorkgroups(x, y, z);
          }
          timer?.count(name, groups.length, flop / order.length);
          if (name === "backward" && range > 0) {
            handOn("delta", range, range - 1);
          }
        }
      };
      /** Dispatches of a range: one, or one a time step. */
      const throughTime =
        ({ allSteps, unitGroups: x, vectors: tile }: StepProduct) =>
        ({ first, last }: typeof ranges[number]): Groups[] => {
          const y = Math.ceil(vectors / tile);
          if (allSteps) return [[x, y, count, 1]];
          // Models with more steps come first, so those that have a step are a prefix.
          return Array.from({ length: last - first }, (_, i) => {
            const having = own.filter((steps) => steps > first + i).length;
            return [x, y, having, first + i + 1];
          });
        };
      const flop = size * flopPerTrial;
      const rows = Math.ceil((layout.inputSize + 1) * vectors / LANES.load);
      const tiles = Math.ceil(vectors / readoutTile);
      const losses = Math.ceil(count / LANES.finishLoss);
      run("load", ({ first, last }) => [
        [rows, last - first + 1, count, first + 1],
      ]);
      run("forward", throughTime(format.forward), used, flop);
      run("readout", ({ first, last }) => [
        [last - first, tiles, count, first + 1],
      ]);
      run("finishLoss", () => [[losses, 1, 1, 1]], used.slice(0, 1));
      if (!training) return;
      const back = throughTime(format.backward);
      const turned = used.toReversed();
      run("backward", (slots) => back(slots).reverse(), turned, flop);
      const gradient = [...gradientGroups, count] as const;
      run("gradient", ({ first }) => [[...gradient, first + 1]], used, flop);
    }

    entries.forEach((entry, i) => add(entry, i * UNIFORM_STRIDE));
    endPass();
    last?.(encoder);
    timer?.resolve(encoder);
    parts.push(encoder.finish());
    const batches = entries.map(fieldsOf);
    return () => {
      const data = packStructs("Batch", batches, UNIFORM_STRIDE);
      device.queue.writeBuffer(batchUniforms, 0, data);
      for (const part of parts) device.queue.submit([part]);
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
