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
} from "./edge_list.ts";
import { isGraphFile, readGraphFile } from "./graph_files.ts";
import { isMatrixFile, readMatrixFile } from "./matrix_files.ts";
import { readRows } from "./rows.ts";
import {
  isMissing,
  isWord,
  MatrixReader,
  type SquareMatrix,
} from "./tables.ts";

/** How a file is read. */
export interface ImportOptions extends Omit<EdgeListOptions, "file"> {
  /** Which regions the rows of a matrix are; default "source". */
  readonly rows?: RowMeaning | undefined;
  /** Name of the matrix in a `.mat` or HDF5 file; needed where it holds several. */
  readonly matrix?: string | undefined;
}

/** Name of the connectome in a file: without its endings, and without the C_ that stands before it in folders. */
export function importedName(path: string): string {
  return path.replace(/^.*[/\\]/, "").replace(/\.gz$/i, "").replace(
    /\.[^.]*$/,
    "",
  )
    .replace(/^C_/, "");
}

/** What is asked of lists alone. */
const LIST_FLAGS = ["source", "target", "weight", "types"] as const;
/** Tables of so many columns are told from lists by their shape alone, and of so many at once. */
const CLEARLY_WIDE = 6;
const WIDER_THAN_LISTS = 100;

/**
 * Reads a connectome from a file: `.npy`, `.npz`, `.mat` and `.h5` hold a matrix, `.parquet`,
 * `.feather`, `.arrow` and `.graphml` a list of connections; any other file is a table, which
 * holds a matrix if it is square, else a list of connections.
 *
 * @throws {InputError} If the file can't be read, or holds no connectome.
 */
export async function importConnectome(
  file: ByteSource,
  { rows, matrix, ...options }: ImportOptions,
): Promise<EdgeList> {
  const { name: path } = file;
  if (matrix !== undefined && !isMatrixFile(path)) {
    throw new InputError(
      `Cannot use --matrix ${matrix}: "${path}" is neither MATLAB's nor HDF5`,
    );
  }
  for (const flag of LIST_FLAGS) {
    if (options[flag] === undefined || !isMatrixFile(path)) continue;
    throw new InputError(
      `Cannot use --${flag} ${
        options[flag]
      }: "${path}" is a matrix, not a list of connections`,
    );
  }
  const found = isMatrixFile(path)
    ? { graph: await readMatrixFile(file, { matrix }) }
    : await readList(file, options);
  const isList = !isMatrix(found);
  if (isList && rows !== undefined) {
    throw new InputError(
      `Cannot use --rows ${rows}: "${path}" is a list of connections, whose columns say which way they go`,
    );
  }
  const known = isMatrix(found) ? described(found, options) : found;
  const turned = rows === "target"
    ? { ...known, graph: transposeGraph(known.graph) }
    : known;
  validateConnectome(turned, path);
  const doubt = isList
    ? undefined
    : orientationDoubt({ ...turned, fileRows: rows ?? "source" });
  return {
    ...turned,
    notes: [
      ...turned.notes,
      ...(doubt === undefined ? [] : [`warning: ${doubt}`]),
    ],
  };
}

function isMatrix(found: SquareMatrix | EdgeList): found is SquareMatrix {
  return !("notes" in found);
}

/** What a table or another list of connections holds. */
async function readList(
  file: ByteSource,
  options: Omit<EdgeListOptions, "file">,
): Promise<SquareMatrix | EdgeList> {
  const { name: path } = file;
  const { source, target, weight, types, signs } = options;
  const asksForList = [source, target, weight, types, signs].some((option) =>
    option !== undefined
  );
  if (!asksForList && !isGraphFile(path)) return await readTable(file, options);
  const list = new EdgeListReader({ ...options, file: path });
  const add = (cells: readonly string[], row: number) => list.add(cells, row);
  if (isGraphFile(path)) await readGraphFile(file, add);
  else await readRows(file, add);
  return list.finish();
}

/**
 * A matrix or a list: the first rows are held until it is told which. There are no more
 * of a matrix than columns and one, and no list has as many columns as large matrices.
 */
async function readTable(
  file: ByteSource,
  options: Omit<EdgeListOptions, "file">,
): Promise<SquareMatrix | EdgeList> {
  const { name: path } = file;
  let held: Row[] | undefined = [];
  let reader: MatrixReader | EdgeListReader | undefined;
  const begin = (kind: MatrixReader | EdgeListReader) => {
    for (const { cells, row } of held!) kind.add(cells, row);
    held = undefined;
    reader = kind;
  };
  const list = () => new EdgeListReader({ ...options, file: path });
  await readRows(file, (cells, row) => {
    if (reader !== undefined) return reader.add(cells, row);
    held!.push({ cells, row });
    const columns = Math.max(cells.length, held![0]!.cells.length);
    if (columns > WIDER_THAN_LISTS) begin(new MatrixReader(path));
    else if (held!.length > columns + 1) begin(list());
  });
  if (reader === undefined) {
    begin(looksSquare(held, path) ? new MatrixReader(path) : list());
  }
  return reader!.finish();
}

