/**
 * Reads a square matrix from a CSV or TSV table.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { MAX_REGIONS } from "./connectome.ts";
import { cellNumber, tableRows } from "./table_rows.ts";

/** A square matrix, and the names of its rows and columns where there are any. */
export interface SquareMatrix {
  /** N */
  readonly regions: number;
  /** [N, N], row-major. */
  readonly weights: Float64Array;
  readonly names?: readonly string[];
}

/** A slip in the first cell does not turn the first row and column into names. */
const NUMBERS_AS_NAMES =
  " (names of regions beside it would have to be words, or numbers that count from 0 or 1)";

/**
 * Reads a matrix with or without a header row, with or without a first column
 * of names. Where there are both, they must name the same regions in the same
 * order.
 *
 * The table's shape tells: N rows of N cells hold no names (or both kinds, where
 * the first cell is not a number), a row more is a header, a column more are
 * names. Numbers pass for names only where they count the regions, from 0 or 1.
 *
 * @param text The file's content.
 * @param file What messages call the file.
 * @throws {InputError} With file, row and column, if it is no square matrix of numbers.
 *
 * @example
 * ```ts
 * import { parseMatrixTable } from "./src/connectome/matrix_table.ts";
 *
 * parseMatrixTable("from,V1,V2\nV1,0,0.5\nV2,0.25,0\n", "table.csv").names; // ["V1", "V2"]
 * ```
 */
export function parseMatrixTable(text: string, file: string): SquareMatrix {
  const rows = tableRows(text, file);
  const problem = (what: string) =>
    new InputError(`Cannot read the matrix "${file}": ${what}`);
  const first = rows[0];
  if (first === undefined) throw problem("it is empty");
  const columns = Math.max(first.cells.length, rows[1]?.cells.length ?? 0);
  const corner = rows.length === columns && isName(first.cells[0] ?? "");
  const both = corner && areNames(first.cells.slice(1)) &&
    areNames(rows.slice(1).map(({ cells }) => cells[0] ?? ""));
  const header = both ||
    (rows.length === columns + 1 && areNames(first.cells));
  const firstColumn = both ||
    (columns === rows.length + 1 &&
      areNames(rows.map(({ cells }) => cells[0] ?? "")));
  const body = header ? rows.slice(1) : rows;
  const n = body.length;
  if (n < 1 || n > MAX_REGIONS || n !== columns - Number(firstColumn)) {
    throw problem(
      `it must be a square matrix of at most ${MAX_REGIONS} regions, found ${rows.length} rows and ${columns} columns`,
    );
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
      const value = cellNumber(cell);
      if (Number.isNaN(value)) {
        throw problem(
          `row ${row}, column ${
            j + 1 + Number(firstColumn)
          } must be a number, found ${JSON.stringify(cell.slice(0, 40))}${
            corner && !both ? NUMBERS_AS_NAMES : ""
          }`,
        );
      }
      weights[i * n + j] = value;
    }
  }

  const across = header ? first.cells.slice(-n) : undefined;
  const down = firstColumn
    ? body.map(({ cells }) => cells[0] ?? "")
    : undefined;
  for (let i = 0; across !== undefined && down !== undefined && i < n; i++) {
    if (across[i] !== down[i]) {
      throw problem(
        `column ${i + 2} is "${across[i]}" but row ${body[i]!.row} is "${
          down[i]
        }", the same regions must stand in the same order`,
      );
    }
  }
  const names = across ?? down;
  return { regions: n, weights, ...(names === undefined ? {} : { names }) };
}

/** Whether cells name regions, and are not a row or column of the matrix. */
function areNames(cells: readonly string[]): boolean {
  return cells.some(isName) ||
    [0, 1].some((first) =>
      cells.every((cell, index) => Number(cell) === first + index)
    );
}

function isName(cell: string): boolean {
  return Number.isNaN(cellNumber(cell));
}
