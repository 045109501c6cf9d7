/**
 * Tables of text, with their columns aligned.
 *
 * @module
 */

import { printable } from "./words.ts";

/**
 * Rows of cells as lines, two blanks between columns. What cells hold may come
 * from a stranger's file: it can't steer the terminal.
 *
 * @param right Columns, from 0, whose cells end at the same place; default those with numbers below the first row.
 *
 * @example
 * ```ts
 * import { formatTable } from "./src/text/table.ts";
 *
 * formatTable([["region", "areas"], ["V1", "29"], ["V4", "5"]]);
 * // ["region  areas", "V1         29", "V4          5"]
 * ```
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  { right }: { readonly right?: readonly number[] } = {},
): string[] {
  const cells = rows.map((row) => row.map(printable));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, c) => cells.reduce((w, row) => Math.max(w, lengthOf(row[c] ?? "")), 0),
  );
  const numbers = right ?? [...widths.keys()].filter((c) =>
    cells.length > 1 &&
    cells.slice(1).every((row) => /^[\d.e+-]*$/.test(row[c] ?? ""))
  );
  return cells.map((row) =>
    row.map((cell, c) => {
      const pad = " ".repeat(widths[c]! - lengthOf(cell));
      return numbers.includes(c) ? pad + cell : cell + pad;
    }).join("  ").trimEnd()
  );
}

/** Characters, not UTF-16 units. */
function lengthOf(cell: string): number {
  return [...cell].length;
}
