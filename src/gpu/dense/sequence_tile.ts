/**
 * Whether forward and backward run all time steps in one dispatch, and how.
 *
 * The rule: on a GPU they do, where the states of at least eight trials fit the
 * memory of a workgroup; a software adapter, whose workgroup memory is no
 * faster than any other, takes a dispatch a time step.
 *
 * @module
 */

import type { Layout } from "./layout.ts";
import type { AdapterLimits } from "../limits.ts";

/** How forward and backward go through time. */
export type TimeVariant = "steps" | "sequence";

/** The tile of a workgroup that runs all time steps. */
export interface SequenceTile {
  /** Invocations of a workgroup. */
  readonly lanes: number;
  /** Trials of an invocation. */
  readonly rows: number;
  /** Trials of a workgroup. */
  readonly tileRows: number;
}

/** What the rule goes by. */
export interface SequenceOptions {
  /** True where a CPU does the work. */
  readonly software: boolean;
  /** Limits of the device, by their WebGPU names. */
  readonly limits: AdapterLimits;
  /** Overrides the rule, not the limits. */
  readonly variant?: TimeVariant | undefined;
}

/** Trials of a workgroup: enough to use each weight often, and many workgroups. */
const MOST_TILE_ROWS = 32;
const LEAST_TILE_ROWS = 8;

/**
 * The tile for models of that size, undefined where they do not fit, or where
 * the adapter is better off without.
 *
 * @example
 * ```ts
 * import { makeLayout } from "./src/gpu/dense/layout.ts";
 * import { chooseSequenceTile } from "./src/gpu/dense/sequence_tile.ts";
 *
 * const layout = makeLayout({
 *   hiddenSize: 220,
 *   inputSize: 2,
 *   outputSize: 1,
 *   batchRows: 128,
 * });
 * chooseSequenceTile(layout, {
 *   software: false,
 *   limits: {
 *     maxComputeWorkgroupStorageSize: 32768,
 *     maxComputeInvocationsPerWorkgroup: 256,
 *   },
 * }); // { lanes: 224, rows: 8, tileRows: 32 }
 * ```
 */
export function chooseSequenceTile(
  { hidden, width, batchRows }: Layout,
  options: SequenceOptions,
): SequenceTile | undefined {
  const { software, limits, variant } = options;
  if ((variant ?? (software ? "steps" : "sequence")) === "steps") {
    return undefined;
  }
  const memory = limits.maxComputeWorkgroupStorageSize as number;
  const mostLanes = Math.min(
    256,
    limits.maxComputeInvocationsPerWorkgroup as number,
  );
  const columns = hidden / 4;
  if (columns > mostLanes) return undefined;
  const groups = Math.floor(mostLanes / columns);
  for (const rows of [8, 4, 2, 1]) {
    const tileRows = rows * Math.min(
      groups,
      Math.floor(Math.min(MOST_TILE_ROWS, batchRows) / rows) || 1,
      Math.floor(memory / (width * 4 * rows)),
    );
    if (tileRows < Math.min(LEAST_TILE_ROWS, batchRows)) continue;
    // Whole subgroups, whichever of the usual sizes they have.
    const lanes = Math.min(
      mostLanes,
      Math.ceil(columns * tileRows / rows / 32) * 32,
    );
    return { lanes, rows, tileRows };
  }
  return undefined;
}
