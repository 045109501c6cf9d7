/**
 * Python literals, read as data: what `ast.literal_eval` takes, without sets,
 * bytes and complex numbers. Nothing is evaluated, and nesting is limited.
 *
 * Source: https://docs.python.org/3/reference/lexical_analysis.html
 *
 * @module
 */

import { nearestNames } from "../text/did_you_mean.ts";
import { scanNumber } from "./python_number.ts";
import { scanString } from "./python_string.ts";
import { PythonLiteralError } from "./python_literal_error.ts";

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
 * import { parsePythonLiteral } from "./src/experiment/python_literal.ts";
 *
 * const value = parsePythonLiteral('{"lr": [0.0001, 1e-6]}');
 * value.kind; // "dict"
 * ```
 */
export function parsePythonLiteral(text: string): PythonValue {
  const parser = new Parser(text);
  parser.skip(true);
  const value = parser.value();
  parser.end();
  return value;
}

class Parser {
  #position = 0;
  #depth = 0;

  constructor(readonly text: string) {}

  /** Skips blanks and comments, and line ends inside brackets, as Python does. */
  skip(linesToo = this.#depth > 0): void {
    for (;;) {
      const character = this.text[this.#position];
      if (
        character === " " || character === "\t" || character === "\f" ||
        (linesToo && (character === "\n" || character === "\r"))
      ) this.#position++;
      else if (character === "\\" && this.text[this.#position + 1] === "\n") {
        this.#position += 2;
      } else if (character === "#") {
        const end = this.text.indexOf("\n", this.#position);
        this.#position = end < 0 ? this.text.length : end;
      } else return;
    }
  }

  end(): void {
    this.skip(true);
    if (this.#position < this.text.length) {
      throw this.#error(`found ${this.#here()} after the end of the value`);
    }
  }

  value(): PythonValue {
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
      const key = this.value();
      if (key.kind === "list" || key.kind === "dict") {
        throw new PythonLiteralError(
          `a ${key.kind} can't be the key of a dict`,
          key.at,
        );
      }
      this.skip();
      if (this.text[this.#position] !== ":") {
        throw this.#error(`needs ":" after a key, found ${this.#here()}`);
      }
      this.#position++;
      this.skip();
      entries.push({ key, value: this.value() });
    });
    return { kind: "dict", at, entries };
  }

  #items(): PythonValue[] {
    const items: PythonValue[] = [];
    this.#inBrackets(this.text[this.#position] as "[" | "(", () => {
      items.push(this.value());
    });
    return items;
  }

  /** A tuple, or a value in parentheses: the comma makes the tuple. */
  #parentheses(): PythonValue {
    const at = this.#position;
    const items: PythonValue[] = [];
    const comma = this.#inBrackets("(", () => {
      items.push(this.value());
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
      this.skip();
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
      this.skip();
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

  #signed(): PythonValue {
    const at = this.#position;
    let negative = false;
    while (/[+-]/.test(this.text[this.#position] ?? "")) {
      if (this.text[this.#position] === "-") negative = !negative;
      this.#position++;
      this.skip();
    }
    if (!/[0-9.]/.test(this.text[this.#position] ?? "")) {
      throw this.#error(`needs a number after a sign, found ${this.#here()}`);
    }
    const number = this.#number();
    if (number.kind === "integer") {
      return { ...number, at, value: negative ? -number.value : number.value };
    }
    if (number.kind === "float") {
      return { ...number, at, value: negative ? -number.value : number.value };
    }
    return number;
  }

  /** One string, or several side by side, which Python joins. */
  #strings(): PythonValue {
    const at = this.#position;
    const parts: string[] = [];
    do {
      const string = scanString(this.text, this.#position);
      parts.push(string.value);
      this.#position = string.end;
      this.skip();
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
