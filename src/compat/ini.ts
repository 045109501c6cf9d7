/**
 * INI text, read by `parse` of `@std/ini`; where JSR can't be reached, by a
 * few lines here, with the same result for the plain text that
 * `src/experiment/ini.ts` hands over: `[section]` lines and `key=value` lines
 * of letters, digits, `_` and `%`.
 *
 * @module
 */

import { loadStd } from "./load_std.ts";

/** Values by section and key, in the order of the text. */
export type IniEntries = ReadonlyMap<string, ReadonlyMap<string, string>>;

type Reviver = (key: string, value: unknown, section?: string) => unknown;

interface StdIni {
  parse(text: string, options: { reviver: Reviver }): Record<string, unknown>;
}

const stdIni = await loadStd("@std/ini/parse") as StdIni | undefined;

/**
 * Reads `[section]` and `key=value` lines; every value stays text.
 *
 * @throws {SyntaxError} If a line is neither, or a key stands before the first section.
 *
 * @example
 * ```ts
 * import { parseIni } from "./src/compat/ini.ts";
 *
 * parseIni("[net]\nrnn_size=55").get("net")?.get("rnn_size"); // "55"
 * ```
 */
export function parseIni(text: string): IniEntries {
  return stdIni === undefined ? parseIniBuiltIn(text) : parseWithStd(text);
}

function parseWithStd(text: string): IniEntries {
  const record = (stdIni as StdIni).parse(text, {
    // Without a reviver, versions differ in whether values turn into numbers.
    reviver: (_key, value) => value,
  });
  const sections = new Map<string, ReadonlyMap<string, string>>();
  for (const [name, entries] of Object.entries(record)) {
    if (typeof entries !== "object" || entries === null) {
      throw new SyntaxError(`Key "${name}" stands before the first section`);
    }
    sections.set(
      name,
      new Map(
        Object.entries(entries).map(([key, value]) => [key, String(value)]),
      ),
    );
  }
  return sections;
}

/** What {@linkcode parseIni} does where `@std/ini` can't be had. */
export function parseIniBuiltIn(text: string): IniEntries {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  for (const [number, untrimmed] of text.split(/\r\n|\r|\n/).entries()) {
    const line = untrimmed.trim();
    if (line === "" || /^(?:#|;|\/\/)/.test(line)) continue;
    if (line.startsWith("[") && line.endsWith("]") && line.length > 2) {
      section = new Map();
      sections.set(line.slice(1, -1), section);
      continue;
    }
    const equals = line.indexOf("=");
    if (equals < 1) {
      throw new SyntaxError(
        `Line ${number + 1} is neither [section] nor key=value`,
      );
    }
    const key = line.slice(0, equals).trim();
    if (section === undefined) {
      throw new SyntaxError(`Key "${key}" stands before the first section`);
    }
    section.set(key, line.slice(equals + 1).trim());
  }
  return sections;
}
