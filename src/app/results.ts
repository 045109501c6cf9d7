/**
 * What is kept of a training in the page: the files of a results folder for each
 * arm, to the byte as the command line writes them, in a ZIP archive.
 *
 * @module
 */

import { compareLabels } from "../analysis/compare.ts";
import type { ModelRun } from "../engine/ensemble.ts";
import { zipSync } from "../files/zip.ts";
import { curveFiles, type Curves, curvesOf } from "../results/data_files.ts";
import {
  finishedName,
  modelPath,
  type RunId,
  RUNS_FOLDER,
  SUMS_FILE,
  topologyPath,
} from "../results/layout.ts";
import type { ResultsFolder } from "../results/results_folder.ts";
import {
  encodeRunRecord,
  factsOf,
  fileSum,
  type RunHistory,
  sumsOf,
  weightFailure,
} from "../results/run_file.ts";
import type { Parameters as Weights } from "../rnn/parameters.ts";
import type { PreparedExperiment } from "../train/build_run.ts";
import { measuredModel, networkState } from "../train/measure.ts";
import {
  experimentRecord,
  firstFiles,
  lastFiles,
  modelBytes,
  type NamedFiles,
  PROGRAM,
  sparse,
} from "../train/record_experiment.ts";

/** A trained run. */
export interface TrainedRun {
  readonly id: RunId;
  readonly run: ModelRun;
  readonly history: RunHistory;
  readonly parameters: Weights;
}

/** An arm whose runs are all trained, in the order of combinations and iterations. */
export interface TrainedArm {
  readonly prepared: PreparedExperiment;
  readonly runs: readonly TrainedRun[];
  /** Name of the engine in records. */
  readonly engine: string;
}

/** A trained arm, and what is made of it once. */
interface Described {
  readonly arm: TrainedArm;
  readonly files: NamedFiles;
  readonly results: ResultsFolder;
}

/** All files of an arm's results folder, and the results as they are read from there. */
function describe(arm: TrainedArm): Described {
  const { prepared, runs, engine } = arm;
  const { experiment, size, fingerprint } = prepared;
  const { training: { epochs }, task: { task: { loss } }, grid } = experiment;
  const files: NamedFiles = [];
  const keep = (name: string, bytes: Uint8Array) => {
    files.push([name, () => bytes]);
    return fileSum(bytes);
  };
  const facts = runs.map((trained) => {
    const { id, run: { connections, initial }, history, parameters } = trained;
    const { combination, iteration } = id;
    const keepModel = (
      model: Omit<Parameters<typeof modelBytes>[1], "id" | "connections">,
    ) =>
      keep(
        modelPath("", { combination, iteration, epoch: model.epoch }),
        modelBytes(prepared, { id, connections, ...model }),
      );
    const own = prepared.ownNetworkOf(id);
    const topology = own && keep(topologyPath("", id), sparse(own));
    if (iteration === 0) keepModel({ epoch: "initial", parameters: initial });
    const model = keepModel({ epoch: epochs - 1, parameters, history });
    const failure = weightFailure(parameters, epochs - 1);
    const measured = measuredModel(trained.run, { size, loss });
    const record = {
      ...{ id, engine, history, model },
      ...(topology === undefined ? {} : { topology }),
      experiment: fingerprint,
      program: PROGRAM,
      networkStates: {
        initial: networkState(measured, initial),
        trained: networkState(measured, parameters),
      },
      ...(failure === undefined ? {} : { failure }),
    };
    keep(`${RUNS_FOLDER}/${finishedName(id)}`, encodeRunRecord(record));
    return factsOf(record);
  });
  const found = {
    engines: [engine],
    programs: [PROGRAM],
    failures: facts.flatMap(({ id, failure }) =>
      failure === undefined ? [] : [{ ...id, ...failure }]
    ),
  };
  const combinations = grid.combinations.map(({ index, repr, values }) => {
    const of = <T>(each: (run: TrainedRun, i: number) => T) =>
      runs.flatMap((run, i) =>
        run.id.combination === index ? [each(run, i)] : []
      );
    return {
      index,
      title: repr,
      parameters: Object.fromEntries(
        grid.keys.map((key, i) => [key, values[i]!.value]),
      ),
      ...curvesOf(of(({ history }) => history)),
      networks: of((_, i) => facts[i]!.topology ?? ""),
    };
  });
  const summed = [
    ...lastFiles(prepared, {
      ...found,
      measured: facts.map(({ id, networkStates }) => [id, networkStates]),
    }),
    ...firstFiles(prepared),
    ...combinations.flatMap((each) => curveFiles("", each.index, each)),
  ];
  return {
    arm,
    files: [...files, ...summed, [SUMS_FILE, () => sumsOf(summed)]],
    results: {
      path: "",
      experiment: experimentRecord(prepared, found),
      combinations,
      warnings: [],
    },
  };
}

/** What trained arms are: an archive, and what can be said of them. */
export interface Summary {
  /** Results folders, one an arm, with the config that repeats them. */
  readonly zip: Uint8Array<ArrayBuffer>;
  /** What the comparison with the first arm comes to, a sentence each. */
  readonly findings: readonly string[];
  /** The lowest validation loss of each combination, by arm: mean and standard deviation over runs. */
  readonly losses:
    readonly (readonly (readonly [mean: number, sd: number])[])[];
}

/**
 * Packs the results, and compares the arms.
 *
 * @param labelOf What an arm is called in sentences.
 */
export function summarise(
  arms: readonly TrainedArm[],
  labelOf: (arm: string) => string,
): Summary {
  const described = arms.map(describe);
  const { experiment: { source } } = arms[0]!.prepared;
  const entries: Record<string, Uint8Array> = {
    "config.ini": new TextEncoder().encode(source.text),
  };
  for (const { arm, files } of described) {
    const folder = arm.prepared.experiment.arm ?? "results";
    for (const [name, content] of files) {
      entries[`${folder}/${name}`] = content();
    }
  }
  const labelled = described.map(({ arm, results }) => ({
    label: labelOf(arm.prepared.experiment.net.nullModel),
    results,
  }));
  const { rows = [], warnings = [] } = arms.length < 2
    ? {}
    : compareLabels(labelled);
  return {
    // The same bytes for the same results.
    zip: zipSync(entries, { level: 1, mtime: new Date(1980, 0, 1) }),
    findings: [
      ...rows.filter(({ combination }) => combination === undefined)
        .map(({ sentence }) => sentence),
      ...warnings,
    ],
    losses: described.map(({ results }) =>
      results.combinations.map(({ validateLoss }) => lowest(validateLoss))
    ),
  };
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
