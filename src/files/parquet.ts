/**
 * Tables as Parquet files, written by hyparquet-writer.
 *
 * @module
 */

import { parquetWriteBuffer } from "npm:hyparquet-writer@0.17.0";

/**
 * The bytes of a Parquet file. Numbers are 64-bit integers where all of a column
 * are whole, else doubles.
 *
 * @param columns Columns of one length; undefined where a row has no value.
 */
export function encodeParquet(
  columns: readonly {
    readonly name: string;
    readonly data: readonly (number | string | boolean | undefined)[];
  }[],
): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({
    columnData: columns.map(({ name, data }) => {
      const values = Array.from(data, (value) => value ?? null);
      const known = values.filter((value) => value !== null);
      if (known.every((value) => typeof value === "boolean")) {
        return { name, data: values, type: "BOOLEAN" as const };
      }
      if (known.every((value) => typeof value === "number")) {
        return known.every(Number.isSafeInteger)
          ? {
            name,
            data: values.map((value) => value === null ? null : BigInt(value)),
            type: "INT64" as const,
          }
          : { name, data: values, type: "DOUBLE" as const };
      }
      const texts = values.map((value) => value === null ? null : `${value}`);
      return { name, data: texts, type: "STRING" as const };
    }),
  }));
}
