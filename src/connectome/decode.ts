/**
 * What a file says of a connectome, wherever its bytes come from: matrices and lists of
 * connections as they are published, in tables and in binary files, packed by gzip or not.
 *
 * @module
 */

import csv from "../../connectomes/Synthetic_Macaque_29.csv" with {
  type: "text",
};
import { sha256Hex } from "../files/bytes.ts";
import { InputError } from "../files/input_error.ts";
import { type ByteSource, sourceOfBytes } from "../files/read.ts";
import { filterGraph, transposeGraph } from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import {
  CATALOGUE,
  catalogueEntry,
  citationsOf,
  SYNTHETIC_CITATIONS,
  SYNTHETIC_NAME,
} from "./catalogue.ts";
import {
  type Connectome,
  connectomeOf,
  orientationDoubt,
  type RowMeaning,
  validateConnectome,
} from "./connectome.ts";
import {
  type EdgeList,
  type EdgeListOptions,
  EdgeListReader,
  isListHeader,
  leftOut,
  notesOf,
} from "./edge_list.ts";
import { isGraphFile, readGraphFile } from "./graph_files.ts";
import { isMatrixFile, readMatrixFile } from "./matrix_files.ts";
import { isMissing, isWord, readTable, type TableReader } from "./rows.ts";
import { MatrixReader, type NamedGraph, numberedNames } from "./tables.ts";

/** How a file is read. */
export interface ImportOptions extends EdgeListOptions {
  /** Which regions the rows of a matrix are; default "source". */
  readonly rows?: RowMeaning | undefined;
  /** Name of the matrix in a `.mat` or HDF5 file; needed where it holds several. */
  readonly matrix?: string | undefined;
}

/** Name of the connectome in a file: without its endings, and without the C_ that stands before it in folders. */
export function importedName(path: string): string {
  return path.replace(/^.*[/\\]/, "").replace(/\.gz$/i, "")
    .replace(/\.[^.]*$/, "").replace(/^C_/, "");
}

/** What is asked of lists alone, by flags of its name. */
const LIST_FLAGS = ["source", "target", "weight", "types"] as const;

/**
 * Reads a connectome from a file: `.npy`, `.npz`, `.mat` and `.h5` hold a matrix, `.parquet`,
 * `.feather`, `.arrow` and `.graphml` a list of connections; any other file is a table, which
 * holds a matrix if it is square, else a list of connections.
 *
 * @throws {InputError} If the file can't be read, or holds no connectome.
 */
export async function importConnectome(
  file: ByteSource,
  options: ImportOptions,
): Promise<EdgeList> {
  const { name: path } = file;
  const { rows, matrix } = options;
  const refuse = (flag: string, why: string) => {
    throw new InputError(`Cannot use --${flag}: "${path}" ${why}`);
  };
  if (matrix !== undefined && !isMatrixFile(path)) {
    refuse(`matrix ${matrix}`, "is neither MATLAB's nor HDF5");
  }
  const asked = LIST_FLAGS.find((flag) => options[flag] !== undefined);
  if (asked !== undefined && isMatrixFile(path)) {
    refuse(
      `${asked} ${options[asked]}`,
      "is a matrix, not a list of connections",
    );
  }
  const found = isMatrixFile(path)
    ? await readMatrix(file, { matrix })
    : isGraphFile(path)
    ? await readGraphFile(file, new EdgeListReader(path, options))
    : await readTable(
      file,
      asked !== undefined || options.signs !== undefined
        ? new EdgeListReader(path, options)
        : new AnyTableReader(path, options),
    );
  const isList = "notes" in found;
  if (isList && rows !== undefined) {
    refuse(
      `rows ${rows}`,
      "is a list of connections, whose columns say which way they go",
    );
  }
  const list = isList ? found as EdgeList : listOf(found, options);
  const { notes } = list;
  const graph = rows === "target" ? transposeGraph(list.graph) : list.graph;
  validateConnectome({ ...list, graph }, path);
  const doubt = isList
    ? undefined
    : orientationDoubt({ ...list, graph, fileRows: rows ?? "source" });
  return {
    ...list,
    graph,
    notes: doubt === undefined ? notes : [...notes, `warning: ${doubt}`],
  };
}

