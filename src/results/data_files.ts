/**
 * The files of a results folder that other programs read: `folder_index.txt`, a
 * line a combination, `<number> <Python tuple>`; curves as NumPy arrays; tables of
 * what was measured of networks. The original program writes the first two; it
 * names no keys of the grid, so that these are inferred.
 *
 * @module
 */

import { cannotRead } from "../files/input_error.ts";
import { join } from "../files/path.ts";
import { readNpy, writeNpy } from "../files/npy.ts";
import { readIfThere } from "../files/read.ts";
import { parsePythonLiteral } from "../python/literal.ts";
import { reprPython } from "../python/repr.ts";
import { NONLINEARITIES } from "../rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../rnn/optimizers.ts";
import { Papa } from "../text/csv.ts";
import type { Plain } from "./experiment_record.ts";
import { CURVE_FILES } from "./layout.ts";
import { fileSum, type RunHistory, type RunRecord } from "./run_file.ts";

/** A line of `folder_index.txt`. */
export interface IndexEntry {
  /** Number of the combination, which is also the name of its folder. */
  readonly index: number;
  /** The tuple as it stands in the file, e.g. `(0.0001, 'relu', 'Adam', 3)`. */
  readonly title: string;
  /** The values of the tuple. */
  readonly values: readonly Plain[];
}

const LINE = /^(0|[1-9][0-9]{0,8})\s+(\(.*\))$/;

/**
 * Reads the text of `folder_index.txt`.
 *
 * @param options `name` of the file, for messages.
 * @throws {InputError} If a line is no number and tuple, or a number stands twice with different tuples.
 */
export function parseFolderIndex(
  text: string,
  { name }: { readonly name: string },
): IndexEntry[] {
  const refuse = cannotRead(name);
  const entries = new Map<number, IndexEntry>();
  for (const [i, untrimmed] of text.split(/\r\n|\r|\n/).entries()) {
    const line = untrimmed.trim();
    if (line === "") continue;
    const fail = (what: string) => refuse(`line ${i + 1} ${what}`);
    const entry = parseLine(line, fail);
    const before = entries.get(entry.index);
    // A run that was started twice may have written its lines twice.
    if (before !== undefined && before.title !== entry.title) {
      fail(
        `gives combination ${entry.index} as ${entry.title}, but an earlier line as ${before.title}`,
      );
    }
    entries.set(entry.index, entry);
  }
  return [...entries.values()];
}

function parseLine(line: string, fail: (what: string) => never): IndexEntry {
  const [, index, title] = LINE.exec(line) ?? [];
  const shown = JSON.stringify(
    line.length > 60 ? `${line.slice(0, 60)}…` : line,
  );
  if (index === undefined || title === undefined) {
    return fail(
      `must be a number and a Python tuple, such as 0 (0.0001, 'relu'), found ${shown}`,
    );
  }
  const tuple = parsePythonLiteral(
    title,
    ({ message }) => fail(`holds no Python tuple: ${message}, in ${shown}`),
  );
  if (tuple.kind !== "tuple") {
    return fail(`holds a ${tuple.kind} where a tuple is needed: ${shown}`);
  }
  const values = tuple.items.map((item) => {
    if (item.kind === "integer") return Number(item.value);
    return item.kind === "float" || item.kind === "string" ||
        item.kind === "boolean"
      ? item.value
      : reprPython(item);
  });
  return { index: Number(index), title, values };
}

/** The text of the file, for combinations numbered from 0. */
export function formatFolderIndex(titles: readonly string[]): string {
  return titles.map((title, index) => `${index} ${title}\n`).join("");
}

/**
 * Infers the keys of a grid from its values: a nonlinearity and an optimizer
 * by their names, the learning rate as the first number, where some are no
 * integers, and the one integer left over as the task's difficulty. What can't
 * be told is called "parameter 1", "parameter 2", … by its place.
 *
 * @param combinations The values of every combination.
 * @param options `accuracy`: whether the task has one, which tells n-back from sequence memory.
 */
export function inferGridKeys(
  combinations: readonly (readonly Plain[])[],
  { accuracy }: { readonly accuracy: boolean },
): string[] {
  const length = Math.max(0, ...combinations.map((values) => values.length));
  const keys: (string | undefined)[] = [];
  for (let i = 0; i < length; i++) {
    const column = combinations.flatMap((values) => values.slice(i, i + 1));
    const key = column.every((value) => NONLINEARITIES.has(String(value)))
      ? "nonlinearity"
      : column.every((value) => OPTIMIZERS.has(String(value)))
      ? "optimizer"
      : column.every((value) => typeof value === "number") &&
          column.some((value) => !Number.isInteger(value))
      ? "lr"
      : undefined;
    keys.push(key !== undefined && keys.includes(key) ? undefined : key);
  }
  const difficulty = keys.indexOf(undefined);
  if (
    length === 4 && keys.includes("lr") &&
    keys.lastIndexOf(undefined) === difficulty &&
    combinations.every((values) => Number.isInteger(values[difficulty]))
  ) {
    keys[difficulty] = accuracy ? "n_back" : "pattern_length";
  }
  return keys.map((key, i) => key ?? `parameter ${i + 1}`);
}

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

