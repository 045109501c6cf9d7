/**
 * Square matrices in tables, as MRtrix, Excel, R, pandas and MATLAB write them.
 *
 * @module
 */

import { cannotRead, type Fail } from "../files/input_error.ts";
import { type Graph, GraphBuilder } from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import type { Connectome } from "./connectome.ts";
import {
  cellNumber,
  COMMA_NUMBER,
  isMissing,
  isNumber,
  isWord,
  quoted,
  type TableReader,
} from "./rows.ts";

/** A graph with the names of its nodes: those of its file, or their numbers from 1. */
export type NamedGraph = Pick<Connectome, "graph" | "regionNames">;

/** Names of regions that have none. */
export function numberedNames(regions: number): string[] {
  return Array.from({ length: regions }, (_, region) => String(region + 1));
}

/** What may stand above a column of names. */
const CORNER =
  /^(?:from|to|source|target|pre|post|names?|regions?|areas?|nodes?|neurons?|rois?|ids?|labels?|index|rows?)$/i;

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
export class MatrixReader implements TableReader<NamedGraph> {
  readonly #fail: Fail;
  /** The first row, the first cell of each, their numbers of cells and in the file. */
  #first: readonly string[] = [];
  readonly #down: string[] = [];
  readonly #widths: number[] = [];
  readonly #rows: number[] = [];
  /** Entries of all rows and columns but the first, which may be names. */
  readonly #entries = new GraphBuilder();
  #wrong: Place | undefined;
  /** Rows whose last cell is empty, and that of the first below the header. */
  #trailing = 0;
  #firstTrailing: Place | undefined;
  /** Where the first number with a decimal comma stands, and that with a point, in words. */
  #comma: string | undefined;
  #point: string | undefined;
  /** Whether all commas may part thousands; whether there are whole numbers alone. */
  #grouped = true;
  #whole = true;

  /** @param file What messages call the file. */
  constructor(file: string) {
    this.#fail = cannotRead(file, "the matrix");
  }

  add(cells: readonly string[], row: number): void {
    const i = this.#rows.length;
    if (i === 0) this.#first = cells;
    this.#down.push(cells[0]!);
    this.#widths.push(cells.length);
    this.#rows.push(row);
    const last = cells.length - 1;
    for (let j = 0; j <= last; j++) {
      const cell = cells[j]!;
      this.#learn(row, j + 1, cell);
      if (i > 0 && j > 0 && (j < last || cell !== "")) this.#enter(i, j, cell);
    }
    if (cells[last] !== "") return;
    this.#trailing++;
    if (i > 0) this.#firstTrailing ??= { row, column: last + 1, cell: "" };
  }

