/**
 * Reads connectomes as they are published: matrices in tables, `.npy` and SciPy's
 * `.npz`, and lists of connections, packed by gzip or not.
 *
 * @module
 */

import { basename } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readNpy } from "../files/npy.ts";
import { readSparseNpz } from "../files/npz.ts";
import { readFileBytes, statFile, systemReason } from "../files/read.ts";
import {
  filterGraph,
  type Graph,
  graphOfMatrix,
  rowOfEach,
  transposeGraph,
} from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import {
  orientationDoubt,
  type RowMeaning,
  validateConnectome,
} from "./connectome.ts";
import {
  type EdgeList,
  type EdgeListOptions,
  isListHeader,
  parseEdgeList,
  readEdgeList,
} from "./edge_list.ts";
import { graphmlLines, parquetLines } from "./graph_files.ts";
import {
  isMissing,
  isWord,
  parseMatrixTable,
  readTable,
  type TableRow,
} from "./tables.ts";

/** How a file is read. */
export interface ImportOptions extends Omit<EdgeListOptions, "file"> {
  /** Which regions the rows of a matrix are; default "source". */
  readonly rows?: RowMeaning;
}

/** What is read whole, to see whether it is a matrix; larger tables are lists, read bit by bit. */
const MOST_WHOLE = 2 ** 28;
/** Tables of so many columns are told from lists by their shape alone. */
const CLEARLY_WIDE = 6;

/** Name of the connectome in a file: without its endings, and without the C_ that stands before it in folders. */
export function importedName(path: string): string {
  return basename(path).replace(/\.gz$/i, "").replace(/\.[^.]*$/, "")
    .replace(/^C_/, "");
}

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
): Promise<(EdgeList & { readonly matrix?: true }) | undefined> {
  const binary = /\.np[yz]$/i.test(path);
  const { size } = await statFile(path, { what: "the list of connections" });
  if (
    !binary && (/\.(?:gz|parquet)$/i.test(path) || size > MOST_WHOLE)
  ) return undefined;
  const bytes = await readFileBytes(path, { what: "the connectome" });
  if (binary) return described(readMatrix(bytes, path));
  const text = decodeText(bytes, path);
  if (/\.graphml$/i.test(path)) {
    return parseEdgeList(graphmlLines(text, path), { ...options, file: path });
  }
  const { source, target, weight, types } = options;
  const asksForList = [source, target, weight, types].some((option) =>
    option !== undefined
  );
  if (asksForList || !looksSquare(text, path)) {
    return parseEdgeList(text, { ...options, file: path });
  }
  const { regions, weights, names } = parseMatrixTable(text, path);
  return described({
    graph: graphOfMatrix(weights, regions),
    ...(names === undefined ? {} : { names }),
  });
}

/** Connections of a region to itself are left out, as those of a list are. */
function described(
  { graph: whole, names }: {
    readonly graph: Graph;
    readonly names?: readonly string[];
  },
): EdgeList & { readonly matrix: true } {
  const graph = filterGraph(whole, (from, to) => from !== to);
  const itself = whole.weight.length - graph.weight.length;
  return {
    matrix: true,
    graph,
    regionNames: names ??
      Array.from({ length: graph.nodes }, (_, region) => String(region + 1)),
    notes: [
      `a matrix of ${graph.nodes} regions with ${
        plural(graph.weight.length, "connection")
      }`,
      ...(itself === 0
        ? []
        : [`${plural(itself, "connection")} of a region to itself left out`]),
    ],
  };
}

/** Whether a table is a matrix and no list of connections. */
function looksSquare(text: string, file: string): boolean {
  const { rows } = readTable(text, file);
  const [first, second] = rows;
  if (first === undefined || isListHeader(first.cells)) return false;
  const columns = Math.max(first.cells.length, second?.cells.length ?? 0);
  if (Math.abs(rows.length - columns) > 1) return false;
  if (columns >= CLEARLY_WIDE || !canBeList(rows)) return true;
  // A list of so few connections between numbers would have to have zeros just on the diagonal.
  try {
    const { regions, weights } = parseMatrixTable(text, file);
    return weights.every((weight, entry) =>
      entry % (regions + 1) !== 0 || weight === 0
    );
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return false;
  }
}

/**
 * Whether the lines of a small table name two regions each, in one way: words
 * or whole numbers. Of numbers with gaps a matrix that lacks values is likelier.
 */
function canBeList(rows: readonly TableRow[]): boolean {
  const body = isHeader(rows[0]!.cells) ? rows.slice(1) : rows;
  const inWords = ({ cells }: TableRow) =>
    cells.slice(0, 2).every((cell) => isWord(cell) || isMissing(cell));
  const inNumbers = ({ cells }: TableRow) =>
    cells.slice(0, 2).every((cell) => /^\d+$/.test(cell)) &&
    !cells.some(isMissing);
  return body.every(inNumbers) ||
    (body.every(inWords) &&
      body.some(({ cells }) => cells.slice(0, 2).every(isWord)));
}

/** Whether a row of a list has no weight, and is no pair of regions. */
function isHeader(cells: readonly string[]): boolean {
  return cells.length > 2 && cells.every(isWord);
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

/**
 * A connectome's weights as a file holds them, `.npy`, `.npz`, or else a table.
 *
 * @throws {InputError} If it is no square matrix.
 */
export function readMatrix(
  bytes: Uint8Array,
  path: string,
): { readonly graph: Graph; readonly names?: readonly string[] } {
  const notSquare = (shape: readonly number[]) =>
    new InputError(
      `Cannot use the connectome "${path}": it must be a square matrix, found the shape (${
        shape.join(", ")
      })`,
    );
  if (/\.npy$/i.test(path)) {
    const { shape, data } = readNpy(bytes, { name: path });
    const [rows, columns] = shape;
    if (shape.length !== 2 || rows !== columns) throw notSquare(shape);
    return { graph: graphOfMatrix(data, rows!) };
  }
  if (/\.npz$/i.test(path)) {
    const { shape, start, column, values } = readSparseNpz(bytes, {
      name: path,
    });
    if (shape[0] !== shape[1]) throw notSquare(shape);
    const from = rowOfEach(Uint32Array.from(start));
    const weight = Float64Array.from(values);
    const stored = {
      nodes: shape[0],
      from,
      to: Uint32Array.from(column),
      weight,
    };
    // Zeros may be written in a sparse matrix, too.
    return { graph: filterGraph(stored, (_, __, edge) => weight[edge] !== 0) };
  }
  const { regions, weights, names } = parseMatrixTable(
    decodeText(bytes, path),
    path,
  );
  return {
    graph: graphOfMatrix(weights, regions),
    ...(names === undefined ? {} : { names }),
  };
}

/** The text of a file in UTF-8, or in UTF-16 with a mark, as Excel's "Unicode text" is. */
export function decodeText(bytes: Uint8Array, path: string): string {
  const [first, second] = bytes;
  const wide = first === 0xff && second === 0xfe
    ? "utf-16le"
    : first === 0xfe && second === 0xff
    ? "utf-16be"
    : undefined;
  try {
    return new TextDecoder(wide ?? "utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(
      `Cannot read the connectome "${path}": it is no text in UTF-8`,
    );
  }
}
