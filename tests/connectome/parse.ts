import {
  type EdgeList,
  type EdgeListOptions,
  EdgeListReader,
} from "../../src/connectome/edge_list.ts";
import { RowReader } from "../../src/connectome/rows.ts";
import {
  MatrixReader,
  type SquareMatrix,
} from "../../src/connectome/tables.ts";

/** A matrix from the text of a table. */
export function parseMatrixTable(text: string, file: string): SquareMatrix {
  return readAll(text, new MatrixReader(file), file).finish();
}

/** A list of connections from its text. */
export function parseEdgeList(
  text: string,
  options: EdgeListOptions,
): EdgeList {
  return readAll(text, new EdgeListReader(options), options.file).finish();
}

function readAll<Reader extends MatrixReader | EdgeListReader>(
  text: string,
  reader: Reader,
  file: string,
): Reader {
  const rows = new RowReader(file, (cells, row) => reader.add(cells, row));
  rows.add(text);
  rows.end();
  return reader;
}
