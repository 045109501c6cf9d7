/**
 * Takes values out of a JSON object, and says where one is not what it should
 * be.
 *
 * @module
 */

import { parseJson } from "../files/json.ts";
import { InputError } from "../files/input_error.ts";

/** A plain value, as a grid or a task's parameter has it. */
export type Plain = number | string | boolean;

/** Which numbers are allowed. */
export interface NumberRange {
  readonly from?: number;
  readonly to?: number;
}

/** A value in words, cut to a length that fits a message. */
function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The members of a JSON object; every method throws an `InputError` that names file and member. */
export class JsonFields {
  constructor(
    readonly members: Readonly<Record<string, unknown>>,
    /** File, and the way from its top to this object. */
    readonly place: { readonly name: string; readonly path: string },
  ) {}

  /** Throws that a member is not what it should be. */
  fail(key: string, wanted: string): never {
    throw new InputError(
      `Cannot read "${this.place.name}": ${
        this.#path(key)
      } must be ${wanted}, found ${show(this.#get(key))}`,
    );
  }

  /** Whether there is such a member. */
  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  string(key: string): string {
    const value = this.#get(key);
    return typeof value === "string" ? value : this.fail(key, "a string");
  }

  choice<T extends string>(key: string, choices: readonly T[]): T {
    const value = choices.find((choice) => choice === this.#get(key));
    return value ??
      this.fail(key, choices.map((choice) => `"${choice}"`).join(" or "));
  }

  boolean(key: string): boolean {
    const value = this.#get(key);
    return typeof value === "boolean" ? value : this.fail(key, "true or false");
  }

  number(
    key: string,
    { above, to }: { readonly above: number; readonly to: number },
  ): number {
    const value = this.#get(key);
    return typeof value === "number" && value > above && value <= to
      ? value
      : this.fail(key, `a number above ${above} and at most ${to}`);
  }

  integer(
    key: string,
    { from = 0, to = Number.MAX_SAFE_INTEGER }: NumberRange = {},
  ): number {
    const value = this.#get(key);
    return typeof value === "number" && Number.isInteger(value) &&
        value >= from && value <= to
      ? value
      : this.fail(key, `an integer from ${from} to ${to}`);
  }

  /** An object of its own; `undefined` where there is none. */
  optional(key: string): JsonFields | undefined {
    return this.#get(key) === undefined ? undefined : this.object(key);
  }

  object(key: string): JsonFields {
    const value = this.#get(key);
    return isObject(value)
      ? new JsonFields(value, { ...this.place, path: this.#path(key) })
      : this.fail(key, "an object");
  }

  objects(key: string): JsonFields[] {
    return this.#list(key).map((item, i) =>
      isObject(item)
        ? new JsonFields(item, {
          ...this.place,
          path: `${this.#path(key)}[${i}]`,
        })
        : this.fail(key, "a list of objects")
    );
  }

  strings(key: string): string[] {
    return this.#list(key).map((item) =>
      typeof item === "string" ? item : this.fail(key, "a list of strings")
    );
  }

  /** A list of integers from 0 and below `below`. */
  integers(key: string, { below }: { readonly below: number }): number[] {
    return this.#list(key).map((item) =>
      Number.isInteger(item) && Number(item) >= 0 && Number(item) < below
        ? Number(item)
        : this.fail(key, `a list of integers from 0 to ${below - 1}`)
    );
  }

  /** An object of plain values. */
  plain(key: string): Record<string, Plain> {
    return Object.fromEntries(
      Object.entries(this.object(key).members).map(([name, value]) =>
        isPlain(value)
          ? [name, value]
          : this.fail(key, "an object of numbers, strings and booleans")
      ),
    );
  }

  /** A list of lists of plain values, each of the same length. */
  table(key: string, columns: number): Plain[][] {
    return this.#list(key).map((row) =>
      Array.isArray(row) && row.length === columns && row.every(isPlain)
        ? row
        : this.fail(key, `a list of lists of ${columns} plain values`)
    );
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.members, key) ? this.members[key] : undefined;
  }

  #path(key: string): string {
    return this.place.path === "" ? key : `${this.place.path}.${key}`;
  }

  #list(key: string): unknown[] {
    const value = this.#get(key);
    return Array.isArray(value) ? value : this.fail(key, "a list");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "number" || typeof value === "string" ||
    typeof value === "boolean";
}

/**
 * Reads the text of a JSON object.
 *
 * @throws {InputError} If it is no JSON, no object, or has a key twice.
 */
export function parseJsonObject(text: string, name: string): JsonFields {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`Cannot read "${name}": it ${error.message}`, {
      cause: error,
    });
  }
  if (!isObject(value)) {
    throw new InputError(
      `Cannot read "${name}": it must hold a JSON object, found ${show(value)}`,
    );
  }

  return new JsonFields(value, { name, path: "" });
}