  /** Learns from a cell how numbers are written. */
  #learn(row: number, column: number, cell: string): void {
    this.#whole &&= /^[-+]?\d+$/.test(cell);
    if (cell.includes(",") && COMMA_NUMBER.test(cell)) {
      this.#comma ??= placeOf(row, column, cell);
      this.#grouped &&= /^[-+]?[1-9]\d{0,2},\d{3}$/.test(cell);
    }
    if (this.#point === undefined && cell.includes(".") && isNumber(cell)) {
      this.#point = placeOf(row, column, cell);
    }
  }

  #enter(i: number, j: number, cell: string): void {
    const value = COMMA_NUMBER.test(cell)
      ? cellNumber(cell.replace(",", "."))
      : cellNumber(cell);
    if (Number.isNaN(value)) {
      this.#refuse({ row: this.#rows[i]!, column: j + 1, cell });
    } else if (value !== 0) this.#entries.add(i, j, value);
  }

  /** Keeps the first cell of the file that is no number. */
  #refuse(place: Place): void {
    const { row, column } = place;
    const before = this.#wrong;
    if (
      before === undefined || row < before.row ||
      (row === before.row && column < before.column)
    ) this.#wrong = place;
  }

  /** @throws {InputError} With file, row and column, if it is no square matrix of numbers. */
  finish(): NamedGraph {
    if (this.#rows.length === 0) this.#fail("it is empty");
    this.#checkCommas();
    this.#cutTrailing();
    const [first, down] = [this.#first, this.#down];
    const columns = this.#columns();
    const { header, beside } = namesBeside(first, down, columns);
    const [skipped, indent] = [Number(header), Number(beside)];
    const n = down.length - skipped;
    if (n < 1 || n !== columns - indent) {
      this.#fail(this.#whyNotSquare(columns));
    }
    if (!header) {
      for (let j = 1; j < first.length; j++) this.#enter(0, j, first[j]!);
    }
    if (!beside) {
      for (let i = skipped; i < down.length; i++) this.#enter(i, 0, down[i]!);
    }
    const other = this.#widths.findIndex((width, i) =>
      i >= skipped && width !== columns
    );
    const wrong = this.#wrong;
    if (
      other >= 0 && !(wrong !== undefined && wrong.row < this.#rows[other]!)
    ) {
      this.#fail(
        `row ${this.#rows[other]} has ${
          this.#widths[other]
        } cells, but the table has ${columns} columns`,
      );
    }
    if (wrong !== undefined) this.#fail(this.#whyNoNumber(wrong, header));
    const { from, to, weight } = this.#entries.build(n + 1).graph;
    return {
      graph: {
        nodes: n,
        from: from.map((i) => i - skipped),
        to: to.map((j) => j - indent),
        weight,
      },
      regionNames: this.#names(
        header ? first.slice(-n) : undefined,
        beside ? down.slice(skipped) : undefined,
      ) ?? numberedNames(n),
    };
  }

  #columns(): number {
    return Math.max(this.#widths[0]!, this.#widths[1] ?? 0);
  }

  #checkCommas(): void {
    const [comma, point] = [this.#comma, this.#point];
    if (comma !== undefined && point !== undefined) {
      this.#fail(
        `its numbers have decimal commas and decimal points: ${comma} and ${point}`,
      );
    }
    if (comma !== undefined && this.#grouped) {
      this.#fail(
        `the comma of ${comma} may be a decimal comma or part thousands; write numbers with decimal points and nothing between thousands`,
      );
    }
  }

  /** Cuts off the empty cell that a delimiter at the end of every line makes, where the table is square without it. */
  #cutTrailing(): void {
    const widths = this.#widths;
    const columns = this.#columns();
    const bare = widths[0] === columns - 1 && areWords(this.#first);
    const begin = Number(bare);
    const checked = widths.length - begin;
    if (
      columns > checked && this.#trailing === checked &&
      widths.every((width, i) => width === columns || i < begin)
    ) {
      if (!bare) this.#first = this.#first.slice(0, -1);
      widths.fill(columns - 1);
    } else if (this.#firstTrailing !== undefined) {
      this.#refuse(this.#firstTrailing);
    }
  }

  #whyNoNumber({ row, column, cell }: Place, header: boolean): string {
    const place = `row ${row}, column ${column}`;
    if (isMissing(cell)) {
      return `${place} holds no value (${
        cell === "" ? "it is empty" : JSON.stringify(cell)
      }): leave out regions without data, or write 0 where there is no connection`;
    }
    return `${place} must be a number, found ${
      JSON.stringify(cell.slice(0, 40))
    }${header ? "" : namesHint(this.#first)}`;
  }

  #whyNotSquare(columns: number): string {
    const rows = this.#rows.length;
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
    return `it must be a square matrix, found ${plural(rows, "row")} and ${
      plural(columns, "column")
    }${hint}`;
  }

  /** The regions' names, which have to be the same above and beside the matrix. */
  #names(
    across: readonly string[] | undefined,
    down: readonly string[] | undefined,
  ): readonly string[] | undefined {
    if (across === undefined || down === undefined) return across ?? down;
    // R numbers the rows that have no name.
    if (down.every((name, index) => name === String(index + 1))) return across;
    const other = across.findIndex((name, index) => name !== down[index]);
    if (other < 0) return across;
    return this.#fail(
      `column ${other + 2} is "${across[other]}" but row ${
        this.#rows[other + 1]
      } is "${down[other]}", the same regions must stand in the same order`,
    );
  }
}

function placeOf(row: number, column: number, cell: string): string {
  return `row ${row}, column ${column} ("${cell.slice(0, 20)}")`;
}

/** Whether the first row and the first column hold names. */
function namesBeside(
  across: readonly string[],
  down: readonly string[],
  columns: number,
): { readonly header: boolean; readonly beside: boolean } {
  const rows = down.length;
  if (rows === columns + 1) return { header: areNames(across), beside: false };
  if (rows !== columns) {
    return { header: false, beside: columns === rows + 1 && areNames(down) };
  }
  const below = down.slice(1);
  // R's write.table() gives no name to the column of names.
  if (across.length === columns - 1) {
    const both = areWords(across) && areNames(below);
    return { header: both, beside: both };
  }
  const [corner = "", ...names] = across;
  const both = (corner === "" || isWord(corner)) &&
    (areWords(names) && areNames(below) || areLabels(names, below, corner));
  return { header: both, beside: both };
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
  down: readonly string[],
  corner: string,
): boolean {
  const isId = (label: string) => /^\d+$/.test(label);
  const same = across.every((label, index) => label === down[index]) &&
    new Set(across).size === across.length &&
    across.every((label) => isWord(label) || isId(label));
  // Ids have more digits than a number holds.
  const rising = () =>
    across.every((label, index) =>
      isId(label) &&
      (index === 0 || BigInt(label) > BigInt(across[index - 1]!))
    );
  return same && (rising() || CORNER.test(corner));
}

/** Where a first row looks like a header that is none. */
function namesHint(cells: readonly string[]): string {
  if (!cells.some(isWord)) return "";
  const other = cells.findIndex((cell, at) => at > 0 && !isWord(cell));
  return ` (names of regions beside a matrix have to be words, or numbers that count from 0 or 1${
    other < 0 || cells.filter(isWord).length < 2
      ? ""
      : `; column ${other + 1} of row 1 has ${JSON.stringify(cells[other])}`
  })`;
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