/** A matrix as a list of connections tells of it. Those of a region to itself are left out, as those of a list are. */
function listOf(
  { graph: whole, regionNames: all }: NamedGraph,
  { minWeight = 0, subset }: EdgeListOptions,
): EdgeList {
  const regionNames: string[] = [];
  /** [N], numbers of the regions among those that are kept; −1 of others. */
  const number = new Int32Array(whole.nodes).fill(-1);
  for (const [region, name] of all.entries()) {
    if (subset !== undefined && !subset.has(name)) continue;
    number[region] = regionNames.length;
    regionNames.push(name);
  }
  const part = filterGraph(
    whole,
    (from, to) => number[from]! >= 0 && number[to]! >= 0,
  );
  const between = filterGraph(part, (from, to) => from !== to);
  const { from, to, weight } = filterGraph(
    between,
    // What is no weight is refused later, and is not to be left out before.
    (_, __, edge) => minWeight <= 0 || !(between.weight[edge]! < minWeight),
  );
  const loops = part.weight.length - between.weight.length;
  const weak = between.weight.length - weight.length;
  return {
    graph: {
      nodes: regionNames.length,
      from: from.map((region) => number[region]!),
      to: to.map((region) => number[region]!),
      weight,
    },
    regionNames,
    notes: [
      `a matrix of ${plural(regionNames.length, "region")} with ${
        plural(weight.length, "connection")
      }`,
      ...notesOf([
        leftOut(
          all.length - regionNames.length,
          "region",
          "outside the subset",
        ),
        leftOut(loops, "connection", "of a region to itself"),
        leftOut(weak, "connection", `of less than ${minWeight}`),
      ]),
    ],
  };
}

/** A row of a table. */
interface Row {
  readonly cells: readonly string[];
  /** Its number in the file, from 1. */
  readonly row: number;
}

/** Tables of so many columns are told from lists by their shape alone, and of so many at once. */
const CLEARLY_WIDE = 6;
const WIDER_THAN_LISTS = 100;

/**
 * Reads a matrix or a list: the first rows are held until it is told which. There are no more
 * of a matrix than columns and one, and no list has as many columns as large matrices.
 */
class AnyTableReader implements TableReader<NamedGraph | EdgeList> {
  #held: Row[] = [];
  #reader: MatrixReader | EdgeListReader | undefined;

  constructor(readonly path: string, readonly options: EdgeListOptions) {}

