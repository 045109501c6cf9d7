/**
 * The host's part of training: records batch after batch, and hands the device
 * as much at once as keeps it busy for half a second. While the device works
 * on that, the next submit is recorded, so that it follows without a pause.
 *
 * @module
 */

import type { TrainingOptions } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { Profiler } from "./profiler.ts";
import {
  type BatchEntry,
  type BatchRunner,
  MOST_ENTRIES,
} from "./record_batch.ts";

/** A submit is to keep the device busy for so long: longer ones make a desktop stutter, or are killed as hanging. */
const SUBMIT_SECONDS = 0.5;

/** Batches of a submit whose kernels are all timed: each takes up to 40 pairs of timestamps. */
const MOST_TIMED = 48;

/**
 * Makes what trains an ensemble for so many epochs; fewer where `signal` is
 * aborted. `onHistory` takes the losses of epochs just trained, [epochs, batches,
 * models, 2].
 */
export function createTrainer(
  gpu: WatchedDevice,
  runner: BatchRunner,
  { stand, profiler, history, historyEpochs, submitWork }: {
    /** Epochs trained and updates made since the models' start; kept up to date. */
    readonly stand: { epoch: number; updates: number };
    readonly profiler: Profiler | undefined;
    readonly history: GPUBuffer;
    /** Epochs that the history has room for; the oldest ones are written over. */
    readonly historyEpochs: number;
    /** Operations of a part of a submit, at most; by default what the device does in a second. */
    readonly submitWork: number | undefined;
  },
) {
  const { device, adapter } = gpu;
  const { layout: { batches }, models, flopPerTrial } = runner;
  const mostEntries = profiler?.every === 1 ? MOST_TIMED : MOST_ENTRIES;
  const epochBytes = batches.length * models * 8;
  /** Operations a second of the last submit. */
  let measured: number | undefined;
  // Where the device is good for less than is taken first, that submit takes longer.
  const speed = () => measured ?? (adapter.software ? 1e10 : 1e12);

  return async (
    epochs: number,
    { signal, whileBusy, onHistory }:
      & Pick<TrainingOptions, "signal" | "whileBusy">
      & { readonly onHistory: (values: Float32Array) => void },
  ): Promise<void> => {
    let done = 0;
    /** Batch of the epoch under way. */
    let next = 0;

    /** Records a submit; undefined when there is no more to do. */
    function record() {
      if (next === 0 && (done === epochs || signal?.aborted)) return undefined;
      const before = done;
      const entries: BatchEntry[] = [];
      let work = 0;
      do {
        const { training, size } = batches[next]!;
        if (training) stand.updates++;
        const slot = done % historyEpochs * batches.length + next;
        entries.push({ number: next, slot, update: stand.updates });
        work += size * flopPerTrial * (training ? 3 : 1);
        next = (next + 1) % batches.length;
        if (next > 0) continue;
        done++;
        // A submit's epochs are read in one piece, so that it ends where the history begins anew.
        if (
          done === epochs || done % historyEpochs === 0 || signal?.aborted
        ) break;
      } while (work < speed() * SUBMIT_SECONDS && entries.length < mostEntries);
      const bytes = (done - before) * epochBytes;
      // Where the losses of the epochs that end in it are copied to.
      const copy = bytes === 0 ? undefined : device.createBuffer({
        label: "history read back",
        size: bytes,
        usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
      });
      const timer = profiler?.begin();
      const last = (encoder: GPUCommandEncoder) => {
        if (copy === undefined) return;
        const start = before % historyEpochs * epochBytes;
        encoder.copyBufferToBuffer(history, start, copy, 0, bytes);
      };
      // Whole batches may take it beyond its time by one; it is cut where one alone is too much.
      const most = submitWork ??
        (measured && 2 * measured * SUBMIT_SECONDS);
      const submit = runner.record(entries, { timer, last, most });
      return { submit, work, copy, timer };
    }

    /** Waits for a submit; returns the losses of the epochs that ended in it. */
    async function finish(
      { copy, timer }: NonNullable<ReturnType<typeof record>>,
    ): Promise<Float32Array | undefined> {
      try {
        await Promise.all([
          copy?.mapAsync(GPUMapMode.READ) ?? device.queue.onSubmittedWorkDone(),
          timer?.collect(),
        ]);
      } finally {
        // What the device reported says more than that it could not be mapped.
        await gpu.settle();
      }
      const values = copy && new Float32Array(copy.getMappedRange().slice(0));
      copy?.destroy();
      return values;
    }

    let now = record();
    let start = performance.now();
    now?.submit();
    while (now !== undefined) {
      const following = record();
      if (whileBusy !== undefined) {
        const busy = 1000 * now.work / speed() - (performance.now() - start);
        if (busy > 0) await whileBusy(busy);
      }
      // Deno waits for all that was submitted, within the call, and then sleeps
      // 10 ms before it answers: the next submit goes out in between.
      const finished = finish(now);
      finished.catch(() => {});
      following?.submit();
      const values = await finished;
      const end = performance.now();
      // The first submit may compile; and no outlier shall make the next one long.
      measured = Math.min(1000 * now.work / (end - start), 4 * speed());
      start = end;
      if (values !== undefined) {
        stand.epoch += values.byteLength / epochBytes;
        onHistory(values);
      }
      now = following;
    }
  };
}
