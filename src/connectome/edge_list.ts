/**
 * Reads a connectome from a list of its connections.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { MAX_REGIONS } from "./connectome.ts";
import { cellNumber, tableRows } from "./table_rows.ts";

/** A connectome as a list gives it. */
export interface EdgeListConnectome {
  /** N */
  readonly regions: number;
  /** C, [N, N], row-major, C[i,j] from region i to region j. */
  readonly weights: Float64Array;
  /** Names in the order in which the list first names them, the order of the rows. */
  readonly regionNames: readonly string[];
}

/**
 * Reads a list of connections: CSV, a connection a line; first column the
 * region it comes from, second the region it goes to, last but one the weight.
 * Lines with an empty cell are skipped, and so is a header (a first line whose
 * weight is no number). Of several lines for one pair of regions the last
 * counts; a line from a region to itself makes the region known, but no
 * connection.
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
  const problem = (what: string) =>
    new InputError(`Cannot read the list of connections "${file}": ${what}`);
  const edges: { from: string; to: string; weight: number }[] = [];
  for (const [index, { row, cells }] of tableRows(text, file).entries()) {
    if (cells.includes("")) continue;
    if (cells.length < 4) {
      throw problem(
        `row ${row} has ${cells.length} columns, at least 4 are needed: from, to, weight and one more`,
      );
    }
    const cell = cells.at(-2)!;
    const weight = cellNumber(cell);
    if (index === 0 && Number.isNaN(weight)) continue;
    if (!(weight >= 0 && weight < Infinity)) {
      throw problem(
        `row ${row} has the weight ${
          JSON.stringify(cell.slice(0, 40))
        } in its last column but one, allowed are numbers from 0`,
      );
    }
    edges.push({ from: cells[0]!, to: cells[1]!, weight });
  }
  const regionNames = [
    ...new Set(edges.flatMap(({ from, to }) => [from, to])),
  ];
  const n = regionNames.length;
  if (n < 2 || n > MAX_REGIONS) {
    throw problem(`it names ${n} regions, allowed are 2 to ${MAX_REGIONS}`);
  }
  const numberOf = new Map(regionNames.map((name, number) => [name, number]));
  const weights = new Float64Array(n * n);
  for (const { from, to, weight } of edges) {
    if (from === to) continue;
    weights[numberOf.get(from)! * n + numberOf.get(to)!] = weight;
  }
  return { regions: n, weights, regionNames };
}
