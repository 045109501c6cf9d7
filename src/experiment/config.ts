/**
 * Reads the keys of a config file by their schema.
 *
 * @module
 */

import { dirname, resolve, whatPathMustBe } from "../files/path.ts";
import { InputError } from "../files/input_error.ts";
import {
  configError,
  type IniFile,
  type IniOption,
  type IniValue,
  iniValue,
  readIni,
} from "./configparser.ts";
import { CONFIG_SCHEMA, type KeySchema, sectionSchema } from "./schema.ts";
import { allowedValues, isAllowed } from "../tasks/task.ts";
import { didYouMean, listNames, quote } from "../text/words.ts";
import { parsePythonLiteral, PythonLiteralError } from "../python/literal.ts";
import { reprPython, reprString } from "../python/repr.ts";
import {
  parsePythonBoolean,
  parsePythonFloat,
  parsePythonInteger,
  strip,
} from "../python/text.ts";

type NumberSchema = KeySchema & { readonly kind: "integer" | "number" };
type PathSchema = KeySchema & { readonly kind: "path" };

/** Longest config file, in UTF-16 units. */
const LONGEST_FILE = 200_000;

/** A key of a config file. */
export interface ConfigKey {
  readonly section: string;
  readonly key: string;
}

/** A value from the command line that stands in for the config's. */
export interface Override extends ConfigKey {
  /** The flag, for messages, e.g. `--epochs`. */
  readonly flag: string;
  readonly value: string | number;
}

/**
 * Reads a config file, puts in what the command line says otherwise, and checks
 * the names of its sections and keys.
 *
 * @throws {InputError} If one is unknown, or the text is no config file.
 */
export function openConfig(
  text: string,
  { file, overrides }: {
    readonly file: string;
    readonly overrides: readonly Override[];
  },
): IniFile {
  if (text.length > LONGEST_FILE) {
    throw configError(
      { file },
      `a config file has at most ${LONGEST_FILE} characters, found ${text.length}`,
    );
  }
  const ini = readIni(text, { file });
  for (const [name, { line, options }] of ini.sections) {
    assertKnown({ section: name }, (what) => configError({ file, line }, what));
    for (const [key, option] of options) {
      assertKnown(
        { section: name, key },
        (what) => configError({ file, line: option.line }, what),
      );
    }
  }
  return withOverrides(ini, overrides);
}

function assertKnown(
  { section, key }: { readonly section: string; readonly key?: string },
  error: (what: string) => InputError,
): void {
  const schema = sectionSchema(section);
  if (schema === undefined) {
    const names = Object.keys(CONFIG_SCHEMA);
    throw error(
      `there is no section ${quote(section)}${
        didYouMean(section, names)
      }; the sections are ${listNames(names, "and")}`,
    );
  }
  if (key === undefined || Object.hasOwn(schema, key)) return;
  const keys = Object.keys(schema);
  throw error(
    `[${section}] has no key ${quote(key)}${
      didYouMean(key, keys) || elsewhere(key)
    }; its keys are ${listNames(keys, "and")}`,
  );
}

/** The config with the command line's values in place of its own; they stand as they are, without interpolation. */
function withOverrides(
  { file, sections, defaults }: IniFile,
  overrides: readonly Override[],
): IniFile {
  const changed = new Map(sections);
  const ini = { file, sections: changed, defaults };
  for (const override of overrides) {
    const { section, key, flag, value } = wholeKey(ini, override);
    assertKnown(
      { section, key },
      (what) => new InputError(`Cannot use ${flag}: ${what}`),
    );
    const { line, options } = changed.get(section) ??
      { line: 0, options: new Map<string, IniOption>() };
    const option: IniOption = {
      raw: strip(String(value)),
      line,
      lines: [line],
      flag,
    };
    changed.set(section, { line, options: new Map(options).set(key, option) });
  }
  return ini;
}

/** The config with other values in a section, each where the one before stood. */
export function withValues(
  ini: IniFile,
  { section, values }: {
    readonly section: string;
    readonly values: Readonly<Record<string, string>>;
  },
): IniFile {
  const own = ini.sections.get(section);
  if (own === undefined || Object.keys(values).length === 0) return ini;
  const options = new Map(own.options);
  for (const [key, value] of Object.entries(values)) {
    const before = own.options.get(key) ?? ini.defaults.get(key)!;
    const raw = before.flag === undefined ? value.replaceAll("%", "%%") : value;
    options.set(key, { ...before, raw });
  }
  const sections = new Map(ini.sections).set(section, { ...own, options });
  return { ...ini, sections };
}

/** `combos_params.lr`, a key of a dict, as the whole dict with that key's value. */
function wholeKey(ini: IniFile, override: Override): Override {
  const home = Object.entries(CONFIG_SCHEMA).find(([, keys]) =>
    Object.hasOwn(keys, override.section)
  )?.[0];
  if (home === undefined) {
    return { ...override, key: override.key.toLowerCase() };
  }
  const { flag, section: key, key: entry, value } = override;
  const place = { section: home, key };
  const given = needValue(ini, { ...place, allowed: "a Python dict" });
  const parse = (text: string) => {
    try {
      return parsePythonLiteral(text);
    } catch (error) {
      if (!(error instanceof PythonLiteralError)) throw error;
      throw new InputError(`Cannot use ${flag}: ${error.message}`);
    }
  };
  const dict = parse(given.text);
  if (dict.kind !== "dict") {
    throw new InputError(`Cannot use ${flag}: [${home}] ${key} is no dict`);
  }
  const items = new Map(
    dict.entries.map((item) => [reprPython(item.key), reprPython(item.value)]),
  ).set(reprString(entry), reprPython(parse(String(value))));
  return {
    ...place,
    flag,
    value: `{${[...items].map((item) => item.join(": ")).join(", ")}}`,
  };
}

