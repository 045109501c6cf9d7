/**
 * Matrices in binary files: NumPy's `.npy` and SciPy's `.npz`, MATLAB's `.mat` and
 * HDF5. All become graphs without a matrix [N, N] in memory.
 *
 * @module
 */

import { cannotRead, type Fail, InputError } from "../files/input_error.ts";
import { type NamedMatrix, readMat } from "../files/mat.ts";
import { scanNpyMatrix } from "../files/npy.ts";
import { readSparseNpz } from "../files/npz.ts";
import type { ByteSource } from "../files/read.ts";
import { filterGraph, type Graph, GraphBuilder } from "../graph/graph.ts";
import { rowOfEach } from "../graph/connections.ts";
import { listNames } from "../text/words.ts";
import { cannotUse } from "./connectome.ts";

/** Whether a file holds a matrix in a form that is no text. */
export function isMatrixFile(path: string): boolean {
  return /\.(?:npy|npz|mat|h5|hdf5?)$/i.test(path);
}

/** Larger files of these kinds are read whole, and would leave no room for their numbers. */
const MOST_MEGABYTES = 2000;

/**
 * The graph of a matrix in a file: an edge where an entry is not 0, from its row to its column.
 *
 * @param options `matrix`, the name of the matrix in a `.mat` or HDF5 file; needed where it holds several square ones.
 * @throws {InputError} If the file can't be read, or holds no such matrix.
 */
export async function readMatrixFile(
  file: ByteSource,
  { matrix }: { readonly matrix?: string | undefined } = {},
): Promise<Graph> {
  const { name: path } = file;
  if (/\.np[yz]$/i.test(path) && matrix !== undefined) {
    throw new InputError(
      `Cannot use --matrix ${matrix}: "${path}" holds one matrix, without a name`,
    );
  }
  if (/\.npy$/i.test(path)) return await readNpyMatrix(file);
  const bytes = await file.bytes();
  if (/\.npz$/i.test(path)) return sparseGraph(bytes, path);
  const fail = cannotRead(path, "the connectome");
  const megabytes = Math.ceil(bytes.length / 1e6);
  if (megabytes > MOST_MEGABYTES) {
    fail(
      `it has ${megabytes} MB, and files of this kind may have ${MOST_MEGABYTES}; SciPy's save_npz() writes one that can be larger`,
    );
  }
  const choose = (found: readonly NamedMatrix[]) =>
    graphOf(chosen(found, path, matrix));
  return isHdf5(bytes)
    ? await readHdf5(bytes, path, choose)
    : choose(await readMat(bytes, { name: path }));
}

function checkSquare(path: string, shape: readonly number[]): void {
  if (shape.length === 2 && shape[0] === shape[1]) return;
  cannotUse(path)(
    `it must be a square matrix, found the shape ${shapeText(shape)}`,
  );
}

/** A shape as NumPy writes it. */
export function shapeText(shape: readonly number[]): string {
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
}

async function readNpyMatrix({ name, chunks }: ByteSource): Promise<Graph> {
  const edges = new GraphBuilder();
  let nodes = 0;
  await scanNpyMatrix(chunks(), {
    name,
    onShape: (shape) => {
      checkSquare(name, shape);
      nodes = shape[0]!;
    },
    onElement: (value, row, column) => edges.add(row, column, value),
  });
  return edges.build(nodes).graph;
}

function sparseGraph(bytes: Uint8Array, path: string): Graph {
  const { shape, start, column, values } = readSparseNpz(bytes, { name: path });
  checkSquare(path, shape);
  const weight = Float64Array.from(values);
  // Zeros may be written in a sparse matrix, too.
  return filterGraph({
    nodes: shape[0],
    from: rowOfEach(Uint32Array.from(start)),
    to: Uint32Array.from(column),
    weight,
  }, (_, __, edge) => weight[edge] !== 0);
}

