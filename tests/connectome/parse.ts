import {
  type EdgeList,
  type EdgeListOptions,
  EdgeListReader,
} from "../../src/connectome/edge_list.ts";
import { RowReader, type TableReader } from "../../src/connectome/rows.ts";
import { MatrixReader, type NamedGraph } from "../../src/connectome/tables.ts";

/** A matrix from the text of a table. */
export function parseMatrixTable(text: string, file: string): NamedGraph {
  return readAll(text, new MatrixReader(file), file);
}

/** A list of connections from its text. */
export function parseEdgeList(
  text: string,
  { file, ...options }: EdgeListOptions & { readonly file: string },
): EdgeList {
  return readAll(text, new EdgeListReader(file, options), file);
}

function readAll<Found>(
  text: string,
  reader: TableReader<Found>,
  file: string,
): Found {
  const rows = new RowReader(file, (cells, row) => reader.add(cells, row));
  rows.add(text);
  rows.end();
  return reader.finish();
}
