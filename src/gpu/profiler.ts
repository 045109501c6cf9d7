/**
 * How long each kernel takes, by timestamp queries.
 *
 * @module
 */

import type { WatchedDevice } from "./device.ts";
import type { KernelName } from "./kernels.ts";

/** Time of one kernel. */
export interface KernelTime {
  readonly kernel: KernelName;
  /** Passes measured; a pass holds all the dispatches in a row of one kernel. */
  readonly calls: number;
  readonly milliseconds: number;
}

/** Gives each kernel a pass of its own, and times it. */
export interface Profiler {
  /** Opens the pass of a kernel; the caller ends it. */
  beginPass(
    encoder: GPUCommandEncoder,
    kernel: KernelName,
  ): GPUComputePassEncoder;
  /** Copies the times of the passes so far; last in an encoder. */
  resolve(encoder: GPUCommandEncoder): void;
  /** Adds the copied times up, once the encoder's work is done. */
  collect(): Promise<void>;
  /** Times so far, the longest first. */
  times(): KernelTime[];
  destroy(): void;
}

const MOST_PASSES = 2048;

/** Creates a profiler; undefined where the device has no timestamps. */
export function createProfiler(gpu: WatchedDevice): Profiler | undefined {
  const { device } = gpu;
  if (!device.features.has("timestamp-query")) return undefined;
  const bytes = MOST_PASSES * 16;
  const querySet = device.createQuerySet({
    label: "profile",
    type: "timestamp",
    count: 2 * MOST_PASSES,
  });
  const resolved = device.createBuffer({
    label: "profile",
    size: bytes,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({
    label: "profile read back",
    size: bytes,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  const sums = new Map<KernelName, { calls: number; nanoseconds: number }>();
  let passes: KernelName[] = [];
  return {
    beginPass(encoder, kernel) {
      const query = 2 * passes.length;
      if (passes.length >= MOST_PASSES) {
        return encoder.beginComputePass({ label: kernel });
      }
      passes.push(kernel);
      return encoder.beginComputePass({
        label: kernel,
        timestampWrites: {
          querySet,
          beginningOfPassWriteIndex: query,
          endOfPassWriteIndex: query + 1,
        },
      });
    },
    resolve(encoder) {
      encoder.resolveQuerySet(querySet, 0, 2 * passes.length, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    },
    async collect() {
      await staging.mapAsync(GPUMapMode.READ);
      const times = new BigUint64Array(staging.getMappedRange().slice(0));
      staging.unmap();
      for (const [i, kernel] of passes.entries()) {
        const sum = sums.get(kernel) ?? { calls: 0, nanoseconds: 0 };
        sum.calls++;
        sum.nanoseconds += Number(
          (times[2 * i + 1] as bigint) - (times[2 * i] as bigint),
        );
        sums.set(kernel, sum);
      }
      passes = [];
    },
    times() {
      return [...sums].map(([kernel, { calls, nanoseconds }]) => ({
        kernel,
        calls,
        milliseconds: nanoseconds / 1e6,
      })).sort((a, b) => b.milliseconds - a.milliseconds);
    },
    destroy() {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
}