/** All values that count, defaults included, as a config that means the same. */
export function effectiveConfig(ini: IniFile): string {
  const lines: string[] = [];
  for (const [section, keys] of Object.entries(CONFIG_SCHEMA)) {
    lines.push(`[${section}]`);
    for (const [key, schema] of Object.entries<KeySchema>(keys)) {
      const given = iniValue(ini, { section, key })?.text;
      const value = given === undefined
        ? textOf("default" in schema ? schema.default : undefined)
        : schema.kind === "dict" || schema.kind === "regions"
        ? reprPython(parsePythonLiteral(given))
        : given;
      if (value === undefined) continue;
      lines.push(`${key} = ${value.replaceAll("%", "%%")}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** A value as a config has it. */
export function textOf(
  value: string | number | boolean | undefined,
): string | undefined {
  return typeof value === "boolean"
    ? (value ? "True" : "False")
    : value?.toString();
}

/** Names the section that a key belongs to. */
function elsewhere(key: string): string {
  const home = Object.entries(CONFIG_SCHEMA).find(([, keys]) =>
    Object.hasOwn(keys, key)
  );
  return home === undefined ? "" : `, which belongs in [${home[0]}]`;
}

/**
 * The value of a key as it stands.
 *
 * @throws {InputError} If it is missing.
 */
export function needValue(
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

/** The error for a value, which names its line or its flag; `what` follows its key. */
export function valueError(
  { file }: IniFile,
  { section, key, from: { line, flag }, what }: ConfigKey & {
    readonly from: Pick<IniOption, "line" | "flag">;
    readonly what: string;
  },
): InputError {
  return flag === undefined
    ? configError({ file, line }, `[${section}] ${key}${what}`)
    : new InputError(`Cannot use ${flag}: [${section}] ${key}${what}`);
}

function mustBe(
  ini: IniFile,
  { section, key, allowed, value, near = "" }: ConfigKey & {
    allowed: string;
    value: IniValue;
    near?: string | undefined;
  },
): InputError {
  const { text, flag } = value;
  return flag === undefined
    ? valueError(ini, {
      section,
      key,
      from: value,
      what: ` must be ${allowed}, found ${quote(text)}${near || hint(text)}`,
    })
    : new InputError(
      `Cannot use ${flag} ${quote(text)}: it must be ${allowed}${near}`,
    );
}

/** configparser takes what follows a value on its line for a part of it. */
function hint(text: string): string {
  return /\s[#;]/.test(text) ? "; a comment needs a line of its own" : "";
}

/** The value of a key as `parse` takes it, undefined where it is not allowed, or its default. */
function readValue<T>(
  ini: IniFile,
  { section, key, allowed, parse, near }: ConfigKey & {
    readonly allowed: string;
    readonly parse: (text: string) => T | undefined;
    /** What a text that is not allowed may be meant to be. */
    readonly near?: (text: string) => string;
  },
): T {
  const schema = sectionSchema(section)![key] as { readonly default?: T };
  const place = { section, key, allowed };
  if (schema.default !== undefined && !iniValue(ini, place)) {
    return schema.default;
  }
  const value = needValue(ini, place);
  const found = parse(value.text);
  if (found !== undefined) return found;
  throw mustBe(ini, { ...place, value, near: near?.(value.text) });
}

/** A number, whole where the schema says so. */
export function readNumber(ini: IniFile, place: ConfigKey): number {
  const schema = sectionSchema(place.section)![place.key] as NumberSchema;
  const parse = schema.kind === "integer"
    ? parsePythonInteger
    : parsePythonFloat;
  return readValue(ini, {
    ...place,
    allowed: allowedValues(schema),
    parse(text) {
      const number = parse(text);
      return number !== undefined && isAllowed(number, schema)
        ? number
        : undefined;
    },
  });
}

export function readBoolean(ini: IniFile, place: ConfigKey): boolean {
  const allowed = "True or False";
  return readValue(ini, { ...place, allowed, parse: parsePythonBoolean });
}

/**
 * One of some words.
 *
 * @param other Stands for every other word, where any may be given.
 */
export function readChoice<C extends string>(
  ini: IniFile,
  { choices, other, ...place }: ConfigKey & {
    readonly choices: readonly C[];
    readonly other?: C | undefined;
  },
): C {
  return readValue(ini, {
    ...place,
    allowed: listNames(choices),
    parse: (text) => choices.find((choice) => choice === text) ?? other,
    near: (text) => didYouMean(text, choices),
  });
}

/**
 * A path: relative ones begin at the config file's folder, those of the
 * command line at `folder`. Undefined where it is not needed and absent or
 * empty.
 */
export function readPath(
  ini: IniFile,
  { section, key, folder }: ConfigKey & { folder: string },
): string | undefined {
  const place = { section, key };
  const schema = sectionSchema(section)![key] as PathSchema;
  const given = iniValue(ini, place);
  if (
    !schema.needed && (given === undefined || given.text === "") &&
    given?.flag === undefined
  ) return undefined;
  const value = needValue(ini, { ...place, allowed: "a path" });
  const allowed = whatPathMustBe(value.text);
  if (allowed !== undefined) {
    throw mustBe(ini, { section, key, allowed, value });
  }
  const start = value.flag === undefined ? dirname(ini.file) : folder;
  return resolve(folder, start, value.text);
}