  add(cells: readonly string[], row: number): void {
    if (this.#reader !== undefined) return this.#reader.add(cells, row);
    const held = this.#held;
    held.push({ cells, row });
    const columns = Math.max(cells.length, held[0]!.cells.length);
    if (columns > WIDER_THAN_LISTS) this.#begin(true);
    else if (held.length > columns + 1) this.#begin(false);
  }

  #begin(isMatrix: boolean): MatrixReader | EdgeListReader {
    const reader = this.#reader = isMatrix
      ? new MatrixReader(this.path)
      : new EdgeListReader(this.path, this.options);
    for (const { cells, row } of this.#held) reader.add(cells, row);
    this.#held = [];
    return reader;
  }

  finish(): NamedGraph | EdgeList {
    const reader = this.#reader ?? this.#begin(looksSquare(this.#held));
    return reader.finish();
  }
}

/** Whether a table is a matrix and no list of connections. */
function looksSquare(rows: readonly Row[]): boolean {
  const [first, second] = rows;
  if (first === undefined || isListHeader(first.cells)) return false;
  const columns = Math.max(first.cells.length, second?.cells.length ?? 0);
  if (Math.abs(rows.length - columns) > 1) return false;
  if (columns >= CLEARLY_WIDE || !canBeList(rows)) return true;
  // A list of so few connections between numbers would have to have zeros just on the diagonal.
  try {
    const matrix = new MatrixReader("");
    for (const { cells, row } of rows) matrix.add(cells, row);
    const { from, to } = matrix.finish().graph;
    return from.every((region, edge) => region !== to[edge]);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return false;
  }
}

/**
 * Whether the lines of a small table name two regions each, in one way: words
 * or whole numbers. Of numbers with gaps a matrix that lacks values is likelier.
 */
function canBeList(rows: readonly Row[]): boolean {
  const [first] = rows;
  const hasHeader = first!.cells.length > 2 && first!.cells.every(isWord);
  const body = rows.slice(Number(hasHeader)).map(({ cells }) => ({
    ends: cells.slice(0, 2),
    gaps: cells.some(isMissing),
  }));
  return body.every(({ ends, gaps }) =>
    !gaps && ends.every((cell) => /^\d+$/.test(cell))
  ) ||
    (body.every(({ ends }) =>
      ends.every((cell) => isWord(cell) || isMissing(cell))
    ) && body.some(({ ends }) => ends.every(isWord)));
}

/**
 * A square matrix as a file of a folder of connectomes holds it, `.npy`, `.npz` or a table.
 *
 * @throws {InputError} If it is no square matrix.
 */
export async function readMatrix(
  file: ByteSource,
  { matrix }: Pick<ImportOptions, "matrix"> = {},
): Promise<NamedGraph> {
  if (!isMatrixFile(file.name)) {
    return await readTable(file, new MatrixReader(file.name));
  }
  const graph = await readMatrixFile(file, { matrix });
  return { graph, regionNames: numberedNames(graph.nodes) };
}

/**
 * `Synthetic_Macaque_29`: a connectome of our own making with the published
 * statistics of the macaque's cortex. No part of it was measured.
 */
export async function embeddedConnectome(): Promise<Connectome> {
  const file = `${SYNTHETIC_NAME}.csv`;
  const bytes = new TextEncoder().encode(csv);
  return connectomeOf({
    name: SYNTHETIC_NAME,
    species: "none",
    ...await readMatrix(sourceOfBytes(file, bytes)),
    citations: SYNTHETIC_CITATIONS,
    synthetic: true,
    source: "embedded",
    sha256: await sha256Hex(bytes),
  }, file);
}

/**
 * Adds what the catalogue says of a connectome, and turns it round where the
 * rows of its file are targets.
 *
 * @param options Of "orientation", "file" takes rows for sources whatever the catalogue says.
 */
export function catalogued(
  found: Connectome,
  { orientation, onProgress }: {
    readonly orientation?: "declared" | "file";
    readonly onProgress?: (line: string) => void;
  } = {},
): Connectome {
  const entry = catalogueEntry(found.name);
  const known = entry !== undefined &&
    found.sha256 === entry.files.weights.sha256;
  if (entry !== undefined && !known) {
    onProgress?.(
      `note: ${found.source} is not the file that the catalogue lists as ${entry.name} (its SHA-256 differs)`,
    );
  }
  const doubt = known ? undefined : orientationDoubt(found);
  if (doubt !== undefined) {
    onProgress?.(`warning: ${found.source}: ${doubt}`);
  }
  const turned = known && entry.rows === "target" && orientation !== "file";
  return {
    ...found,
    ...(turned &&
      { graph: transposeGraph(found.graph), fileRows: "target" as const }),
    ...(entry &&
      { species: entry.species, citations: citationsOf(entry) }),
  };
}

/**
 * A connectome from a file that is at hand as bytes: the catalogue's, if it is one of
 * those, else under the file's own name.
 *
 * @param options `file`, its name; `onProgress` is told what was done with its lines.
 * @throws {InputError} If it holds no connectome.
 */
export async function connectomeOfFile(
  bytes: Uint8Array,
  { file, onProgress }: {
    readonly file: string;
    readonly onProgress: (line: string) => void;
  },
): Promise<Connectome> {
  const sha256 = await sha256Hex(bytes);
  const entry = CATALOGUE.find(({ files }) => files.weights.sha256 === sha256);
  const { graph, regionNames, notes } = await importConnectome(
    sourceOfBytes(file, bytes),
    { types: entry?.types },
  );
  for (const note of notes) onProgress(note);
  const found = connectomeOf({
    name: entry?.name ?? importedName(file),
    graph,
    regionNames,
    source: file,
    sha256,
  });
  return catalogued(found, { onProgress });
}
