/**
 * Square matrices in tables, as MRtrix, Excel, R, pandas and MATLAB write them.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { type Graph, GraphBuilder } from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import { COMMA_NUMBER } from "./rows.ts";

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

/** The number a cell holds, in decimal digits, or NaN. */
export function cellNumber(
  cell: string,
  { decimalComma = false }: { readonly decimalComma?: boolean } = {},
): number {
  const text = decimalComma ? cell.replace(",", ".") : cell;
  if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text)) {
    return Number(text);
  }
  const infinite = /^([-+]?)inf(?:inity)?$/i.exec(text);
  if (infinite === null) return NaN;
  return infinite[1] === "-" ? -Infinity : Infinity;
}

/** Whether a cell holds a word: neither a number nor a sign that there is none. */
export function isWord(cell: string): boolean {
  return !isMissing(cell) && Number.isNaN(cellNumber(cell)) &&
    !COMMA_NUMBER.test(cell);
}

/** A square matrix, and the names of its rows and columns where there are any. */
export interface SquareMatrix {
  /** An edge where an entry is not 0, from its row to its column. */
  readonly graph: Graph;
  /** N */
  readonly names?: readonly string[] | undefined;
}

/** What may stand above a column of names. */
const CORNER =
  /^(?:|from|to|source|target|pre|post|names?|regions?|areas?|nodes?|neurons?|rois?|ids?|labels?|index|rows?)$/i;

/** A cell and where it stands, from 1. */
interface Place {
  readonly row: number;
  readonly column: number;
  readonly cell: string;
}

/**
 * Reads a matrix with or without a header row, with or without a first column
 * of names, row by row: memory grows with the entries that are not 0.
 *
 * A header needs a word in each of its cells, and so does a column of names. Numbers
 * pass for names where they count the regions from 0 or 1 and stand beside
 * the matrix, or where row and column have the same whole numbers, each once,
 * and the corner says that they are names, or they rise. Numbers may have decimal
 * commas where the cells are not parted by commas.
 */
export class MatrixReader {
  /** The first row, the first cell of each, their numbers of cells and in the file. */
  #first: readonly string[] = [];
  readonly #down: string[] = [];
  readonly #widths: number[] = [];
  readonly #rows: number[] = [];
  /** Entries of all rows and columns but the first. */
  readonly #entries = new GraphBuilder();
  #wrong: Place | undefined;
  #firstTrailing: Place | undefined;
  #trailing = 0;
  #comma: Place | undefined;
  #point: Place | undefined;
  #grouped = true;
  #whole = true;

  /** @param file What messages call the file. */
  constructor(readonly file: string) {}

  add(cells: readonly string[], row: number): void {
    const at = this.#rows.length;
    if (at === 0) this.#first = cells;
    this.#down.push(cells[0]!);
    this.#widths.push(cells.length);
    this.#rows.push(row);
    const last = cells.length - 1;
    for (let j = 0; j <= last; j++) {
      const cell = cells[j]!;
      const value = this.#number(cell, { row, column: j + 1 });
      if (at === 0 || j === 0 || value === 0) continue;
      if (!Number.isNaN(value)) this.#entries.add(at, j, value);
      else if (j < last || cell !== "") {
        this.#wrong ??= { row, column: j + 1, cell };
      }
    }
    if (cells[last] !== "") return;
    this.#trailing++;
    if (at > 0) this.#firstTrailing ??= { row, column: last + 1, cell: "" };
  }

