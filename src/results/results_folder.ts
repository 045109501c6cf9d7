/**
 * Reads a results folder: one of this program, or one that the original
 * Python program wrote.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readIfThere, systemReason } from "../files/read.ts";
import {
  type CombinationCurves,
  contradictionsOf,
  type Curves,
  type IndexEntry,
  inferGridKeys,
  lookAtRuns,
  type NullMeasure,
  parseFolderIndex,
  parseNullMeasures,
  parseRunMeasures,
  readCurves,
  type RunMeasures,
  withoutFailed,
} from "./data_files.ts";
import {
  type ExperimentRecord,
  MENDED,
  parseExperimentRecord,
  type Plain,
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
import { fileSum } from "./run_file.ts";

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
  const sums = await readSums(path);
  const warnings: string[] = [];
  const read = async (name: string, what: string) => {
    const bytes = await readIfThere(join(path, name), { what });
    const isDamaged = bytes !== undefined &&
      (sums.get(name) ?? fileSum(bytes)) !== fileSum(bytes);
    return { bytes, isDamaged };
  };
  const index = await readIndex(path, read);
  const experiment = await readExperiment(path, read);
  const { entries } = index;
  warnings.push(
    ...index.warnings,
    ...compareIndex(path, { entries, experiment }),
  );

  const unfinished: number[] = [];
  const finished: { entry: IndexEntry; curves: CombinationCurves }[] = [];
  const seen = new Map<string, number>();
  for (const entry of entries) {
    const twin = seen.get(entry.title);
    if (twin !== undefined) {
      warnings.push(
        `${path}: combination ${entry.index} has the same values as combination ${twin} and is left out`,
      );
      continue;
    }
    seen.set(entry.title, entry.index);
    const { curves, damaged } = await readCombination(entry.index, {
      path,
      read,
    });
    if (damaged !== undefined) {
      warnings.push(
        `${path}: ${damaged} does not fit its checksum in ${SUMS_FILE}, so that combination ${entry.index} is left out; ${MENDED}`,
      );
      continue;
    }
    if (curves === undefined) {
      unfinished.push(entry.index);
      continue;
    }
    const { networks, trouble } = experiment === undefined
      ? {}
      : await lookAtRuns(path, {
        index: entry.index,
        curves,
        experiment,
        isFinished: sums.has(`${entry.index}/${CURVE_FILES.trainLoss}`),
      });
    if (trouble !== undefined) {
      warnings.push(trouble);
      continue;
    }
    finished.push({
      entry,
      curves: {
        ...withoutFailed(curves, { index: entry.index, experiment }),
        ...(networks === undefined ? {} : { networks }),
      },
    });
    warnings.push(
      ...contradictionsOf(curves, entry.index).map((w) => `${path}: ${w}`),
    );
  }
  if (unfinished.length > 0) {
    warnings.unshift(
      `${path}: ${unfinished.length} of ${entries.length} combinations have no losses yet and are left out: ${
        unfinished.join(", ")
      }`,
    );
  }
  const keys = experiment?.grid.keys ??
    inferGridKeys(entries.map((entry) => entry.values), {
      accuracy: finished.some(({ curves }) =>
        (curves.trainMetrics ?? curves.validateMetrics) !== undefined
      ),
    });
  const combinations = finished.map(({ entry, curves }) => ({
    index: entry.index,
    title: entry.title,
    parameters: parametersOf(entry, { keys, path }),
    ...curves,
  }));
  const tableOf = async <T>(name: string, parse: (text: string) => T) => {
    const { bytes, isDamaged } = await read(name, "the table");
    if (isDamaged) {
      warnings.push(
        `${path}: ${name} does not fit its checksum in ${SUMS_FILE} and is left out; ${MENDED}`,
      );
    }
    return bytes === undefined || isDamaged
      ? undefined
      : parse(textOf(bytes, join(path, name)));
  };
  const nullMeasures = await tableOf(NULL_MODEL_FILE, parseNullMeasures);
  const runMeasures = await tableOf(MEASURES_FILE, parseRunMeasures);
  return {
    path,
    experiment,
    combinations,
    ...(nullMeasures && { nullMeasures }),
    ...(runMeasures && { runMeasures }),
    warnings,
  };
}

/** Reads a file of the folder by its name and tells whether it fits its checksum. */
type ReadChecked = (name: string, what: string) => Promise<{
  readonly bytes: Uint8Array | undefined;
  readonly isDamaged: boolean;
}>;

async function readIndex(
  path: string,
  read: ReadChecked,
): Promise<{ entries: IndexEntry[]; warnings: string[] }> {
  if (path === "") {
    throw new InputError(
      `Cannot read the results in "": its path is empty`,
    );
  }
  const { bytes, isDamaged } = await read(
    INDEX_FILE,
    "the list of combinations",
  )
    .catch(async (error) => {
      throw await folderTrouble(path) ?? error;
    });
  if (bytes === undefined) {
    throw await folderTrouble(path) ?? new InputError(
      `Cannot read the results in "${path}": it is no results folder, as it has no ${INDEX_FILE}${await armsHint(
        path,
      )}`,
    );
  }
  const name = join(path, INDEX_FILE);
  let entries: IndexEntry[];
  try {
    entries = parseFolderIndex(textOf(bytes, name), { name });
  } catch (error) {
    if (!(error instanceof InputError) || !isDamaged) throw error;
    throw new InputError(`${error.message}; ${MENDED}`, { cause: error.cause });
  }
  if (entries.length === 0) {
    throw new InputError(
      `Cannot read the results in "${path}": its ${INDEX_FILE} lists no combination`,
    );
  }
  const warnings = isDamaged
    ? [
      `${path}: ${INDEX_FILE} does not fit its checksum in ${SUMS_FILE}; ${MENDED}`,
    ]
    : [];
  return { entries, warnings };
}

