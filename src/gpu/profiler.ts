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

/** Adds up the times of many submits. */
export type Profiler = NonNullable<ReturnType<typeof createProfiler>>;

/** Times what one command buffer does. */
export type SubmitTimer = ReturnType<Profiler["begin"]>;

/** Passes that one submit can time: WebGPU allows 4096 queries in a set. */
const MOST_PASSES = 2048;

/** Passes kept free for the batch under way: kernels, and panels of the gradient. */
const ROOM_FOR_A_BATCH = 64;

/**
 * Creates a profiler; undefined where the device has no timestamps.
 *
 * @param every Time the kernels of one batch in so many; 1 times them all.
 */
export function createProfiler({ device }: WatchedDevice, every: number) {
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
  /** Sums of each kernel: of all its calls, and of those that were timed. */
  const kernels = new Map<KernelName, ReturnType<typeof noSums>>();
  const noSums = () => ({
    calls: 0,
    rows: 0,
    flop: 0,
    timedRows: 0,
    nanoseconds: 0,
  });
  let busy = 0;
  let batches = 0;

  function sumsOf(kernel: KernelName) {
    const sums = kernels.get(kernel) ?? noSums();
    kernels.set(kernel, sums);
    return sums;
  }

  return {
    every,
    /** Begins to time a command buffer; several may be under way. */
    begin() {
      const passes: { kernel: KernelName | undefined; rows: number }[] = [];
      let rows = 0;
      let staging: GPUBuffer | undefined;
      return {
        /** Takes down a batch of so many rows; returns whether its kernels are to get passes of their own. */
        beginBatch(size: number): boolean {
          rows = size;
          const isSample = batches++ % every === 0;
          return isSample && passes.length <= MOST_PASSES - ROOM_FOR_A_BATCH;
        },
        /** Counts that a kernel is run on the batch, or on a part of it. */
        enter(kernel: KernelName): void {
          sumsOf(kernel).rows += rows;
        },
        /** Counts dispatches and operations of a kernel. */
        count(kernel: KernelName, dispatches: number, flop: number): void {
          const sums = sumsOf(kernel);
          sums.calls += dispatches;
          sums.flop += flop;
        },
        /** What times a pass, of that kernel or of several. */
        timePass(
          kernel: KernelName | undefined,
        ): Pick<GPUComputePassDescriptor, "timestampWrites"> {
          const query = 2 * passes.length;
          if (passes.length >= MOST_PASSES) return {};
          passes.push({ kernel, rows });
          return {
            timestampWrites: {
              querySet,
              beginningOfPassWriteIndex: query,
              endOfPassWriteIndex: query + 1,
            },
          };
        },
        /** Copies the times of the passes; last in the encoder. */
        resolve(encoder: GPUCommandEncoder): void {
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
        /** Waits until the commands were executed, and adds their times up. */
        async collect(): Promise<void> {
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
    },
    /** What was collected so far. */
    profile(): DeviceProfile {
      const estimates = [...kernels].map(([kernel, sums]) => {
        const { calls, rows, flop, timedRows, nanoseconds } = sums;
        const share = timedRows === 0 ? 0 : nanoseconds * rows / timedRows;
        return { kernel, calls, flop, share };
      });
      const all = estimates.reduce((sum, { share }) => sum + share, 0);
      const busyMilliseconds = busy / 1e6;
      return {
        busyMilliseconds,
        kernels: estimates.map(({ kernel, calls, flop, share }) => ({
          kernel,
          calls,
          flop,
          milliseconds: all === 0 ? 0 : busyMilliseconds * share / all,
        })).sort((a, b) => b.milliseconds - a.milliseconds),
      };
    },
    destroy() {
      querySet.destroy();
      resolved.destroy();
    },
  };
}

/**
 * Every how many batches to time one kernel by kernel, 16 or a few more, so that
 * in time all batches of an epoch have their turn: a number without a divisor in
 * common with theirs.
 */
export function sampleInterval(batchesPerEpoch: number): number {
  const commonDivisor = (a: number, b: number): number =>
    b === 0 ? a : commonDivisor(b, a % b);
  let every = 16;
  while (commonDivisor(every, batchesPerEpoch) > 1) every++;
  return every;
}
