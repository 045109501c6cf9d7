/**
 * What a device did while it trained: how long it was busy, and with which
 * kernels.
 *
 * @module
 */

import { formatTable } from "../text/words.ts";

/** Time of one kernel. */
export interface KernelTime {
  readonly kernel: string;
  /** How often it was started: dispatches of a GPU. */
  readonly calls: number;
  readonly milliseconds: number;
  /** Floating-point operations of its products, 2·B·T each for an entry of W_hh that it multiplies: H², or fewer where only connections lie on the device; 0 for the other kernels. */
  readonly flop: number;
}

/** What a device did in training, by its own clock. */
export interface DeviceProfile {
  /** Milliseconds in which kernels ran. */
  readonly busyMilliseconds: number;
  /** Times of the kernels, the longest first; they add up to the busy time. */
  readonly kernels: readonly KernelTime[];
  /** Threads whose times these are, added up; not given where the device is one. */
  readonly workers?: number;
}

/** The sum of what several ensembles did. */
export function sumProfiles(
  profiles: readonly DeviceProfile[],
): DeviceProfile {
  const all = profiles.flatMap(({ kernels }) => kernels);
  const kernels = Array.from(
    Map.groupBy(all, ({ kernel }) => kernel),
    ([kernel, times]): KernelTime => {
      const sum = (of: "calls" | "milliseconds" | "flop") =>
        times.reduce((total, time) => total + time[of], 0);
      return {
        kernel,
        calls: sum("calls"),
        milliseconds: sum("milliseconds"),
        flop: sum("flop"),
      };
    },
  );
  const workers = profiles[0]?.workers;
  return {
    ...(workers !== undefined && { workers }),
    busyMilliseconds: profiles.reduce((ms, p) => ms + p.busyMilliseconds, 0),
    kernels: kernels.sort((a, b) => b.milliseconds - a.milliseconds),
  };
}

/** Times as a table: kernel, calls, milliseconds, GFLOP/s and share of the whole. */
export function profileTable(times: readonly KernelTime[]): string {
  const total = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const rows = times.map(({ kernel, calls, milliseconds, flop }) => [
    kernel,
    String(calls),
    milliseconds.toFixed(1),
    flop === 0 || milliseconds === 0
      ? ""
      : (flop / milliseconds / 1e6).toFixed(1),
    total === 0 ? "" : `${(100 * milliseconds / total).toFixed(1)} %`,
  ]);
  return formatTable([
    ["kernel", "calls", "ms", "GFLOP/s", "share"],
    ...rows,
  ], { right: [1, 2, 3, 4] }).join("\n");
}
