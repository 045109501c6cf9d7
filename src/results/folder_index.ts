/**
 * `folder_index.txt`: a line a combination, `<number> <Python tuple>`. The
 * original program writes the values alone; their names are inferred.
 *
 * @module
 */

import { NONLINEARITIES } from "../rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../rnn/optimizers.ts";
import { InputError } from "../files/input_error.ts";
import {
  parsePythonLiteral,
  PythonLiteralError,
  type PythonValue,
} from "../python/literal.ts";
import { reprPython } from "../python/repr.ts";
import type { Plain } from "./json_fields.ts";

/** A line of the file. */
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
 * Reads the text of the file.
 *
 * @param options `name` of the file, for messages.
 * @throws {InputError} If a line is no number and tuple, or a number stands twice with different tuples.
 *
 * @example
 * ```ts
 * import { parseFolderIndex } from "./src/results/folder_index.ts";
 *
 * const [entry] = parseFolderIndex("0 (1e-06, 'relu')\n", { name: "folder_index.txt" });
 * entry?.values; // [0.000001, "relu"]
 * ```
 */
export function parseFolderIndex(
  text: string,
  { name }: { readonly name: string },
): IndexEntry[] {
  const entries = new Map<number, IndexEntry>();
  for (const [i, untrimmed] of text.split(/\r\n|\r|\n/).entries()) {
    const line = untrimmed.trim();
    if (line === "") continue;
    const fail = (what: string): never => {
      throw new InputError(`Cannot read "${name}": line ${i + 1} ${what}`);
    };
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
  let tuple: PythonValue;
  try {
    tuple = parsePythonLiteral(title);
  } catch (error) {
    if (!(error instanceof PythonLiteralError)) throw error;
    return fail(`holds no Python tuple: ${error.message}, in ${shown}`);
  }
  if (tuple.kind !== "tuple") {
    return fail(`holds a ${tuple.kind} where a tuple is needed: ${shown}`);
  }
  return {
    index: Number(index),
    title,
    values: tuple.items.map((item) => {
      switch (item.kind) {
        case "integer":
          return Number(item.value);
        case "float":
        case "string":
        case "boolean":
          return item.value;
        default:
          return reprPython(item);
      }
    }),
  };
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
 *
 * @example
 * ```ts
 * import { inferGridKeys } from "./src/results/folder_index.ts";
 *
 * inferGridKeys([[0.0001, "relu", "Adam", 3]], { accuracy: false });
 * // ["lr", "nonlinearity", "optimizer", "pattern_length"]
 * ```
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
