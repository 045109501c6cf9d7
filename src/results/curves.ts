/**
 * The curves of a combination: as files, and whether they are what they should
 * be.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { join } from "../files/path.ts";
import { readNpy, writeNpy } from "../files/npy.ts";
import { readIfThere } from "../files/read.ts";
import { type ExperimentRecord, MENDED } from "./experiment_record.ts";
import { CURVE_FILES, finishedName, RUNS_FOLDER } from "./layout.ts";
import {
  decodeRunRecord,
  fileSum,
  type RunHistory,
  type RunRecord,
} from "./run_file.ts";

/** One quantity over the epochs of every iteration. */
export interface Curves {
  /** Rows: runs. */
  readonly iterations: number;
  /** Columns: epochs. */
  readonly epochs: number;
  /** [iterations, epochs], row-major; NaN where it was not defined. */
  readonly values: Float64Array;
}

/** What was measured of a combination. */
export interface CombinationCurves {
  /** Training loss. */
  readonly trainLoss: Curves;
  /** Validation loss. */
  readonly validateLoss: Curves;
  /** Accuracy in %; it may have fewer iterations than the losses. */
  readonly trainMetrics?: Curves;
  /** Validation accuracy in %. */
  readonly validateMetrics?: Curves;
}

/**
 * The files of a combination: float64 arrays of shape (iterations, epochs).
 *
 * @param path The results folder.
 * @param index Number of the combination.
 * @returns Paths, and functions that give the bytes.
 */
export function curveFiles(
  path: string,
  index: number,
  curves: CombinationCurves,
): [path: string, content: () => Uint8Array][] {
  const names = Object.keys(CURVE_FILES) as (keyof CombinationCurves)[];
  return names.flatMap((name) => {
    const curve: Curves | undefined = curves[name];
    if (curve === undefined) return [];
    const { iterations, epochs, values } = curve;
    const content = () =>
      writeNpy({ shape: [iterations, epochs], data: values });
    return [[join(path, String(index), CURVE_FILES[name]), content]];
  });
}

/** Undefined where the file is empty, as the original's is for a task without accuracy. */
export function readCurves(
  bytes: Uint8Array,
  name: string,
): Curves | undefined {
  const { shape, data } = readNpy(bytes, { name });
  if (data.length === 0) return undefined;
  const [first = 0, second] = shape;
  if (shape.length > 2 || shape.length === 0) {
    throw new InputError(
      `Cannot read "${name}": its shape must be (iterations, epochs), found (${
        shape.join(", ")
      })`,
    );
  }
  return second === undefined
    ? { iterations: 1, epochs: first, values: data }
    : { iterations: first, epochs: second, values: data };
}

/** Sentences on what does not go together within a combination. */
export function contradictionsOf(
  curves: CombinationCurves,
  index: number,
): string[] {
  const { trainLoss, validateLoss, trainMetrics, validateMetrics } = curves;
  const sentences: string[] = [];
  if (
    trainLoss.iterations !== validateLoss.iterations ||
    trainLoss.epochs !== validateLoss.epochs
  ) {
    sentences.push(
      `combination ${index} has training losses of ${
        size(trainLoss)
      } but validation losses of ${size(validateLoss)}`,
    );
  }
  const metrics = validateMetrics ?? trainMetrics;
  if (metrics !== undefined && metrics.iterations !== validateLoss.iterations) {
    sentences.push(
      `combination ${index} has accuracies of ${metrics.iterations} of its ${validateLoss.iterations} iterations`,
    );
  }
  return sentences;
}

function size({ iterations, epochs }: Curves): string {
  return `${iterations} x ${epochs} (iterations x epochs)`;
}

/** Runs whose weights are no numbers have losses all the same, which say nothing: NaN takes their place. */
export function withoutFailed(
  curves: CombinationCurves,
  { index, experiment }: {
    index: number;
    experiment: ExperimentRecord | undefined;
  },
): CombinationCurves {
  const failed = (experiment?.failures ?? []).filter(({ combination, what }) =>
    combination === index && what.startsWith("weights")
  );
  for (const { iteration } of failed) {
    for (const curve of Object.values<Curves | undefined>({ ...curves })) {
      curve?.values.fill(
        NaN,
        iteration * curve.epochs,
        (iteration + 1) * curve.epochs,
      );
    }
  }
  return curves;
}

