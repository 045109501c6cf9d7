/**
 * Config files in the dialect of Python's configparser, with its defaults:
 * keys in any case, `=` or `:`, values that go on in deeper indented lines,
 * whole-line comments only, no duplicates, a `[DEFAULT]` section,
 * `%(name)s` interpolation.
 *
 * Source: https://docs.python.org/3/library/configparser.html#supported-ini-file-structure
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { indentOf, splitLines, strip, stripEnd } from "../python/text.ts";
import { didYouMean, quote, shorten } from "../text/words.ts";

/** A key of a section. */
export interface IniOption {
  /** Before interpolation. */
  readonly raw: string;
  /** Number of the line it begins on, from 1. */
  readonly line: number;
  /** Number of the line of each line of `raw`. */
  readonly lines: readonly number[];
  /** The flag that the value is from, where the command line stands in for the file. */
  readonly flag?: string | undefined;
}

export interface IniFile {
  /** Its name, for messages. */
  readonly file: string;
  /** All sections but `[DEFAULT]`: the line of the header, and what stands in the section itself by key in lower case. */
  readonly sections: ReadonlyMap<string, {
    readonly line: number;
    readonly options: ReadonlyMap<string, IniOption>;
  }>;
  /** `[DEFAULT]`: values for keys that a section itself does not have. */
  readonly defaults: ReadonlyMap<string, IniOption>;
}

/** The error for something wrong in a config: `Cannot read "config.ini", line 3: …`. */
export function configError(
  { file, line }: { readonly file: string; readonly line?: number | undefined },
  problem: string,
): InputError {
  const where = line === undefined ? "" : `, line ${line}`;
  return new InputError(`Cannot read ${quote(file)}${where}: ${problem}`);
}

/** Name of the section whose keys all sections have. */
const DEFAULT_SECTION = "DEFAULT";

/**
 * Reads a config file's text.
 *
 * @throws {InputError} If configparser would refuse it; the message names the line.
 */
export function readIni(text: string, { file }: { file: string }): IniFile {
  type Option = { raw: string; line: number; lines: number[] };
  const sections = new Map<
    string,
    { line: number; options: Map<string, Option> }
  >();
  let name: string | undefined;
  let option: Option | undefined;
  let indent = 0;
  for (const [index, whole] of splitLines(text).entries()) {
    const line = index + 1;
    const content = strip(whole);
    const fail = (problem: string): never => {
      throw configError({ file, line }, problem);
    };
    if (content.startsWith("#") || content.startsWith(";")) continue;
    const depth = indentOf(whole);
    if (content === "" || (option !== undefined && depth > indent)) {
      if (option === undefined) continue;
      option.raw += `\n${content}`;
      option.lines.push(line);
      continue;
    }
    indent = depth;
    // Up to the last bracket; what follows is ignored, as configparser does.
    const end = content.lastIndexOf("]");
    if (content.startsWith("[") && end > 1) {
      name = content.slice(1, end);
      const earlier = sections.get(name);
      if (earlier === undefined) {
        sections.set(name, { line, options: new Map() });
      } else if (name !== DEFAULT_SECTION) {
        fail(
          `section [${
            shorten(name)
          }] stands twice, first on line ${earlier.line}`,
        );
      }
      option = undefined;
      continue;
    }
    if (name === undefined) {
      return fail(
        `a section such as [paths] must come first, found ${quote(content)}`,
      );
    }
    const shown = `[${shorten(name)}]`;
    const delimiter = content.search(/[=:]/);
    if (delimiter < 0) {
      fail(`${shown} needs "key = value", found ${quote(content)}`);
    }
    const key = stripEnd(content.slice(0, delimiter)).toLowerCase();
    if (key === "") fail(`${shown} needs a key before "${content[delimiter]}"`);
    const { options } = sections.get(name)!;
    const earlier = options.get(key);
    if (earlier !== undefined) {
      fail(`${shown} has ${quote(key)} twice, first on line ${earlier.line}`);
    }
    option = { raw: strip(content.slice(delimiter + 1)), line, lines: [line] };
    options.set(key, option);
  }
  for (const { options } of sections.values()) {
    for (const each of options.values()) each.raw = stripEnd(each.raw);
  }
  const defaults = sections.get(DEFAULT_SECTION)?.options ?? new Map();
  sections.delete(DEFAULT_SECTION);
  return { file, sections, defaults };
}

