/**
 * The host's part of training: records batch after batch, and hands the device
 * as much at once as keeps it busy for half a second.
 *
 * @module
 */

import type { WatchedDevice } from "./device.ts";
import type { BatchPlace } from "./pack_trials.ts";
import type { Profiler } from "./profiler.ts";
import { createRecorder, recordStep } from "./record_step.ts";
import {
  type BatchEntry,
  MOST_ENTRIES,
  type StepPlan,
  writeBatchEntries,
} from "./step_plan.ts";

/** A submit is to keep the device busy for so long: longer ones make a desktop stutter, or are killed as hanging. */
const SUBMIT_SECONDS = 0.5;

/** Batches of a submit whose kernels are timed: each takes up to 40 pairs of timestamps. */
const MOST_TIMED = 48;

/** Trains epochs. */
export interface EpochTrainer {
  /** Epochs trained since the models' start. */
  readonly epoch: number;
  /** Optimizer steps made. */
  readonly step: number;
  /**
   * Trains so many epochs, at most as the history holds; fewer where `signal`
   * is aborted. Returns how many.
   */
  train(epochs: number, signal: AbortSignal | undefined): Promise<number>;
}

/** Creates the trainer of an ensemble that stands at that epoch and step. */
export function createEpochTrainer(
  gpu: WatchedDevice,
  plan: StepPlan,
  options: {
    readonly epoch: number;
    readonly step: number;
    readonly profiler: Profiler | undefined;
  },
): EpochTrainer {
  const { device } = gpu;
  const { batches } = plan;
  const { profiler } = options;
  let { epoch, step } = options;
  const mostEntries = profiler === undefined ? MOST_ENTRIES : MOST_TIMED;
  /** Operations a second of the last submit. */
  let speed = 0;

  async function train(
    epochs: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    let done = 0;
    /** Batch of the epoch under way. */
    let next = 0;
    while (done < epochs) {
      const budget = speed * SUBMIT_SECONDS;
      const entries: BatchEntry[] = [];
      let planned = 0;
      const recorder = createRecorder(device, { label: "train", profiler });
      do {
        const batch = batches[next]!;
        if (batch.training) step++;
        recordStep(recorder.passes, plan, {
          batch,
          entry: entries.length,
          until: batch.training ? "update" : "loss",
        });
        const slot = done * batches.length + next;
        entries.push({ number: next, slot, step });
        planned += countFlop(plan, { batch, profiler });
        next++;
        if (next === batches.length) {
          next = 0;
          done++;
          if (signal?.aborted) break;
        }
      } while (
        done < epochs && planned < budget && entries.length < mostEntries
      );
      const commands = recorder.finish();
      writeBatchEntries(device, plan, entries);
      const start = performance.now();
      device.queue.submit([commands]);
      await gpu.finish();
      await profiler?.collect();
      const seconds = (performance.now() - start) / 1000;
      // The first submit compiles; and no outlier shall make the next one long.
      speed = Math.min(planned / seconds, speed === 0 ? Infinity : 4 * speed);
      if (signal?.aborted && next === 0) break;
    }
    epoch += done;
    return done;
  }

  return {
    train,
    get epoch() {
      return epoch;
    },
    get step() {
      return step;
    },
  };
}

/** Operations of a batch over all models: those of the recurrent products, 2·B·T·H² each. */
function countFlop(
  { steps, layout, sequence }: StepPlan,
  options: {
    readonly batch: BatchPlace;
    readonly profiler: Profiler | undefined;
  },
): number {
  const { batch: { size, training }, profiler } = options;
  const rows = steps.reduce((sum, t) => sum + t * size, 0);
  const flop = 2 * rows * layout.hiddenSize ** 2;
  profiler?.addFlop(
    sequence === undefined ? "forwardStep" : "forwardSequence",
    flop,
  );
  if (!training) return flop;
  profiler?.addFlop(
    sequence === undefined ? "backwardStep" : "backwardSequence",
    flop,
  );
  profiler?.addFlop("gradient", flop);
  return 3 * flop;
}
