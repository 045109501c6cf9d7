/**
 * Reads what a config has as Python literals: `trial_params` and `combos_params`,
 * dicts with known keys; lists of regions.
 *
 * @module
 */

import {
  allowedValues,
  isAllowed,
  type ParameterSchema,
} from "../tasks/task.ts";
import { type ConfigKey, needValue, valueError } from "./config.ts";
import { type IniFile, type IniValue, iniValue } from "./configparser.ts";
import { didYouMean, listNames, quote, shorten } from "../text/words.ts";
import {
  parsePythonLiteral,
  PythonLiteralError,
  type PythonValue,
} from "../python/literal.ts";
import { reprPython } from "../python/repr.ts";
import { parsePythonBoolean } from "../python/text.ts";

/** A dict of a config file, and its errors. */
export interface LiteralDict {
  readonly entries: ReadonlyMap<string, PythonValue>;
  /** The error for something wrong with the dict, or at one of its values; `problem` follows the dict's name. */
  error(problem: string, at?: PythonValue): Error;
}

/**
 * Reads a dict whose keys are strings.
 *
 * @throws {InputError} If the text is no such dict; the message names the line.
 */
export function readLiteralDict(
  ini: IniFile,
  place: ConfigKey & { allowed: string },
): LiteralDict {
  const { value, errorAt } = readLiteral(ini, {
    ...place,
    type: "dict",
    text: needValue(ini, place),
  });
  if (value.kind !== "dict") {
    throw errorAt(` must be ${place.allowed}, found ${showValue(value)}`);
  }
  const entries = new Map<string, PythonValue>();
  for (const { key, value: item } of value.entries) {
    if (key.kind !== "string") {
      throw errorAt(
        ` needs keys in quotes, found ${showValue(key)}`,
        key.at,
      );
    }
    if (entries.has(key.value)) {
      throw errorAt(` has the key ${showValue(key)} twice`, key.at);
    }
    entries.set(key.value, item);
  }
  return {
    entries,
    error: (problem, at) => errorAt(problem, at?.at),
  };
}

/** Reads the literal of a key, with what makes an error for it, or for what stands at an offset in it. */
function readLiteral(
  ini: IniFile,
  { type, text, ...place }: ConfigKey & {
    readonly type: string;
    readonly text: IniValue;
  },
) {
  const errorAt = (problem: string, offset?: number) =>
    valueError(ini, {
      ...place,
      from: {
        ...text,
        line: offset === undefined ? text.line : text.lineAt(offset),
      },
      what: problem,
    });
  const value = parse(
    text.text,
    (error) => errorAt(` is no Python ${type}: ${error.message}`, error.offset),
  );
  return { value, errorAt };
}

/**
 * Regions by their names or numbers; undefined where the key is absent. Whether the
 * connectome has them is not known here.
 *
 * @throws {InputError} If it is no list of them, or an empty one.
 */
export function readRegions(
  ini: IniFile,
  place: ConfigKey,
): readonly (string | number)[] | undefined {
  if (iniValue(ini, place) === undefined) return undefined;
  const allowed = "a Python list of regions, as ['V1', 'V2'] or [0, 3]";
  const { value, errorAt } = readLiteral(ini, {
    ...place,
    type: "list",
    text: needValue(ini, { ...place, allowed }),
  });
  if (value.kind !== "list" && value.kind !== "tuple") {
    throw errorAt(` must be ${allowed}, found ${showValue(value)}`);
  }
  if (value.items.length === 0) {
    throw errorAt(" is empty; leave it out for all regions");
  }
  return value.items.map((item) => {
    if (item.kind === "string") return item.value;
    const number = item.kind === "integer" ? Number(item.value) : NaN;
    if (number >= 0 && Number.isSafeInteger(number)) return number;
    throw errorAt(
      ` must have names in quotes or whole numbers from 0, found ${
        showValue(item)
      }`,
      item.at,
    );
  });
}

/**
 * The values of a key that may be a Python list of them, as texts; undefined where it is
 * none.
 *
 * @throws {InputError} If a list is empty, has a name twice or values of another kind.
 */
export function readList(
  ini: IniFile,
  { kind, ...place }: ConfigKey & { readonly kind: "string" | "integer" },
): string[] | undefined {
  const text = iniValue(ini, place);
  if (text === undefined || !/^[[(]/.test(text.text)) return undefined;
  const names = kind === "string";
  const { value, errorAt } = readLiteral(ini, {
    ...place,
    type: names ? "list of names in quotes" : "list",
    text,
  });
  const items = value.kind === "list" || value.kind === "tuple"
    ? value.items
    : [value];
  if (items.length === 0) throw errorAt(" is a list without a value");
  const seen = new Set<string>();
  return items.map((item) => {
    if (item.kind !== kind) {
      throw errorAt(
        ` must be a list of ${
          names ? "names in quotes" : "whole numbers"
        }, found ${showValue(item)}`,
        item.at,
      );
    }
    const text = String(item.value);
    // Numbers stand for the values of another list.
    if (names && seen.has(text)) {
      throw errorAt(` has ${showValue(item)} twice`, item.at);
    }
    seen.add(text);
    return text;
  });
}

/**
 * Checks that a dict has no other keys than a task takes.
 *
 * @throws {InputError} For another one; a key of the other dict is told its place.
 */
export function assertKnownKeys(
  dict: LiteralDict,
  { task, known, others, place }: {
    /** Name of the task. */
    readonly task: string;
    readonly known: readonly string[];
    /** Keys of the other dict. */
    readonly others: readonly string[];
    /** Where those belong, and how they stand there. */
    readonly place: string;
  },
): void {
  for (const [key, value] of dict.entries) {
    if (known.includes(key)) continue;
    throw dict.error(
      others.includes(key)
        ? ` has the key ${quote(key)}, which belongs in ${place}`
        : ` has the key ${quote(key)}${
          didYouMean(key, known)
        }, but ${task} takes ${listNames(known, "and")}`,
      value,
    );
  }
}

function parse(
  text: string,
  toError: (error: PythonLiteralError) => Error,
): PythonValue {
  try {
    return parsePythonLiteral(text);
  } catch (error) {
    throw error instanceof PythonLiteralError ? toError(error) : error;
  }
}

/** A value as Python writes it, not too long. */
export function showValue(value: PythonValue): string {
  return shorten(reprPython(value));
}

/**
 * The value of a task's parameter, or undefined where the schema does not
 * allow it. `"True"` in quotes, seen in configs of the original, is True.
 */
export function parameterValue(
  value: PythonValue,
  schema: ParameterSchema,
): number | boolean | undefined {
  if (schema.kind === "boolean") {
    if (value.kind === "boolean") return value.value;
    return value.kind === "string" && /^(?:true|false)$/i.test(value.value)
      ? parsePythonBoolean(value.value)
      : undefined;
  }
  const number = value.kind === "integer" ||
      (value.kind === "float" && schema.kind === "number")
    ? Number(value.value)
    : undefined;
  return number !== undefined && isAllowed(number, schema) &&
      (schema.kind === "number" || Number.isSafeInteger(number))
    ? number
    : undefined;
}

/** The sentence's part for a value that a schema does not allow. */
export function mustBeAllowed(
  value: PythonValue,
  { name, schema }: { name: string; schema: ParameterSchema },
): string {
  return `: "${name}" must be ${allowedValues(schema)}, found ${
    showValue(value)
  }`;
}
