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

import { parseIni } from "../compat/ini.ts";
import { configError } from "./messages.ts";
import { quote, shorten } from "../text/words.ts";
import { indentOf, splitLines, strip, stripEnd } from "../python/text.ts";

/** A key of a section. */
export interface IniOption {
  /** Before interpolation. */
  readonly raw: string;
  /** Number of the line it begins on, from 1. */
  readonly line: number;
  /** Number of the line of each line of `raw`. */
  readonly lines: readonly number[];
}

/** A section. */
export interface IniSection {
  /** Number of the line of its header, from 1. */
  readonly line: number;
  /** What stands in the section itself, by key in lower case. */
  readonly options: ReadonlyMap<string, IniOption>;
}

/** A config file. */
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

interface DraftOption {
  readonly parts: string[];
  readonly lines: number[];
}

interface DraftSection {
  readonly line: number;
  readonly options: Map<string, DraftOption>;
}

/**
 * Reads a config file's text.
 *
 * @throws {InputError} If configparser would refuse it; the message names the line.
 *
 * @example
 * ```ts
 * import { readIni } from "./src/experiment/ini.ts";
 *
 * const ini = readIni("[net]\nrnn_size = 55", { file: "config.ini" });
 * ini.sections.get("net")?.options.get("rnn_size")?.raw; // "55"
 * ```
 */
export function readIni(text: string, { file }: { file: string }): IniFile {
  const draft = scanLines(splitLines(text), file);
  const entries = parseIni(toPlainIni(draft));
  const sections = new Map<string, IniSection>();
  for (const [name, section] of draft) {
    const values = entries.get(encode(name));
    const options = new Map<string, IniOption>();
    for (const [key, { lines }] of section.options) {
      const value = values?.get(encode(key));
      if (value === undefined) throw new TypeError(`Key ${key} got lost`);
      const raw = decode(value);
      options.set(key, { raw, line: lines[0] as number, lines });
    }
    sections.set(name, { line: section.line, options });
  }
  const defaults = sections.get(DEFAULT_SECTION)?.options ?? new Map();
  sections.delete(DEFAULT_SECTION);
  return { file, sections, defaults };
}

/** Sections and keys as configparser finds them. */
function scanLines(
  lines: readonly string[],
  file: string,
): Map<string, DraftSection> {
  const sections = new Map<string, DraftSection>();
  let section: { name: string; options: Map<string, DraftOption> } | undefined;
  let option: DraftOption | undefined;
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
        `[${shorten(section.name)}] has ${quote(key)} twice, first on line ${
          earlier.lines[0]
        }`,
      );
    }
    option = { parts: [value], lines: [line] };
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
  sections: Map<string, DraftSection>,
  { name, line, file }: { name: string; line: number; file: string },
): DraftSection {
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

/** The same entries, one line each, in letters that every INI reader takes alike. */
function toPlainIni(sections: ReadonlyMap<string, DraftSection>): string {
  const lines: string[] = [];
  for (const [name, { options }] of sections) {
    lines.push(`[${encode(name)}]`);
    for (const [key, { parts }] of options) {
      const value = stripEnd(parts.join("\n"));
      lines.push(`${encode(key)}=${encode(value)}`);
    }
  }
  return lines.join("\n");
}

/** The `x` keeps names off `__proto__` and values off `null` and numbers. */
function encode(text: string): string {
  return "x" + text.replace(
    /[^0-9A-Za-z_]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function decode(text: string): string {
  return text.slice(1).replace(
    /%([0-9a-f]{4})/g,
    (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
