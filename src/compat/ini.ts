/**
 * A second reader of INI text, `parse` of `@std/ini`, where JSR can be reached.
 *
 * A config file is in the dialect of Python's configparser, which `@std/ini`
 * does not read: `src/experiment/configparser.ts` does. But what a results folder
 * records as the config that counts is to be plain enough for any reader, and
 * `@std/ini` checks that.
 *
 * @module
 */

import { loadStd } from "./load_std.ts";

/** The part of `@std/ini` that is used. */
export interface StdIni {
  parse(
    text: string,
    options: { reviver: (key: string, value: unknown) => unknown },
  ): Record<string, unknown>;
}

/**
 * The first key, as `[section] key`, that `@std/ini` reads otherwise than the
 * entries have it; undefined where all are the same, or where JSR can't be
 * reached.
 *
 * @param library The library to use; default `@std/ini` where it can be had.
 */
export async function readOtherwise(
  text: string,
  { entries, library }: {
    /** Texts by section and key. */
    readonly entries: ReadonlyMap<string, ReadonlyMap<string, string>>;
    readonly library?: StdIni;
  },
): Promise<string | undefined> {
  const std = library ??
    await loadStd("@std/ini", "parse") as StdIni | undefined;
  if (std === undefined) return undefined;
  // Without a reviver, versions differ in whether values turn into numbers.
  const record = std.parse(text, { reviver: (_key, value) => value });
  for (const [section, keys] of entries) {
    const found = Object(record[section]) as Record<string, unknown>;
    for (const [key, value] of keys) {
      const isSame = Object.hasOwn(found, key) && found[key] === value;
      if (!isSame) return `[${section}] ${key}`;
    }
  }
  return undefined;
}
