/**
 * Tables of numbers and names, as MRtrix, Excel, R, pandas and MATLAB write
 * them: their cells, and the square matrices among them.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { Papa } from "../text/csv.ts";

/** What `Papa.parse` gives; the package has no types of its own. */
interface Parsed {
  readonly data: string[][];
  readonly errors: readonly { readonly type: string; readonly row?: number }[];
}

/** A row of a table. */
export interface TableRow {
  /** Number of the row in the file, from 1. */
  readonly row: number;
  /** Its cells, without blanks around them. */
  readonly cells: readonly string[];
}

/** A table, and how its numbers are written. */
export interface Table {
  /** Without empty lines; a row of empty cells is one that lacks its values. */
  readonly rows: readonly TableRow[];
  /** Whether numbers have a comma where others have a point. */
  readonly decimalComma: boolean;
}

/**
 * The rows of a table with tabs, semicolons, commas or blanks between its cells.
 * Cells may be quoted. Lines above the table that begin with # or % are left
 * out, and so is Excel's `sep=;`, which names what stands between the cells.
 * Numbers may have decimal commas where the cells are not parted by commas.
 *
 * @param text The file's content.
 * @param file What messages call the file.
 * @throws {InputError} With file and row, if a quote does not end, or decimal commas and points are mixed.
 *
 * @example
 * ```ts
 * import { readTable } from "./src/connectome/tables.ts";
 *
 * readTable('V1,"V2, dorsal"\n', "regions.csv").rows; // [{ row: 1, cells: ["V1", "V2, dorsal"] }]
 * ```
 */
export function readTable(text: string, file: string): Table {
  const problem = (what: string) =>
    new InputError(`Cannot read "${file}": ${what}`);
  let content = text.replace(/^\uFEFF/, "");
  const above = ABOVE.exec(content)?.[0] ?? "";
  content = content.slice(above.length);
  let skipped = lineBreaks(above);
  const named = /^"?sep=(.)"?[ \t]*(?:\r\n|\r|\n|$)/i.exec(content);
  if (named !== null) {
    content = content.slice(named[0].length);
    skipped++;
  }
  let delimiter = named?.[1] ?? delimiterOf(content);
  if (delimiter === " ") {
    content = tabsForBlanks(content);
    delimiter = "\t";
  }
  const { data, errors } = Papa.parse(content, { delimiter }) as Parsed;
  const broken = errors.find(({ type }) => type === "Quotes");
  if (broken !== undefined) {
    throw problem(
      `row ${
        (broken.row ?? 0) + 1 + skipped
      } has a quote that does not end or that stands within a cell`,
    );
  }
  const rows = data.map((cells, index) => ({
    row: index + 1 + skipped,
    cells: cells.map((cell) => cell.trim()),
  })).filter(({ cells }) => cells.length > 1 || cells[0] !== "");
  return { rows, decimalComma: hasDecimalComma(rows, problem) };
}

function lineBreaks(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}

