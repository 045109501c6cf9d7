/**
 * Reads a results folder: one of this program, or one that the original
 * Python program wrote.
 *
 * @module
 */

import { join } from "node:path";
import { cannotRead, InputError } from "../files/input_error.ts";
import { readIfThere, systemError } from "../files/read.ts";
import {
  type CombinationCurves,
  contradictionsOf,
  type Curves,
  hasCurves,
  type IndexEntry,
  inferGridKeys,
  type NullMeasure,
  parseFolderIndex,
  parseNullMeasures,
  parseRunMeasures,
  readCurves,
  rowOf,
  type RunMeasures,
} from "./data_files.ts";
import {
  type ExperimentRecord,
  MENDED,
  parseExperimentRecord,
  type Plain,
  withMending,
} from "./experiment_record.ts";
import {
  armsHint,
  CURVE_FILES,
  EXPERIMENT_FILE,
  INDEX_FILE,
  MEASURES_FILE,
  NULL_MODEL_FILE,
  SUMS_FILE,
} from "./layout.ts";
import { fileSum, readRun } from "./run_file.ts";

/** A combination of the grid and its runs. */
export interface CombinationResult extends CombinationCurves {
  /** Number in `folder_index.txt`. */
  readonly index: number;
  /** As in `folder_index.txt`, e.g. `(0.0001, 'relu', 'Adam', 3)`. */
  readonly title: string;
  /** Value by key of the grid, e.g. `{ lr: 0.0001, nonlinearity: "relu", … }`. */
  readonly parameters: Readonly<Record<string, Plain>>;
  /**
   * The network of each iteration: the same text where it is the same one, ""
   * where it is the one that all runs share. Undefined where it is not known.
   */
  readonly networks?: readonly string[];
}