function textOf(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(`Cannot read "${name}": it is no text in UTF-8`, {
      cause: error,
    });
  }
}

/** Why there is nothing to be read; undefined where the folder is there. */
async function folderTrouble(path: string): Promise<InputError | undefined> {
  try {
    const { isDirectory } = await Deno.stat(path);
    return isDirectory ? undefined : new InputError(
      `Cannot read the results in "${path}": it is a file, not a folder`,
    );
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : systemReason(error, { path, verb: "read" });
    if (reason === undefined) throw error;
    return new InputError(`Cannot read the results in "${path}": ${reason}`, {
      cause: error,
    });
  }
}

async function readExperiment(
  path: string,
  read: ReadChecked,
): Promise<ExperimentRecord | undefined> {
  const { bytes, isDamaged } = await read(EXPERIMENT_FILE, "the experiment");
  if (bytes === undefined) return undefined;
  const name = join(path, EXPERIMENT_FILE);
  if (isDamaged) {
    throw new InputError(
      `Cannot read "${name}": it does not fit its checksum in ${SUMS_FILE}; ${MENDED}`,
    );
  }
  return parseExperimentRecord(textOf(bytes, name), { name });
}

/** Sentences on what the list of combinations and the record of the experiment say otherwise. */
function compareIndex(
  path: string,
  { entries, experiment }: {
    entries: readonly IndexEntry[];
    experiment: ExperimentRecord | undefined;
  },
): string[] {
  if (experiment === undefined) return [];
  const { combinations } = experiment.grid;
  const listed = new Map(entries.map((entry) => [entry.index, entry.values]));
  const wrong = combinations.flatMap((values, index) =>
    JSON.stringify(listed.get(index)) === JSON.stringify(values) ? [] : [index]
  );
  return wrong.length === 0 && entries.length === combinations.length ? [] : [
    `${path}: ${INDEX_FILE} lists ${entries.length} combinations, and ${EXPERIMENT_FILE} ${combinations.length}${
      wrong.length === 0
        ? ""
        : `; missing or otherwise there: ${wrong.slice(0, 10).join(", ")}${
          wrong.length > 10 ? " …" : ""
        }`
    }; ${MENDED}`,
  ];
}

/** The curves of a combination; none where a loss is missing, or one is damaged. */
async function readCombination(
  index: number,
  { path, read }: { path: string; read: ReadChecked },
): Promise<{ curves?: CombinationCurves; damaged?: string }> {
  const curves: Partial<Record<keyof CombinationCurves, Curves>> = {};
  for (const [key, file] of Object.entries(CURVE_FILES)) {
    const name = `${index}/${file}`;
    const { bytes, isDamaged } = await read(name, "the curves");
    if (isDamaged) return { damaged: name };
    const curve = bytes && readCurves(bytes, join(path, String(index), file));
    if (curve !== undefined) curves[key as keyof CombinationCurves] = curve;
  }
  const { trainLoss, validateLoss } = curves;
  if (trainLoss === undefined || validateLoss === undefined) return {};
  return { curves: { ...curves, trainLoss, validateLoss } };
}

/**
 * Throws where a file of a finished training does not fit its checksum.
 *
 * @param name Its path within the results folder, with "/".
 * @throws {InputError}
 */
export async function refuseDamaged(
  path: string,
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
): Promise<void> {
  const sum = (await readSums(path)).get(name);
  if (sum === undefined || sum === fileSum(bytes)) return;
  throw new InputError(
    `Cannot use "${
      join(path, name)
    }": it does not fit its checksum in ${SUMS_FILE}; ${MENDED}`,
  );
}

function parametersOf(
  { index, values }: IndexEntry,
  { keys, path }: { keys: readonly string[]; path: string },
): Record<string, Plain> {
  if (values.length > keys.length) {
    throw new InputError(
      `Cannot read the results in "${path}": combination ${index} has ${values.length} values in ${INDEX_FILE}, but ${EXPERIMENT_FILE} names ${keys.length}`,
    );
  }
  return Object.fromEntries(
    values.map((value, i) => [keys[i] as string, value]),
  );
}

/** One line of `sha256sum`. */
const SUM = /^([0-9a-f]{64}) [ *](.+)$/;

/** The checksums that a finished training left, by name with "/"; a line that is none is passed over. */
async function readSums(path: string): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  const bytes = path === ""
    ? undefined
    : await readIfThere(join(path, SUMS_FILE), { what: "the checksums" })
      .catch(() => undefined);
  for (const line of new TextDecoder().decode(bytes).split("\n")) {
    const [, sum, name] = SUM.exec(line) ?? [];
    if (sum !== undefined && name !== undefined) sums.set(name, sum);
  }
  return sums;
}