/** A row of a table. */
interface Row {
  readonly cells: readonly string[];
  /** Its number in the file, from 1. */
  readonly row: number;
}

/** Reads a matrix as a list's notes tell of it. Connections of a region to itself are left out, as those of a list are. */
function described(
  { graph: whole, names }: SquareMatrix,
  { minWeight = 0, subset }: Omit<EdgeListOptions, "file">,
): EdgeList {
  const all = names ??
    Array.from({ length: whole.nodes }, (_, region) => String(region + 1));
  /** Numbers of the regions among those that are kept; −1 of others. */
  const number = new Int32Array(whole.nodes).fill(-1);
  const regionNames = all.filter((name, region) => {
    if (subset !== undefined && !subset.has(name)) return false;
    number[region] = region;
    return true;
  });
  let last = 0;
  number.forEach((region, at) => number[at] = region < 0 ? -1 : last++);
  const part = filterGraph(
    whole,
    (from, to) => number[from]! >= 0 && number[to]! >= 0,
  );
  const between = filterGraph(part, (from, to) => from !== to);
  const { from, to, weight } = filterGraph(
    between,
    // What is no weight is refused later, and is not to be left out before.
    (_, __, edge) => !(between.weight[edge]! < minWeight) || minWeight <= 0,
  );
  const regions = all.length - regionNames.length;
  const itself = part.weight.length - between.weight.length;
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
      ...(regions === 0
        ? []
        : [`${plural(regions, "region")} outside the subset left out`]),
      ...(itself === 0
        ? []
        : [`${plural(itself, "connection")} of a region to itself left out`]),
      ...(weak === 0
        ? []
        : [`${plural(weak, "connection")} of less than ${minWeight} left out`]),
    ],
  };
}

/** Whether a table is a matrix and no list of connections. */
function looksSquare(rows: readonly Row[], file: string): boolean {
  const [first, second] = rows;
  if (first === undefined || isListHeader(first.cells)) return false;
  const columns = Math.max(first.cells.length, second?.cells.length ?? 0);
  if (Math.abs(rows.length - columns) > 1) return false;
  if (columns >= CLEARLY_WIDE || !canBeList(rows)) return true;
  // A list of so few connections between numbers would have to have zeros just on the diagonal.
  try {
    const matrix = new MatrixReader(file);
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
  const body = isHeader(rows[0]!.cells) ? rows.slice(1) : rows;
  const inWords = ({ cells }: Row) =>
    cells.slice(0, 2).every((cell) => isWord(cell) || isMissing(cell));
  const inNumbers = ({ cells }: Row) =>
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

/**
 * A square matrix as a file of a folder of connectomes holds it, `.npy`, `.npz` or a table.
 *
 * @throws {InputError} If it is no square matrix.
 */
export async function readMatrix(file: ByteSource): Promise<SquareMatrix> {
  if (isMatrixFile(file.name)) return { graph: await readMatrixFile(file) };
  const matrix = new MatrixReader(file.name);
  await readRows(file, (cells, row) => matrix.add(cells, row));
  return matrix.finish();
}

/**
 * `Synthetic_Macaque_29`: a connectome of our own making with the published
 * statistics of the macaque's cortex. No part of it was measured.
 */
export async function embeddedConnectome(): Promise<Connectome> {
  const file = `${SYNTHETIC_NAME}.csv`;
  const bytes = new TextEncoder().encode(csv);
  const { graph, names } = await readMatrix(sourceOfBytes(file, bytes));
  return connectomeOf({
    name: SYNTHETIC_NAME,
    species: "none",
    graph,
    regionNames: names!,
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
  const turned = known && entry.rows === "target" &&
    orientation !== "file";
  const connectome = {
    ...found,
    ...(turned
      ? { graph: transposeGraph(found.graph), fileRows: "target" as const }
      : {}),
    ...(entry === undefined
      ? {}
      : { species: entry.species, citations: citationsOf(entry) }),
  };
  const doubt = known ? undefined : orientationDoubt(connectome);
  if (doubt !== undefined) {
    onProgress?.(`warning: ${found.source}: ${doubt}`);
  }
  return connectome;
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
