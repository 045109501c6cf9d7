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

interface IniSection {
  /** Number of the line of its header, from 1. */
  readonly line: number;
  /** What stands in the section itself, by key in lower case. */
  readonly options: ReadonlyMap<string, IniOption>;
}

export interface IniFile {
  /** Its name, for messages. */
  readonly file: string;
  /** All sections but `[DEFAULT]`. */
  readonly sections: ReadonlyMap<string, IniSection>;
  /** `[DEFAULT]`: values for keys that a section itself does not have. */
  readonly defaults: ReadonlyMap<string, IniOption>;
}

/** Name of the section whose keys all sections have. */
const DEFAULT_SECTION = "DEFAULT";

/** Where in a config something is wrong. */
interface ConfigPlace {
  readonly file: string;
  /** Number of the line, from 1. */
  readonly line?: number | undefined;
}

/** The error for something wrong in a config: `Cannot read "config.ini", line 3: …`. */
export function configError(
  { file, line }: ConfigPlace,
  problem: string,
): InputError {
  const where = line === undefined ? "" : `, line ${line}`;
  return new InputError(`Cannot read ${quote(file)}${where}: ${problem}`);
}

/** A section while it is read. */
interface OpenSection extends IniSection {
  readonly options: Map<string, IniOption>;
}

/** A key while its lines are gathered. */
class OpenOption implements IniOption {
  readonly parts: string[];
  readonly lines: number[];

  constructor(readonly line: number, value: string) {
    this.parts = [value];
    this.lines = [line];
  }

  get raw(): string {
    return stripEnd(this.parts.join("\n"));
  }
}

/**
 * Reads a config file's text.
 *
 * @throws {InputError} If configparser would refuse it; the message names the line.
 */
export function readIni(text: string, { file }: { file: string }): IniFile {
  const sections = scanLines(splitLines(text), file);
  const defaults = sections.get(DEFAULT_SECTION)?.options ?? new Map();
  sections.delete(DEFAULT_SECTION);
  return { file, sections, defaults };
}

/** Sections and keys as configparser finds them. */
function scanLines(
  lines: readonly string[],
  file: string,
): Map<string, OpenSection> {
  const sections = new Map<string, OpenSection>();
  let section: OpenSection & { readonly name: string } | undefined;
  let option: OpenOption | undefined;
  let indent = 0;
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    const content = strip(text);
    if (content.startsWith("#") || content.startsWith(";")) continue;
    if (content === "") {
      option?.parts.push("");
      option?.lines.push(line);
      continue;
    }
    const depth = indentOf(text);
    if (option !== undefined && depth > indent) {
      option.parts.push(content);
      option.lines.push(line);
      continue;
    }
    indent = depth;
    const name = sectionName(content);
    if (name !== undefined) {
      section = { name, ...openSection(sections, { name, line, file }) };
      option = undefined;
      continue;
    }
    if (section === undefined) {
      throw configError(
        { file, line },
        "a section such as [paths] must come first, found " + quote(content),
      );
    }
    const { key, value } = splitOption(content, {
      file,
      line,
      section: section.name,
    });
    const earlier = section.options.get(key);
    if (earlier !== undefined) {
      throw configError(
        { file, line },
        `[${shorten(section.name)}] has ${
          quote(key)
        } twice, first on line ${earlier.line}`,
      );
    }
    option = new OpenOption(line, value);
    section.options.set(key, option);
  }
  return sections;
}

/** `[name]`, up to the last bracket; what follows is ignored, as configparser does. */
function sectionName(content: string): string | undefined {
  const end = content.lastIndexOf("]");
  return content.startsWith("[") && end > 1 ? content.slice(1, end) : undefined;
}

function openSection(
  sections: Map<string, OpenSection>,
  { name, line, file }: { name: string; line: number; file: string },
): OpenSection {
  const earlier = sections.get(name);
  if (earlier !== undefined && name !== DEFAULT_SECTION) {
    throw configError(
      { file, line },
      `section [${shorten(name)}] stands twice, first on line ${earlier.line}`,
    );
  }
  const section = earlier ?? { line, options: new Map() };
  sections.set(name, section);
  return section;
}

function splitOption(
  content: string,
  { file, line, section }: { file: string; line: number; section: string },
): { key: string; value: string } {
  const delimiter = content.search(/[=:]/);
  if (delimiter < 0) {
    throw configError(
      { file, line },
      `[${shorten(section)}] needs "key = value", found ${quote(content)}`,
    );
  }
  const key = stripEnd(content.slice(0, delimiter)).toLowerCase();
  if (key === "") {
    throw configError(
      { file, line },
      `[${shorten(section)}] needs a key before "${content[delimiter]}"`,
    );
  }
  return { key, value: strip(content.slice(delimiter + 1)) };
}

