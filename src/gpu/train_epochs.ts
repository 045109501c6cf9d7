/**
 * The host's part of training: records batch after batch, and hands the device
 * as much at once as keeps it busy for half a second. While the device works
 * on that, the next submit is recorded, so that it follows without a pause.
 *
 * @module
 */

import type { TrainingOptions } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { Profiler, SubmitTimer } from "./profiler.ts";
import { type BatchRunner, MOST_ENTRIES } from "./record_batch.ts";

/** A submit is to keep the device busy for so long: longer ones make a desktop stutter, or are killed as hanging. */
const SUBMIT_SECONDS = 0.5;

/** Operations a second that a device is taken to be good for before it has shown; where it is good for less, the first submit takes longer. */
const LEAST_SPEED = { hardware: 1e12, software: 1e10 } as const;

/** Batches of a submit whose kernels are all timed: each takes up to 40 pairs of timestamps. */
const MOST_TIMED = 48;

/** How to train some epochs. */
export interface TrainEpochsOptions
  extends Pick<TrainingOptions, "signal" | "whileBusy"> {
  /** Takes the losses of epochs just trained: [epochs, batches, models, 2]. */
  readonly onHistory: (values: Float32Array) => void;
}

/** Work for the device, and what is known of it. */
interface Recorded {
  readonly submit: () => void;
  /** Floating-point operations. */
  readonly work: number;
  /** Where the losses of the epochs that end in it are copied to; undefined where none ends. */
  readonly history: GPUBuffer | undefined;
  readonly timer: SubmitTimer | undefined;
}

/** Creates the trainer of an ensemble that stands at that epoch and update. */
export function createEpochTrainer(
  gpu: WatchedDevice,
  runner: BatchRunner,
  options: {
    readonly epoch: number;
    readonly update: number;
    readonly profiler: Profiler | undefined;
    readonly history: GPUBuffer;
    /** Epochs that the history has room for; the oldest ones are written over. */
    readonly historyEpochs: number;
  },
): {
  /** Epochs and updates made since the models' start. */
  readonly epoch: number;
  readonly update: number;
  /** Trains so many epochs; fewer where `signal` is aborted. */
  train(epochs: number, options: TrainEpochsOptions): Promise<void>;
} {
  const { device } = gpu;
  const { batches } = runner.format.layout;
  const { profiler, history, historyEpochs } = options;
  let { epoch, update } = options;
  const mostEntries = profiler?.every === 1 ? MOST_TIMED : MOST_ENTRIES;
  const epochBytes = batches.length * runner.steps.length * 8;
  /** Operations a second of the last submit. */
  let speed: number =
    LEAST_SPEED[gpu.adapter.software ? "software" : "hardware"];

  /** Records so many epochs, a submit at each call; undefined when there is no more to do. */
  function createSource(
    epochs: number,
    signal: AbortSignal | undefined,
  ): () => Recorded | undefined {
    let done = 0;
    /** Batch of the epoch under way. */
    let next = 0;
    return () => {
      if (next === 0 && (done === epochs || signal?.aborted)) return undefined;
      const budget = speed * SUBMIT_SECONDS;
      let [work, count] = [0, 0];
      const before = done;
      const timer = profiler?.begin();
      const recorder = runner.record("train", timer);
      do {
        const batch = batches[next]!;
        if (batch.training) update++;
        const slot = done % historyEpochs * batches.length + next;
        recorder.add({ number: next, slot, update });
        count++;
        const flop = batch.size * runner.flopPerTrial;
        work += flop * (batch.training ? 3 : 1);
        profiler?.addFlop("forward", flop);
        if (batch.training) {
          profiler?.addFlop("backward", flop);
          profiler?.addFlop("gradient", flop);
        }
        next++;
        if (next < batches.length) continue;
        next = 0;
        done++;
        // A submit's epochs are read in one piece, so that it ends where the history begins anew.
        if (
          done === epochs || done % historyEpochs === 0 || signal?.aborted
        ) break;
      } while (work < budget && count < mostEntries);
      const bytes = (done - before) * epochBytes;
      const copy = bytes === 0 ? undefined : device.createBuffer({
        label: "history read back",
        size: bytes,
        usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
      });
      const submit = recorder.finish((encoder) => {
        if (copy === undefined) return;
        const start = before % historyEpochs * epochBytes;
        encoder.copyBufferToBuffer(history, start, copy, 0, bytes);
      });
      return { submit, work, history: copy, timer };
    };
  }

  /** Waits for a submit; returns the losses of the epochs that ended in it. */
  async function finish(
    { history, timer }: Recorded,
  ): Promise<Float32Array | undefined> {
    try {
      await Promise.all([
        history?.mapAsync(GPUMapMode.READ) ??
          device.queue.onSubmittedWorkDone(),
        timer?.collect(),
      ]);
    } catch (error) {
      // What the device reported says more than that it could not be mapped.
      await gpu.settle();
      throw error;
    }
    await gpu.settle();
    const values = history?.getMappedRange().slice(0);
    history?.destroy();
    return values === undefined ? undefined : new Float32Array(values);
  }

  async function train(
    epochs: number,
    { signal, onHistory, whileBusy }: TrainEpochsOptions,
  ): Promise<void> {
    const record = createSource(epochs, signal);
    let now = record();
    if (now === undefined) return;
    let start = performance.now();
    now.submit();
    while (now !== undefined) {
      const next = record();
      if (whileBusy !== undefined) {
        const busy = 1000 * now.work / speed - (performance.now() - start);
        if (busy > 0) await whileBusy(busy);
      }
      // Deno waits for all that was submitted, within the call, and then sleeps
      // 10 ms before it answers: the next submit goes out in between.
      const finished = finish(now);
      finished.catch(() => {});
      next?.submit();
      const values = await finished;
      const end = performance.now();
      // The first submit may compile; and no outlier shall make the next one long.
      speed = Math.min(1000 * now.work / (end - start), 4 * speed);
      start = end;
      if (values !== undefined) {
        epoch += values.byteLength / epochBytes;
        onHistory(values);
      }
      now = next;
    }
  }

  return {
    train,
    get epoch() {
      return epoch;
    },
    get update() {
      return update;
    },
  };
}
