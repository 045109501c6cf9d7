/**
 * What recording a training step asks of the way in which it is computed: on
 * whole matrices (`dense_dispatches.ts`) or on blocks (`block_dispatches.ts`).
 *
 * @module
 */

import type { ShaderConstants } from "./expand_shader.ts";
import type { KernelName } from "./kernels.ts";

/** How far a batch is to be taken: "loss" for validation, "gradient" for a probe, "update" for training. */
export type StepEnd = "loss" | "gradient" | "update";

/** Takes down the dispatches of one batch. */
export interface StepRecorder {
  /** Trials of the batch. */
  readonly rows: number;
  /** T of the model that has most steps. */
  readonly steps: number;
  readonly models: number;
  readonly until: StepEnd;
  /** The one part of the gradient that is wanted; undefined for all. */
  readonly part: number | undefined;
  /** Models that have so many steps: the first ones, as T falls. */
  having(step: number): number;
  /** The kernel of the dispatches that follow. */
  use(kernel: KernelName): void;
  /** Workgroups, and the time step (from 1) or, with `part`, the part of the gradient that they are for. */
  dispatch(
    groups: readonly [number, number, number],
    at?: { readonly step?: number; readonly part?: number },
  ): void;
}

/** The kernels of a training step and their order. */
export interface Dispatches {
  /** The kernels, in the order of a step. */
  readonly kernels: readonly KernelName[];
  /** Those of the three products. */
  readonly products: Record<"forward" | "backward" | "gradient", KernelName>;
  /** Constants of a kernel's text that say its tile. */
  constants(kernel: KernelName): ShaderConstants;
  /** Trials whose losses of a step the read-out adds up in one place. */
  readonly lossTrials: number;
  /** First units of the parts in which the gradient is made. */
  readonly parts: readonly number[];
  /** Takes down a batch. */
  record(recorder: StepRecorder): void;
}

/** Invocations of a workgroup of the kernels without tiles. */
export const PLAIN_LANES = 32;

/** Workgroups that it takes for so many items, some a workgroup. */
export function groupsFor(count: number, each: number): number {
  return Math.ceil(count / each);
}
