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
  /** Floating-point operations of its products, 2·B·T·H² each; 0 for the other kernels. */
  readonly flop: number;
}

/** Gives each kernel a pass of its own, and times it. */
export interface Profiler {
  /** Opens the pass of a kernel; the caller ends it. */
  beginPass(
    encoder: GPUCommandEncoder,
    kernel: KernelName,
  ): GPUComputePassEncoder;
  /** Counts operations for a kernel. */
  addFlop(kernel: KernelName, flop: number): void;
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
  const flops = new Map<KernelName, number>();
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
    addFlop(kernel, flop) {
      flops.set(kernel, (flops.get(kernel) ?? 0) + flop);
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
        flop: flops.get(kernel) ?? 0,
      })).sort((a, b) => b.milliseconds - a.milliseconds);
    },
    destroy() {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
}

/**
 * Times as a table: kernel, calls, milliseconds, GFLOP/s and share of the whole.
 *
 * @example
 * ```ts
 * import { profileTable } from "./src/gpu/profiler.ts";
 *
 * profileTable([{ kernel: "gradient", calls: 2, milliseconds: 4, flop: 8e6 }]);
 * ```
 */
export function profileTable(times: readonly KernelTime[]): string {
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = times.map(({ kernel, calls, milliseconds, flop }) => [
    kernel,
    String(calls),
    milliseconds.toFixed(1),
    flop === 0 ? "" : (flop / milliseconds / 1e6).toFixed(1),
    `${(100 * milliseconds / total).toFixed(1)} %`,
  ]);
  const table = [["kernel", "calls", "ms", "GFLOP/s", "share"], ...rows];
  const widths = table[0]!.map((_, column) =>
    Math.max(...table.map((row) => row[column]!.length))
  );
  return table.map((row) =>
    row.map((cell, column) =>
      column === 0
        ? cell.padEnd(widths[column]!)
        : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}