/** The finished runs of a combination, by their iterations, undefined where there is none; throws at a damaged one. */
async function* runsOf(
  path: string,
  { index, experiment }: {
    readonly index: number;
    readonly experiment: ExperimentRecord;
  },
): AsyncGenerator<RunRecord | undefined> {
  for (let iteration = 0; iteration < experiment.iterations; iteration++) {
    const id = { combination: index, iteration };
    const name = join(path, RUNS_FOLDER, finishedName(id));
    const bytes = await readIfThere(name, { what: "the run" });
    yield bytes && decodeRunRecord(bytes, { name, size: experiment.size });
  }
}

/**
 * The network of each run of a combination, as `CombinationResult.networks`
 * has it: two runs share one where its file has the same checksum.
 */
export async function networksOf(
  path: string,
  { index, experiment }: {
    readonly index: number;
    readonly experiment: ExperimentRecord | undefined;
  },
): Promise<string[] | undefined> {
  if (experiment === undefined) return undefined;
  if (sharesNetwork(experiment)) {
    return new Array<string>(experiment.iterations).fill("");
  }
  try {
    const networks = await Array.fromAsync(
      runsOf(path, { index, experiment }),
      (run) => run?.topology,
    );
    return networks.every((name) => name !== undefined) ? networks : undefined;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Whether all runs of an experiment have one network: the biological one, scaled once, or that of a pretrained model. */
function sharesNetwork(
  { randomW, freshNetwork, pretrained }: ExperimentRecord,
): boolean {
  return pretrained !== undefined || (!randomW && freshNetwork !== true);
}

/** Before a training is finished there are no checksums of its curves: its run files have them, too. */
export async function compareRuns(
  path: string,
  { index, curves, experiment }: {
    index: number;
    curves: CombinationCurves;
    experiment: ExperimentRecord;
  },
): Promise<string | undefined> {
  const names = {
    trainLoss: "trainLoss",
    validateLoss: "validateLoss",
    trainMetrics: "trainAccuracy",
    validateMetrics: "validateAccuracy",
  } as const;
  let iteration = -1;
  try {
    for await (const run of runsOf(path, { index, experiment })) {
      iteration++;
      if (run === undefined) continue;
      for (
        const [key, curve] of Object.entries<Curves | undefined>({ ...curves })
      ) {
        const kept = run.history[names[key as keyof typeof names]];
        const read = curve?.values.subarray(
          iteration * curve.epochs,
          (iteration + 1) * curve.epochs,
        );
        if (
          kept?.length === read?.length &&
          kept?.every((value, epoch) => Object.is(value, read![epoch]))
        ) continue;
        return `${path}: the curves of combination ${index} are not those of its runs, so that it is left out; ${MENDED}`;
      }
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return `${path}: ${error.message}, so that combination ${index} is left out; ${MENDED}`;
  }
  return undefined;
}

/** The curves of a combination: a row a run. */
export function curvesOf(histories: readonly RunHistory[]): CombinationCurves {
  const stack = (name: keyof RunHistory): Curves | undefined => {
    const epochs = histories[0]?.[name]?.length;
    if (epochs === undefined) return undefined;
    const values = new Float64Array(histories.length * epochs);
    for (const [i, history] of histories.entries()) {
      values.set(history[name] ?? [], i * epochs);
    }
    return { iterations: histories.length, epochs, values };
  };
  const trainMetrics = stack("trainAccuracy");
  const validateMetrics = stack("validateAccuracy");
  return {
    trainLoss: stack("trainLoss")!,
    validateLoss: stack("validateLoss")!,
    ...(trainMetrics === undefined ? {} : { trainMetrics }),
    ...(validateMetrics === undefined ? {} : { validateMetrics }),
  };
}

/** Those that are not yet on the disk as they are to be: reading is much faster than writing. */
export async function changedFiles(
  files: readonly (readonly [string, () => Uint8Array])[],
): Promise<(readonly [string, () => Uint8Array])[]> {
  const changed = [];
  for (const [path, content] of files) {
    const bytes = content();
    const found = await readIfThere(path, { what: "the curves" });
    if (found !== undefined && fileSum(found) === fileSum(bytes)) continue;
    changed.push([path, () => bytes] as const);
  }
  return changed;
}
