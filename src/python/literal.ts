/**
 * Python literals, read as data: what `ast.literal_eval` takes, without sets,
 * bytes, complex numbers and `\N{name}`. Nothing is evaluated, and nesting is
 * limited. One reader for configs, headers of `.npy` files and
 * `folder_index.txt`.
 *
 * Source: https://docs.python.org/3/reference/lexical_analysis.html
 *
 * @module
 */

import { nearestNames } from "../text/words.ts";

/** Text is no Python literal; `offset` says where. The message is a part of a sentence. */
export class PythonLiteralError extends SyntaxError {
  override name = "PythonLiteralError";

  /** @param offset Where in the text, in UTF-16 units from 0. */
  constructor(problem: string, readonly offset: number) {
    super(problem);
  }
}

/** A value of Python; `at` is where it begins in the text. */
export type PythonValue =
  & { readonly at: number }
  & (
    | { readonly kind: "none" }
    | { readonly kind: "boolean"; readonly value: boolean }
    | { readonly kind: "integer"; readonly value: bigint }
    | { readonly kind: "float"; readonly value: number }
    | { readonly kind: "string"; readonly value: string }
    | {
      readonly kind: "list" | "tuple";
      readonly items: readonly PythonValue[];
    }
    | { readonly kind: "dict"; readonly entries: readonly PythonEntry[] }
  );

/** A key of a dict and its value. */
export interface PythonEntry {
  readonly key: PythonValue;
  readonly value: PythonValue;
}

/** Brackets may be nested this deep. */
const DEEPEST = 50;

const CLOSING = { "(": ")", "[": "]", "{": "}" } as const;

/**
 * Reads a literal: a dict, list, tuple, string, number, True, False or None.
 *
 * @throws {PythonLiteralError} If the text is anything else; it says where.
 *
 * @example
 * ```ts
 * import { parsePythonLiteral } from "./src/python/literal.ts";
 *
 * const value = parsePythonLiteral('{"lr": [0.0001, 1e-6]}');
 * value.kind; // "dict"
 * ```
 */
