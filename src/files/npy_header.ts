/**
 * The header of NumPy's array files: a Python dictionary of three entries,
 * read as data by a parser that knows nothing else.
 *
 * @module
 */

/** What the header says. */
export interface NpyHeader {
  /** Element type, e.g. `<f8`. */
  readonly descr: string;
  /** The first index is fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** NumPy itself allows 64 dimensions. */
const MAX_DIMENSIONS = 64;

const TOKEN = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|(\d+)L?|(True|False)|([{}(),:]))/y;

/** A token: text in quotes, a number, a word or a sign. */
type Token =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "sign"; readonly text: string }
  | { readonly kind: "end" };

/**
 * Reads the text of a header.
 *
 * @throws {SyntaxError} If it is none; the message goes on after "Cannot read the file:".
 *
 * @example
 * ```ts
 * import { parseNpyHeader } from "./src/files/npy_header.ts";
 *
 * parseNpyHeader("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }").shape; // [3, 4]
 * ```
 */
export function parseNpyHeader(text: string): NpyHeader {
  let position = 0;

  function next(): Token {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    if (match === null) {
      if (text.slice(position).trim() === "") return { kind: "end" };
      throw broken(`unexpected ${quote(text.slice(position))}`);
    }
    position = TOKEN.lastIndex;
    const string = match[1] ?? match[2];
    if (string !== undefined) return { kind: "text", text: string };
    if (match[3] !== undefined) {
      return { kind: "number", value: Number(match[3]) };
    }
    return { kind: "sign", text: (match[4] ?? match[5]) as string };
  }

  function expect(sign: string): void {
    const token = next();
    if (token.kind !== "sign" || token.text !== sign) {
      throw broken(`expected ${sign}, found ${describe(token)}`);
    }
  }

  /** Numbers and commas up to the closing bracket. */
  function tuple(): number[] {
    const numbers: number[] = [];
    expect("(");
    for (;;) {
      let token = next();
      if (token.kind === "sign" && token.text === ")") return numbers;
      if (token.kind !== "number" || !Number.isSafeInteger(token.value)) {
        throw broken(`the shape holds ${describe(token)}`);
      }
      numbers.push(token.value);
      if (numbers.length > MAX_DIMENSIONS) {
        throw broken(`the shape has more than ${MAX_DIMENSIONS} dimensions`);
      }
      token = next();
      if (token.kind === "sign" && token.text === ")") {
        // `(3)` is no tuple in Python, but a number in brackets.
        if (numbers.length > 1) return numbers;
        throw broken("the shape is no tuple");
      }
      if (token.kind !== "sign" || token.text !== ",") {
        throw broken(`the shape holds ${describe(token)}`);
      }
    }
  }

  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  expect("{");
  for (;;) {
    const key = next();
    if (key.kind === "sign" && key.text === "}") break;
    if (key.kind !== "text") {
      throw broken(`expected a key, found ${describe(key)}`);
    }
    expect(":");
    if (key.text === "descr" && descr === undefined) {
      const value = valueOf("descr", next);
      if (value.kind !== "text") {
        throw broken("its elements are records, not plain numbers");
      }
      descr = value.text;
    } else if (key.text === "fortran_order" && fortranOrder === undefined) {
      const value = next();
      if (
        value.kind !== "sign" ||
        (value.text !== "True" && value.text !== "False")
      ) {
        throw broken(`fortran_order is ${describe(value)}`);
      }
      fortranOrder = value.text === "True";
    } else if (key.text === "shape" && shape === undefined) {
      shape = tuple();
    } else {
      throw broken(`unexpected key ${quote(key.text)}`);
    }
    const sign = next();
    if (sign.kind === "sign" && sign.text === "}") break;
    if (sign.kind !== "sign" || sign.text !== ",") {
      throw broken(`expected a comma, found ${describe(sign)}`);
    }
  }
  if (next().kind !== "end") throw broken("text follows the dictionary");
  if (descr === undefined || fortranOrder === undefined || !shape) {
    throw broken("descr, fortran_order or shape is missing");
  }
  return { descr, fortranOrder, shape };
}

/** A list of fields begins with a bracket, which is no token of a header with plain numbers. */
function valueOf(key: string, next: () => Token): Token {
  try {
    return next();
  } catch (error) {
    if (error instanceof SyntaxError && key === "descr") {
      throw broken("its elements are records, not plain numbers");
    }
    throw error;
  }
}

function broken(what: string): SyntaxError {
  return new SyntaxError(`its NPY header is not valid: ${what}`);
}

function describe(token: Token): string {
  if (token.kind === "end") return "the end";
  return token.kind === "number" ? String(token.value) : quote(token.text);
}

function quote(text: string): string {
  return JSON.stringify(text.trim().slice(0, 20));
}
