/**
 * Tables of text, as programs write them: their rows, read piece by piece, so that a
 * file may be larger than any text, and what their cells hold.
 *
 * @module
 */

import { cannotRead } from "../files/input_error.ts";
import type { ByteSource } from "../files/read.ts";

/** Is given each row of a table: its cells, and its number in the file from 1. */
type OnRow = (cells: readonly string[], row: number) => void;

/** Makes something of a table, row by row. */
export interface TableReader<Found> {
  readonly add: OnRow;
  /** @throws {InputError} With file and place, if the table does not hold that. */
  finish(): Found;
}

/** Lines that a cell in quotes may go over. */
const MOST_LINES = 10;

/**
 * Cuts the text of a table, piece by piece, into rows of cells without blanks
 * around them. Tabs, semicolons, commas or blanks stand between the cells, which may
 * be quoted. Empty lines are left out, and so are lines above the table that begin
 * with # or %; Excel's `sep=;` says what stands between the cells.
 *
 * @throws {InputError} With file and row, if a quote does not end, or stands within a cell.
 */
export class RowReader {
  #split: ((line: string) => string[] | undefined) | undefined;
  /** The line that may go on. */
  #rest = "";
  /** Lines before it of a cell that is in quotes. */
  #held: string[] = [];
  #row = 0;

  /** @param file What messages call the file. */
  constructor(readonly file: string, readonly onRow: OnRow) {}

