/**
 * The log's and `--dry-run`'s lines about what will be trained, on what, and how long it
 * will take.
 *
 * @module
 */

import type { Engine, ModelRun, Plan } from "../engine/ensemble.ts";
import { countConnections } from "../graph/connections.ts";
import { formatBytes, formatDuration, plural } from "../text/words.ts";
import {
  buildRun,
  ensembleShape,
  type PreparedExperiment,
  runsOf,
} from "./build_run.ts";
import { type AnyRun, type PlannedRuns, planTogether } from "./groups.ts";
import type { PretrainedModels } from "./pretrained.ts";
import { runsOfShard, type Shard } from "./shard.ts";

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

/** What is described. */
interface DescribeOptions {
  readonly engine: Engine;
  readonly shard: Shard | undefined;
}

/** The runs of this process, of all arms. */
function plannedRuns(
  arms: readonly PreparedExperiment[],
  shard: Shard | undefined,
): AnyRun[] {
  return runsOfShard(arms, shard).flatMap((ids, i) => {
    const results = { prepared: arms[i]! };
    return ids.map((id) => ({ results, id }));
  });
}

/** Connectomes, models, memory plan and estimated work of all arms, a line each. */
export function describePlan(
  arms: readonly PreparedExperiment[],
  { engine, shard, shownPath }: DescribeOptions & {
    /** Gives a path as people are to read it. */
    readonly shownPath: (path: string) => string;
  },
): string {
  const runs = plannedRuns(arms, shard);
  const [{ stimuli, pretrained }] = arms as [PreparedExperiment];
  const networks = [
    ...new Map(arms.map((arm) => [arm.connectome, arm])).values(),
  ];
  const lines: [string, string][] = [
    ...networks.flatMap((arm): [string, string][] => [
      ["connectome", describeConnectome(arm)],
      ["network", describeNetwork(arm)],
    ]),
    ...[...new Set(arms.map(describeModel))]
      .map((model): [string, string] => ["model", model]),
  ];
  if (stimuli !== undefined) {
    lines.push(["stimuli", `${stimuli.count}: ${stimuli.source}`]);
  }
  if (pretrained !== undefined) {
    lines.push(["pretrained", describePretrained(pretrained, shownPath)]);
  }
  if (shard !== undefined) {
    const all = arms.reduce(
      (sum, { experiment }) => sum + runsOf(experiment).length,
      0,
    );
    lines.push([
      "shard",
      `${shard.index}/${shard.count} (${shard.origin}): ${runs.length} of the ${all} models`,
    ]);
  }
  const planned = planTogether(runs, engine);
  lines.push(
    ["engine", `${engine.kind}: ${engine.description}`],
    ...planned.map(({ plan }): [string, string] => [
      "memory plan",
      describeMemory(plan),
    ]),
    ["work", describeWork(runs)],
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

function describeNetwork({ network }: PreparedExperiment): string {
  const connections = network.weight.length;
  const possible = network.nodes * (network.nodes - 1);
  return `${network.nodes} neurons, ${connections} connections (${
    (100 * connections / possible).toFixed(1)
  } % of all possible)`;
}

function describeModel({ size }: PreparedExperiment): string {
  return `${plural(size.inputSize, "input")}, ${
    plural(size.hiddenSize, "hidden unit")
  }, ${plural(size.outputSize, "output")}`;
}

function describePretrained(
  { count, firstFile, freshReadout }: PretrainedModels,
  shownPath: (path: string) => string,
): string {
  return `${plural(count, "model")}, ${count === 1 ? "" : "the first from "}${
    shownPath(firstFile)
  }, ${freshReadout ? "each with a fresh read-out" : "read-outs kept"}`;
}

function describeMemory(
  { groups, bytes, reason }: Plan,
): string {
  const models = groups.reduce((sum, group) => sum + group.length, 0);
  return `${plural(models, "model")} in ${
    plural(groups.length, "ensemble")
  } of ${groups.length > 1 ? "at most " : ""}${
    formatBytes(Math.max(0, ...bytes))
  }: ${reason}`;
}

function describeWork(runs: readonly AnyRun[]): string {
  let work = 0;
  let updates = 0;
  for (const [{ prepared }, own] of Map.groupBy(runs, (run) => run.results)) {
    const { epochs } = prepared.experiment.training;
    const { steps, connections, trialCount, trainCount, batchSize } =
      ensembleShape(prepared, own.map(({ id }) => id));
    const timeSteps = steps.reduce((sum, t) => sum + t, 0);
    // A training pass is forward, backward and gradient: three products of 2 operations for each connection.
    work += epochs * timeSteps * 2 * countConnections(connections) *
      (3 * trainCount + (trialCount - trainCount));
    updates += epochs * steps.length * Math.ceil(trainCount / batchSize);
  }
  return `${formatWork(work)}, ${plural(updates, "update")}`;
}

/** Models of the probe at most, all ensembles together: a GPU is busy with as many. */
const MOST_MODELS = 32;

/** Milliseconds after which no further model is drawn for the probe. */
const DRAWING = 3000;

/** Milliseconds that the probe trains, after a first epoch that compiles. */
const TRAINING = 1000;

/**
 * How long it will take, by a short training of some of the models: those of each
 * ensemble, with the rest taken to be as fast by the time steps of their trials.
 */
export async function describeTime(
  arms: readonly PreparedExperiment[],
  options: DescribeOptions,
): Promise<string> {
  const { seconds, models } = await probeTime(arms, options);
  return `${"time".padEnd(13)}about ${formatDuration(seconds)}, by a probe of ${
    plural(models, "model")
  }`;
}

/** The same in numbers: seconds, and models of the probe. */
export async function probeTime(
  arms: readonly PreparedExperiment[],
  { engine, shard }: DescribeOptions,
): Promise<{ readonly seconds: number; readonly models: number }> {
  const planned = planTogether(plannedRuns(arms, shard), engine);
  let seconds = 0;
  let models = 0;
  for (const pool of planned) {
    const probe = await estimateTime(pool, {
      engine,
      share: 1 / planned.length,
    });
    seconds += probe.seconds;
    models += probe.models;
  }
  return { seconds, models };
}

async function estimateTime(
  { runs, shape }: PlannedRuns<AnyRun>,
  { engine, share }: { readonly engine: Engine; readonly share: number },
): Promise<{ readonly seconds: number; readonly models: number }> {
  const began = performance.now();
  const probe: AnyRun[] = [];
  const drawn: ModelRun[] = [];
  const most = Math.min(Math.ceil(MOST_MODELS * share), runs.length);
  // Spread over the grid, so that all kinds of models are among them.
  for (let n = 0; n < most; n++) {
    const run = runs[Math.floor(n * runs.length / most)]!;
    drawn.push(await buildRun(run.results.prepared, run.id));
    probe.push(run);
    if (performance.now() - began > DRAWING * share) break;
  }
  const drawing = (performance.now() - began) / drawn.length;
  const [{ plan }] = planTogether(probe, engine) as [PlannedRuns<AnyRun>];
  const group = plan.groups[0]!.map((i) => drawn[i]!);
  const ensemble = await plan.createEnsemble(group);
  const sum = (steps: readonly number[]) =>
    steps.reduce((total, each) => total + each, 0);
  try {
    let start = performance.now();
    await ensemble.train(1);
    let taken = performance.now() - start;
    let epochs = 1;
    // A short first epoch is mostly that of compiling, and so doesn't count.
    while (taken < TRAINING * share) {
      const some = Math.min(
        2 * epochs,
        Math.ceil(epochs * TRAINING * share / taken),
      );
      start = performance.now();
      await ensemble.train(some);
      taken = performance.now() - start;
      epochs = some;
    }
    const { training } = runs[0]!.results.prepared.experiment;
    const timeSteps = group.map(({ trials }) => trials.steps);
    const trained = training.epochs * (taken / epochs) * sum(shape.steps) /
      sum(timeSteps);
    return {
      seconds: (trained + drawing * runs.length) / 1000,
      models: group.length,
    };
  } finally {
    ensemble.destroy();
  }
}
