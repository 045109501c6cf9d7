/**
 * The log's and `--dry-run`'s lines about what will be trained and on what.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";
import { ensembleSize, type PreparedExperiment } from "./prepare.ts";
import { planEnsembles } from "./plan_groups.ts";
import { allRuns } from "./run_unit.ts";
import { runsOfShard, type Shard } from "./shard.ts";

/** "1.5 GB"; powers of ten. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** "12.3 TFLOP"; powers of ten. */
function formatWork(operations: number): string {
  const units = ["", "k", "M", "G", "T", "P", "E"];
  let value = operations;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toPrecision(3)} ${units[unit]}FLOP`;
}

/** Connectome, models, memory plan and estimated work, a line each. */
export function describePlan(
  prepared: PreparedExperiment,
  { engine, shard }: { engine: Engine; shard: Shard | undefined },
): string {
  const { experiment, connectome, network, stimuli, size } = prepared;
  const units = runsOfShard(
    allRuns(
      experiment.grid.combinations.length,
      experiment.training.iterations,
    ),
    shard,
  );
  const ensemble = ensembleSize(prepared, units);
  const plan = planEnsembles(engine, ensemble);
  const connections = network.mask.reduce((count, bit) => count + bit, 0);
  const lines = [
    `connectome   ${connectome.name} (${connectome.species}${
      connectome.synthetic ? ", synthetic: no measured data" : ""
    }), ${connectome.regions} regions, from ${connectome.source}`,
    `network      ${network.neurons} neurons, ${connections} connections (${
      (100 * connections / network.neurons ** 2).toFixed(1)
    } %)`,
    `model        ${size.inputSize} inputs, ${size.hiddenSize} hidden, ${size.outputSize} output${
      size.outputSize === 1 ? "" : "s"
    }`,
  ];
  if (stimuli !== undefined) {
    lines.push(`stimuli      ${stimuli.count} from ${stimuli.source}`);
  }
  if (shard !== undefined) {
    lines.push(
      `shard        ${shard.index} of ${shard.count}, from ${shard.origin}: ${units.length} runs`,
    );
  }
  const trained = Math.floor(
    ensemble.trialCount * experiment.task.trainSize,
  );
  const validated = ensemble.trialCount - trained;
  const steps = ensemble.steps.reduce((sum, t) => sum + t, 0);
  // A training pass is forward, backward and gradient: three products of 2·H² each.
  const perTrialStep = 2 * size.hiddenSize ** 2;
  const work = experiment.training.epochs * steps * perTrialStep *
    (3 * trained + validated);
  const bytes = Math.max(0, ...plan.bytes);
  const needed = plan.bytes.indexOf(bytes) < 0
    ? 0
    : plan.neededBytes[plan.bytes.indexOf(bytes)] ?? 0;
  lines.push(
    `engine       ${engine.kind}: ${engine.description}`,
    `memory plan  ${units.length} models in ${plan.groups.length} ensemble${
      plan.groups.length === 1 ? "" : "s"
    }, at most ${formatBytes(bytes)} on the device (the algorithm needs ${
      formatBytes(needed)
    }): ${plan.reason}`,
    `work         ${formatWork(work)}`,
  );
  return lines.join("\n");
}
