/**
 * Records the dispatches of one batch: the order of a training step.
 *
 * @module
 */

import type { KernelName } from "./kernels.ts";
import type { BatchPlace } from "./pack_trials.ts";
import { type StepPlan, UNIFORM_STRIDE } from "./step_plan.ts";
import { PLAIN_LANES, tileGrid } from "./tiles.ts";

/** Which part of a training step is wanted. */
export interface StepOptions {
  readonly batch: BatchPlace;
  /** Entry of the batch in the uniform buffer. */
  readonly entry: number;
  /** The models, a range of them; all by default. */
  readonly models?: { readonly first: number; readonly count: number };
  /** How far to go: "loss" for validation, "gradient" for a probe, "update" for training. */
  readonly until: "loss" | "gradient" | "update";
  /** The one panel of the gradient that is wanted; all by default. */
  readonly panel?: number;
}

/** Where the dispatches of a kernel are recorded: one pass for all, or a pass for each. */
export type PassSource = (kernel: KernelName) => GPUComputePassEncoder;

/** Records one batch of all models, or of a range of them. */
export function recordStep(
  passes: PassSource,
  plan: StepPlan,
  options: StepOptions,
): void {
  const { layout, kernels, uniforms, tiles, sequence } = plan;
  const { batch, entry, until } = options;
  const range = options.models ?? { first: 0, count: plan.steps.length };
  const steps = plan.steps.slice(range.first, range.first + range.count);
  const most = steps[0] as number;
  const rows = batch.size;
  let pass = passes("loadBatch");
  const use = (name: KernelName) => {
    if (name !== "loadBatch") pass = passes(name);
    const { pipeline, group } = kernels.get(name)!;
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
  };
  const entryAt = (number: number) =>
    pass.setBindGroup(1, uniforms, [
      entry * UNIFORM_STRIDE,
      number * UNIFORM_STRIDE,
    ]);
  const at = (step: number) => entryAt(step - 1);
  /** Models that have such a step: the first ones, as T falls. */
  const having = (step: number) => {
    let count = steps.length;
    while (count > 0 && (steps[count - 1] as number) < step) count--;
    return count;
  };
  const groupsOf = (count: number, size: number) => Math.ceil(count / size);

  use("loadBatch");
  at(1);
  pass.dispatchWorkgroups(groupsOf(rows, PLAIN_LANES), most, range.count);

  const stepSize = { rows, columns: layout.hidden / 4 };
  if (sequence !== undefined) {
    use("forwardSequence");
    at(1);
    pass.dispatchWorkgroups(1, groupsOf(rows, sequence.tileRows), range.count);
  } else {
    use("forwardStep");
    for (let t = 1; t <= most; t++) {
      at(t);
      pass.dispatchWorkgroups(
        ...tileGrid(tiles.forwardStep, stepSize),
        having(t),
      );
    }
  }

  use("readout");
  at(1);
  pass.dispatchWorkgroups(most, 1, range.count);
  use("finishLoss");
  at(1);
  pass.dispatchWorkgroups(groupsOf(range.count, 64));
  if (until === "loss") return;

  if (sequence !== undefined) {
    use("backwardSequence");
    at(1);
    pass.dispatchWorkgroups(1, groupsOf(rows, sequence.tileRows), range.count);
  } else {
    use("backwardStep");
    for (let t = most; t >= 1; t--) {
      at(t);
      pass.dispatchWorkgroups(
        ...tileGrid(tiles.backwardStep, stepSize),
        having(t),
      );
    }
  }

  const wanted = options.panel === undefined
    ? plan.panels.keys()
    : [options.panel];
  for (const panel of wanted) {
    const first = plan.panels[panel] as number;
    const end = plan.panels[panel + 1] ?? layout.units;
    const hiddenEnd = Math.min(end, layout.hidden);
    // Entries of the panels come after those of the time steps.
    const number = (plan.steps[0] as number) + panel;
    if (hiddenEnd > first) {
      use("gradient");
      entryAt(number);
      pass.dispatchWorkgroups(
        ...tileGrid(tiles.gradient, {
          rows: (hiddenEnd - first) / 4,
          columns: layout.width / 4,
        }),
        range.count,
      );
    }
    if (end > layout.hidden) {
      use("readoutGradient");
      entryAt(number);
      pass.dispatchWorkgroups(
        groupsOf(layout.width / 4, PLAIN_LANES),
        1,
        range.count,
      );
    }
    if (until === "update") {
      use("optimizer");
      entryAt(number);
      pass.dispatchWorkgroups(
        groupsOf(layout.width / 4, PLAIN_LANES),
        end - first,
        range.count,
      );
    }
  }
}