/** The matrix that is asked for, or the only square one. */
function chosen(
  found: readonly NamedMatrix[],
  path: string,
  matrix: string | undefined,
): NamedMatrix {
  const matrices = found.filter(({ rows, columns }) =>
    rows === columns && rows > 1
  );
  if (matrices.length === 0) {
    cannotUse(path)("it holds no square matrix of numbers");
  }
  const one = matrix === undefined
    ? matrices.length === 1 ? matrices[0] : undefined
    : matrices.find(({ name }) => name === matrix);
  if (one !== undefined) return one;
  const names = listNames(
    matrices.map(({ name, rows }) => `${name} (${rows} regions)`),
    "and",
  );
  throw new InputError(
    matrix === undefined
      ? `Cannot choose among the matrices in "${path}": --matrix names one of ${names}`
      : `Cannot use --matrix ${matrix}: the square matrices in "${path}" are ${names}`,
  );
}

function graphOf({ rows, entries }: NamedMatrix): Graph {
  const edges = new GraphBuilder();
  entries((row, column, value) => edges.add(row, column, value));
  return edges.build(rows).graph;
}

/**
 * Loads a package that only such files need, when one is read.
 *
 * @throws {InputError} If it can't be had.
 */
export async function packageFor<T>(
  load: () => Promise<T>,
  { path, name }: { readonly path: string; readonly name: string },
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    return cannotRead(path)(
      `${name}, which reads such files and is downloaded when the first is read, can't be loaded (${
        (cause as Error).message.split("\n")[0]
      })`,
      { cause },
    );
  }
}

/** What is used of h5wasm; its own types would be downloaded with every use of biornn. */
interface H5Wasm {
  readonly ready: Promise<{
    /** Without it errors are printed, too. */
    activate_throwing_error_handler(): void;
    readonly FS: {
      writeFile(name: string, bytes: Uint8Array): void;
      unlink(name: string): void;
    };
  }>;
  readonly File: new (name: string, mode: "r") => H5Group & { close(): void };
}

interface H5Group {
  readonly type: "Group";
  readonly attrs: Readonly<Record<string, { readonly value: unknown }>>;
  keys(): string[];
  get(name: string): H5Group | H5Dataset | null;
}

interface H5Dataset {
  readonly type: "Dataset";
  readonly attrs: Readonly<Record<string, { readonly value: unknown }>>;
  readonly shape: readonly number[] | null;
  /** Its `type` is 0 of integers, 1 of floats, 8 of truth values. */
  readonly metadata: { readonly type: number };
  readonly value: unknown;
  slice(ranges: readonly (readonly number[])[]): ArrayLike<number | bigint>;
}