export function parsePythonLiteral(text: string): PythonValue {
  // As Python reads source: blanks before the first line only, one kind of line end, no NUL.
  const [start = ""] = /^[ \t]*(?:[ \t\f]*(?:#.*)?\r?\n)*/.exec(text) ?? [];
  if (start.includes("\n") && /^[ \t]+[^#\s]/.test(text.slice(start.length))) {
    throw new PythonLiteralError("the value is indented", start.length);
  }
  const nul = text.indexOf("\0");
  if (nul >= 0) throw new PythonLiteralError("found a NUL character", nul);
  return new Parser(text).whole();
}

/** The part of a key that can't be one in Python. */
function unhashable(key: PythonValue): "list" | "dict" | undefined {
  if (key.kind === "list" || key.kind === "dict") return key.kind;
  if (key.kind !== "tuple") return undefined;
  for (const item of key.items) {
    const part = unhashable(item);
    if (part !== undefined) return part;
  }
  return undefined;
}

class Parser {
  #position = 0;
  #depth = 0;

  constructor(readonly text: string) {}

  /** The value that the whole text is; a comma after it makes a tuple, also without brackets. */
  whole(): PythonValue {
    this.#skip(true);
    const first = this.#value();
    const items = [first];
    let comma = false;
    for (;;) {
      this.#skip();
      if (this.text[this.#position] !== ",") break;
      comma = true;
      this.#position++;
      this.#skip();
      if (/^(?:[\r\n]|$)/.test(this.text.slice(this.#position))) break;
      items.push(this.#value());
    }
    this.#skip(true);
    if (this.#position < this.text.length) {
      throw this.#error(`found ${this.#here()} after the end of the value`);
    }
    return comma ? { kind: "tuple", at: first.at, items } : first;
  }

  /** Skips blanks and comments, and line ends inside brackets, as Python does. */
  #skip(linesToo = this.#depth > 0): void {
    for (;;) {
      const character = this.text[this.#position];
      if (
        character === " " || character === "\t" || character === "\f" ||
        (linesToo && (character === "\n" || character === "\r"))
      ) this.#position++;
      else if (character === "\\" && this.text[this.#position + 1] === "\n") {
        this.#position += 2;
        if (this.#position === this.text.length) {
          throw this.#error("the text ends where the line should go on");
        }
      } else if (character === "#") {
        const end = this.text.indexOf("\n", this.#position);
        this.#position = end < 0 ? this.text.length : end;
      } else return;
    }
  }

  #value(): PythonValue {
    const at = this.#position;
    const character = this.text[at] ?? "";
    if (character === "{") return this.#dict();
    if (character === "[") return { kind: "list", at, items: this.#items() };
    if (character === "(") return this.#parentheses();
    if (character === "+" || character === "-") return this.#signed();
    if (/[0-9.]/.test(character)) return this.#number();
    if (character === '"' || character === "'") return this.#strings();
    if (/[\p{L}_]/u.test(character)) return this.#name();
    throw this.#error(
      character === ""
        ? "the text ends where a value is needed"
        : `found ${this.#here()} where a value is needed`,
    );
  }

  #dict(): PythonValue {
    const at = this.#position;
    const entries: PythonEntry[] = [];
    this.#inBrackets("{", () => {
      const key = this.#value();
      const part = unhashable(key);
      if (part !== undefined) {
        throw new PythonLiteralError(
          `a ${part} can't be ${
            part === key.kind ? "" : "in "
          }the key of a dict`,
          key.at,
        );
      }
      this.#skip();
      if (this.text[this.#position] !== ":") {
        throw this.#error(`needs ":" after a key, found ${this.#here()}`);
      }
      this.#position++;
      this.#skip();
      entries.push({ key, value: this.#value() });
    });
    return { kind: "dict", at, entries };
  }

  #items(): PythonValue[] {
    const items: PythonValue[] = [];
    this.#inBrackets(this.text[this.#position] as "[" | "(", () => {
      items.push(this.#value());
    });
    return items;
  }

  /** A tuple, or a value in parentheses: the comma makes the tuple. */
  #parentheses(): PythonValue {
    const at = this.#position;
    const items: PythonValue[] = [];
    const comma = this.#inBrackets("(", () => {
      items.push(this.#value());
    });
    const [first] = items;
    return first !== undefined && items.length === 1 && !comma
      ? first
      : { kind: "tuple", at, items };
  }

  /** Reads comma-separated items up to the closing bracket; returns whether the last one had a comma. */
  #inBrackets(open: keyof typeof CLOSING, item: () => void): boolean {
    const start = this.#position;
    if (++this.#depth > DEEPEST) {
      throw this.#error(`more than ${DEEPEST} brackets inside one another`);
    }
    this.#position++;
    let comma = false;
    for (let first = true;; first = false) {
      this.#skip();
      const character = this.text[this.#position];
      if (character === CLOSING[open]) break;
      if (character === undefined) {
        throw new PythonLiteralError(
          `"${open}" is never closed by "${CLOSING[open]}"`,
          start,
        );
      }
      if (!first && !comma) {
        throw this.#error(
          `needs "," or "${CLOSING[open]}", found ${this.#here()}`,
        );
      }
      item();
      this.#skip();
      comma = this.text[this.#position] === ",";
      if (comma) this.#position++;
    }
    this.#position++;
    this.#depth--;
    return comma;
  }

  #number(): PythonValue {
    const at = this.#position;
    const number = scanNumber(this.text, at);
    this.#position = number.end;
    return number.kind === "integer"
      ? { kind: "integer", at, value: number.value }
      : { kind: "float", at, value: number.value };
  }

  /** One sign and a number; Python takes no second sign here, and brackets. */
  #signed(): PythonValue {
    const at = this.#position;
    const negative = this.text[this.#position++] === "-";
    this.#skip();
    const start = this.#position;
    if (!/[0-9.(]/.test(this.text[start] ?? "")) {
      throw this.#error(`needs a number after a sign, found ${this.#here()}`);
    }
    const number = this.#value();
    const isSigned = /[+-]/.test(this.text[number.at] ?? "");
    if (number.kind === "integer" && !isSigned) {
      return { ...number, at, value: negative ? -number.value : number.value };
    }
    if (number.kind === "float" && !isSigned) {
      return { ...number, at, value: negative ? -number.value : number.value };
    }
    throw new PythonLiteralError("a sign needs a number after it", start);
  }

  /** One string, or several side by side, which Python joins. */
  #strings(): PythonValue {
    const at = this.#position;
    const parts: string[] = [];
    do {
      const string = scanString(this.text, this.#position);
      parts.push(string.value);
      this.#position = string.end;
      this.#skip();
    } while (this.#stringFollows());
    return { kind: "string", at, value: parts.join("") };
  }

  #stringFollows(): boolean {
    return /^(?:[rRuU]?['"])/.test(
      this.text.slice(this.#position, this.#position + 2),
    );
  }

  #name(): PythonValue {
    if (this.#stringFollows()) return this.#strings();
    const at = this.#position;
    const start = this.text.slice(at, at + 100);
    const name = /^[\p{L}\p{N}_]+/u.exec(start)?.[0] ?? "";
    if (/^['"]/.test(start.slice(name.length))) {
      throw this.#error(`strings with the prefix ${name} are not allowed`);
    }
    this.#position += name.length;
    if (name === "True" || name === "False") {
      return { kind: "boolean", at, value: name === "True" };
    }
    if (name === "None") return { kind: "none", at };
    const [near] = nearestNames(name, ["True", "False", "None"]);
    throw new PythonLiteralError(
      near === undefined
        ? `found the name ${name}, but text needs quotes and nothing is computed here`
        : `found the name ${name} (did you mean ${near}?)`,
      at,
    );
  }

  /** The next character, for messages. */
  #here(): string {
    const code = this.text.codePointAt(this.#position);
    return code === undefined
      ? "the end"
      : JSON.stringify(String.fromCodePoint(code));
  }

  #error(problem: string): PythonLiteralError {
    return new PythonLiteralError(problem, this.#position);
  }
}

/** A number and where it ends. */
type ScannedNumber =
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
function scanNumber(text: string, start: number): ScannedNumber {
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
function scanString(
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
    if (
      character === undefined ||
      ((character === "\n" || character === "\r") && !long)
    ) {
      throw new PythonLiteralError("a string is never closed", start);
    }
    if (character === "\r") {
      value += "\n";
      position += text[position + 1] === "\n" ? 2 : 1;
    } else if (character !== "\\") {
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
    throw new PythonLiteralError(
      "\\N{name} is not read; write the character itself",
      start,
    );
  }
  // Python keeps the backslash of an escape that it does not know.
  return { value: `\\${letter}`, end: start + 1 + letter.length };
}
