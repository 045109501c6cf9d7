/**
 * Many models that train side by side on the device.
 *
 * @module
 */

import { checkSpec } from "../engine/check_spec.ts";
import type { Ensemble, EnsembleSpec } from "../engine/ensemble.ts";
import { checkDeviceSpec } from "./check_device_spec.ts";
import type { WatchedDevice } from "./device.ts";
import { createBuffers } from "./ensemble_buffers.ts";
import { historyCollector } from "./history.ts";
import type { BoundBuffer } from "./kernels.ts";
import { type Layout, makeLayout } from "./layout.ts";
import { placeBatches } from "./pack_trials.ts";
import { probeBatch } from "./probe_batch.ts";
import { createProfiler, type KernelTime } from "./profiler.ts";
import { readBack } from "./read_back.ts";
import { readStates } from "./read_states.ts";
import type { TimeVariant } from "./sequence_tile.ts";
import { createStepPlan } from "./step_plan.ts";
import { createEpochTrainer } from "./train_epochs.ts";

/** Loss history kept on the device between two reads. */
const HISTORY_BYTES = 1 << 22;

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

/**
 * Creates an ensemble on a device.
 *
 * @throws {RangeError} If the models cannot be one ensemble, or do not fit the device.
 */
export async function createGpuEnsemble(
  gpu: WatchedDevice,
  spec: EnsembleSpec,
  options: GpuEnsembleOptions = {},
): Promise<GpuEnsemble> {
  gpu.check();
  checkSpec(spec);
  checkDeviceSpec(spec);
  // Models with more time steps first: then those that have a step t are a prefix.
  const order = spec.runs.map((_, i) => i).sort((a, b) =>
    spec.runs[b]!.trials.steps - spec.runs[a]!.trials.steps || a - b
  );
  const runs = order.map((i) => spec.runs[i]!);
  const batches = placeBatches(runs[0]!.trials);
  const layout = makeLayout({
    hiddenSize: spec.hiddenSize,
    inputSize: spec.inputSize,
    outputSize: spec.outputSize,
    batchRows: Math.max(...batches.map(({ size }) => size)),
  });
  const epochBytes = runs.length * batches.length * 8;
  const historyEpochs = Math.max(1, Math.floor(HISTORY_BYTES / epochBytes));
  const made = createBuffers(gpu, {
    runs,
    layout,
    batches,
    historySlots: historyEpochs * batches.length + 1,
  });
  const { buffers } = made;
  const plan = createStepPlan(gpu, {
    loss: spec.loss,
    layout,
    buffers,
    steps: runs.map(({ trials }) => trials.steps),
    batches,
    variant: options.variant,
    software: options.software ?? gpu.adapter.software,
  });
  const profiler = options.profile ? createProfiler(gpu) : undefined;
  const trainer = createEpochTrainer(gpu, plan, {
    epoch: runs[0]!.state?.epoch ?? 0,
    step: runs[0]!.state?.step ?? 0,
    profiler,
  });
  let destroyed = false;
  let last: Promise<unknown> = gpu.finish();
  await last;

  /** Runs one call after the other: they share buffers. */
  function inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = last.catch(() => {}).then(() => {
      gpu.check();
      if (destroyed) {
        throw new TypeError("Cannot use an ensemble after its destroy()");
      }
      return call();
    });
    last = turn;
    return turn;
  }

  function placeOf(model: number): number {
    if (!Number.isInteger(model) || spec.runs[model] === undefined) {
      throw new RangeError(
        `Cannot find model ${model}: there are ${spec.runs.length}`,
      );
    }
    return order.indexOf(model);
  }

  return {
    models: runs.length,
    buffers,
    layout,
    train: (epochs, { signal } = {}) =>
      inTurn(async () => {
        if (!Number.isInteger(epochs) || epochs < 0) {
          throw new RangeError(
            `Cannot train: epochs must be a whole number, found ${epochs}`,
          );
        }
        const { scored } = made;
        const { loss } = spec;
        const collector = historyCollector({ loss, order, batches, scored });
        let left = epochs;
        while (left > 0 && !signal?.aborted) {
          const done = await trainer.train(
            Math.min(left, historyEpochs),
            signal,
          );
          const words = done * epochBytes / 4;
          const [values] = await readBack(gpu, [
            { buffer: buffers.history, firstWord: 0, words },
          ]);
          collector.add(values!);
          left -= done;
        }
        return collector.history();
      }),
    state: (model) =>
      inTurn(async () => {
        const places = model === undefined
          ? spec.runs.map((_, run) => placeOf(run))
          : [placeOf(model)];
        const { epoch, step } = trainer;
        const states = await readStates(gpu, places, { layout, made, runs });
        return states.map((state) => ({ epoch, step, ...state }));
      }),
    probe: (model, number) =>
      inTurn(() => {
        const place = placeOf(model);
        if (!batches[number]?.training) {
          throw new RangeError(
            `Cannot probe training batch ${number}: there are ${
              batches.filter(({ training }) => training).length
            }`,
          );
        }
        const run = spec.runs[model]!;
        const { loss } = spec;
        return probeBatch(gpu, plan, { run, loss, place, number, made });
      }),
    profile: () => profiler?.times() ?? [],
    destroy() {
      destroyed = true;
      profiler?.destroy();
      plan.batchUniforms.destroy();
      plan.timeUniforms.destroy();
      for (const buffer of Object.values(buffers)) buffer.destroy();
    },
  };
}
