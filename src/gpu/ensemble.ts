/**
 * Many models that train side by side on the device.
 *
 * @module
 */

import { checkSpec } from "../engine/create_ensemble.ts";
import type { DeviceProfile } from "../engine/device_profile.ts";
import type { Ensemble } from "../engine/ensemble.ts";
import type { BlockStorage } from "./blocks/block_storage.ts";
import { checkDeviceSpec } from "./check_device_spec.ts";
import { createDispatches } from "./create_dispatches.ts";
import { createStorage, type GpuSpec } from "./create_storage.ts";
import type { DenseStorage } from "./dense/dense_storage.ts";
import type { WatchedDevice } from "./device.ts";
import { createBuffers } from "./ensemble_buffers.ts";
import { historyCollector } from "./history.ts";
import { kernelCacheOf } from "./kernel_cache.ts";
import type { BoundBuffer } from "./kernels.ts";
import { DEFAULT_MEMORY_BYTES } from "./limits.ts";
import { placeBatches } from "./pack_trials.ts";
import { probeBatch } from "./probe_batch.ts";
import { createProfiler, sampleInterval } from "./profiler.ts";
import { readStates } from "./read_states.ts";
import type { TimeVariant } from "./dense/sequence_tile.ts";
import type { StorageKind } from "./storage.ts";
import { createStepPlan, kernelsOf } from "./step_plan.ts";
import { createEpochTrainer } from "./train_epochs.ts";

/** Loss history kept on the device, unless told otherwise. */
const HISTORY_BYTES = 1 << 22;

/** An ensemble that can say how long its kernels took. */
export interface GpuEnsemble extends Ensemble {
  profile(): DeviceProfile | undefined;
  /** The buffers on the device, for tests that look inside or poison them. */
  readonly buffers: Readonly<Record<BoundBuffer, GPUBuffer>>;
  readonly storage: DenseStorage | BlockStorage;
}

/**
 * What to time: "all" gives each kernel a pass of its own, which makes training
 * slower; "sample" does so with a sample of the batches, which hardly does.
 */
export type ProfileExtent = "all" | "sample";

/** How an ensemble runs. */
export interface GpuEnsembleOptions {
  /** What to time: every kernel of every batch, or of a sample of the batches. */
  readonly profile?: ProfileExtent | undefined;
  /** Bytes that one ensemble may take, default 2 GiB. */
  readonly memoryBytes?: number | undefined;
  /** How weights lie on the device, instead of what `choose_storage.ts` says. */
  readonly storage?: StorageKind | undefined;
  /** How forward and backward go through time, instead of the rule in `sequence_tile.ts`. */
  readonly variant?: TimeVariant | undefined;
  /** Choose tiles and variant as for a software adapter, or as for a GPU, whatever this one is. */
  readonly software?: boolean | undefined;
  /** Bytes of loss history kept on the device, default 4 MiB; an epoch at least. */
  readonly historyBytes?: number;
}

/**
 * Creates an ensemble on a device.
 *
 * @throws {RangeError} If the models cannot be one ensemble, or do not fit the device.
 */
export async function createGpuEnsemble(
  gpu: WatchedDevice,
  spec: GpuSpec,
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
  const software = options.software ?? gpu.adapter.software;
  const storage = createStorage(spec, {
    runs,
    batchRows: Math.max(...batches.map(({ size }) => size)),
    trialCount: batches.reduce((sum, { size }) => sum + size, 0),
    limits: gpu.adapter.limits,
    memoryBytes: options.memoryBytes ?? DEFAULT_MEMORY_BYTES,
    software,
    variant: options.variant,
    kind: options.storage,
  });
  const dispatches = createDispatches(storage, { software, batches });
  const steps = runs.map(({ trials }) => trials.steps);
  const cache = kernelCacheOf(gpu);
  const kernels = kernelsOf(cache, {
    loss: spec.loss,
    storage,
    dispatches,
    mostSteps: steps[0]!,
    models: runs.length,
    batches: batches.length,
  });
  // The driver may go on compiling while the host packs the models.
  cache.warmUp(kernels);
  const epochBytes = runs.length * batches.length * 8;
  const historyEpochs = Math.max(
    1,
    Math.floor((options.historyBytes ?? HISTORY_BYTES) / epochBytes),
  );
  const made = createBuffers(gpu, {
    runs,
    storage,
    batches,
    lossTiles: Math.ceil(storage.size.batchRows / dispatches.lossTrials),
    historySlots: historyEpochs * batches.length + 1,
  });
  const { buffers } = made;
  const plan = createStepPlan(gpu, {
    storage,
    dispatches,
    kernels,
    buffers,
    steps,
    batches,
  });
  const profiler = options.profile === undefined
    ? undefined
    : createProfiler(gpu, {
      every: options.profile === "all" ? 1 : sampleInterval(batches.length),
    });
  const trainer = createEpochTrainer(gpu, plan, {
    epoch: runs[0]!.state?.epoch ?? 0,
    step: runs[0]!.state?.step ?? 0,
    profiler,
    history: buffers.history,
    historyEpochs,
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
    storage,
    train: (epochs, { signal, onEpochs, whileBusy } = {}) =>
      inTurn(async () => {
        if (!Number.isInteger(epochs) || epochs < 0) {
          throw new RangeError(
            `Cannot train: epochs must be a whole number, found ${epochs}`,
          );
        }
        const { scored } = made;
        const { loss } = spec;
        const collect = () =>
          historyCollector({ loss, order, batches, scored });
        const all = collect();
        await trainer.train(epochs, {
          signal,
          whileBusy,
          onHistory(values) {
            all.add(values);
            if (onEpochs === undefined) return;
            const some = collect();
            some.add(values);
            onEpochs(some.history());
          },
        });
        return all.history();
      }),
    state: (model) =>
      inTurn(async () => {
        const places = model === undefined
          ? spec.runs.map((_, run) => placeOf(run))
          : [placeOf(model)];
        const { epoch, step } = trainer;
        const states = await readStates(gpu, places, { storage, made });
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
        const { loss } = spec;
        return probeBatch(gpu, plan, { loss, place, number, made });
      }),
    profile: () => profiler?.profile(),
    destroy() {
      destroyed = true;
      profiler?.destroy();
      plan.batchUniforms.destroy();
      plan.timeUniforms.destroy();
      for (const buffer of Object.values(buffers)) buffer.destroy();
    },
  };
}