/** How deep values may refer to values; as in configparser. */
const DEEPEST = 10;

/** Values may not grow beyond this, nor refer more often to others. */
const MOST_CHARACTERS = 200_000;
const MOST_REFERENCES = 10_000;

/** A value and where it comes from. */
export interface IniValue {
  readonly text: string;
  /** Number of the line it begins on, from 1. */
  readonly line: number;
  /** The line of an offset in `text`. */
  lineAt(offset: number): number;
  /** As in {@linkcode IniOption}. */
  readonly flag?: string | undefined;
}

interface Expansion {
  readonly option: IniOption;
  readonly section: string;
  readonly key: string;
  readonly lookUp: (key: string) => IniOption | undefined;
  readonly names: () => string[];
  readonly file: string;
  readonly parts: string[];
  characters: number;
  references: number;
}

/**
 * The value of a key, from its section or from `[DEFAULT]`, with what it
 * refers to put in; undefined where neither has the key.
 *
 * @throws {InputError} If a reference is wrong, endless or too large.
 */
export function iniValue(
  ini: IniFile,
  { section, key }: { section: string; key: string },
): IniValue | undefined {
  const own = ini.sections.get(section);
  const lookUp = (name: string) =>
    own?.options.get(name) ?? ini.defaults.get(name);
  const option = lookUp(key);
  if (own === undefined || option === undefined) return undefined;
  const { raw, line, lines, flag } = option;
  if (flag !== undefined || !raw.includes("%")) {
    return {
      text: raw,
      line,
      lineAt: (offset) => lineOf(raw, { offset, lines }),
      flag,
    };
  }
  const expansion: Expansion = {
    option,
    section,
    key,
    lookUp,
    names: () => [...own.options.keys(), ...ini.defaults.keys()],
    file: ini.file,
    parts: [],
    characters: 0,
    references: 0,
  };
  expand(raw, { expansion, depth: 1 });
  return { text: expansion.parts.join(""), line, lineAt: () => line };
}

function lineOf(
  text: string,
  { offset, lines }: { offset: number; lines: readonly number[] },
): number {
  let index = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset;) {
    index++;
    at = text.indexOf("\n", at + 1);
  }
  return lines[Math.min(index, lines.length - 1)]!;
}

function expand(
  value: string,
  { expansion, depth }: { expansion: Expansion; depth: number },
): void {
  if (depth > DEEPEST) {
    throw fault(
      expansion,
      `refers to itself, or over more than ${DEEPEST} keys`,
    );
  }
  let position = 0;
  while (position < value.length) {
    const percent = value.indexOf("%", position);
    const end = percent < 0 ? value.length : percent;
    append(expansion, value.slice(position, end));
    if (percent < 0) return;
    const next = value[percent + 1];
    if (next === "%") {
      append(expansion, "%");
      position = percent + 2;
      continue;
    }
    const close = next === "(" ? value.indexOf(")", percent + 2) : -1;
    if (close < percent + 3 || value[close + 1] !== "s") {
      throw fault(
        expansion,
        `has a "%" that is neither "%%" nor "%(key)s", at ${
          quote(value.slice(percent, percent + 20))
        }`,
      );
    }
    const name = value.slice(percent + 2, close).toLowerCase();
    const target = expansion.lookUp(name);
    if (target === undefined) {
      throw fault(
        expansion,
        `refers to the key ${quote(name)}, which neither [${
          shorten(expansion.section)
        }] nor [DEFAULT] has${didYouMean(name, expansion.names())}`,
      );
    }
    if (++expansion.references > MOST_REFERENCES) {
      throw fault(
        expansion,
        `refers more than ${MOST_REFERENCES} times to keys`,
      );
    }
    if (target.flag === undefined && target.raw.includes("%")) {
      expand(target.raw, { expansion, depth: depth + 1 });
    } else append(expansion, target.raw);
    position = close + 2;
  }
}

function append(expansion: Expansion, text: string): void {
  expansion.parts.push(text);
  expansion.characters += text.length;
  if (expansion.characters > MOST_CHARACTERS) {
    throw fault(
      expansion,
      `grows to more than ${MOST_CHARACTERS} characters by its references`,
    );
  }
}

function fault(
  { file, option, section, key }: Expansion,
  problem: string,
): Error {
  return configError(
    { file, line: option.line },
    `[${shorten(section)}] ${shorten(key)} ${problem}`,
  );
}
