/**
 * Python's `repr`, as the original program writes it to `folder_index.txt`.
 *
 * @module
 */

import type { PythonValue } from "./literal.ts";

/**
 * `repr` of a float: the shortest digits that give the number back, as in
 * JavaScript, but with an exponent below 1e-4 and from 1e16, of two digits at
 * least, and with `.0` where nothing else tells a float from an integer.
 *
 * @example
 * ```ts
 * import { reprFloat } from "./src/python/repr.ts";
 *
 * reprFloat(0.000001); // "1e-06"
 * reprFloat(3); // "3.0"
 * ```
 */
export function reprFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const [mantissa, power] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const plain = Object.is(value, -0) ? "-0" : String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** `repr` of a string: single quotes, or double ones where that saves escapes. */
export function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  // Apart from quotes and backslashes, what `str.isprintable()` is false for.
  const body = text.replace(/['"\\\p{C}\p{Z}]/gu, (character) => {
    if (character === quote) return `\\${character}`;
    if (/[ '"]/.test(character)) return character;
    return ESCAPES[character] ?? escapeCode(character.codePointAt(0)!);
  });
  return quote + body + quote;
}

function escapeCode(code: number): string {
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000
    ? `\\u${hex.padStart(4, "0")}`
    : `\\U${hex.padStart(8, "0")}`;
}

/** `repr` of a tuple whose items have been written already; a single item keeps its comma. */
export function reprTuple(items: readonly string[]): string {
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
}

/**
 * `repr` of any value that a literal may hold.
 */
export function reprPython(value: PythonValue): string {
  switch (value.kind) {
    case "none":
      return "None";
    case "boolean":
      return value.value ? "True" : "False";
    case "integer":
      return `${value.value}`;
    case "float":
      return reprFloat(value.value);
    case "string":
      return reprString(value.value);
    case "list":
      return `[${value.items.map(reprPython).join(", ")}]`;
    case "tuple":
      return reprTuple(value.items.map(reprPython));
    case "dict":
      return `{${
        value.entries.map(({ key, value }) =>
          `${reprPython(key)}: ${reprPython(value)}`
        ).join(", ")
      }}`;
  }
}
