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
import { runsOfShard, type Shard } from "./shard.ts";

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

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** Connectomes, models, memory plan and estimated work of all arms, a line each. */
export function describePlan(
  arms: readonly PreparedExperiment[],
  { engine, shard, shownPath }: DescribeOptions & {
    /** Gives a path as people are to read it. */
    readonly shownPath: (path: string) => string;
  },
): string {
  const runs = plannedRuns(arms, shard);
  const lines: [label: string, text: string][] = [];
  for (const [connectome, [arm]] of Map.groupBy(arms, (a) => a.connectome)) {
    const { name, species, synthetic, regions, source } = connectome;
    const parts = [
      synthetic || species === "unknown" ? name : `${name} (${species})`,
      plural(regions, "region"),
      ...(synthetic ? ["synthetic (no measured data)"] : []),
      source === "embedded" ? "comes with biornn" : `from ${source}`,
    ];
    const { nodes, weight: { length } } = arm!.network;
    const share = (100 * length / (nodes * (nodes - 1))).toFixed(1);
    lines.push(["connectome", parts.join(", ")], [
      "network",
      `${nodes} neurons, ${length} connections (${share} % of all possible)`,
    ]);
  }
  const models = arms.map(({ size }) =>
    [
      plural(size.inputSize, "input"),
      plural(size.hiddenSize, "hidden unit"),
      plural(size.outputSize, "output"),
    ].join(", ")
  );
  for (const model of new Set(models)) lines.push(["model", model]);
  const [{ stimuli, pretrained }] = arms as [PreparedExperiment];
  if (stimuli !== undefined) {
    lines.push(["stimuli", `${stimuli.count}: ${stimuli.source}`]);
  }
  if (pretrained !== undefined) {
    const { count, firstFile, freshReadout } = pretrained;
    lines.push([
      "pretrained",
      `${plural(count, "model")}, ${count === 1 ? "" : "the first from "}${
        shownPath(firstFile)
      }, ${freshReadout ? "each with a fresh read-out" : "read-outs kept"}`,
    ]);
  }
  if (shard !== undefined) {
    const all = sum(arms.map(({ experiment }) => runsOf(experiment).length));
    lines.push([
      "shard",
      `${shard.index}/${shard.count} (${shard.origin}): ${runs.length} of the ${all} models`,
    ]);
  }
  lines.push(["engine", `${engine.kind}: ${engine.description}`]);
  for (const { plan } of planTogether(runs, engine)) {
    lines.push(["memory plan", describeMemory(plan)]);
  }
  lines.push(["work", describeWork(runs)]);
  return lines.map(([label, text]) => `${label.padEnd(13)}${text}`).join("\n");
}

function describeMemory({ groups, bytes, reason }: Plan): string {
  const models = sum(groups.map((group) => group.length));
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
    // A training pass is forward, backward and gradient: three products of 2 operations for each connection.
    work += epochs * sum(steps) * 2 * countConnections(connections) *
      (3 * trainCount + (trialCount - trainCount));
    updates += epochs * steps.length * Math.ceil(trainCount / batchSize);
  }
  const units = ["", "k", "M", "G", "T", "P", "E"];
  let unit = 0;
  for (; work >= 1000 && unit < units.length - 1; unit++) work /= 1000;
  return `${work.toPrecision(3)} ${units[unit]}FLOP, ${
    plural(updates, "update")
  }`;
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
  const pools = planTogether(plannedRuns(arms, shard), engine);
  const probes = await Array.fromAsync(
    pools,
    (pool) => probe(pool, engine, 1 / pools.length),
  );
  return {
    seconds: sum(probes.map(({ seconds }) => seconds)),
    models: sum(probes.map(({ models }) => models)),
  };
}

/** Probes an ensemble in its share of the time. */
async function probe(
  { runs, shape }: PlannedRuns<AnyRun>,
  engine: Engine,
  share: number,
): Promise<{ readonly seconds: number; readonly models: number }> {
  const began = performance.now();
  const drawn: (AnyRun & { readonly run: ModelRun })[] = [];
  const most = Math.min(Math.ceil(MOST_MODELS * share), runs.length);
  // Spread over the grid, so that all kinds of models are among them.
  for (let n = 0; n < most; n++) {
    const run = runs[Math.floor(n * runs.length / most)]!;
    const { results: { prepared }, id } = run;
    drawn.push({ ...run, run: await buildRun(prepared, id) });
    if (performance.now() - began > DRAWING * share) break;
  }
  const drawing = (performance.now() - began) / drawn.length;
  const [{ plan, runs: some }] = planTogether(drawn, engine) as [
    PlannedRuns<typeof drawn[number]>,
  ];
  const group = plan.groups[0]!.map((i) => some[i]!.run);
  const ensemble = await plan.createEnsemble(group);
  const train = async (epochs: number) => {
    const start = performance.now();
    await ensemble.train(epochs);
    return performance.now() - start;
  };
  try {
    let epochs = 1;
    let taken = await train(epochs);
    // A short first epoch is mostly that of compiling, and so doesn't count.
    while (taken < TRAINING * share) {
      const enough = Math.ceil(epochs * TRAINING * share / taken);
      epochs = Math.min(2 * epochs, enough);
      taken = await train(epochs);
    }
    const { training } = runs[0]!.results.prepared.experiment;
    const timeSteps = sum(group.map(({ trials }) => trials.steps));
    const trained = training.epochs * (taken / epochs) * sum(shape.steps) /
      timeSteps;
    return {
      seconds: (trained + drawing * runs.length) / 1000,
      models: group.length,
    };
  } finally {
    ensemble.destroy();
  }
}