/** Of which curve of its runs each curve of a combination is made. */
const OF_RUNS = {
  trainLoss: "trainLoss",
  validateLoss: "validateLoss",
  trainMetrics: "trainAccuracy",
  validateMetrics: "validateAccuracy",
} as const satisfies Record<keyof CombinationCurves, keyof RunHistory>;

const NAMES = Object.keys(OF_RUNS) as (keyof CombinationCurves)[];

/** The epochs of one iteration. */
export function rowOf(
  { epochs, values }: Curves,
  iteration: number,
): Float64Array {
  return values.subarray(iteration * epochs, (iteration + 1) * epochs);
}

/** The curves of a combination: a row a run. */
export function curvesOf(histories: readonly RunHistory[]): CombinationCurves {
  const curves: Partial<Record<keyof CombinationCurves, Curves>> = {};
  for (const name of NAMES) {
    const rows = histories.map((history) => history[OF_RUNS[name]]);
    const epochs = rows[0]?.length;
    if (epochs === undefined) continue;
    const iterations = rows.length;
    const values = new Float64Array(iterations * epochs);
    for (const [i, row = []] of rows.entries()) values.set(row, i * epochs);
    curves[name] = { iterations, epochs, values };
  }
  return curves as CombinationCurves;
}

/** Whether the curves of a combination, those that there are, are those of one of its runs. */
export function hasCurves(
  curves: CombinationCurves,
  { id: { iteration }, history }: Pick<RunRecord, "id" | "history">,
): boolean {
  return NAMES.every((name) => {
    const read = curves[name] && rowOf(curves[name], iteration);
    const kept = history[OF_RUNS[name]];
    return read === undefined || (kept?.length === read.length &&
      kept.every((value, epoch) => Object.is(value, read[epoch])));
  });
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
  return NAMES.flatMap((name) => {
    if (curves[name] === undefined) return [];
    const { iterations, epochs, values } = curves[name];
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
  const { shape, data: values } = readNpy(bytes, { name });
  if (values.length === 0) return undefined;
  if (shape.length > 2 || shape.length === 0) {
    cannotRead(name)(
      `its shape must be (iterations, epochs), found (${shape.join(", ")})`,
    );
  }
  const [first, second] = shape as [number, number?];
  // A single row may stand there without its dimension.
  return second === undefined
    ? { iterations: 1, epochs: first, values }
    : { iterations: first, epochs: second, values };
}

/** Sentences on what does not go together within a combination. */
export function contradictionsOf(
  { trainLoss, validateLoss, trainMetrics, validateMetrics }: CombinationCurves,
  index: number,
): string[] {
  const sentences: string[] = [];
  const size = ({ iterations, epochs }: Curves) =>
    `${iterations} x ${epochs} (iterations x epochs)`;
  if (size(trainLoss) !== size(validateLoss)) {
    sentences.push(
      `combination ${index} has training losses of ${
        size(trainLoss)
      } but validation losses of ${size(validateLoss)}`,
    );
  }
  const { iterations } = validateLoss;
  const known = (validateMetrics ?? trainMetrics)?.iterations ?? iterations;
  if (known !== iterations) {
    sentences.push(
      `combination ${index} has accuracies of ${known} of its ${iterations} iterations`,
    );
  }
  return sentences;
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

/** Means over runs by measure in words, such as `spectral radius, before training`. */
export type RunMeasures = ReadonlyMap<string, number>;

/** A measure of the network before and after a null model; NaN where it was not computed. */
export interface NullMeasure {
  /** E.g. "reciprocity". */
  readonly measure: string;
  /** Of the network before. */
  readonly biological: number;
  /** Mean over samples. */
  readonly random: number;
}

/** When a column of `measures.csv` was measured, by the end of its name. */
const WHEN = [
  ["_initial", "before training"],
  ["_trained", "after training"],
] as const;

function rowsOf(text: string): Record<string, string>[] {
  return Papa.parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: true,
  }).data;
}

/** A number of a table; NaN where its cell is empty. */
function numberOf(cell: string | undefined): number {
  return cell === undefined || cell === "" ? NaN : Number(cell);
}

/** Reads `null_model.csv`, whatever it measures: what the null model changed. */
export function parseNullMeasures(text: string): NullMeasure[] {
  return rowsOf(text).map((row) => {
    const [measure = "", biological, random] = Object.values(row);
    return {
      measure,
      biological: numberOf(biological),
      random: numberOf(random),
    };
  });
}

/** Reads `measures.csv`, whatever it measures before and after training: means over the runs. */
export function parseRunMeasures(text: string): RunMeasures {
  const rows = rowsOf(text);
  const means = new Map<string, number>();
  for (const column of Object.keys(rows[0] ?? {})) {
    for (const [ending, when] of WHEN) {
      if (!column.endsWith(ending)) continue;
      const values = rows.map((row) => numberOf(row[column]))
        .filter(Number.isFinite);
      if (values.length === 0) continue;
      const name = column.slice(0, -ending.length).replaceAll("_", " ");
      const sum = values.reduce((a, b) => a + b);
      means.set(`${name}, ${when}`, sum / values.length);
    }
  }
  return means;
}