/** HDF5 begins at the start, or after a block of its user's: 512 bytes, or that doubled again and again. */
function isHdf5(bytes: Uint8Array): boolean {
  const magic = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
  for (let at = 0; at < bytes.length; at = at === 0 ? 512 : 2 * at) {
    if (magic.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}

async function readHdf5(
  bytes: Uint8Array,
  path: string,
  choose: (found: readonly NamedMatrix[]) => Graph,
): Promise<Graph> {
  // Named by a variable: 15 MB that only who reads such a file downloads.
  const name = "npm:h5wasm@0.10.3";
  const h5 = await packageFor(() => import(name) as Promise<H5Wasm>, {
    path,
    name: "h5wasm",
  });
  const library = await h5.ready;
  library.activate_throwing_error_handler();
  const copy = `${crypto.randomUUID()}.h5`;
  library.FS.writeFile(copy, bytes);
  const fail = cannotRead(path, "the connectome");
  try {
    const file = new h5.File(copy, "r");
    try {
      return choose([...matricesIn(file, "", fail)]);
    } finally {
      file.close();
    }
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    return fail("it is no HDF5 file that can be read", { cause });
  } finally {
    library.FS.unlink(copy);
  }
}

/**
 * The matrices of an HDF5 file: datasets, and groups with the arrays of a
 * sparse matrix as MATLAB (`ir`, `jc`, `data`) or anndata (`indices`, `indptr`, `data`) keep them.
 * MATLAB writes columns where others write rows.
 */
function* matricesIn(
  group: H5Group,
  prefix: string,
  fail: Fail,
): Generator<NamedMatrix> {
  for (const key of group.keys()) {
    // MATLAB's own notes.
    if (key.startsWith("#")) continue;
    const name = `${prefix}${key}`;
    const each = group.get(key);
    if (each === null) continue;
    const found = each.type === "Group"
      ? sparseOf(each, name, fail)
      : denseOf(each, name, fail);
    if (found !== undefined) yield found;
    else if (each.type === "Group") yield* matricesIn(each, `${name}/`, fail);
  }
}

/** Entries that are read at once. */
const AT_ONCE = 2 ** 22;

function denseOf(
  dataset: H5Dataset,
  name: string,
  fail: Fail,
): NamedMatrix | undefined {
  const { shape, metadata, attrs } = dataset;
  if (shape?.length !== 2 || ![0, 1, 8].includes(metadata.type)) {
    return undefined;
  }
  const [rows, columns] = shape as [number, number];
  const turned = "MATLAB_class" in attrs;
  return {
    name,
    rows,
    columns,
    entries: (visit) => {
      const together = Math.max(1, Math.floor(AT_ONCE / columns));
      for (let first = 0; first < rows; first += together) {
        const end = Math.min(rows, first + together);
        const values = dataset.slice([[first, end], []]);
        for (let entry = 0; entry < values.length; entry++) {
          const value = numberOf(values[entry]!, name, fail);
          if (value === 0) continue;
          const row = first + Math.floor(entry / columns);
          const column = entry % columns;
          if (turned) visit(column, row, value);
          else visit(row, column, value);
        }
      }
    },
  };
}

/** A number of a file; whole ones of 64 bits must be ones that a double holds. */
function numberOf(value: number | bigint, name: string, fail: Fail): number {
  const number = Number(value);
  if (typeof value === "number" || Number.isSafeInteger(number)) return number;
  return fail(`the integer ${value} of ${name} lies beyond ±(2^53 - 1)`);
}

/** A group's sparse matrix, if it has the arrays of one. */
function sparseOf(
  group: H5Group,
  name: string,
  fail: Fail,
): NamedMatrix | undefined {
  const keys = group.keys();
  const [inner, outer] = keys.includes("jc")
    ? ["ir", "jc"] as const
    : ["indices", "indptr"] as const;
  if (![inner, outer, "data"].every((key) => keys.includes(key))) {
    return undefined;
  }
  const arrayOf = (key: string): Float64Array => {
    const each = group.get(key);
    const values = each?.type === "Dataset" && each.shape?.length === 1
      ? each.value as ArrayLike<number | bigint>
      : [];
    return Float64Array.from(
      values,
      (value) => numberOf(value, `${name}/${key}`, fail),
    );
  };
  const start = Uint32Array.from(arrayOf(outer));
  const nodes = start.length - 1;
  const { MATLAB_sparse: rows, shape } = group.attrs;
  const declared = rows?.value ?? shape?.value ?? nodes;
  const sides = ArrayBuffer.isView(declared)
    ? [...declared as unknown as Iterable<unknown>]
    : [declared];
  if (sides.some((side) => Number(side) !== nodes)) return undefined;
  // Columns follow each other in MATLAB, and in what anndata calls csc_matrix.
  const byColumn = outer === "jc" ||
    String(group.attrs["encoding-type"]?.value).startsWith("csc");
  return {
    name,
    rows: nodes,
    columns: nodes,
    entries: (visit) => {
      const other = Uint32Array.from(arrayOf(inner));
      const weight = arrayOf("data");
      const sound = start.at(-1) === other.length &&
        other.length === weight.length &&
        start.every((at, i) => i === 0 ? at === 0 : at >= start[i - 1]!) &&
        other.every((node) => node < nodes);
      if (!sound) {
        fail(`the arrays of ${name} make no square sparse matrix`);
      }
      const own = rowOfEach(start);
      const [from, to] = byColumn ? [other, own] : [own, other];
      for (let i = 0; i < weight.length; i++) {
        if (weight[i] !== 0) visit(from[i]!, to[i]!, weight[i]!);
      }
    },
  };
}
