/**
 * Reads the keys of a config file by their schema.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { InputError } from "../files/input_error.ts";
import { type IniFile, readIni } from "./ini.ts";
import { type IniValue, iniValue } from "./interpolate.ts";
import { allowedValues, configError, isAllowed } from "./messages.ts";
import { didYouMean } from "../text/did_you_mean.ts";
import { listNames, quote } from "../text/words.ts";
import {
  parsePythonBoolean,
  parsePythonFloat,
  parsePythonInteger,
} from "../python/text.ts";
import { CONFIG_SCHEMA, type KeySchema, sectionSchema } from "./schema.ts";

/** Longest config file, in UTF-16 units. */
const LONGEST_FILE = 200_000;

/** A key of a config file. */
export interface ConfigKey {
  readonly section: string;
  readonly key: string;
}

/** A value from the command line that stands in for the config's. */
export interface Override {
  /** The flag, e.g. `--epochs`. */
  readonly flag: string;
  readonly value: string | number;
}

/**
 * Reads a config file and checks the names of its sections and keys.
 *
 * @throws {InputError} If one is unknown, or the text is no config file.
 */
export function openConfig(text: string, { file }: { file: string }): IniFile {
  if (text.length > LONGEST_FILE) {
    throw configError(
      { file },
      `a config file has at most ${LONGEST_FILE} characters, found ${text.length}`,
    );
  }
  const ini = readIni(text, { file });
  for (const [name, { line, options }] of ini.sections) {
    const schema = sectionSchema(name);
    if (schema === undefined) {
      const names = Object.keys(CONFIG_SCHEMA);
      throw configError(
        { file, line },
        `there is no section ${quote(name)}${
          didYouMean(name, names)
        }; the sections are ${listNames(names, "and")}`,
      );
    }
    for (const [key, option] of options) {
      if (Object.hasOwn(schema, key)) continue;
      throw configError(
        { file, line: option.line },
        `[${name}] has no key ${quote(key)}${
          didYouMean(key, Object.keys(schema)) || elsewhere(key)
        }; its keys are ${listNames(Object.keys(schema), "and")}`,
      );
    }
  }
  return ini;
}

/** Names the section that a key belongs to. */
function elsewhere(key: string): string {
  const home = Object.entries(CONFIG_SCHEMA).find(([, keys]) =>
    Object.hasOwn(keys, key)
  );
  return home === undefined ? "" : `, which belongs in [${home[0]}]`;
}

function schemaOf<K extends KeySchema["kind"]>(
  { section, key }: ConfigKey,
  kind: K,
): KeySchema & { kind: K } {
  const schema = sectionSchema(section)?.[key];
  if (schema?.kind !== kind) {
    throw new TypeError(`Key ${key} of [${section}] is no ${kind}`);
  }
  return schema as KeySchema & { kind: K };
}

/** The value of a key, or the error that it is missing. */
function needValue(
  ini: IniFile,
  { section, key, allowed }: ConfigKey & { allowed: string },
): IniValue {
  const value = iniValue(ini, { section, key });
  if (value !== undefined) return value;
  const header = ini.sections.get(section);
  throw configError(
    { file: ini.file, line: header?.line },
    header === undefined
      ? `section [${section}] is missing, and in it ${key}, which must be ${allowed}`
      : `[${section}] lacks ${key}, which must be ${allowed}`,
  );
}

function mustBe(
  ini: IniFile,
  { section, key, allowed, value }: ConfigKey & {
    allowed: string;
    value: IniValue;
  },
): InputError {
  return configError(
    { file: ini.file, line: value.line },
    `[${section}] ${key} must be ${allowed}, found ${quote(value.text)}`,
  );
}

/** A whole number. */
export function readInteger(
  ini: IniFile,
  { section, key, override }: ConfigKey & { override?: Override | undefined },
): number {
  const schema = schemaOf({ section, key }, "integer");
  const allowed = allowedValues(schema);
  if (override !== undefined) {
    const number = typeof override.value === "number"
      ? override.value
      : parsePythonInteger(override.value);
    if (
      number === undefined || !Number.isSafeInteger(number) ||
      !isAllowed(number, schema)
    ) {
      throw new InputError(
        `Cannot use ${override.flag} ${
          quote(String(override.value))
        }: it must be ${allowed}`,
      );
    }
    return number;
  }
  if (schema.default !== undefined && !iniValue(ini, { section, key })) {
    return schema.default;
  }
  const value = needValue(ini, { section, key, allowed });
  const number = parsePythonInteger(value.text);
  if (number === undefined || !isAllowed(number, schema)) {
    throw mustBe(ini, { section, key, allowed, value });
  }
  return number;
}