/** What a results folder holds. */
export interface ResultsFolder {
  /** The folder; "" where the results are in memory alone. */
  readonly path: string;
  /** `experiment.json`; undefined for folders of the original program. */
  readonly experiment: ExperimentRecord | undefined;
  /** Those that are finished, in the order of `folder_index.txt`. */
  readonly combinations: readonly CombinationResult[];
  /** What the null model changed; undefined where there is none. */
  readonly nullMeasures?: readonly NullMeasure[];
  /** What networks were and did before and after training; undefined where it is not finished. */
  readonly runMeasures?: RunMeasures;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads a results folder. Combinations whose losses are not there yet are
 * left out with a warning.
 *
 * @throws {InputError} If there is no such folder, it is no results folder, or a file in it is damaged.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "@biornn/biornn";
 *
 * const { combinations } = await readResultsFolder("results/bio");
 * combinations[0]?.validateLoss.values; // [iterations, epochs]
 * ```
 */
export async function readResultsFolder(path: string): Promise<ResultsFolder> {
  const cannot = `Cannot read the results in "${path}"`;
  const refuse = (why: string, cause?: unknown): never => {
    throw new InputError(`${cannot}: ${why}`, { cause });
  };
  const { isDirectory } = await Deno.stat(path).catch((error) => {
    if (path !== "" && error instanceof Deno.errors.NotFound) {
      refuse("there is no such folder", error);
    }
    throw systemError(error, { cannot, path, verb: "read" });
  });
  if (!isDirectory) refuse("it is a file, not a folder");
  const read = await openChecked(path);
  const list = await read(INDEX_FILE, "the list of combinations");
  if (list === undefined) {
    const hint = await armsHint(path);
    return refuse(`it is no results folder, as it has no ${INDEX_FILE}${hint}`);
  }
  const entries = entriesOf(list);
  if (entries.length === 0) refuse(`its ${INDEX_FILE} lists no combination`);
  const record = await read(EXPERIMENT_FILE, "the experiment");
  if (record?.isDamaged) throw unfit(record, "read");
  const experiment = record &&
    parseExperimentRecord(textOf(record), { name: record.path });

  const warnings: string[] = [];
  if (list.isDamaged) warnings.push(`${misfit(list)}; ${MENDED}`);
  if (experiment !== undefined) {
    warnings.push(...compareIndex(entries, experiment));
  }
  const unfinished: number[] = [];
  const finished: (CombinationCurves & { readonly entry: IndexEntry })[] = [];
  const seen = new Map<string, number>();
  for (const entry of entries) {
    const { index, title } = entry;
    const twin = seen.get(title);
    if (twin !== undefined) {
      warnings.push(
        `combination ${index} has the same values as combination ${twin} and is left out`,
      );
      continue;
    }
    seen.set(title, index);
    const curves = await readCombination(index, { path, experiment, read });
    if (curves === undefined) unfinished.push(index);
    else if (typeof curves === "string") {
      warnings.push(
        `${curves}, so that combination ${index} is left out; ${MENDED}`,
      );
    } else {
      warnings.push(...contradictionsOf(curves, index));
      finished.push({ entry, ...curves });
    }
  }
  if (unfinished.length > 0) {
    warnings.unshift(
      `${unfinished.length} of ${entries.length} combinations have no losses yet and are left out: ${
        unfinished.join(", ")
      }`,
    );
  }
  const keys = experiment?.grid.keys ??
    inferGridKeys(entries.map((entry) => entry.values), {
      accuracy: finished.some((curves) =>
        (curves.trainMetrics ?? curves.validateMetrics) !== undefined
      ),
    });
  const combinations = finished.map(({ entry, ...curves }) => {
    const { index, title, values } = entry;
    if (values.length > keys.length) {
      refuse(
        `combination ${index} has ${values.length} values in ${INDEX_FILE}, but ${EXPERIMENT_FILE} names ${keys.length}`,
      );
    }
    const parameters: Record<string, Plain> = Object.fromEntries(
      values.map((value, i) => [keys[i]!, value]),
    );
    return { index, title, parameters, ...curves };
  });
  const tableOf = async <T>(name: string, parse: (text: string) => T) => {
    const table = await read(name, "the table");
    if (!table?.isDamaged) return table && parse(textOf(table));
    warnings.push(`${misfit(table)} and is left out; ${MENDED}`);
    return undefined;
  };
  const nullMeasures = await tableOf(NULL_MODEL_FILE, parseNullMeasures);
  const runMeasures = await tableOf(MEASURES_FILE, parseRunMeasures);
  return {
    path,
    experiment,
    combinations,
    ...(nullMeasures && { nullMeasures }),
    ...(runMeasures && { runMeasures }),
    warnings: warnings.map((line) => `${path}: ${line}`),
  };
}

/** A file of a results folder; `name` is its path there, with "/". */
interface CheckedFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** A finished training left its checksum. */
  readonly isFinished: boolean;
  /** A finished training left another checksum of it. */
  readonly isDamaged: boolean;
}

type Read = (name: string, what: string) => Promise<CheckedFile | undefined>;

/** One line of `sha256sum`. */
const SUM = /^([0-9a-f]{64}) [ *](.+)$/;

/** What reads files of a results folder and holds them against their checksums; a line of these that is none is passed over. */
async function openChecked(folder: string): Promise<Read> {
  const list = await readIfThere(join(folder, SUMS_FILE), { what: "the sums" })
    .catch(() => undefined);
  const sums = new Map<string, string>();
  for (const line of new TextDecoder().decode(list).split("\n")) {
    const [, sum, name] = SUM.exec(line) ?? [];
    if (sum !== undefined && name !== undefined) sums.set(name, sum);
  }
  return async (name, what) => {
    const path = join(folder, name);
    const bytes = await readIfThere(path, { what });
    const sum = sums.get(name);
    const isFinished = sum !== undefined;
    return bytes && {
      path,
      name,
      bytes,
      isFinished,
      isDamaged: isFinished && fileSum(bytes) !== sum,
    };
  };
}

function misfit({ name }: CheckedFile): string {
  return `${name} does not fit its checksum in ${SUMS_FILE}`;
}

function unfit({ path }: CheckedFile, verb: "read" | "use"): InputError {
  return new InputError(
    `Cannot ${verb} "${path}": it does not fit its checksum in ${SUMS_FILE}; ${MENDED}`,
  );
}

function textOf({ bytes, path }: CheckedFile): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    return cannotRead(path)("it is no text in UTF-8", { cause: error });
  }
}

function entriesOf(list: CheckedFile): IndexEntry[] {
  try {
    return parseFolderIndex(textOf(list), { name: list.path });
  } catch (error) {
    throw list.isDamaged ? withMending(error) : error;
  }
}

/** Sentences on what the list of combinations and the record of the experiment say otherwise. */
function compareIndex(
  entries: readonly IndexEntry[],
  { grid: { combinations } }: ExperimentRecord,
): string[] {
  const listed = new Map(entries.map((entry) => [entry.index, entry.values]));
  const wrong = combinations.flatMap((values, index) =>
    JSON.stringify(listed.get(index)) === JSON.stringify(values) ? [] : [index]
  );
  if (wrong.length === 0 && entries.length === combinations.length) return [];
  const some = wrong.slice(0, 10).join(", ") + (wrong.length > 10 ? " …" : "");
  return [
    `${INDEX_FILE} lists ${entries.length} combinations, and ${EXPERIMENT_FILE} ${combinations.length}${
      wrong.length === 0 ? "" : `; missing or otherwise there: ${some}`
    }; ${MENDED}`,
  ];
}

/** The curves of a combination and its networks; why it can't be used; or undefined where a loss is missing. */
async function readCombination(
  index: number,
  { path, experiment, read }: {
    readonly path: string;
    readonly experiment: ExperimentRecord | undefined;
    readonly read: Read;
  },
): Promise<
  CombinationCurves & Pick<CombinationResult, "networks"> | string | undefined
> {
  const found: Partial<Record<keyof CombinationCurves, Curves>> = {};
  // One without a checksum is held against the runs: a damaged list of checksums may have lost its line.
  let isFinished = true;
  for (const [key, name] of Object.entries(CURVE_FILES)) {
    const file = await read(`${index}/${name}`, "the curves");
    if (file?.isDamaged) return misfit(file);
    if (file === undefined) continue;
    const curves = readCurves(file.bytes, file.path);
    if (curves === undefined) continue;
    found[key as keyof CombinationCurves] = curves;
    isFinished &&= file.isFinished;
  }
  const { trainLoss, validateLoss } = found;
  if (trainLoss === undefined || validateLoss === undefined) return undefined;
  const curves: CombinationCurves = { ...found, trainLoss, validateLoss };
  if (experiment === undefined) return curves;
  let networks: string[] | undefined;
  try {
    const unchecked = isFinished ? undefined : curves;
    networks = await networksOf(index, path, experiment, unchecked);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (!isFinished) return error.message;
  }
  for (const { combination, iteration, what } of experiment.failures) {
    // Such a run has losses all the same, which say nothing.
    if (combination !== index || !what.startsWith("weights")) continue;
    for (const each of Object.values<Curves>({ ...curves })) {
      rowOf(each, iteration).fill(NaN);
    }
  }
  return { ...curves, ...(networks && { networks }) };
}

/**
 * The networks of a combination, as of {@linkcode CombinationResult}: two runs share one
 * where its file has the same checksum.
 *
 * @param unchecked Curves without a checksum; the files of the runs have them, too.
 */
async function networksOf(
  index: number,
  path: string,
  experiment: ExperimentRecord,
  unchecked: CombinationCurves | undefined,
): Promise<string[] | undefined> {
  const { iterations, size, randomW, freshNetwork, pretrained } = experiment;
  // The biological one, scaled once, or that of a pretrained model.
  const isShared = pretrained !== undefined || (!randomW && !freshNetwork);
  const shared = isShared ? new Array<string>(iterations).fill("") : undefined;
  if (shared !== undefined && unchecked === undefined) return shared;
  const own: string[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    const id = { combination: index, iteration };
    const run = await readRun(path, { id, size });
    if (run === undefined) continue;
    if (unchecked !== undefined && !hasCurves(unchecked, run)) {
      throw new InputError(
        `the curves of combination ${index} are not those of its runs`,
      );
    }
    if (run.topology !== undefined) own.push(run.topology);
  }
  return shared ?? (own.length === iterations ? own : undefined);
}

/**
 * The bytes of a file of a results folder; undefined where there is none.
 *
 * @param options `name`: its path within the folder, with "/"; `what` it is, for messages.
 * @throws {InputError} If a finished training left another checksum of it.
 */
export async function readSound(
  folder: string,
  { name, what }: { readonly name: string; readonly what: string },
): Promise<Uint8Array | undefined> {
  const file = await (await openChecked(folder))(name, what);
  if (file?.isDamaged) throw unfit(file, "use");
  return file?.bytes;
}
