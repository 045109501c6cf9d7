/**
 * How long the device is busy, and with which kernels, by timestamp queries.
 *
 * Every pass is timed, so that the busy time is measured. To tell kernels
 * apart, each needs a pass of its own, which costs the device some time; so
 * only a sample of the batches is recorded that way, and the busy time is
 * shared out among the kernels as the sample's was, by rows of trials.
 *
 * @module
 */

import type { DeviceProfile } from "../engine/device_profile.ts";
import type { WatchedDevice } from "./device.ts";
import type { KernelName } from "./kernels.ts";

/** Times what one command buffer does. */
export interface SubmitTimer {
  /**
   * Says how many rows the batch has that is recorded next. Returns whether
   * its kernels are to get passes of their own.
   */
  beginBatch(rows: number): boolean;
  /** Counts a kernel's dispatches in the batch. */
  count(kernel: KernelName, dispatches: number): void;
  /** Opens a pass, of that kernel or of several; the caller ends it. */
  beginPass(
    encoder: GPUCommandEncoder,
    kernel: KernelName | undefined,
  ): GPUComputePassEncoder;
  /** Copies the times of the passes; last in the encoder. */
  resolve(encoder: GPUCommandEncoder): void;
  /** Waits until the commands were executed, and adds their times up. */
  collect(): Promise<void>;
}

/** Adds up the times of many submits. */
export interface Profiler {
  /** Every how many batches one is timed kernel by kernel. */
  readonly every: number;
  /** Begins to time a command buffer; several may be under way. */
  begin(): SubmitTimer;
  /** Counts operations for a kernel. */
  addFlop(kernel: KernelName, flop: number): void;
  /** What was collected so far. */
  profile(): DeviceProfile;
  destroy(): void;
}

/** Passes that one submit can time: WebGPU allows 4096 queries in a set. */
const MOST_PASSES = 2048;

/** Passes kept free for the batch under way: kernels, and panels of the gradient. */
const ROOM_FOR_A_BATCH = 64;

/** Sums of a kernel: of all its calls, and of those that were timed. */
interface KernelSums {
  calls: number;
  rows: number;
  timedRows: number;
  nanoseconds: number;
  flop: number;
}

/**
 * Creates a profiler; undefined where the device has no timestamps.
 *
 * @param options.every Time the kernels of one batch in so many; 1 times them all.
 */
export function createProfiler(
  gpu: WatchedDevice,
  { every }: { readonly every: number },
): Profiler | undefined {
  const { device } = gpu;
  if (!device.features.has("timestamp-query")) return undefined;
  // One for all submits: the device executes them one after the other.
  const querySet = device.createQuerySet({
    label: "profile",
    type: "timestamp",
    count: 2 * MOST_PASSES,
  });
  const resolved = device.createBuffer({
    label: "profile",
    size: MOST_PASSES * 16,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const kernels = new Map<KernelName, KernelSums>();
  let busy = 0;
  let batches = 0;

  function sumsOf(kernel: KernelName): KernelSums {
    let sums = kernels.get(kernel);
    if (sums === undefined) {
      sums = { calls: 0, rows: 0, timedRows: 0, nanoseconds: 0, flop: 0 };
      kernels.set(kernel, sums);
    }
    return sums;
  }

  function begin(): SubmitTimer {
    const passes: { kernel: KernelName | undefined; rows: number }[] = [];
    let rows = 0;
    let staging: GPUBuffer | undefined;
    return {
      beginBatch(size) {
        rows = size;
        const isSample = batches++ % every === 0;
        return isSample && passes.length <= MOST_PASSES - ROOM_FOR_A_BATCH;
      },
      count(kernel, dispatches) {
        const sums = sumsOf(kernel);
        sums.calls += dispatches;
        sums.rows += rows;
      },
      beginPass(encoder, kernel) {
        const query = 2 * passes.length;
        const label = kernel ?? "train";
        if (passes.length >= MOST_PASSES) {
          return encoder.beginComputePass({ label });
        }
        passes.push({ kernel, rows });
        return encoder.beginComputePass({
          label,
          timestampWrites: {
            querySet,
            beginningOfPassWriteIndex: query,
            endOfPassWriteIndex: query + 1,
          },
        });
      },
      resolve(encoder) {
        if (passes.length === 0) return;
        const bytes = passes.length * 16;
        staging = device.createBuffer({
          label: "profile read back",
          size: bytes,
          usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
        });
        encoder.resolveQuerySet(querySet, 0, 2 * passes.length, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
      },
      async collect() {
        if (staging === undefined) return;
        await staging.mapAsync(GPUMapMode.READ);
        const times = new BigUint64Array(staging.getMappedRange().slice(0));
        staging.destroy();
        for (const [i, { kernel, rows }] of passes.entries()) {
          const nanoseconds = Number(times[2 * i + 1]! - times[2 * i]!);
          busy += nanoseconds;
          if (kernel === undefined) continue;
          const sums = sumsOf(kernel);
          sums.nanoseconds += nanoseconds;
          sums.timedRows += rows;
        }
      },
    };
  }

  return {
    every,
    begin,
    addFlop(kernel, flop) {
      sumsOf(kernel).flop += flop;
    },
    profile() {
      const estimates = [...kernels].map(([kernel, sums]) => ({
        kernel,
        sums,
        nanoseconds: sums.timedRows === 0
          ? 0
          : sums.nanoseconds * sums.rows / sums.timedRows,
      }));
      const all = estimates.reduce((ns, each) => ns + each.nanoseconds, 0);
      return {
        busyMilliseconds: busy / 1e6,
        kernels: estimates.map(({ kernel, sums, nanoseconds }) => ({
          kernel,
          calls: sums.calls,
          milliseconds: all === 0 ? 0 : busy / 1e6 * nanoseconds / all,
          flop: sums.flop,
        })).sort((a, b) => b.milliseconds - a.milliseconds),
      };
    },
    destroy() {
      querySet.destroy();
      resolved.destroy();
    },
  };
}

/** Batches of an epoch timed kernel by kernel, at least so many apart. */
const SAMPLE_EVERY = 16;

/**
 * Every how many batches to sample one, so that in time all batches of an
 * epoch have their turn: a number without a divisor in common with theirs.
 */
export function sampleInterval(batchesPerEpoch: number): number {
  let every = SAMPLE_EVERY;
  while (commonDivisor(every, batchesPerEpoch) > 1) every++;
  return every;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
