/**
 * Reads a connectome from a list of its connections.
 *
 * @module
 */

import Papa from "papaparse";
import { InputError } from "../files/input_error.ts";
import { MAX_REGIONS } from "./connectome.ts";

/** A connectome as a list gives it. */
export interface EdgeListConnectome {
  /** N */
  readonly regions: number;
  /** C, [N, N], row-major, C[i,j] from region i to region j. */
  readonly weights: Float64Array;
  /** Names in alphabetical order (by code unit), the order of the rows. */
  readonly regionNames: readonly string[];
}

/**
 * Reads a list of connections: CSV with a header line, a connection a line;
 * first column the region it comes from, second the region it goes to, last
 * but one the weight. Lines with an empty cell are skipped. Of several lines
 * for one pair of regions the last counts; a line from a region to itself
 * makes the region known, but no connection.
 *
 * @param text The file's content.
 * @param file What messages call the file.
 * @throws {InputError} With file and line, if a line has fewer than four columns or its weight is no number from 0.
 *
 * @example
 * ```ts
 * import { parseEdgeList } from "./src/connectome/edge_list.ts";
 *
 * const list = "from,to,weight,source\nV1,V2,0.5,a\nV2,V1,0.25,b\n";
 * parseEdgeList(list, "list.csv").weights; // [0, 0.5, 0.25, 0]
 * ```
 */
export function parseEdgeList(text: string, file: string): EdgeListConnectome {
  const { data, errors } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ""));
  const problem = (line: number, what: string) =>
    new InputError(
      `Cannot read the list of connections "${file}": line ${line} ${what}`,
    );
  const error = errors.find(({ type }) => type === "Quotes");
  if (error !== undefined) {
    throw problem((error.row ?? 0) + 1, "has a quote that does not end");
  }
  const edges: { from: string; to: string; weight: number }[] = [];
  for (const [index, cells] of data.entries()) {
    const row = cells.map((cell) => cell.trim());
    if (index === 0 || row.includes("")) continue;
    if (row.length < 4) {
      throw problem(
        index + 1,
        `has ${row.length} columns, at least 4 are needed: from, to, weight and one more`,
      );
    }
    const weight = Number(row.at(-2));
    if (!Number.isFinite(weight) || weight < 0) {
      throw problem(
        index + 1,
        `has the weight "${
          row.at(-2)
        }" in its last column but one, allowed are numbers from 0`,
      );
    }
    edges.push({ from: row[0]!, to: row[1]!, weight });
  }
  const regionNames = [...new Set(edges.flatMap(({ from, to }) => [from, to]))]
    .sort();
  const n = regionNames.length;
  if (n < 2 || n > MAX_REGIONS) {
    throw new InputError(
      `Cannot read the list of connections "${file}": it names ${n} regions, allowed are 2 to ${MAX_REGIONS}`,
    );
  }
  const numberOf = new Map(regionNames.map((name, number) => [name, number]));
  const weights = new Float64Array(n * n);
  for (const { from, to, weight } of edges) {
    if (from === to) continue;
    weights[numberOf.get(from)! * n + numberOf.get(to)!] = weight;
  }
  return { regions: n, weights, regionNames };
}
