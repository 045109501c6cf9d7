/**
 * Reads connectomes as they are published: matrices in tables, `.npy` and SciPy's
 * `.npz`, and lists of connections, packed by gzip or not.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { readFileBytes, statFile, systemReason } from "../files/read.ts";
import { transposeGraph } from "../graph/graph.ts";
import {
  orientationDoubt,
  type RowMeaning,
  validateConnectome,
} from "./connectome.ts";
import { decodeConnectome, type Decoded } from "./decode.ts";
import {
  type EdgeList,
  type EdgeListOptions,
  readEdgeList,
} from "./edge_list.ts";
import { parquetLines } from "./graph_files.ts";

/** How a file is read. */
export interface ImportOptions extends Omit<EdgeListOptions, "file"> {
  /** Which regions the rows of a matrix are; default "source". */
  readonly rows?: RowMeaning;
}

/** What is read whole, to see whether it is a matrix; larger tables are lists, read bit by bit. */
const MOST_WHOLE = 2 ** 28;
/**
 * Reads a connectome from a file: `.npy` and `.npz` hold a matrix, `.parquet` and
 * `.graphml` a list of connections; any other file is a table, which holds a matrix if it is square, else a list of connections.
 *
 * @throws {InputError} If the file can't be read, or holds no connectome.
 *
 * @example
 * ```ts no-eval
 * import { importConnectome } from "./src/connectome/import.ts";
 *
 * const { graph, notes } = await importConnectome("connections.csv.gz", {
 *   minWeight: 5,
 * });
 * ```
 */
export async function importConnectome(
  path: string,
  { rows, ...options }: ImportOptions,
): Promise<EdgeList> {
  const found = await readWhole(path, options) ??
    await readEdgeList(
      /\.parquet$/i.test(path) ? parquetLines(path) : textIn(path),
      { ...options, file: path },
    );
  const isList = !("matrix" in found);
  if (isList && rows !== undefined) {
    throw new InputError(
      `Cannot use --rows ${rows}: "${path}" is a list of connections, whose columns say which way they go`,
    );
  }
  const turned = rows === "target"
    ? { ...found, graph: transposeGraph(found.graph) }
    : found;
  validateConnectome(turned, path);
  const doubt = isList
    ? undefined
    : orientationDoubt({ ...turned, fileRows: rows ?? "source" });
  const { graph, regionNames, notes } = turned;
  return {
    graph,
    regionNames,
    notes: [...notes, ...(doubt === undefined ? [] : [`warning: ${doubt}`])],
  };
}

/** What a file holds that is read at once; undefined of one that is to be read bit by bit. */
async function readWhole(
  path: string,
  options: Omit<EdgeListOptions, "file">,
): Promise<Decoded | undefined> {
  const { size } = await statFile(path, { what: "the list of connections" });
  if (
    !/\.np[yz]$/i.test(path) &&
    (/\.(?:gz|parquet)$/i.test(path) || size > MOST_WHOLE)
  ) return undefined;
  const bytes = await readFileBytes(path, { what: "the connectome" });
  return decodeConnectome(bytes, { ...options, file: path });
}

function cannotRead(path: string, error: unknown): unknown {
  const reason = systemReason(error, { path, verb: "read" });
  if (reason === undefined) return error;
  return new InputError(
    `Cannot read the list of connections "${path}": ${reason}`,
    { cause: error },
  );
}

/** The text of a file, piece by piece, unpacked if its name ends in .gz. */
async function* textIn(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    const { readable } = await Deno.open(path);
    const bytes = /\.gz$/i.test(path)
      ? readable.pipeThrough(new DecompressionStream("gzip"))
      : readable;
    for await (const piece of bytes) {
      yield decoder.decode(piece, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) {
      throw new InputError(
        `Cannot read the list of connections "${path}": it is no ${
          /\.gz$/i.test(path) ? "gzip file of text" : "text"
        } in UTF-8`,
        { cause: error },
      );
    }
    throw cannotRead(path, error);
  }
}
