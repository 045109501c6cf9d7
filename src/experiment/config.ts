/**
 * Opens a config file and reads its keys by their schema.
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
import { CONFIG_SCHEMA, type KeySchema } from "./schema.ts";
import { allowedValues, isAllowed } from "../tasks/task.ts";
import { didYouMean, listNames, quote, shorten } from "../text/words.ts";
import { parsePythonLiteral, type PythonValue } from "../python/literal.ts";
import { reprPython, reprString } from "../python/repr.ts";
import {
  parsePythonBoolean,
  parsePythonFloat,
  parsePythonInteger,
  strip,
} from "../python/text.ts";

/** Longest config file, in UTF-16 units. */
const LONGEST_FILE = 200_000;

/** A value from the command line that stands in for the config's. */
export interface Override {
  readonly section: string;
  readonly key: string;
  /** The flag, for messages, e.g. `--epochs`. */
  readonly flag: string;
  readonly value: string | number;
}

const SECTIONS = new Map<string, Readonly<Record<string, KeySchema>>>(
  Object.entries(CONFIG_SCHEMA),
);

/** Name of the section that a key belongs to. */
function homeOf(key: string): string | undefined {
  return SECTIONS.entries()
    .find(([, keys]) => Object.hasOwn(keys, key))?.[0];
}

/**
 * Reads a config file, puts in what the command line says otherwise, and checks
 * the names of its sections and keys.
 *
 * @throws {InputError} If one is unknown, or the text is no config file.
 */
export function openConfig(
  text: string,
  { file, overrides }: { file: string; overrides: readonly Override[] },
): IniFile {
  if (text.length > LONGEST_FILE) {
    throw configError(
      { file },
      `a config file has at most ${LONGEST_FILE} characters, found ${text.length}`,
    );
  }
  let ini = readIni(text, { file });
  for (const [section, { line, options }] of ini.sections) {
    const check = (line: number, key?: string) => {
      const problem = unknownName(section, key);
      if (problem !== undefined) throw configError({ file, line }, problem);
    };
    check(line);
    for (const [key, { line }] of options) check(line, key);
  }
  for (const override of overrides) {
    const { section, key, flag, value } = wholeKey(ini, override);
    const problem = unknownName(section, key);
    if (problem !== undefined) {
      throw new InputError(`Cannot use ${flag}: ${problem}`);
    }
    const line = ini.sections.get(section)?.line ?? 0;
    const raw = strip(String(value));
    ini = withOption(ini, section, key, { raw, line, lines: [line], flag });
  }
  return ini;
}

/** What is wrong with a name that no section, or no key of it, has. */
function unknownName(section: string, key?: string): string | undefined {
  const schema = SECTIONS.get(section);
  if (schema === undefined) {
    return `there is no section ${quote(section)}${
      didYouMean(section, SECTIONS.keys())
    }; the sections are ${listNames(SECTIONS.keys(), "and")}`;
  }
  if (key === undefined || Object.hasOwn(schema, key)) return undefined;
  const keys = Object.keys(schema);
  const home = homeOf(key);
  const elsewhere = home === undefined ? "" : `, which belongs in [${home}]`;
  return `[${section}] has no key ${quote(key)}${
    didYouMean(key, keys) || elsewhere
  }; its keys are ${listNames(keys, "and")}`;
}

function withOption(
  ini: IniFile,
  section: string,
  key: string,
  option: IniOption,
): IniFile {
  const { line, options } = ini.sections.get(section) ??
    { line: option.line, options: [] };
  const changed = { line, options: new Map(options).set(key, option) };
  return { ...ini, sections: new Map(ini.sections).set(section, changed) };
}

/** The config with other values of `[net]`, each where the one before stood. */
export function withNet(
  ini: IniFile,
  values: Readonly<Record<string, string>>,
): IniFile {
  for (const [key, value] of Object.entries(values)) {
    const before = ini.sections.get("net")?.options.get(key) ??
      ini.defaults.get(key)!;
    const raw = before.flag === undefined ? value.replaceAll("%", "%%") : value;
    ini = withOption(ini, "net", key, { ...before, raw });
  }
  return ini;
}