  /** The number in a cell, and what is learnt from it of how they are written. */
  #number(
    cell: string,
    place: { readonly row: number; readonly column: number },
  ): number {
    if (COMMA_NUMBER.test(cell)) {
      this.#comma ??= { ...place, cell };
      this.#grouped &&= /^[-+]?[1-9]\d{0,2},\d{3}$/.test(cell);
      this.#whole = false;
      return cellNumber(cell, { decimalComma: true });
    }
    const value = cellNumber(cell);
    if (this.#point === undefined && cell.includes(".")) {
      if (!Number.isNaN(value)) this.#point = { ...place, cell };
    }
    this.#whole &&= /^[-+]?\d+$/.test(cell);
    return value;
  }

  #problem(what: string): InputError {
    return new InputError(`Cannot read the matrix "${this.file}": ${what}`);
  }

  /** @throws {InputError} With file, row and column, if it is no square matrix of numbers. */
  finish(): SquareMatrix {
    if (this.#rows.length === 0) throw this.#problem("it is empty");
    this.#checkCommas();
    this.#cutTrailing();
    const [first, down] = [this.#first, this.#down];
    const columns = Math.max(this.#widths[0]!, this.#widths[1] ?? 0);
    const { header, names: beside } = namesBeside(first, { down, columns });
    const [skipped, indent] = [Number(header), Number(beside)];
    const n = down.length - skipped;
    if (n < 1 || n !== columns - indent) {
      throw this.#problem(this.#whyNotSquare(columns));
    }
    if (!header) {
      for (let j = 1; j < first.length; j++) this.#addLate(0, j, first[j]!);
    }
    if (!beside) {
      for (let i = skipped; i < down.length; i++) {
        this.#addLate(i, 0, down[i]!);
      }
    }
    for (let i = skipped; i < down.length; i++) {
      const row = this.#rows[i]!;
      if (this.#wrong !== undefined && this.#wrong.row < row) break;
      if (this.#widths[i] === n + indent) continue;
      throw this.#problem(
        `row ${row} has ${
          this.#widths[i]
        } cells, but the table has ${columns} columns`,
      );
    }
    if (this.#wrong !== undefined) {
      throw this.#problem(this.#whyNoNumber(this.#wrong, header));
    }
    const { from, to, weight } = this.#entries.build(n + 1).graph;
    const names = namesOf({
      across: header ? first.slice(-n) : undefined,
      down: beside ? down.slice(skipped) : undefined,
      rows: this.#rows.slice(skipped),
    }, (what) => this.#problem(what));
    return {
      graph: {
        nodes: n,
        from: from.map((i) => i - skipped),
        to: to.map((j) => j - indent),
        weight,
      },
      names,
    };
  }

  /** Adds an entry of the first row or column, once it is known to be one. */
  #addLate(i: number, j: number, cell: string): void {
    const value = cellNumber(cell, { decimalComma: COMMA_NUMBER.test(cell) });
    if (value !== 0 && !Number.isNaN(value)) this.#entries.add(i, j, value);
    if (!Number.isNaN(value)) return;
    const [row, column] = [this.#rows[i]!, j + 1];
    const before = this.#wrong;
    if (
      before === undefined || row < before.row ||
      (row === before.row && column < before.column)
    ) this.#wrong = { row, column, cell };
  }

  #checkCommas(): void {
    if (this.#comma === undefined) return;
    const text = ({ row, column, cell }: Place) =>
      `row ${row}, column ${column} ("${cell.slice(0, 20)}")`;
    if (this.#point !== undefined) {
      throw this.#problem(
        `its numbers have decimal commas and decimal points: ${
          text(this.#comma)
        } and ${text(this.#point)}`,
      );
    }
    if (this.#grouped) {
      throw this.#problem(
        `the comma of ${
          text(this.#comma)
        } may be a decimal comma or part thousands; write numbers with decimal points and nothing between thousands`,
      );
    }
  }

  /** Cuts off the empty cell that a delimiter at the end of every line makes, where the table is square without it. */
  #cutTrailing(): void {
    const widths = this.#widths;
    const columns = Math.max(widths[0]!, widths[1] ?? 0);
    const bare = widths[0] === columns - 1 && areWords(this.#first);
    const checked = widths.length - Number(bare);
    if (
      columns > checked && this.#trailing === checked &&
      widths.every((width, i) => width === columns || (bare && i === 0))
    ) {
      if (!bare) this.#first = this.#first.slice(0, -1);
      for (let i = Number(bare); i < widths.length; i++) widths[i]!--;
      return;
    }
    const empty = this.#firstTrailing;
    if (empty === undefined) return;
    if (this.#wrong === undefined || empty.row < this.#wrong.row) {
      this.#wrong = empty;
    }
  }

  #whyNoNumber({ row, column, cell }: Place, header: boolean): string {
    return `row ${row}, column ${column} ${
      isMissing(cell)
        ? `holds no value (${
          cell === "" ? "it is empty" : JSON.stringify(cell)
        }): leave out regions without data, or write 0 where there is no connection`
        : `must be a number, found ${JSON.stringify(cell.slice(0, 40))}${
          header ? "" : namesHint(this.#first)
        }`
    }`;
  }

  #whyNotSquare(columns: number): string {
    const rows = this.#rows.length;
    const found = `found ${plural(rows, "row")} and ${
      plural(columns, "column")
    }`;
    const first = this.#first;
    const hint = columns === 2 * rows && this.#whole
      ? "; where commas are decimal commas, part the cells by semicolons, or write decimal points"
      : this.#trailing === rows
      ? "; its last column is empty"
      : this.#down.every((cell) => cell === "")
      ? "; its first column is empty"
      : first.some(isWord) && !areNames(first) && rows === columns + 1
      ? `; a header needs a word in each cell, but row ${this.#rows[0]} has ${
        JSON.stringify(first.find((cell) => !isWord(cell)))
      }`
      : "";
    return `it must be a square matrix, ${found}${hint}`;
  }
}

/** Whether the first row and the first column hold names. */
function namesBeside(
  across: readonly string[],
  { down, columns }: {
    readonly down: readonly string[];
    readonly columns: number;
  },
): { readonly header: boolean; readonly names: boolean } {
  const rows = down.length;
  // R's write.table() gives no name to the column of names.
  if (rows === columns && across.length === columns - 1) {
    const both = areWords(across) && areNames(down.slice(1));
    return { header: both, names: both };
  }
  if (rows === columns) {
    const [corner = ""] = across;
    const both = !isNumeric(corner) &&
      (corner === "" || !isMissing(corner)) &&
      (areWords(across.slice(1)) && areNames(down.slice(1)) ||
        areLabels(across.slice(1), { down: down.slice(1), corner }));
    return { header: both, names: both };
  }
  if (rows === columns + 1) return { header: areNames(across), names: false };
  return { header: false, names: columns === rows + 1 && areNames(down) };
}

function isNumeric(cell: string): boolean {
  return !Number.isNaN(cellNumber(cell)) || COMMA_NUMBER.test(cell);
}

function areWords(cells: readonly string[]): boolean {
  return cells.length > 0 && cells.every(isWord);
}

/** Words, or numbers that count from 0 or 1. */
function areNames(cells: readonly string[]): boolean {
  return areWords(cells) ||
    [0, 1].some((first) =>
      cells.every((cell, index) => cell === String(first + index))
    );
}

/** The same names above and beside the matrix: words and whole numbers, each once. */
function areLabels(
  across: readonly string[],
  { down, corner }: {
    readonly down: readonly string[];
    readonly corner: string;
  },
): boolean {
  const same = across.every((label, index) => label === down[index]) &&
    new Set(across).size === across.length &&
    across.every((label) => isWord(label) || /^\d+$/.test(label));
  // Ids have more digits than a number holds.
  const rising = () =>
    across.every((label) => /^\d+$/.test(label)) &&
    across.every((label, index) =>
      index === 0 || BigInt(label) > BigInt(across[index - 1]!)
    );
  return same && (rising() || (CORNER.test(corner) && corner !== ""));
}

/** Where a first row looks like a header that is none. */
function namesHint(cells: readonly string[]): string {
  const other = cells.slice(1).findIndex((cell) => !isWord(cell));
  if (!cells.some(isWord)) return "";
  const found = other < 0 ? undefined : cells[other + 1]!;
  return ` (names of regions beside a matrix have to be words, or numbers that count from 0 or 1${
    found === undefined || cells.filter(isWord).length < 2
      ? ""
      : `; column ${other + 2} of row 1 has ${JSON.stringify(found)}`
  })`;
}

/** The regions' names, which have to be the same above and beside the matrix. */
function namesOf(
  { across, down, rows }: {
    readonly across: readonly string[] | undefined;
    readonly down: readonly string[] | undefined;
    readonly rows: readonly number[];
  },
  problem: (what: string) => InputError,
): readonly string[] | undefined {
  if (across === undefined || down === undefined) return across ?? down;
  // R numbers the rows that have no name.
  if (down.every((name, index) => name === String(index + 1))) return across;
  const other = across.findIndex((name, index) => name !== down[index]);
  if (other < 0) return across;
  throw problem(
    `column ${other + 2} is "${across[other]}" but row ${rows[other]} is "${
      down[other]
    }", the same regions must stand in the same order`,
  );
}

/**
 * A graph's matrix as a CSV table: a row a region it comes from, a column a region it
 * goes to, both with their names.
 */
export function matrixTable(
  names: readonly string[],
  { from, to, weight }: Graph,
): string {
  const row = new Array<number>(names.length);
  let edge = 0;
  const rows = names.map((name, i) => {
    row.fill(0);
    for (; from[edge] === i; edge++) row[to[edge]!] = weight[edge]!;
    return [quoted(name), ...row].join(",");
  });
  return [["from", ...names.map(quoted)].join(","), ...rows, ""].join("\n");
}

/** A cell of a CSV table, in quotes where it needs some. */
export function quoted(text: string): string {
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