/** A number, whole or not. */
export function readNumber(ini: IniFile, place: ConfigKey): number {
  const schema = schemaOf(place, "number");
  if (schema.default !== undefined && !iniValue(ini, place)) {
    return schema.default;
  }
  const allowed = allowedValues(schema);
  const value = needValue(ini, { ...place, allowed });
  const number = parsePythonFloat(value.text);
  if (number === undefined || !isAllowed(number, schema)) {
    throw mustBe(ini, { ...place, allowed, value });
  }
  return number;
}

/** True or False. */
export function readBoolean(ini: IniFile, place: ConfigKey): boolean {
  const schema = schemaOf(place, "boolean");
  if (schema.default !== undefined && !iniValue(ini, place)) {
    return schema.default;
  }
  const allowed = "True or False";
  const value = needValue(ini, { ...place, allowed });
  const found = parsePythonBoolean(value.text);
  if (found === undefined) throw mustBe(ini, { ...place, allowed, value });
  return found;
}

/**
 * One of some words.
 *
 * @param other Stands for every other word, where any may be given.
 */
export function readChoice<C extends string>(
  ini: IniFile,
  { section, key, choices, other }: ConfigKey & {
    choices: readonly C[];
    other?: C | undefined;
  },
): C {
  const schema = schemaOf({ section, key }, "choice");
  const allowed = listNames(choices);
  if (schema.default !== undefined && !iniValue(ini, { section, key })) {
    return schema.default as C;
  }
  const value = needValue(ini, { section, key, allowed });
  const found = choices.find((choice) => choice === value.text) ?? other;
  if (found !== undefined) return found;
  throw configError(
    { file: ini.file, line: value.line },
    `[${section}] ${key} must be ${allowed}, found ${quote(value.text)}${
      didYouMean(value.text, choices)
    }`,
  );
}

/** Any text. */
export function readText(
  ini: IniFile,
  { section, key, allowed }: ConfigKey & { allowed: string },
): IniValue {
  schemaOf({ section, key }, "text");
  return needValue(ini, { section, key, allowed });
}

/** The Python text of a dict. */
export function readDictText(
  ini: IniFile,
  place: ConfigKey & { allowed: string },
): IniValue {
  schemaOf(place, "dict");
  return needValue(ini, place);
}

/**
 * A path: relative ones begin at the config file's folder, those of the
 * command line at the working directory. Undefined where it is not needed and
 * absent or empty.
 */
export function readPath(
  ini: IniFile,
  { section, key, override }: ConfigKey & { override?: Override | undefined },
): string | undefined {
  const schema = schemaOf({ section, key }, "path");
  if (override !== undefined) {
    const path = String(override.value);
    const allowed = whatPathMustBe(path);
    if (allowed !== undefined) {
      throw new InputError(
        `Cannot use ${override.flag} ${quote(path)}: it must be ${allowed}`,
      );
    }
    return resolve(path);
  }
  const given = iniValue(ini, { section, key });
  if (!schema.needed && (given === undefined || given.text === "")) {
    return undefined;
  }
  const value = needValue(ini, { section, key, allowed: "a path" });
  const allowed = whatPathMustBe(value.text);
  if (allowed !== undefined) {
    throw mustBe(ini, { section, key, allowed, value });
  }
  return resolve(dirname(ini.file), value.text);
}

/** Undefined where it is one. Quotes belong to Python and "~" to shells; here they would name a folder. */
function whatPathMustBe(text: string): string | undefined {
  if (/^(["']).*\1$/.test(text)) return "a path without quotes";
  if (/^~([/\\]|$)/.test(text)) return 'a path that does not begin with "~"';
  // deno-lint-ignore no-control-regex
  const broken = text === "" || text.length > 4096 || /[\x00-\x1f]/.test(text);
  return broken ? "a path" : undefined;
}
