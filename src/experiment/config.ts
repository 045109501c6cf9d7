/**
 * Reads the keys of a config file by their schema.
 *
 * @module
 */

import { dirname, resolve } from "../files/path.ts";
import { InputError } from "../files/input_error.ts";
import { whatPathMustBe } from "../files/read.ts";
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

/** A default as a config has it. */
function textOf(
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
    near?: string;
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

/** A whole number. */
export function readInteger(ini: IniFile, place: ConfigKey): number {
  const schema = schemaOf(place, "integer");
  if (schema.default !== undefined && !iniValue(ini, place)) {
    return schema.default;
  }
  const allowed = allowedValues(schema);
  const value = needValue(ini, { ...place, allowed });
  const number = parsePythonInteger(value.text);
  if (number === undefined || !isAllowed(number, schema)) {
    throw mustBe(ini, { ...place, allowed, value });
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
  const near = didYouMean(value.text, choices);
  throw mustBe(ini, { section, key, allowed, value, near });
}

/** Any text. */
export function readText(
  ini: IniFile,
  { section, key, allowed }: ConfigKey & { allowed: string },
): IniValue {
  schemaOf({ section, key }, "text");
  return needValue(ini, { section, key, allowed });
}

/** The text of a Python literal: a dict, or a list of regions. */
export function readLiteralText(
  ini: IniFile,
  { kind, ...place }: ConfigKey & {
    allowed: string;
    kind: "dict" | "regions";
  },
): IniValue {
  schemaOf(place, kind);
  return needValue(ini, place);
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
  const schema = schemaOf(place, "path");
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