/** `combos_params.lr`, a key of a dict, as the whole dict with that key's value. */
function wholeKey(ini: IniFile, override: Override): Override {
  const { flag, section: key, key: entry, value } = override;
  const section = homeOf(key);
  if (section === undefined) return { ...override, key: entry.toLowerCase() };
  const parse = (text: string) =>
    parsePythonLiteral(text, ({ message }) => {
      throw new InputError(`Cannot use ${flag}: ${message}`);
    });
  const dict = parse(
    needValue(ini, { section, key, allowed: "a Python dict" }).text,
  );
  if (dict.kind !== "dict") {
    throw new InputError(`Cannot use ${flag}: [${section}] ${key} is no dict`);
  }
  const items = new Map(
    dict.entries.map((item) => [reprPython(item.key), reprPython(item.value)]),
  ).set(reprString(entry), reprPython(parse(String(value))));
  const text = [...items].map((item) => item.join(": ")).join(", ");
  return { section, key, flag, value: `{${text}}` };
}

/** All values that count, defaults included, as a config that means the same. */
export function effectiveConfig(ini: IniFile): string {
  const lines: string[] = [];
  for (const [section, keys] of SECTIONS) {
    lines.push(`[${section}]`);
    for (const [key, schema] of Object.entries(keys)) {
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

type Schema = typeof CONFIG_SCHEMA;

/** `rand_partition` as `randPartition`. */
type Camel<K extends string> = K extends `${infer A}_${infer B}`
  ? `${A}${Capitalize<Camel<B>>}`
  : K;

/** What a key of that schema gives. */
type ValueOf<S> = S extends { kind: "boolean" } ? boolean
  : S extends { kind: "integer" | "number" } ? number
  : S extends { choices: readonly (infer C)[] } ? C
  : S extends { kind: "regions" } ? readonly (string | number)[] | undefined
  : S extends { needed: false } ? string | undefined
  : string;

/** What reading takes beyond the schema. */
interface ReadOptions {
  /** Where paths of the command line begin; those of the config begin at its folder. Default the working directory. */
  readonly folder?: string;
  /** Words that a key may be, where the schema does not say all; `other` stands for every other word, where any may be given. */
  readonly words?: Readonly<
    Record<string, { readonly names: string[]; readonly other?: string }>
  >;
}

/**
 * The values of a section, its dicts apart, by key in camel case.
 *
 * @throws {InputError} If one is missing, or not what the schema allows.
 */
export function readSection<S extends keyof Schema>(
  ini: IniFile,
  section: S,
  options: ReadOptions = {},
): {
  readonly [K in keyof Schema[S] & string as Camel<K>]: ValueOf<Schema[S][K]>;
} {
  const values = Object.keys(CONFIG_SCHEMA[section]).map((key) => [
    key.replaceAll(/_(.)/g, (_, letter) => letter.toUpperCase()),
    readKey(ini, section, key, options),
  ]);
  return Object.fromEntries(values);
}

/** Letters and digits first: the name becomes a part of file names, so it may not lead elsewhere. */
const NET_NAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.\- ]{0,199}$/u;

function readKey(
  ini: IniFile,
  section: string,
  key: string,
  { folder = ".", words = {} }: ReadOptions,
): unknown {
  const schema = SECTIONS.get(section)![key]!;
  const given = iniValue(ini, { section, key });
  const need = (allowed: string) => needValue(ini, { section, key, allowed });
  /** What `parse` makes of the text; that gives undefined for one that is not allowed. */
  const read = <T>(
    allowed: string,
    parse: (text: string) => T | undefined,
    near = (_text: string) => "",
  ): T => {
    const value = need(allowed);
    const found = parse(value.text);
    if (found !== undefined) return found;
    throw mustBe(value, allowed, near(value.text));
  };
  if (given === undefined && "default" in schema) return schema.default;
  switch (schema.kind) {
    case "integer":
    case "number": {
      const parse = schema.kind === "integer"
        ? parsePythonInteger
        : parsePythonFloat;
      return read(allowedValues(schema), (text) => {
        const number = parse(text) ?? NaN;
        return isAllowed(number, schema) ? number : undefined;
      });
    }
    case "boolean":
      return read("True or False", parsePythonBoolean);
    case "choice": {
      const { names, other } = words[key] ?? { names: schema.choices };
      return read(
        listNames(names),
        (text) => names.find((name) => name === text) ?? other,
        (text) => didYouMean(text, names),
      );
    }
    case "text": {
      const allowed =
        'the name of a connectome, of letters, digits, "_", "-", "." and spaces';
      const value = need(allowed);
      if (NET_NAME.test(value.text)) return value.text;
      throw value.error(` must be ${allowed}, found ${quote(value.text)}`);
    }
    case "path": {
      if (given !== undefined && given.text === schema.word) return given.text;
      const isBlank = (given?.text ?? "") === "" && given?.flag === undefined;
      if (isBlank && !schema.needed) return undefined;
      const { text, flag } = need("a path");
      const allowed = whatPathMustBe(text);
      if (allowed !== undefined) throw mustBe(given!, allowed);
      return resolve(
        folder,
        flag === undefined ? dirname(ini.file) : ".",
        text,
      );
    }
    case "regions":
      return given && readRegions(given);
    case "dict":
      return undefined;
  }
}

/**
 * The value of a key as it stands.
 *
 * @throws {InputError} If it is missing.
 */
export function needValue(
  ini: IniFile,
  { section, key, allowed }: Record<"section" | "key" | "allowed", string>,
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

function mustBe(value: IniValue, allowed: string, near = ""): InputError {
  const { text, flag } = value;
  if (flag !== undefined) {
    return new InputError(
      `Cannot use ${flag} ${quote(text)}: it must be ${allowed}${near}`,
    );
  }
  // configparser takes what follows a value on its line for a part of it.
  const hint = /\s[#;]/.test(text) ? "; a comment needs a line of its own" : "";
  return value.error(
    ` must be ${allowed}, found ${quote(text)}${near || hint}`,
  );
}

/**
 * The Python literal that a value is.
 *
 * @param type What it is to be, for messages.
 * @throws {InputError} If it is none.
 */
export function readLiteral(value: IniValue, type: string): PythonValue {
  return parsePythonLiteral(value.text, ({ message, offset }) => {
    throw value.error(` is no Python ${type}: ${message}`, offset);
  });
}

/** What is in a list or tuple; undefined where it is none. */
export function itemsOf(
  value: PythonValue,
): readonly PythonValue[] | undefined {
  return value.kind === "list" || value.kind === "tuple"
    ? value.items
    : undefined;
}

/** A value as Python writes it, not too long. */
export function showValue(value: PythonValue): string {
  return shorten(reprPython(value));
}

/** Regions by their names or numbers; whether the connectome has them is not known here. */
function readRegions(given: IniValue): readonly (string | number)[] {
  const literal = readLiteral(given, "list");
  const items = itemsOf(literal);
  if (items === undefined) {
    throw given.error(
      ` must be a Python list of regions, as ['V1', 'V2'] or [0, 3], found ${
        showValue(literal)
      }`,
    );
  }
  if (items.length === 0) {
    throw given.error(" is empty; leave it out for all regions");
  }
  return items.map((item) => {
    if (item.kind === "string") return item.value;
    const number = item.kind === "integer" ? Number(item.value) : NaN;
    if (number >= 0 && Number.isSafeInteger(number)) return number;
    throw given.error(
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
  value: IniValue | undefined,
  kind: "string" | "integer",
): string[] | undefined {
  if (value === undefined || !/^[[(]/.test(value.text)) return undefined;
  const names = kind === "string";
  const literal = readLiteral(
    value,
    names ? "list of names in quotes" : "list",
  );
  const items = itemsOf(literal) ?? [literal];
  if (items.length === 0) throw value.error(" is a list without a value");
  const seen = new Set<string>();
  return items.map((item) => {
    if (item.kind !== kind) {
      throw value.error(
        ` must be a list of ${
          names ? "names in quotes" : "whole numbers"
        }, found ${showValue(item)}`,
        item.at,
      );
    }
    const text = String(item.value);
    // Numbers stand for the values of another list.
    if (names && seen.has(text)) {
      throw value.error(` has ${showValue(item)} twice`, item.at);
    }
    seen.add(text);
    return text;
  });
}
