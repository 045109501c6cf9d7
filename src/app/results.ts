/**
 * What is kept of a training in the page: the files of a results folder for each
 * arm, to the byte as the command line writes them, in a ZIP archive.
 *
 * @module
 */

import { compareLabels } from "../analysis/compare.ts";
import type { Network } from "../connectome/scale.ts";
import type { ModelRun } from "../engine/ensemble.ts";
import { zipSync } from "../files/zip.ts";
import { type NamedFiles, sparseFile } from "../graph/graph.ts";
import { curveFiles, type Curves } from "../results/data_files.ts";
import {
  finishedName,
  modelPath,
  type RunId,
  RUNS_FOLDER,
  SUMS_FILE,
  topologyPath,
} from "../results/layout.ts";
import type { CombinationResult } from "../results/results_folder.ts";
import {
  encodeRunRecord,
  factsOf,
  fileSum,
  type RunRecord,
  sumsOf,
  weightFailure,
} from "../results/run_file.ts";
import type { Parameters as Weights } from "../rnn/parameters.ts";
import type { PreparedExperiment } from "../train/build_run.ts";
import { measuredModel, networkState } from "../train/measure.ts";
import {
  combinationResult,
  experimentRecord,
  firstFiles,
  lastFiles,
  modelBytes,
  networkKey,
  PROGRAM,
} from "../train/record_experiment.ts";
import type { emptyHistory } from "../train/train_group.ts";

/** One side of the comparison. */
export interface Arm {
  /** What it is called in sentences. */
  readonly label: string;
  readonly prepared: PreparedExperiment;
}

/** A run, and how far it is. */
export interface Run {
  /** Its arm. */
  readonly results: Arm;
  readonly id: RunId;
  readonly history: ReturnType<typeof emptyHistory>;
  /** Epochs trained. */
  epoch: number;
  /** What it began with; its network, where it is not the one that all share. */
  run?: ModelRun;
  own?: Network | undefined;
  /** Its weights, when it is trained. */
  parameters?: Weights;
}

/** An arm whose runs are all trained, in the order of combinations and iterations. */
export interface TrainedArm extends Arm {
  readonly runs: readonly Required<Run>[];
  /** Name of the engine in records. */
  readonly engine: string;
}

/** What is recorded of each run. */
function recordsOf({ prepared, runs, engine }: TrainedArm): RunRecord[] {
  const { experiment: { training }, fingerprint } = prepared;
  return runs.map(({ id, history, parameters }) => {
    const failure = weightFailure(parameters, training.epochs - 1);
    return {
      id,
      engine,
      history,
      experiment: fingerprint,
      program: PROGRAM,
      ...(failure && { failure }),
    };
  });
}

/** The curves of each combination. */
function combinationsOf({ prepared, runs }: TrainedArm): CombinationResult[] {
  const { experiment } = prepared;
  return experiment.grid.combinations.map(({ index }) =>
    combinationResult(experiment, {
      index,
      runs: runs.filter(({ id }) => id.combination === index)
        .map(({ history, own }) => ({ history, network: networkKey(own) })),
    })
  );
}

/** What can be said of trained arms. */
export interface Summary {
  /** What the comparison with the first arm comes to, a sentence each. */
  readonly findings: readonly string[];
  /** By arm, of each combination the lowest validation loss: mean and standard deviation over runs. */
  readonly losses:
    readonly (readonly (readonly [mean: number, sd: number])[])[];
}

/** Compares the arms. */
export function summarise(arms: readonly TrainedArm[]): Summary {
  const labelled = arms.map((arm) => ({
    label: arm.label,
    results: {
      path: "",
      experiment: experimentRecord(arm.prepared, recordsOf(arm).map(factsOf)),
      combinations: combinationsOf(arm),
      warnings: [],
    },
  }));
  const { rows, warnings } = arms.length < 2
    ? { rows: [], warnings: [] }
    : compareLabels(labelled);
  return {
    findings: [
      ...rows.filter(({ combination }) => combination === undefined)
        .map(({ sentence }) => sentence),
      ...warnings,
    ],
    losses: labelled.map(({ results }) =>
      results.combinations.map(({ validateLoss }) => lowest(validateLoss))
    ),
  };
}

/** Packs a results folder for each arm, and the config that repeats them: the same bytes for the same results. */
export function packResults(
  arms: readonly TrainedArm[],
): Uint8Array<ArrayBuffer> {
  const { source } = arms[0]!.prepared.experiment;
  const entries: Record<string, Uint8Array> = {
    "config.ini": new TextEncoder().encode(source.text),
  };
  for (const arm of arms) {
    const folder = arm.prepared.experiment.arm ?? "results";
    for (const [name, content] of filesOf(arm)) {
      entries[`${folder}/${name}`] = content();
    }
  }
  return zipSync(entries, { level: 1, mtime: new Date(1980, 0, 1) });
}

/** All files of an arm's results folder. */
function filesOf(arm: TrainedArm): NamedFiles {
  const { prepared, runs } = arm;
  const { experiment, size } = prepared;
  const { training: { epochs }, task: { task: { loss } } } = experiment;
  const files: NamedFiles = [];
  const keep = (name: string, bytes: Uint8Array) => {
    files.push([name, () => bytes]);
    return fileSum(bytes);
  };
  const records = recordsOf(arm).map((found, i): RunRecord => {
    const { id, run, own, history, parameters } = runs[i]!;
    const { connections, initial } = run;
    const keepModel = (epoch: number | "initial", parameters: Weights) =>
      keep(
        modelPath("", { ...id, epoch }),
        modelBytes(prepared, { id, epoch, parameters, connections, history }),
      );
    const topology = own && keep(topologyPath("", id), sparseFile(own));
    if (id.iteration === 0) keepModel("initial", initial);
    const model = keepModel(epochs - 1, parameters);
    const network = measuredModel(run, { size, loss });
    const networkStates = {
      initial: networkState(network, initial),
      trained: networkState(network, parameters),
    };
    const record = {
      ...found,
      model,
      networkStates,
      ...(topology && { topology }),
    };
    keep(`${RUNS_FOLDER}/${finishedName(id)}`, encodeRunRecord(record));
    return record;
  });
  const summed = [
    ...lastFiles(prepared, records.map(factsOf)),
    ...firstFiles(prepared),
    ...combinationsOf(arm).flatMap((each) => curveFiles("", each.index, each)),
  ].map(([name, content]) => {
    const bytes = content();
    return [name, () => bytes] as const;
  });
  return [...files, ...summed, [SUMS_FILE, () => sumsOf(summed)]];
}

function lowest({ iterations, epochs, values }: Curves): [number, number] {
  const least = Array.from(
    { length: iterations },
    (_, i) => Math.min(...values.subarray(i * epochs, (i + 1) * epochs)),
  );
  const mean = least.reduce((a, b) => a + b) / iterations;
  const squares = least.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / (iterations - 1))];
}
