/**
 * Records the dispatches of one batch: the order of a training step.
 *
 * @module
 */

import type { StepEnd, StepRecorder } from "./dispatches.ts";
import type { KernelName } from "./kernels.ts";
import type { BatchPlace } from "./pack_trials.ts";
import { type StepPlan, UNIFORM_STRIDE } from "./step_plan.ts";

/** Which part of a training step is wanted. */
export interface StepOptions {
  readonly batch: BatchPlace;
  /** Entry of the batch in the uniform buffer. */
  readonly entry: number;
  /** The models, a range of them; all by default. */
  readonly models?: { readonly first: number; readonly count: number };
  readonly until: StepEnd;
  /** The one part of the gradient that is wanted; all by default. */
  readonly part?: number;
}

/** Where the dispatches of a kernel are recorded: one pass for all, or a pass for each. */
export type PassSource = (kernel: KernelName) => GPUComputePassEncoder;

/** Records one batch of all models, or of a range of them. */
export function recordStep(
  passes: PassSource,
  plan: StepPlan,
  options: StepOptions,
): void {
  const { batch, entry, until } = options;
  const range = options.models ?? { first: 0, count: plan.steps.length };
  const steps = plan.steps.slice(range.first, range.first + range.count);
  let pass: GPUComputePassEncoder | undefined;
  const recorder: StepRecorder = {
    rows: batch.size,
    steps: steps[0] as number,
    models: range.count,
    until,
    part: options.part,
    having(step) {
      let count = steps.length;
      while (count > 0 && (steps[count - 1] as number) < step) count--;
      return count;
    },
    use(name) {
      pass = passes(name);
      const { pipeline, group } = plan.kernels.get(name)!;
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
    },
    dispatch(groups, { step = 1, part } = {}) {
      // Entries of the parts come after those of the time steps.
      const time = part === undefined
        ? step - 1
        : (plan.steps[0] as number) + part;
      pass!.setBindGroup(1, plan.uniforms, [
        entry * UNIFORM_STRIDE,
        time * UNIFORM_STRIDE,
      ]);
      pass!.dispatchWorkgroups(...groups);
    },
  };
  plan.dispatches.record(recorder);
}
