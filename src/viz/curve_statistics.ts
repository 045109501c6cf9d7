/**
 * From the curves of all runs to what is drawn: each run, and their mean and
 * standard deviation.
 *
 * @module
 */

import type { Curves } from "../results/results_folder.ts";

/** Epochs at the start that are not drawn: an untrained network's loss would set the scale. */
export const FIRST_EPOCH = 1;

/** Why a run's curve is not drawn. */
export type LeftOutReason = "not finite" | "constant";

/** The curves of one quantity that can be drawn. */
export interface UsableRuns {
  /** Runs in the order of their iterations; `values` begins with epoch {@linkcode FIRST_EPOCH}. */
  readonly runs: readonly {
    readonly iteration: number;
    readonly values: Float64Array;
  }[];
  readonly leftOut: readonly {
    readonly iteration: number;
    readonly reason: LeftOutReason;
  }[];
}

/**
 * Splits runs into those that can be drawn and those that can't: any with a
 * value that is NaN or infinite, and, for losses, those that never change.
 *
 * @param curves `[iterations, epochs]`
 * @param options `constants`: whether a curve that never changes is drawn.
 *
 * @example
 * ```ts
 * import { usableRuns } from "./src/viz/curve_statistics.ts";
 *
 * const values = Float64Array.of(9, 2, 1, 9, NaN, 1);
 * usableRuns({ iterations: 2, epochs: 3, values }, { constants: false });
 * // one run [2, 1]; iteration 1 left out
 * ```
 */
export function usableRuns(
  { iterations, epochs, values }: Curves,
  { constants }: { readonly constants: boolean },
): UsableRuns {
  const runs: { iteration: number; values: Float64Array }[] = [];
  const leftOut: { iteration: number; reason: LeftOutReason }[] = [];
  // With a single epoch there is nothing else to draw.
  const start = epochs > FIRST_EPOCH ? FIRST_EPOCH : 0;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const run = values.subarray(
      iteration * epochs + start,
      (iteration + 1) * epochs,
    );
    if (!run.every(Number.isFinite)) {
      leftOut.push({ iteration, reason: "not finite" });
    } else if (
      !constants && run.length > 1 && run.every((value) => value === run[0])
    ) {
      leftOut.push({ iteration, reason: "constant" });
    } else runs.push({ iteration, values: run });
  }
  return { runs, leftOut };
}

/** Mean and spread over runs, an element an epoch. */
export interface MeanCurve {
  /** Number of runs. */
  readonly n: number;
  readonly mean: Float64Array;
  /** Sample standard deviation (n − 1); all 0 where n is 1. */
  readonly sd: Float64Array;
}

/**
 * Mean and sample standard deviation over runs.
 *
 * @param runs Curves of equal length, one at least.
 * @throws {RangeError} If there is no run.
 *
 * @example
 * ```ts
 * import { meanCurve } from "./src/viz/curve_statistics.ts";
 *
 * meanCurve([Float64Array.of(1, 2), Float64Array.of(3, 2)]).mean; // [2, 2]
 * ```
 */
export function meanCurve(runs: readonly Float64Array[]): MeanCurve {
  const n = runs.length;
  const length = runs[0]?.length;
  if (length === undefined) throw new RangeError("Cannot average no runs");
  const mean = new Float64Array(length);
  const sd = new Float64Array(length);
  for (let e = 0; e < length; e++) {
    let sum = 0;
    for (const run of runs) sum += run[e] as number;
    const m = sum / n;
    let squares = 0;
    for (const run of runs) squares += ((run[e] as number) - m) ** 2;
    mean[e] = m;
    sd[e] = n > 1 ? Math.sqrt(squares / (n - 1)) : 0;
  }
  return { n, mean, sd };
}