/** Lines above a table; what Excel writes for an error, #DIV/0!, is no such line. */
const ABOVE =
  /^(?:[ \t]*(?:(?:%|#(?!DIV\/0!|N\/A|NUM!|VALUE!|REF!|NAME\?|NULL!)).*)?(?:\r\n|\r|\n))+/;

/** Whether a line stands above a table. */
export function isAbove(line: string): boolean {
  return ABOVE.test(`${line}\n`);
}

/** A number with a decimal comma, alone in its cell. */
const COMMA_NUMBER = /^[-+]?\d*,\d+(?:e[-+]?\d+)?$/i;

/** What stands between the cells: a tab, else a semicolon, a comma, blanks. */
function delimiterOf(text: string): string {
  const [first = ""] = text.trimStart().split(/[\r\n]/, 1);
  const unquoted = first.replaceAll(/"[^"]*"/g, "");
  const found = ["\t", ";"].find((delimiter) => unquoted.includes(delimiter));
  if (found !== undefined) return found;
  const words = unquoted.trim().split(/ +/);
  const blanks = words.length > 1 || /" +"/.test(first);
  if (!unquoted.includes(",")) return blanks ? " " : ",";
  // "0,5 0,25" are two numbers, but "0, 1" are two cells.
  return blanks && words.every((word) => COMMA_NUMBER.test(word)) ? " " : ",";
}

/** The text with a tab for every stretch of blanks outside quotes. */
function tabsForBlanks(text: string): string {
  return text.replace(/^ +| +$/gm, "")
    .replace(/"(?:[^"]|"")*"| +/g, (part) => part[0] === '"' ? part : "\t");
}

function hasDecimalComma(
  rows: readonly TableRow[],
  problem: (what: string) => InputError,
): boolean {
  let comma: string | undefined;
  let point: string | undefined;
  let grouped = true;
  for (const { row, cells } of rows) {
    for (const [column, cell] of cells.entries()) {
      const place = `row ${row}, column ${column + 1} ("${cell.slice(0, 20)}")`;
      if (COMMA_NUMBER.test(cell)) {
        comma ??= place;
        grouped &&= /^[-+]?[1-9]\d{0,2},\d{3}$/.test(cell);
      } else if (/^[-+]?\d*\.\d+(?:e[-+]?\d+)?$/i.test(cell)) point ??= place;
    }
  }
  if (comma === undefined) return false;
  if (point !== undefined) {
    throw problem(
      `its numbers have decimal commas and decimal points: ${comma} and ${point}`,
    );
  }
  if (grouped) {
    throw problem(
      `the comma of ${comma} may be a decimal comma or part thousands; write numbers with decimal points and nothing between thousands`,
    );
  }
  return true;
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
  /** N */
  readonly regions: number;
  /** [N, N], row-major. */
  readonly weights: Float64Array;
  readonly names?: readonly string[];
}

/** Most rows of a table; one of so many takes 800 MB as a matrix. */
export const MOST_ROWS = 10_000;

/** What may stand above a column of names. */
const CORNER =
  /^(?:|from|to|source|target|pre|post|names?|regions?|areas?|nodes?|neurons?|rois?|ids?|labels?|index|rows?)$/i;

/**
 * Reads a matrix with or without a header row, with or without a first column
 * of names.
 *
 * A header needs a word in each of its cells, and so does a column of names. Numbers
 * pass for names where they count the regions from 0 or 1 and stand beside
 * the matrix, or where row and column have the same whole numbers, each once,
 * and the corner says that they are names, or they rise.
 *
 * @param text The file's content.
 * @param file What messages call the file.
 * @throws {InputError} With file, row and column, if it is no square matrix of numbers.
 *
 * @example
 * ```ts
 * import { parseMatrixTable } from "./src/connectome/tables.ts";
 *
 * parseMatrixTable("from,V1,V2\nV1,0,0.5\nV2,0.25,0\n", "table.csv").names; // ["V1", "V2"]
 * ```
 */
export function parseMatrixTable(text: string, file: string): SquareMatrix {
  const problem = (what: string) =>
    new InputError(`Cannot read the matrix "${file}": ${what}`);
  const { rows: all, decimalComma } = readTable(text, file);
  if (all.length === 0) throw problem("it is empty");
  const rows = withoutTrailingCell(all);
  const first = rows[0]!;
  const columns = Math.max(first.cells.length, rows[1]?.cells.length ?? 0);
  const down = rows.map(({ cells }) => cells[0] ?? "");
  const { header, names: firstColumn } = namesBeside(first.cells, {
    down,
    columns,
  });
  const body = header ? rows.slice(1) : rows;
  const n = body.length;
  if (n < 1 || n > MOST_ROWS || n !== columns - Number(firstColumn)) {
    throw problem(whyNotSquare(rows, columns));
  }

  const weights = new Float64Array(n * n);
  for (const [i, { row, cells }] of body.entries()) {
    const numbers = firstColumn ? cells.slice(1) : cells;
    if (numbers.length !== n) {
      throw problem(
        `row ${row} has ${cells.length} cells, but the table has ${columns} columns`,
      );
    }
    for (const [j, cell] of numbers.entries()) {
      const value = cellNumber(cell, { decimalComma });
      if (Number.isNaN(value)) {
        throw problem(
          `row ${row}, column ${j + 1 + Number(firstColumn)} ${
            isMissing(cell)
              ? `holds no value (${
                cell === "" ? "it is empty" : JSON.stringify(cell)
              }): leave out regions without data, or write 0 where there is no connection`
              : `must be a number, found ${JSON.stringify(cell.slice(0, 40))}${
                header ? "" : namesHint(first.cells)
              }`
          }`,
        );
      }
      weights[i * n + j] = value;
    }
  }
  const names = namesOf({ first, body, header, firstColumn, n }, problem);
  return { regions: n, weights, ...(names === undefined ? {} : { names }) };
}

/** Rows without the empty cell that a delimiter at the end of every line makes, where the table is square without it. */
function withoutTrailingCell(rows: readonly TableRow[]): readonly TableRow[] {
  const columns = Math.max(
    ...rows.slice(0, 2).map(({ cells }) => cells.length),
  );
  const [first, ...others] = rows;
  const bare = first!.cells.length === columns - 1 && areWords(first!.cells);
  const checked = bare ? others : rows;
  if (
    columns <= checked.length ||
    !checked.every(({ cells }) =>
      cells.length === columns && cells.at(-1) === ""
    )
  ) return rows;
  const cut = checked.map(({ row, cells }) => ({
    row,
    cells: cells.slice(0, -1),
  }));
  return bare ? [first!, ...cut] : cut;
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

function whyNotSquare(rows: readonly TableRow[], columns: number): string {
  const found = `found ${rows.length} row${
    rows.length === 1 ? "" : "s"
  } and ${columns} column${columns === 1 ? "" : "s"}`;
  const whole = rows.every(({ cells }) =>
    cells.every((cell) => /^[-+]?\d+$/.test(cell))
  );
  const first = rows[0]!.cells;
  const hint = columns === 2 * rows.length && whole
    ? "; where commas are decimal commas, part the cells by semicolons, or write decimal points"
    : rows.every(({ cells }) => cells.at(-1) === "")
    ? "; its last column is empty"
    : rows.every(({ cells }) => cells[0] === "")
    ? "; its first column is empty"
    : first.some(isWord) && !areNames(first) && rows.length === columns + 1
    ? `; a header needs a word in each cell, but row ${rows[0]!.row} has ${
      JSON.stringify(first.find((cell) => !isWord(cell)))
    }`
    : "";
  return `it must be a square matrix of at most ${MOST_ROWS} regions, ${found}${hint}`;
}

/** The regions' names, which have to be the same above and beside the matrix. */
function namesOf(
  { first, body, header, firstColumn, n }: {
    readonly first: TableRow;
    readonly body: readonly TableRow[];
    readonly header: boolean;
    readonly firstColumn: boolean;
    readonly n: number;
  },
  problem: (what: string) => InputError,
): readonly string[] | undefined {
  const across = header ? first.cells.slice(-n) : undefined;
  const down = firstColumn
    ? body.map(({ cells }) => cells[0] ?? "")
    : undefined;
  if (across === undefined || down === undefined) return across ?? down;
  // R numbers the rows that have no name.
  if (down.every((name, index) => name === String(index + 1))) return across;
  const other = across.findIndex((name, index) => name !== down[index]);
  if (other >= 0) {
    throw problem(
      `column ${other + 2} is "${across[other]}" but row ${
        body[other]!.row
      } is "${down[other]}", the same regions must stand in the same order`,
    );
  }
  return across;
}

/**
 * A matrix as a CSV table: a row a region it comes from, a column a region it
 * goes to, both with their names.
 */
export function matrixTable(
  { names, weights }: {
    readonly names: readonly string[];
    readonly weights: Float64Array;
  },
): string {
  const n = names.length;
  const rows = names.map((name, i) =>
    [quoted(name), ...weights.slice(i * n, (i + 1) * n)].join(",")
  );
  return [["from", ...names.map(quoted)].join(","), ...rows, ""].join("\n");
}

function quoted(text: string): string {
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