/** How deep values may refer to values; as in configparser. */
const DEEPEST = 10;

/** Values may not grow beyond this, nor refer more often to others. */
const MOST_CHARACTERS = 200_000;
const MOST_REFERENCES = 10_000;

/** A value and where it comes from. */
export interface IniValue {
  readonly text: string;
  /** As in {@linkcode IniOption}. */
  readonly flag: string | undefined;
  /** The line of an offset in `text`. */
  lineAt(offset: number): number;
  /** The error for the value, or for what stands at an offset in it; `problem` follows its key. */
  error(problem: string, offset?: number): InputError;
}

/** What `%` may stand for: itself, or a reference. Alone it is a fault. */
const PIECES = /%%|%\(([^)]+)\)s|%|[^%]+/g;

/**
 * The value of a key, from its section or from `[DEFAULT]`, with what it
 * refers to put in; undefined where neither has the key.
 *
 * @throws {InputError} If a reference is wrong, endless or too large.
 */
export function iniValue(
  ini: IniFile,
  { section, key }: { readonly section: string; readonly key: string },
): IniValue | undefined {
  const own = ini.sections.get(section);
  const lookUp = (name: string) =>
    own?.options.get(name) ?? ini.defaults.get(name);
  const option = lookUp(key);
  if (own === undefined || option === undefined) return undefined;
  const { line, lines, flag } = option;
  const where = `[${shorten(section)}] ${shorten(key)}`;
  const fault = (problem: string) =>
    configError({ file: ini.file, line }, `${where} ${problem}`);

  let text = "";
  let references = 0;
  const append = (piece: string) => {
    text += piece;
    if (references > 0 && text.length > MOST_CHARACTERS) {
      throw fault(
        `grows to more than ${MOST_CHARACTERS} characters by its references`,
      );
    }
  };
  /** Whether something was put in. */
  const expand = ({ raw, flag }: IniOption, depth: number): boolean => {
    if (flag !== undefined || !raw.includes("%")) {
      append(raw);
      return false;
    }
    if (depth > DEEPEST) {
      throw fault(`refers to itself, or over more than ${DEEPEST} keys`);
    }
    for (const { 0: piece, 1: written, index } of raw.matchAll(PIECES)) {
      if (piece === "%") {
        throw fault(
          `has a "%" that is neither "%%" nor "%(key)s", at ${
            quote(raw.slice(index, index + 20))
          }`,
        );
      }
      if (written === undefined) {
        append(piece === "%%" ? "%" : piece);
        continue;
      }
      const name = written.toLowerCase();
      const target = lookUp(name);
      if (target === undefined) {
        const names = [...own.options.keys(), ...ini.defaults.keys()];
        throw fault(
          `refers to the key ${quote(name)}, which neither [${
            shorten(section)
          }] nor [DEFAULT] has${didYouMean(name, names)}`,
        );
      }
      if (++references > MOST_REFERENCES) {
        throw fault(`refers more than ${MOST_REFERENCES} times to keys`);
      }
      expand(target, depth + 1);
    }
    return true;
  };
  const isExpanded = expand(option, 1);
  const lineAt = (offset: number) => {
    const index = text.slice(0, offset).split("\n").length - 1;
    return isExpanded ? line : lines[Math.min(index, lines.length - 1)]!;
  };
  return {
    text,
    flag,
    lineAt,
    error: (problem, offset = 0) =>
      flag === undefined
        ? configError(
          { file: ini.file, line: lineAt(offset) },
          `${where}${problem}`,
        )
        : new InputError(`Cannot use ${flag}: ${where}${problem}`),
  };
}
