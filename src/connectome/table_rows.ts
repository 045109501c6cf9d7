/**
 * The cells of a CSV or TSV file.
 *
 * @module
 */

import { Papa } from "../text/csv.ts";
import { InputError } from "../files/input_error.ts";

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

/**
 * The rows of a table with commas, semicolons or tabs between its cells;
 * without empty rows. Cells may be quoted.
 *
 * @param text The file's content.
 * @param file What messages call the file.
 * @throws {InputError} With file and row, if a quote does not end.
 *
 * @example
 * ```ts
 * import { tableRows } from "./src/connectome/table_rows.ts";
 *
 * tableRows('V1,"V2, dorsal"\n', "regions.csv"); // [{ row: 1, cells: ["V1", "V2, dorsal"] }]
 * ```
 */
export function tableRows(text: string, file: string): TableRow[] {
  const content = text.replace(/^\uFEFF/, "");
  const { data, errors } = Papa.parse(content, {
    delimiter: delimiterOf(content),
  }) as Parsed;
  const broken = errors.find(({ type }) => type === "Quotes");
  if (broken !== undefined) {
    throw new InputError(
      `Cannot read "${file}": row ${
        (broken.row ?? 0) + 1
      } has a quote that does not end or that stands within a cell`,
    );
  }
  return data
    .map((cells, index) => ({
      row: index + 1,
      cells: cells.map((cell) => cell.trim()),
    }))
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
}

/** What stands between the cells of the first row: a tab, else a semicolon, else a comma. */
function delimiterOf(text: string): string {
  const unquoted = text.trimStart().replaceAll(/"[^"]*"/g, "");
  const [first = ""] = unquoted.split(/[\r\n]/, 1);
  return ["\t", ";"].find((delimiter) => first.includes(delimiter)) ?? ",";
}

/** The number a cell holds, or NaN; unlike `Number`, an empty cell is none. */
export function cellNumber(cell: string): number {
  return /^[-+]?(?:\d|\.\d|inf|nan)/i.test(cell)
    ? Number(cell.replace(/^([-+]?)inf(inity)?$/i, "$1Infinity"))
    : NaN;
}
