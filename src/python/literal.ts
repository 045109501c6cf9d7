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
interface PythonEntry {
  readonly key: PythonValue;
  readonly value: PythonValue;
}

const DEEPEST = 50;

const CLOSING = { "(": ")", "[": "]", "{": "}" } as const;

/**
 * Reads a literal: a dict, list, tuple, string, number, True, False or None.
 *
 * @param refuse Throws what is to be said where the text is anything else; default the error itself.
 */
export function parsePythonLiteral(
  text: string,
  refuse: (error: PythonLiteralError) => never = (error) => {
    throw error;
  },
): PythonValue {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof PythonLiteralError)) throw error;
    return refuse(error);
  }
}

function parse(text: string): PythonValue {
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
  return key.kind === "tuple"
    ? key.items.map(unhashable).find((part) => part !== undefined)
    : undefined;
}

/** Python itself refuses to read more decimal digits than this. */
const MOST_DIGITS = 4300;

// What the parser looks for at its place. No loop over a choice is without a bound: it would take V8's stack.
const BLANK = /[ \t\f]+|\\\n|#[^\n]*/y;
const BLANK_OR_LINE = /[ \t\f\n\r]+|\\\n|#[^\n]*/y;
const STRING = /[rRuU]?(?:'''|"""|'|")/y;
const PIECE_OF_STRING = /[^\\\r\n'"]+|\\[^]|\r\n|[^]/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]{0,99}/yu;
/** Digits and what may be meant to be some; a sign after an e is the exponent's. */
const NUMBER =
  /0[xX][\p{L}\p{N}_.]{0,4300}|[0-9.](?:(?<=[eE])[+-]|[\p{L}\p{N}_.]){0,4300}/yu;

const INTEGER =
  /^(?:[1-9](?:_?[0-9])*|0(?:_?0)*|0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+)$/;
const DIGITS = "[0-9](?:_?[0-9])*";
const FLOAT = new RegExp(
  `^(?:(?:${DIGITS})?\\.${DIGITS}|${DIGITS}\\.?)(?:[eE][+-]?${DIGITS})?$`,
);

/** What stands for one character each. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Number of hexadecimal digits after `\x`, `\u` and `\U`. */
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

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
    while (this.#comma()) {
      comma = true;
      if (/[\r\n]/.test(this.text[this.#position] ?? "\n")) break;
      items.push(this.#value());
    }
    this.#skip(true);
    if (this.#position < this.text.length) {
      throw this.#error(`found ${this.#here()} after the end of the value`);
    }
    return comma ? { kind: "tuple", at: first.at, items } : first;
  }

  /** What a sticky pattern finds here, which is passed over; "" where it finds nothing. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.#position += found.length;
    return found;
  }

  /** Skips blanks and comments, and line ends inside brackets, as Python does. */
  #skip(linesToo = this.#depth > 0): void {
    const blank = linesToo ? BLANK_OR_LINE : BLANK;
    let found: string;
    do {
      found = this.#take(blank);
      if (found === "\\\n" && this.#position === this.text.length) {
        throw this.#error("the text ends where the line should go on");
      }
    } while (found !== "");
  }

  /** Passes over a comma with the blanks around it, if there is one. */
  #comma(): boolean {
    this.#skip();
    if (this.text[this.#position] !== ",") return false;
    this.#position++;
    this.#skip();
    return true;
  }

  #value(): PythonValue {
    const at = this.#position;
    const character = this.text[at] ?? "";
    if (character === "{") {
      const { items } = this.#inBrackets("{", () => this.#entry());
      return { kind: "dict", at, entries: items };
    }
    if (character === "[" || character === "(") {
      const { items, comma } = this.#inBrackets(
        character,
        () => this.#value(),
      );
      if (character === "[") return { kind: "list", at, items };
      // The comma makes the tuple.
      return items.length === 1 && !comma
        ? items[0]!
        : { kind: "tuple", at, items };
    }
    if (character === "+" || character === "-") return this.#signed(at);
    if (/[0-9.]/.test(character)) return this.#number(at);
    let string = this.#string();
    if (string !== undefined) {
      // Several side by side are joined.
      let value = "";
      for (; string !== undefined; string = this.#string()) {
        value += string;
        this.#skip();
      }
      return { kind: "string", at, value };
    }
    const name = this.#take(NAME);
    if (name !== "") return this.#named(name, at);
    throw this.#error(
      character === ""
        ? "the text ends where a value is needed"
        : `found ${this.#here()} where a value is needed`,
    );
  }

  #entry(): PythonEntry {
    const key = this.#value();
    const part = unhashable(key);
    if (part !== undefined) {
      throw new PythonLiteralError(
        `a ${part} can't be ${part === key.kind ? "" : "in "}the key of a dict`,
        key.at,
      );
    }
    this.#skip();
    if (this.text[this.#position] !== ":") {
      throw this.#error(`needs ":" after a key, found ${this.#here()}`);
    }
    this.#position++;
    this.#skip();
    return { key, value: this.#value() };
  }

  /** The comma-separated items up to the closing bracket, and whether the last one had a comma. */
  #inBrackets<T>(
    open: keyof typeof CLOSING,
    item: () => T,
  ): { items: T[]; comma: boolean } {
    const start = this.#position;
    const close = CLOSING[open];
    if (++this.#depth > DEEPEST) {
      throw this.#error(`more than ${DEEPEST} brackets inside one another`);
    }
    this.#position++;
    this.#skip();
    const items: T[] = [];
    let comma = true;
    while (this.text[this.#position] !== close) {
      if (this.#position >= this.text.length) {
        throw new PythonLiteralError(
          `"${open}" is never closed by "${close}"`,
          start,
        );
      }
      if (!comma) {
        throw this.#error(`needs "," or "${close}", found ${this.#here()}`);
      }
      items.push(item());
      comma = this.#comma();
    }
    this.#position++;
    this.#depth--;
    return { items, comma };
  }

  #number(at: number): PythonValue {
    const word = this.#take(NUMBER);
    if (word.length > MOST_DIGITS) {
      throw new PythonLiteralError(
        `a number has more than ${MOST_DIGITS} digits`,
        at,
      );
    }
    const plain = word.replaceAll("_", "");
    if (INTEGER.test(word)) {
      return { kind: "integer", at, value: BigInt(plain) };
    }
    if (FLOAT.test(word) && /[.eE]/.test(word)) {
      return { kind: "float", at, value: Number(plain) };
    }
    const shown = word.length > 40 ? `${word.slice(0, 40)}…` : word;
    throw new PythonLiteralError(`found ${shown}, which is no number`, at);
  }

  /** One sign and a number; Python takes no second sign here, and brackets. */
  #signed(at: number): PythonValue {
    const isNegative = this.text[this.#position++] === "-";
    this.#skip();
    const start = this.#position;
    if (!/[0-9.(]/.test(this.text[start] ?? "")) {
      throw this.#error(`needs a number after a sign, found ${this.#here()}`);
    }
    const number = this.#value();
    const isPlain = !/[+-]/.test(this.text[number.at]!);
    if (isPlain && number.kind === "integer") {
      return {
        ...number,
        at,
        value: isNegative ? -number.value : number.value,
      };
    }
    if (isPlain && number.kind === "float") {
      return {
        ...number,
        at,
        value: isNegative ? -number.value : number.value,
      };
    }
    throw new PythonLiteralError("a sign needs a number after it", start);
  }

  /** The string that begins here: one or three quotes of either kind, maybe after `r` or `u`; undefined if none does. */
  #string(): string | undefined {
    const start = this.#position;
    const opening = this.#take(STRING);
    if (opening === "") return undefined;
    const isRaw = /^r/i.test(opening);
    const quote = opening.replace(/^\w/, "");
    let value = "";
    while (!this.text.startsWith(quote, this.#position)) {
      const at = this.#position;
      const piece = this.#take(PIECE_OF_STRING);
      if (piece === "" || (/^[\r\n]/.test(piece) && quote.length === 1)) {
        throw new PythonLiteralError("a string is never closed", start);
      }
      if (piece.startsWith("\\")) value += isRaw ? piece : this.#escaped(at);
      else value += piece.startsWith("\r") ? "\n" : piece;
    }
    this.#position += quote.length;
    return value;
  }

  /** What the escape stands for that begins at a place and whose letter has been passed over. */
  #escaped(at: number): string {
    const letter = this.text[at + 1] ?? "";
    const count = HEX_DIGITS[letter];
    if (count !== undefined) {
      const digits = this.#take(new RegExp(`[0-9a-fA-F]{${count}}`, "y"));
      const code = digits === "" ? Infinity : Number.parseInt(digits, 16);
      if (code <= 0x10ffff) return String.fromCodePoint(code);
      throw new PythonLiteralError(
        `\\${letter} needs the ${count} hexadecimal digits of a character`,
        at,
      );
    }
    if (letter === "N") {
      throw new PythonLiteralError(
        "\\N{name} is not read; write the character itself",
        at,
      );
    }
    if (/[0-7]/.test(letter)) {
      this.#position = at + 1;
      return String.fromCharCode(Number.parseInt(this.#take(/[0-7]{1,3}/y), 8));
    }
    // Python keeps the backslash of an escape that it does not know.
    return ESCAPES[letter] ?? `\\${letter}`;
  }

  #named(name: string, at: number): PythonValue {
    if (/["']/.test(this.text[this.#position] ?? "")) {
      throw new PythonLiteralError(
        `strings with the prefix ${name} are not allowed`,
        at,
      );
    }
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
