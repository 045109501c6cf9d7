/**
 * Packs the data of a figure for the report: column by column, with repeated
 * values counted. A table of rows says its column names anew in each row.
 *
 * @module
 */

import type { Json, Spec } from "./figure.ts";

/** A column: its values, or `[value, count, value, count, …]` where that is shorter. */
export type PackedColumn =
  | { readonly values: readonly Json[] }
  | { readonly runs: readonly Json[] };

/** A table. Fields that a row lacks are null. */
export interface PackedTable {
  readonly rows: number;
  readonly columns: Readonly<Record<string, PackedColumn>>;
}

/** A specification whose `datasets` are packed. */
export interface PackedSpec {
  readonly spec: Spec;
  readonly tables: Readonly<Record<string, PackedTable>>;
}

/**
 * Packs a table.
 *
 * @example
 * ```ts
 * import { packTable } from "./src/viz/pack.ts";
 *
 * packTable([{ a: "x", b: 1 }, { a: "x", b: 2 }, { a: "x", b: 3 }]);
 * // { rows: 3, columns: { a: { runs: ["x", 3] }, b: { values: [1, 2, 3] } } }
 * ```
 */
export function packTable(rows: readonly Spec[]): PackedTable {
  const keys = new Set(rows.flatMap((row) => Object.keys(row)));
  const columns: Record<string, PackedColumn> = {};
  for (const key of keys) {
    columns[key] = packColumn(rows.map((row) => row[key] ?? null));
  }
  return { rows: rows.length, columns };
}

function packColumn(values: readonly Json[]): PackedColumn {
  const runs: Json[] = [];
  for (const value of values) {
    const last = runs.length - 2;
    if (last >= 0 && runs[last] === value) {
      runs[last + 1] = (runs[last + 1] as number) + 1;
    } else runs.push(value, 1);
  }
  return runs.length < values.length ? { runs } : { values };
}

/** Takes the data out of a specification. */
export function packSpec({ datasets = {}, ...spec }: Spec): PackedSpec {
  const tables = Object.fromEntries(
    Object.entries(datasets as Record<string, readonly Spec[]>).map((
      [name, rows],
    ) => [name, packTable(rows)]),
  );
  return { spec, tables };
}
