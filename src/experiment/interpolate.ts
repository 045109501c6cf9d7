/**
 * `%(name)s` in values, as `BasicInterpolation` of Python's configparser
 * replaces it.
 *
 * Source: https://docs.python.org/3/library/configparser.html#interpolation-of-values
 *
 * @module
 */

import type { IniFile, IniOption } from "./ini.ts";
import { configError } from "./messages.ts";
import { didYouMean } from "../text/did_you_mean.ts";
import { quote, shorten } from "../text/words.ts";

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
 *
 * @example
 * ```ts
 * import { readIni } from "./src/experiment/ini.ts";
 * import { iniValue } from "./src/experiment/interpolate.ts";
 *
 * const ini = readIni("[paths]\nhome = /data\nnets = %(home)s/nets", { file: "config.ini" });
 * iniValue(ini, { section: "paths", key: "nets" })?.text; // "/data/nets"
 * ```
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
  const { raw, line, lines } = option;
  if (!raw.includes("%")) {
    return {
      text: raw,
      line,
      lineAt: (offset) => lineOf(raw, { offset, lines }),
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
  return lines[Math.min(index, lines.length - 1)] as number;
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
    if (target.raw.includes("%")) {
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
