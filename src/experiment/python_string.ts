/**
 * String literals of Python.
 *
 * Source: https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals
 *
 * @module
 */

import { PythonLiteralError } from "./python_literal_error.ts";

/** What stands for one character each. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\n", ""],
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);

/** Number of hexadecimal digits after `\x`, `\u` and `\U`. */
const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/**
 * Reads the string that begins at a place: one or three quotes of either
 * kind, maybe after `r` or `u`.
 *
 * @throws {PythonLiteralError} If it does not end, or an escape is wrong.
 */
export function scanString(
  text: string,
  start: number,
): { value: string; end: number } {
  const prefixed = /[rRuU]/.test(text[start] ?? "");
  const raw = prefixed && /[rR]/.test(text[start] ?? "");
  const open = prefixed ? start + 1 : start;
  const quote = text[open] as string;
  const long = text.startsWith(quote.repeat(3), open);
  const closing = long ? quote.repeat(3) : quote;
  let value = "";
  let position = open + closing.length;
  while (!text.startsWith(closing, position)) {
    const character = text[position];
    if (character === undefined || (character === "\n" && !long)) {
      throw new PythonLiteralError("a string is never closed", start);
    }
    if (character !== "\\") {
      value += character;
      position++;
    } else if (raw) {
      value += text.slice(position, position + 2);
      position += 2;
    } else {
      const escape = readEscape(text, position);
      value += escape.value;
      position = escape.end;
    }
  }
  return { value, end: position + closing.length };
}

function readEscape(
  text: string,
  start: number,
): { value: string; end: number } {
  const letter = text[start + 1] ?? "";
  const simple = ESCAPES.get(letter);
  if (simple !== undefined) return { value: simple, end: start + 2 };
  const octal = /^[0-7]{1,3}/.exec(text.slice(start + 1, start + 4))?.[0];
  if (octal !== undefined) {
    return {
      value: String.fromCharCode(Number.parseInt(octal, 8)),
      end: start + 1 + octal.length,
    };
  }
  const count = HEX_DIGITS.get(letter);
  if (count !== undefined) {
    const digits = text.slice(start + 2, start + 2 + count);
    const code = /^[0-9a-fA-F]+$/.test(digits) && digits.length === count
      ? Number.parseInt(digits, 16)
      : Infinity;
    if (code > 0x10ffff) {
      throw new PythonLiteralError(
        `\\${letter} needs the ${count} hexadecimal digits of a character`,
        start,
      );
    }
    return { value: String.fromCodePoint(code), end: start + 2 + count };
  }
  if (letter === "N") {
    throw new PythonLiteralError("\\N{name} is not allowed", start);
  }
  // Python keeps the backslash of an escape that it does not know.
  return { value: `\\${letter}`, end: start + 1 + letter.length };
}
