/**
 * What the bytes of a file say of a connectome, wherever they come from.
 *
 * @module
 */

import csv from "../../connectomes/Synthetic_Macaque_29.csv" with {
  type: "text",
};
import { sha256Hex } from "../files/checksum.ts";
import { InputError } from "../files/input_error.ts";
import { readNpy } from "../files/npy.ts";
import { readSparseNpz } from "../files/npz.ts";
import {
  filterGraph,
  type Graph,
  graphOfMatrix,
  rowOfEach,
  transposeGraph,
} from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import { CATALOGUE, catalogueEntry, citationsOf } from "./catalogue.ts";
import {
  type Connectome,
  orientationDoubt,
  validateConnectome,
} from "./connectome.ts";
import {
  type EdgeList,
  type EdgeListOptions,
  isListHeader,
  parseEdgeList,
} from "./edge_list.ts";
import { graphmlLines } from "./graph_files.ts";
import { SYNTHETIC_CITATIONS, SYNTHETIC_NAME } from "./synthetic.ts";
import {
  isMissing,
  isWord,
  parseMatrixTable,
  readTable,
  type TableRow,
} from "./tables.ts";

/** Name of the connectome in a file: without its endings, and without the C_ that stands before it in folders. */
export function importedName(path: string): string {
  return path.replace(/^.*[/\\]/, "").replace(/\.gz$/i, "").replace(
    /\.[^.]*$/,
    "",
  )
    .replace(/^C_/, "");
}

/** Tables of so many columns are told from lists by their shape alone. */
const CLEARLY_WIDE = 6;

/** A connectome as a file has it, and whether as a matrix. */
export type Decoded = EdgeList & { readonly matrix?: true };

/**
 * Reads the whole of a file: `.npy` and `.npz` hold a matrix, `.graphml` a list of
 * connections; any other is a table, which holds a matrix if it is square, else a list.
 *
 * @throws {InputError} If it holds no connectome.
 */
export function decodeConnectome(
  bytes: Uint8Array,
  options: EdgeListOptions,
): Decoded {
  const { file, source, target, weight, types } = options;
  if (/\.np[yz]$/i.test(file)) return described(readMatrix(bytes, file));
  const text = decodeText(bytes, file);
  if (/\.graphml$/i.test(file)) {
    return parseEdgeList(graphmlLines(text, file), options);
  }
  const asksForList = [source, target, weight, types].some((option) =>
    option !== undefined
  );
  if (asksForList || !looksSquare(text, file)) {
    return parseEdgeList(text, options);
  }
  const { regions, weights, names } = parseMatrixTable(text, file);
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

/**
 * `Synthetic_Macaque_29`: a connectome of our own making with the published
 * statistics of the macaque's cortex. No part of it was measured.
 */
export async function embeddedConnectome(): Promise<Connectome> {
  const file = `${SYNTHETIC_NAME}.csv`;
  const { regions, weights, names } = parseMatrixTable(csv, file);
  const connectome: Connectome = {
    name: SYNTHETIC_NAME,
    species: "none",
    regions,
    graph: graphOfMatrix(weights, regions),
    regionNames: names!,
    citations: SYNTHETIC_CITATIONS,
    synthetic: true,
    source: "embedded",
    fileRows: "source",
    sha256: await sha256Hex(new TextEncoder().encode(csv)),
  };
  validateConnectome(connectome, file);
  return connectome;
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
  const types = entry?.types;
  const { graph, regionNames, notes } = decodeConnectome(bytes, {
    file,
    ...(types === undefined ? {} : { types }),
  });
  for (const note of notes) onProgress(note);
  const found: Connectome = {
    name: entry?.name ?? importedName(file),
    species: "unknown",
    regions: graph.nodes,
    graph,
    regionNames,
    citations: [],
    synthetic: false,
    source: file,
    fileRows: "source",
    sha256,
  };
  validateConnectome(found, file);
  return catalogued(found, { onProgress });
}
