/**
 * Tables as Parquet files, written by hyparquet-writer.
 *
 * @module
 */

import { parquetWriteBuffer } from "npm:hyparquet-writer@0.17.0";

type Cell = number | string | boolean;

/**
 * The bytes of a Parquet file. Numbers are 64-bit integers where all of a column
 * are whole, else doubles.
 *
 * @param columns Columns of one length; undefined where a row has no value.
 */
export function encodeParquet(
  columns: readonly {
    readonly name: string;
    readonly data: readonly (Cell | undefined)[];
  }[],
): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({
    columnData: columns.map(({ name, data: cells }) => {
      const type = typeOf(cells.filter((cell) => cell !== undefined));
      const data = cells.map((cell) => {
        if (cell === undefined) return null;
        if (type === "INT64") return BigInt(cell);
        return type === "STRING" ? String(cell) : cell;
      });
      return { name, data, type };
    }),
  }));
}

function typeOf(cells: readonly Cell[]) {
  if (cells.every((cell) => typeof cell === "boolean")) return "BOOLEAN";
  if (cells.every(Number.isSafeInteger)) return "INT64";
  return cells.every((cell) => typeof cell === "number") ? "DOUBLE" : "STRING";
}
