/**
 * Sparse matrices in SciPy's files, `.npz`: ZIP archives of NumPy's arrays, as
 * `scipy.sparse.save_npz` writes and `load_npz` reads them.
 *
 * Format: https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.save_npz.html
 *
 * @module
 */

import { isCount } from "./bytes.ts";
import { cannotRead, type Fail } from "./input_error.ts";
import { readNpy, readNpyText, writeNpy, writeNpyText } from "./npy.ts";
import { readZip, zipSync } from "./zip.ts";

/** A matrix by its entries, row after row (CSR). Entries that are not there are 0. */
export interface SparseMatrix {
  readonly shape: readonly [rows: number, columns: number];
  /** Where each row's entries begin, and where the last row's end; (rows + 1). */
  readonly start: ArrayLike<number>;
  /** Column of each entry, from 0, ascending within a row; (entries). */
  readonly column: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

const INT32_MAX = 2 ** 31 - 1;

/** What keeps arrays from being a matrix; undefined where they are one. */
function problemOf(
  { shape, start, column, values }: SparseMatrix,
): string | undefined {
  const [rows, columns] = shape;
  if (!isCount(rows) || !isCount(columns)) {
    return `its shape is (${rows}, ${columns})`;
  }
  if (start.length !== rows + 1) {
    return `${rows} rows need ${
      rows + 1
    } places where they start and end, found ${start.length}`;
  }
  if (column.length !== values.length) {
    return `it has ${column.length} columns for ${values.length} values`;
  }
  if (start[0] !== 0 || start[rows] !== values.length) {
    return `its rows go from entry ${start[0]} to ${
      start[rows]
    }, but there are ${values.length} entries`;
  }
  for (let row = 0; row < rows; row++) {
    const [from, to] = [start[row]!, start[row + 1]!];
    if (!(Number.isSafeInteger(to) && from <= to && to <= values.length)) {
      return `row ${row} goes from entry ${from} to ${to}`;
    }
    let last = -1;
    for (let entry = from; entry < to; entry++) {
      const found = column[entry]!;
      if (!isCount(found) || found >= columns) {
        return `row ${row} has an entry in column ${found} of ${columns}`;
      }
      if (found <= last) {
        return `the columns of row ${row} do not ascend, as they do after SciPy's sum_duplicates()`;
      }
      last = found;
    }
  }
  return undefined;
}

/**
 * The bytes of an `.npz` file with a sparse matrix, which
 * `scipy.sparse.load_npz` reads as a `csr_matrix` of float64.
 *
 * @returns A ZIP archive, packed as `save_npz` does; the same bytes for the same matrix. Indices are 32-bit integers
 * where they fit, else 64-bit ones.
 * @throws {RangeError} If the arrays are no such matrix.
 */
export function writeSparseNpz(matrix: SparseMatrix): Uint8Array {
  const problem = problemOf(matrix);
  if (problem !== undefined) {
    throw new RangeError(`Cannot write a sparse matrix: ${problem}`);
  }
  const { shape, start, column, values } = matrix;
  const integers = Math.max(...shape, values.length) > INT32_MAX
    ? int64
    : (array: ArrayLike<number>) =>
      writeNpy({ shape: [array.length], data: Int32Array.from(array) });
  return zipSync(
    {
      // In the order in which SciPy writes them.
      "indices.npy": integers(column),
      "indptr.npy": integers(start),
      "format.npy": writeNpyText("csr"),
      "shape.npy": int64(shape),
      "data.npy": writeNpy({
        shape: [values.length],
        data: Float64Array.from(values),
      }),
    },
    // The day on which ZIP's calendar begins, in local time, as it is written: no bytes that depend on the clock.
    { mtime: new Date(1980, 0, 1) },
  );
}

function int64(array: ArrayLike<number>): Uint8Array {
  const data = BigInt64Array.from(Array.from(array, BigInt));
  return writeNpy({ shape: [data.length], data });
}

const ARRAYS = [
  ...["format.npy", "shape.npy", "data.npy"],
  ...["indices.npy", "indptr.npy", "row.npy", "col.npy"],
];

/**
 * Reads an `.npz` file with a sparse matrix in CSR, CSC or COO format.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @returns The matrix; booleans as 0 and 1. Memory is proportional to the size of the arrays in the file.
 * @throws {InputError} If the file is broken, holds another format or elements that are no plain numbers, or
 * in CSR and CSC the indices do not ascend, as they do after `sum_duplicates()`.
 */
export function readSparseNpz(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): SparseMatrix {
  const fail: Fail = cannotRead(name);
  const entries = readZip(bytes, { name, wanted: ARRAYS });
  const entryOf = (entry: string) =>
    entries.get(entry) ??
      fail(
        `it has no ${entry}, as files of scipy.sparse.save_npz in that format have`,
      );
  /** An array of one dimension. */
  const arrayOf = (entry: string) => {
    const array = readNpy(entryOf(entry), { name: `${name}/${entry}` });
    if (array.shape.length === 1) return array;
    return fail(
      `its ${entry} should have one dimension, but has shape (${
        array.shape.join(", ")
      })`,
    );
  };
  const integersOf = (entry: string) => {
    const { dtype, data } = arrayOf(entry);
    if (dtype === "i4" || dtype === "i8") return data;
    return fail(
      `its ${entry} should hold integers of 4 or 8 bytes, but holds type '${dtype}'`,
    );
  };
  // Asked first: the other formats have other arrays.
  const format = readNpyText(entryOf("format.npy"), {
    name: `${name}/format.npy`,
  });
  if (format !== "csr" && format !== "csc" && format !== "coo") {
    fail(
      `it holds a matrix in the format ${
        JSON.stringify(format.slice(0, 20))
      }; "csr", "csc" and "coo" can be read: SciPy's tocsr() makes one`,
    );
  }
  const shape = integersOf("shape.npy");
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined || shape.length > 2) {
    return fail(
      `its shape.npy should hold 2 numbers, but holds ${shape.length}`,
    );
  }
  const values = arrayOf("data.npy").data;
  const size = [rows, columns] as const;
  if (format === "coo") {
    const [row, column] = [integersOf("row.npy"), integersOf("col.npy")];
    return fromPlaces(size, { row, column, values }, fail);
  }
  // The columns of a CSC matrix are the rows of its transpose in CSR.
  const wide = format === "csr";
  const matrix: SparseMatrix = {
    shape: wide ? size : [columns, rows],
    start: integersOf("indptr.npy"),
    column: integersOf("indices.npy"),
    values,
  };
  const problem = problemOf(matrix);
  if (problem !== undefined) {
    return fail(wide ? problem : `of its transpose, ${problem}`);
  }
  if (wide) return matrix;
  const column = new Float64Array(values.length);
  for (let c = 0; c < columns; c++) {
    column.fill(c, matrix.start[c], matrix.start[c + 1]);
  }
  return fromPlaces(size, { row: matrix.column, column, values }, fail);
}