  add(piece: string): void {
    const lines = (this.#rest + piece).split(/\r\n|\r|\n/);
    this.#rest = lines.pop()!;
    // A line break may be cut in two.
    if (piece.endsWith("\r")) this.#rest = `${lines.pop() ?? ""}\r`;
    for (const line of lines) this.#line(line);
  }

  end(): void {
    for (const line of this.#rest.split("\r")) this.#line(line);
    if (this.#held.length > 0) this.#wrongQuote();
  }

  #wrongQuote(): never {
    return cannotRead(this.file)(
      `row ${
        this.#row - Math.max(0, this.#held.length - 1)
      } has a quote that does not end or that stands within a cell`,
    );
  }

  #line(text: string): void {
    this.#row++;
    let line = this.#row === 1 ? text.replace(/^\uFEFF/, "") : text;
    const row = this.#row - this.#held.length;
    if (this.#held.length > 0) line = [...this.#held, line].join("\n");
    if (line.includes('"') && line.split('"').length % 2 === 0) {
      this.#held.push(text);
      if (this.#held.length >= MOST_LINES) this.#wrongQuote();
      return;
    }
    this.#held = [];
    if (this.#split === undefined) {
      if (ABOVE.test(line)) return;
      const named = /^"?sep=(.)"?[ \t]*$/i.exec(line)?.[1];
      this.#split = splitterOf(named ?? delimiterOf(line));
      if (named !== undefined) return;
    }
    if (/^ *$/.test(line)) return;
    this.onRow(this.#split(line) ?? this.#wrongQuote(), row);
  }
}

/** Gives the rows of a table to what reads it. */
export async function readTable<Found>(
  file: ByteSource,
  reader: TableReader<Found>,
): Promise<Found> {
  const rows = new RowReader(
    file.name,
    (cells, row) => reader.add(cells, row),
  );
  for await (const piece of textOf(file)) rows.add(piece);
  rows.end();
  return reader.finish();
}

/**
 * The text of a file in UTF-8, or in UTF-16 with a mark, as Excel's "Unicode text" is;
 * unpacked if its name ends in .gz.
 */
async function* textOf({ name, chunks }: ByteSource): AsyncGenerator<string> {
  const packed = /\.gz$/i.test(name);
  const pieces = packed
    ? ReadableStream.from(chunks())
      .pipeThrough(new DecompressionStream("gzip"))
    : chunks();
  let decoder: TextDecoder | undefined;
  try {
    for await (const piece of pieces) {
      decoder ??= new TextDecoder(encodingOf(piece), { fatal: true });
      yield decoder.decode(piece, { stream: true });
    }
    if (decoder !== undefined) yield decoder.decode();
  } catch (cause) {
    // Unpacking and decoding name no file.
    if (!(cause instanceof TypeError)) throw cause;
    cannotRead(name, "the connectome")(
      `it is no ${packed ? "gzip file of text" : "text"} in UTF-8`,
      { cause },
    );
  }
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

/** A line above a table; what Excel writes for an error, #DIV/0!, is no such line. */
const ABOVE = /^[ \t]*(?:$|%|#(?!DIV\/0!|N\/A|NUM!|VALUE!|REF!|NAME\?|NULL!))/;

/** What stands between the cells: a tab, else a semicolon, a comma, blanks. */
function delimiterOf(line: string): string {
  const unquoted = line.replaceAll(/"[^"]*"/g, "");
  const found = ["\t", ";"].find((delimiter) => unquoted.includes(delimiter));
  if (found !== undefined) return found;
  const words = unquoted.trim().split(/ +/);
  const blanks = words.length > 1 || /" +"/.test(line);
  if (!unquoted.includes(",")) return blanks ? " " : ",";
  // "0,5 0,25" are two numbers, but "0, 1" are two cells.
  return blanks && words.every((word) => COMMA_NUMBER.test(word)) ? " " : ",";
}

/** Cuts a line into cells; undefined where a quote stands within one. */
function splitterOf(
  delimiter: string,
): (line: string) => string[] | undefined {
  const unquote = (text: string) => text.replaceAll('""', '"');
  if (delimiter === " ") {
    return (line) =>
      (line.trim().match(/"(?:[^"]|"")*"|[^ ]+/g) ?? []).map((cell) =>
        cell.startsWith('"') ? unquote(cell.slice(1, -1)) : cell
      );
  }
  const mark = delimiter.replace(/[\\^$.*+?()[\]{}|]/, "\\$&");
  const quoted = new RegExp(
    `(?:^|${mark})(?:[ ]*"((?:[^"]|"")*)"[ ]*|([^"${mark}]*))`,
    "g",
  );
  return (line) => {
    if (!line.includes('"')) {
      return line.split(delimiter).map((cell) => cell.trim());
    }
    const found = [...line.matchAll(quoted)];
    const length = found.reduce((sum, [whole]) => sum + whole.length, 0);
    if (length !== line.length) return undefined;
    return found.map(([, inside, plain]) =>
      (inside === undefined ? plain! : unquote(inside)).trim()
    );
  };
}

/** A cell of a CSV table, in quotes where it needs some. */
export function quoted(text: string): string {
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** How programs write that there is no value, in small letters. */
const NO_VALUE = new Set(
  [
    ["", "-", "--", "—", "–", ".", "..", "?", "*", "na", "n/a", "n.a."],
    ["#n/a", "<na>", "nan", "-nan", "+nan", "nil", "null", "none", "missing"],
    ["#div/0!", "#num!", "#value!", "#ref!", "#name?", "#null!", "1.#qnan"],
    ["-1.#ind", "1.#ind", "nan()", "nd", "n.d.", "inf/nan"],
  ].flat(),
);

/** Whether a cell says that there is no value. */
export function isMissing(cell: string): boolean {
  return NO_VALUE.has(cell.toLowerCase());
}

/** The number a cell holds, in decimal digits with a decimal point, or NaN. */
export function cellNumber(cell: string): number {
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(cell)) {
    return Number(cell);
  }
  const infinite = /^([-+]?)inf(?:inity)?$/i.exec(cell);
  if (infinite === null) return NaN;
  return infinite[1] === "-" ? -Infinity : Infinity;
}

/** A number with a decimal comma, alone in its cell. */
export const COMMA_NUMBER = /^[-+]?\d*,\d+(?:e[-+]?\d+)?$/i;

/** Whether a cell holds a number, with a decimal point or comma. */
export function isNumber(cell: string): boolean {
  return !Number.isNaN(cellNumber(cell)) || COMMA_NUMBER.test(cell);
}

/** Whether a cell holds a word: neither a number nor a sign that there is none. */
export function isWord(cell: string): boolean {
  return !isMissing(cell) && !isNumber(cell);
}
