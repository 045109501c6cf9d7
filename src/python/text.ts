/**
 * How Python reads plain text: white space, lines, `int()`, `float()`
 * and `getboolean`.
 *
 * @module
 */

/** What `str.strip()` removes: not quite what `trim()` of JavaScript does. */
const WHITE_SPACE = new Set(
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000",
);

/** Number of white-space characters that a text begins with. */
export function indentOf(text: string): number {
  let start = 0;
  while (WHITE_SPACE.has(text[start]!)) start++;
  return start;
}

/** `str.rstrip()`. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (WHITE_SPACE.has(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** `str.strip()`. */
export function strip(text: string): string {
  return stripEnd(text.slice(indentOf(text)));
}

/** The lines of a text file as `open()` gives them, without a byte-order mark. */
export function splitLines(text: string): string[] {
  return text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
}

/**
 * `int(text)`, within the safe integers; undefined where Python would raise
 * ValueError.
 *
 * @example
 * ```ts
 * import { parsePythonInteger } from "./src/python/text.ts";
 *
 * parsePythonInteger(" 1_000 "); // 1000
 * parsePythonInteger("1.0"); // undefined
 * ```
 */
export function parsePythonInteger(text: string): number | undefined {
  const value = numberOf(text, INTEGER);
  // The sign of zero means nothing to an integer.
  return Number.isSafeInteger(value) ? value! + 0 : undefined;
}

/**
 * `float(text)` for finite numbers; undefined where Python would raise
 * ValueError or give no finite number.
 */
export function parsePythonFloat(text: string): number | undefined {
  const value = numberOf(text, FLOAT);
  return Number.isFinite(value) ? value : undefined;
}

const DIGITS = "\\d+(?:_\\d+)*";
const INTEGER = new RegExp(`^[+-]?${DIGITS}$`);
const FLOAT = new RegExp(
  `^[+-]?(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:[eE][+-]?${DIGITS})?$`,
);

function numberOf(text: string, written: RegExp): number | undefined {
  const stripped = strip(text);
  return stripped.length <= 100 && written.test(stripped)
    ? Number(stripped.replaceAll("_", ""))
    : undefined;
}

/** `getboolean` of configparser: 1/yes/true/on and 0/no/false/off in any case; undefined for all else. */
export function parsePythonBoolean(text: string): boolean | undefined {
  const written = text.toLowerCase();
  if (["1", "yes", "true", "on"].includes(written)) return true;
  return ["0", "no", "false", "off"].includes(written) ? false : undefined;
}
