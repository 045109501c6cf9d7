/**
 * Number literals of Python.
 *
 * Source: https://docs.python.org/3/reference/lexical_analysis.html#numeric-literals
 *
 * @module
 */

import { PythonLiteralError } from "./python_literal_error.ts";

/** A number and where it ends. */
export type ScannedNumber =
  & { readonly end: number }
  & (
    | { readonly kind: "integer"; readonly value: bigint }
    | { readonly kind: "float"; readonly value: number }
  );

/** Python itself refuses to read more decimal digits than this. */
const MOST_DIGITS = 4300;

const DIGITS = "[0-9](?:_?[0-9])*";
const FLOAT = new RegExp(
  `^(?:(?:${DIGITS})?\\.${DIGITS}|${DIGITS}\\.?)(?:[eE][+-]?${DIGITS})?$`,
);
const DECIMAL = new RegExp(`^(?:[1-9](?:_?[0-9])*|0(?:_?0)*)$`);
const BASED = /^0(?:[xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)$/;

/**
 * Reads the number that begins at a place.
 *
 * @throws {PythonLiteralError} If there is none.
 */
export function scanNumber(text: string, start: number): ScannedNumber {
  const end = endOfWord(text, start);
  const word = text.slice(start, end);
  if (word.length > MOST_DIGITS) {
    throw new PythonLiteralError(
      `a number has more than ${MOST_DIGITS} digits`,
      start,
    );
  }
  const plain = word.replaceAll("_", "");
  if (DECIMAL.test(word) || BASED.test(word)) {
    return { kind: "integer", value: BigInt(plain), end };
  }
  if (FLOAT.test(word) && /[.eE]/.test(word)) {
    return { kind: "float", value: Number(plain), end };
  }
  const shown = word.length > 40 ? `${word.slice(0, 40)}…` : word;
  throw new PythonLiteralError(`found ${shown}, which is no number`, start);
}

/** Goes over letters, digits, `_`, `.` and the sign of an exponent. */
function endOfWord(text: string, start: number): number {
  const hexadecimal = /^0[xX]/.test(text.slice(start, start + 2));
  let end = start;
  while (end < text.length) {
    const character = text[end] as string;
    const isExponentSign = (character === "+" || character === "-") &&
      !hexadecimal && /[eE]/.test(text[end - 1] ?? "");
    if (!isExponentSign && !/[\p{L}\p{N}_.]/u.test(character)) break;
    end++;
  }
  return end;
}