/** The matrix of entries in any order; those of one place are summed, as SciPy does. */
function fromPlaces(
  [rows, columns]: readonly [number, number],
  { row, column, values }: Readonly<
    Record<"row" | "column" | "values", ArrayLike<number>>
  >,
  fail: Fail,
): SparseMatrix {
  if (row.length !== values.length || column.length !== values.length) {
    fail(
      `it has ${row.length} rows and ${column.length} columns for ${values.length} values`,
    );
  }
  if (!isCount(rows) || rows > MOST_ROWS) {
    fail(`its shape is (${rows}, ${columns})`);
  }
  for (let entry = 0; entry < values.length; entry++) {
    const [r, c] = [row[entry]!, column[entry]!];
    if (!(r >= 0 && r < rows && c >= 0 && c < columns)) {
      fail(`it has an entry at (${r}, ${c}) of (${rows}, ${columns})`);
    }
  }
  const order = Uint32Array.from({ length: values.length }, (_, i) => i)
    .sort((a, b) => row[a]! - row[b]! || column[a]! - column[b]! || a - b);
  const start = new Float64Array(rows + 1);
  const columnOf = new Float64Array(values.length);
  const summed = new Float64Array(values.length);
  let made = 0;
  let last = -1;
  for (const entry of order) {
    const [r, c] = [row[entry]!, column[entry]!];
    if (last >= 0 && row[last] === r && column[last] === c) {
      summed[made - 1]! += values[entry]!;
      continue;
    }
    columnOf[made] = c;
    summed[made++] = values[entry]!;
    start[r + 1]!++;
    last = entry;
  }
  for (let r = 0; r < rows; r++) start[r + 1]! += start[r]!;
  return {
    shape: [rows, columns],
    start,
    column: columnOf.subarray(0, made),
    values: summed.subarray(0, made),
  };
}

/** Rows that a file may claim without an entry in them; their starts take 800 MB. */
const MOST_ROWS = 1e8;
