/**
 * The log's and `--dry-run`'s lines about what will be trained and on what.
 *
 * @module
 */

import { relative } from "node:path";
import type { Engine, EnsembleShape, Plan } from "../engine/ensemble.ts";
import { countConnections } from "../graph/connections.ts";
import { formatBytes, formatDuration, plural } from "../text/words.ts";
import { estimateTime } from "./estimate_time.ts";
import { planEnsembles } from "./plan_groups.ts";
import { ensembleShape, type PreparedExperiment, runsOf } from "./prepare.ts";
import type { PretrainedModels } from "./pretrained.ts";
import { runsOfShard, type Shard } from "./shard.ts";

/** A path for people: from the working directory where it lies below it. */
export function shownPath(path: string): string {
  const below = relative(Deno.cwd(), path) || ".";
  return below.startsWith("..") ? path : below;
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
  const { experiment, network, stimuli, size, pretrained } = prepared;
  const all = runsOf(experiment);
  const ids = runsOfShard(all, shard);
  const ensemble = ensembleShape(prepared, ids);
  const connections = network.weight.length;
  const possible = network.nodes * (network.nodes - 1);
  const lines: [string, string][] = [
    ["connectome", describeConnectome(prepared)],
    [
      "network",
      `${network.nodes} neurons, ${connections} connections (${
        (100 * connections / possible).toFixed(1)
      } % of all possible)`,
    ],
    [
      "model",
      `${plural(size.inputSize, "input")}, ${
        plural(size.hiddenSize, "hidden unit")
      }, ${plural(size.outputSize, "output")}`,
    ],
  ];
  if (stimuli !== undefined) {
    lines.push(["stimuli", `${stimuli.count}: ${stimuli.source}`]);
  }
  if (pretrained !== undefined) {
    lines.push(["pretrained", describePretrained(pretrained)]);
  }
  if (shard !== undefined) {
    lines.push([
      "shard",
      `${shard.index}/${shard.count} (${shard.origin}): ${ids.length} of the ${all.length} models`,
    ]);
  }
  const plan = planEnsembles(engine, ensemble);
  lines.push(
    ["engine", `${engine.kind}: ${engine.description}`],
    ["memory plan", describeMemory(plan)],
    ["work", describeWork(prepared, ensemble)],
  );
  return lines.map(([label, text]) => `${label.padEnd(13)}${text}`).join("\n");
}

function describeConnectome({ connectome }: PreparedExperiment): string {
  const { name, species, synthetic, regions, source } = connectome;
  return [
    synthetic || species === "unknown" ? name : `${name} (${species})`,
    plural(regions, "region"),
    ...(synthetic ? ["synthetic (no measured data)"] : []),
    source === "embedded" ? "comes with biornn" : `from ${source}`,
  ].join(", ");
}

function describePretrained(
  { count, firstFile, freshReadout }: PretrainedModels,
): string {
  return `${plural(count, "model")}, ${count === 1 ? "" : "the first from "}${
    shownPath(firstFile)
  }, ${freshReadout ? "each with a fresh read-out" : "read-outs kept"}`;
}

function describeMemory({ groups, bytes, reason }: Plan): string {
  const models = groups.reduce((sum, group) => sum + group.length, 0);
  return `${plural(models, "model")} in ${
    plural(groups.length, "ensemble")
  } of ${groups.length > 1 ? "at most " : ""}${
    formatBytes(Math.max(0, ...bytes))
  }: ${reason}`;
}

function describeWork(
  { experiment }: PreparedExperiment,
  { trialCount, trainCount, steps, batchSize, connections }: EnsembleShape,
): string {
  const { epochs } = experiment.training;
  const timeSteps = steps.reduce((sum, t) => sum + t, 0);
  // A training pass is forward, backward and gradient: three products of 2 operations for each connection.
  const work = epochs * timeSteps * 2 * countConnections(connections) *
    (3 * trainCount + (trialCount - trainCount));
  const updates = epochs * steps.length * Math.ceil(trainCount / batchSize);
  return `${formatWork(work)}, ${updates} optimizer steps`;
}

/** How long it will take, by a short training of some of the models. */
export async function describeTime(
  prepared: PreparedExperiment,
  { engine, shard }: { engine: Engine; shard: Shard | undefined },
): Promise<string> {
  const ids = runsOfShard(runsOf(prepared.experiment), shard);
  const { seconds, models } = await estimateTime(prepared, ids, engine);
  return `${"time".padEnd(13)}about ${formatDuration(seconds)}, by a probe of ${
    plural(models, "model")
  }`;
}
