/**
 * What a figure is: a Vega-Lite specification with its name and its caption.
 *
 * @module
 */

/** A JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A Vega-Lite specification, or a part of one. */
export interface Spec {
  /** A member. */
  readonly [key: string]: Json;
}

/** Version 6 of Vega-Lite, which Vega's online editor opens. */
export const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";

/**
 * Name of layers that answer the mouse alone. They have a mark a number, and
 * are left out of still pictures.
 */
export const HOVER = "hover";

/** One figure. */
export interface Figure {
  /** File name without its ending; letters, digits, `.`, `-` and `_`. */
  readonly name: string;
  /** The part of the report that it belongs to. */
  readonly section: "overview" | "summary" | "loss" | "accuracy" | "networks";
  /** A line for the report's list of figures. */
  readonly title: string;
  /** What is seen, in sentences; also what a screen reader says. */
  readonly caption: string;
  /** Total width in CSS pixels. */
  readonly width: number;
  /** The whole specification, its data included. */
  readonly spec: Spec;
}

/** The specification without its layers named {@linkcode HOVER}. */
export function withoutHover(spec: Spec): Spec {
  return strip(spec) as Spec;
}

/** Where parts that may be layers stand in a specification. */
const PARTS = new Set(["layer", "spec", "hconcat", "vconcat", "concat"]);

function strip(part: Json): Json {
  if (Array.isArray(part)) {
    return part.filter((one) => (one as Spec | null)?.name !== HOVER).map(
      strip,
    );
  }
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      PARTS.has(key) ? strip(value) : value,
    ]),
  );
}

/** A column: its values, or `[value, count, value, count, …]` where that is shorter. */
type PackedColumn =
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
 * import { packTable } from "./src/viz/figure.ts";
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
