/**
 * Many models that train side by side on the device.
 *
 * @module
 */

import { checkSpec } from "../engine/create_ensemble.ts";
import type { DeviceProfile } from "../engine/device_profile.ts";
import type { BatchProbe, Ensemble, EnsembleSpec } from "../engine/ensemble.ts";
import {
  checkOnGpu,
  createBuffers,
  type EnsembleBuffers,
  readStates,
} from "./buffers.ts";
import { closePorts } from "../rnn/parameters.ts";
import type { WatchedDevice } from "./device.ts";
import { historyCollector } from "./history.ts";
import { type BatchPlace, placeBatches } from "./layout.ts";
import { kernelCacheOf, kernelTexts } from "./kernels.ts";
import { createProfiler, sampleInterval } from "./profiler.ts";
import { readBack } from "./read_back.ts";
import { createStepRunner, type StepRunner } from "./record_step.ts";
import { createEpochTrainer } from "./train_epochs.ts";
import { unpackWeights, type WeightFormat } from "./weight_format.ts";

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
  /** What to time: every kernel of every batch, or of a sample of the batches. */
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
  spec: EnsembleSpec,
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
  const sizes = (batches: readonly Uint32Array[]) =>
    batches.map((batch) => batch.length);
  const { trainBatches, validateBatches } = runs[0]!.trials;
  const batches = placeBatches(sizes(trainBatches), sizes(validateBatches));
  const format = options.formatFor(batches);
  const { layout } = format;
  // The driver may go on compiling while the host packs the models.
  const kernels = kernelCacheOf(gpu).get(kernelTexts(format, spec.loss));
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
    historySlots: probeSlot + 1,
  });
  const runner = createStepRunner(gpu, { format, kernels, made });
  const profiler = options.profile === undefined
    ? undefined
    : createProfiler(gpu, {
      every: options.profile === "all" ? 1 : sampleInterval(batches.length),
    });
  const trainer = createEpochTrainer(gpu, runner, {
    epoch: runs[0]!.state?.epoch ?? 0,
    step: runs[0]!.state?.step ?? 0,
    profiler,
    history: made.buffers.history!,
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
    made,
    format,
    train: (epochs, { signal, onEpochs, whileBusy } = {}) =>
      inTurn(async () => {
        if (!Number.isInteger(epochs) || epochs < 0) {
          throw new RangeError(
            `Cannot train: epochs must be a whole number, found ${epochs}`,
          );
        }
        const scored = made.models.map((model) => model.scored);
        const collect = () =>
          historyCollector({ loss: spec.loss, order, batches, scored });
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
        const states = await readStates(gpu, places, { layout, made });
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
        return probeBatch(gpu, runner, {
          classifies: spec.loss === "nll",
          place,
          number,
          made,
          slot: probeSlot,
        });
      }),
    profile: () => profiler?.profile(),
    destroy() {
      destroyed = true;
      profiler?.destroy();
      runner.destroy();
      for (const buffer of Object.values(made.buffers)) buffer.destroy();
    },
  };
}

/** Runs one training batch of one model without an update, and reads what came of it. */
async function probeBatch(
  gpu: WatchedDevice,
  runner: StepRunner,
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
  recorder.add({ number, slot, step: 1, probe: true, model: place });
  runner.announce(recorder.entries);
  gpu.device.queue.submit([recorder.finish()]);
  const T = run.trials.steps;
  const { hiddenSize: H, outputSize: O, slot: rows } = layout;
  const B = layout.batches[number]!.size;
  const width = 4 * layout.vectors;
  const [history, outputs, hidden, gradient] = await readBack(gpu, [
    {
      buffer: buffers.history!,
      firstWord: (slot * models.length + place) * 2,
      words: 2,
    },
    { buffer: buffers.outputs!, firstWord: 0, words: T * O * width },
    {
      buffer: buffers.state!,
      firstWord: at.state + T * rows * width,
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
