import assert from "node:assert/strict";
import { zipSync } from "../../src/files/zip.ts";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { writeNpy, writeNpyText } from "../../src/files/npy.ts";
import {
  readSparseNpz,
  type SparseMatrix,
  writeSparseNpz,
} from "../../src/files/npz.ts";
import {
  assertNoPartRead,
  assertRefused,
  itRefuses,
  type Refusal,
} from "./binary.ts";

const name = "x.npz";

/**
 * What SciPy 1.10.1 wrote:
 *
 * ```python
 * import io, base64, numpy as np, scipy.sparse as s
 * b = io.BytesIO()
 * s.save_npz(b, s.csr_matrix(np.array([[0, 1.5, 0, 0], [0, 0, 0, 0], [2, 0, -3, 0]])))
 * print(base64.b64encode(b.getvalue()).decode())
 * ```
 */
const SAVED_BY_SCIPY = Uint8Array.fromBase64(
  "UEsDBBQAAAAIAAAAIQDzoLL+SgAAAIwAAAALABQAaW5kaWNlcy5ucHkBABAAjAAAAAAAAABK" +
    "AAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TaaKuo6Cell9UUpSYF59flJIKEndLzClO" +
    "BYoXZyQWpAL5GsY6mjoKtQoUAC5GBghgAmIAUEsDBBQAAAAIAAAAIQAdc5FaTAAAAJAAAAAK" +
    "ABQAaW5kcHRyLm5weQEAEACQAAAAAAAAAEwAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWg" +
    "bpNpoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaJjqaOgq1ChQALgYgYIRiZiAG" +
    "AFBLAwQUAAAACAAAACEAo8N0l0UAAACDAAAACgAUAGZvcm1hdC5ucHkBABAAgwAAAAAAAABF" +
    "AAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF4TbKyuo6Cell9UUpSYF59flJIKEndLzClO" +
    "BYoXZyQWpAL5Gpo6CrUKFAGu5OIiAFBLAwQUAAAACAAAACEA6NDTqEoAAACQAAAACQAUAHNo" +
    "YXBlLm5weQEAEACQAAAAAAAAAEoAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNpoa6j" +
    "oJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjqaOgq1ChQALmYGCGCB0gBQSwMEFAAA" +
    "AAgAAAAhAAbs9L5QAAAAmAAAAAgAFABkYXRhLm5weQEAEACYAAAAAAAAAFAAAAAAAAAAm+wX" +
    "6hsQychQxlCtnpJanFykbqWgbpNmoa6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvka" +
    "xjqaOgq1ChQALgYw+GEPoRkcIBTHAQBQSwECFAMUAAAACAAAACEA86Cy/koAAACMAAAACwAA" +
    "AAAAAAAAAAAAgAEAAAAAaW5kaWNlcy5ucHlQSwECFAMUAAAACAAAACEAHXORWkwAAACQAAAA" +
    "CgAAAAAAAAAAAAAAgAGHAAAAaW5kcHRyLm5weVBLAQIUAxQAAAAIAAAAIQCjw3SXRQAAAIMA" +
    "AAAKAAAAAAAAAAAAAACAAQ8BAABmb3JtYXQubnB5UEsBAhQDFAAAAAgAAAAhAOjQ06hKAAAA" +
    "kAAAAAkAAAAAAAAAAAAAAIABkAEAAHNoYXBlLm5weVBLAQIUAxQAAAAIAAAAIQAG7PS+UAAA" +
    "AJgAAAAIAAAAAAAAAAAAAACAARUCAABkYXRhLm5weVBLBQYAAAAABQAFABYBAACfAgAAAAA=",
);

/** The same matrix. */
const MATRIX: SparseMatrix = {
  shape: [3, 4],
  start: [0, 1, 1, 3],
  column: [1, 0, 2],
  values: [1.5, 2, -3],
};

/** With plain arrays, which tests compare. */
function plain({ shape, start, column, values }: SparseMatrix): SparseMatrix {
  return {
    shape,
    start: Array.from(start),
    column: Array.from(column),
    values: Array.from(values),
  };
}

function read(bytes: Uint8Array): SparseMatrix {
  return plain(readSparseNpz(bytes, { name }));
}

/** The arrays of MATRIX, or others; undefined leaves one out. */
function npz(
  changes: Record<string, Uint8Array | undefined> = {},
  level: 0 | 6 = 6,
): Uint8Array {
  const arrays: Record<string, Uint8Array | undefined> = {
    indices: writeNpy({ shape: [3], data: Int32Array.of(1, 0, 2) }),
    indptr: writeNpy({ shape: [4], data: Int32Array.of(0, 1, 1, 3) }),
    format: writeNpyText("csr"),
    shape: writeNpy({ shape: [2], data: BigInt64Array.of(3n, 4n) }),
    data: writeNpy({ shape: [3], data: Float64Array.of(1.5, 2, -3) }),
    ...changes,
  };
  const files: Record<string, Uint8Array> = {};
  for (const [entry, bytes] of Object.entries(arrays)) {
    if (bytes !== undefined) files[`${entry}.npy`] = bytes;
  }
  return zipSync(files, { level });
}

function int32(...values: number[]): Uint8Array {
  return writeNpy({ shape: [values.length], data: Int32Array.from(values) });
}

function float64(...values: number[]): Uint8Array {
  return writeNpy({ shape: [values.length], data: Float64Array.from(values) });
}

/** Sets the size that the archive's directory claims of its first entry when unpacked. */
function claimSize(bytes: Uint8Array, size: number): Uint8Array {
  const claimed = bytes.slice();
  const view = new DataView(claimed.buffer);
  const directory = view.getUint32(claimed.length - 22 + 16, true);
  view.setUint32(directory + 24, size, true);
  return claimed;
}

describe("readSparseNpz()", () => {
  it("reads what SciPy writes", () => {
    assert.deepEqual(read(SAVED_BY_SCIPY), MATRIX);
  });

  it("reads the other formats that hold entries, and sums those of one place", () => {
    const coo = npz({
      format: writeNpyText("coo"),
      indptr: undefined,
      indices: undefined,
      row: int32(2, 0, 2, 2),
      col: int32(2, 1, 0, 2),
      data: float64(-1, 1.5, 2, -2),
    });
    assert.deepEqual(read(coo), MATRIX);
    const csc = npz({
      format: writeNpyText("csc"),
      indptr: int32(0, 1, 2, 3, 3),
      indices: int32(2, 0, 2),
      data: float64(2, 1.5, -3),
    });
    assert.deepEqual(read(csc), MATRIX);
    assertRefused(
      () =>
        read(npz({
          format: writeNpyText("coo"),
          row: int32(0, 3, 1),
          col: int32(0, 1, 2),
        })),
      /it has an entry at \(3, 1\) of \(3, 4\)$/,
    );
  });

  it("reads files that are not packed, other types of numbers, and leaves other entries alone", () => {
    assert.deepEqual(read(npz({}, 0)), MATRIX);
    assert.deepEqual(
      read(npz({
        indices: writeNpy({ shape: [3], data: BigInt64Array.of(1n, 0n, 2n) }),
        data: writeNpy({
          shape: [3],
          data: Uint8Array.of(1, 0, 1),
          boolean: true,
        }),
        _is_array: Uint8Array.of(1),
      })),
      { ...MATRIX, values: [1, 0, 1] },
    );
  });

  const REFUSED: Refusal<Record<string, Uint8Array | undefined>>[] = [
    [
      "a file without an array",
      { indptr: undefined },
      /^Cannot read "x.npz": it has no indptr.npy, as files of/,
    ],
    ["a file of another format", {
      format: writeNpyText("bsr"),
      indptr: undefined,
    }, /in the format "bsr"; "csr", "csc" and "coo" can be read/],
    [
      "a file whose format is no text",
      { format: int32(1) },
      /"x.npz\/format.npy": .* holds type '<i4' of shape \(1\)$/,
    ],
    [
      "a file with fractions as columns",
      { indices: float64(1, 0, 2) },
      /indices.npy should hold integers .* type 'f8'$/,
    ],
    ["a file with values of two dimensions", {
      data: writeNpy({ shape: [1, 3], data: Int32Array.of(1, 2, 3) }),
    }, /data.npy should have one dimension, but has shape \(1, 3\)$/],
    [
      "a file with three dimensions",
      { shape: int32(3, 4, 5) },
      /shape.npy should hold 2 numbers, but holds 3$/,
    ],
    [
      "a file with one dimension",
      { shape: int32(3) },
      /shape.npy should hold 2 numbers, but holds 1$/,
    ],
    [
      "a file with a negative shape",
      { shape: int32(-1, 4) },
      /its shape is \(-1, 4\)$/,
    ],
    [
      "a file with too few rows",
      { shape: int32(2, 4) },
      /2 rows need 3 places where they start and end, found 4$/,
    ],
    [
      "a file with too few values",
      { data: float64(1, 2) },
      /it has 3 columns for 2 values$/,
    ],
    [
      "a file whose rows end too early",
      { indptr: int32(0, 1, 1, 2) },
      /its rows go from entry 0 to 2, but there are 3 entries$/,
    ],
    [
      "a file whose rows begin too late",
      { indptr: int32(1, 1, 1, 3) },
      /its rows go from entry 1 to 3/,
    ],
    ["a file whose rows go backwards", {
      indptr: int32(0, 2, 1, 3),
      indices: int32(0, 1, 2),
    }, /row 1 goes from entry 2 to 1$/],
    [
      "a file whose rows go too far",
      { indptr: int32(0, 9, 1, 3) },
      /row 0 goes from entry 0 to 9$/,
    ],
    [
      "a file with a column too many",
      { indices: int32(1, 0, 4) },
      /row 2 has an entry in column 4 of 4$/,
    ],
    [
      "a file with a negative column",
      { indices: int32(1, -1, 2) },
      /row 2 has an entry in column -1 of 4$/,
    ],
    [
      "a file with a column twice",
      { indices: int32(1, 2, 2) },
      /the columns of row 2 do not ascend/,
    ],
  ];
  itRefuses(REFUSED, (changes) => read(npz(changes)));

  it("refuses archives that are cut short, or none", () => {
    assertNoPartRead(SAVED_BY_SCIPY, read);
  });

  it("refuses an entry that claims more bytes than it has or can hold", () => {
    const bytes = npz();
    assertRefused(
      () => read(claimSize(bytes, 141)),
      /its entry "indices.npy" is cut short$/,
    );
    assertRefused(
      () => read(claimSize(bytes, 2 ** 32 - 1)),
      /its entry "indices.npy" claims more bytes than it can hold$/,
    );
  });

  it("refuses entries packed by a method that SciPy does not know", () => {
    const bytes = npz();
    const view = new DataView(bytes.buffer);
    view.setUint16(view.getUint32(bytes.length - 22 + 16, true) + 10, 93, true);
    assertRefused(() => read(bytes), /"indices.npy" is packed by method 93; /);
  });
});

describe("writeSparseNpz()", () => {
  it("writes what readSparseNpz() gives back", () => {
    const rows = fc.array(
      fc.uniqueArray(fc.tuple(fc.nat(30), fc.double({ noNaN: true })), {
        selector: ([column]) => column,
      }),
      { maxLength: 10 },
    );
    fc.assert(fc.property(rows, (rows) => {
      const start = [0];
      const column: number[] = [];
      const values: number[] = [];
      for (const row of rows) {
        for (const [c, value] of row.toSorted(([a], [b]) => a - b)) {
          column.push(c);
          values.push(value);
        }
        start.push(column.length);
      }
      const matrix: SparseMatrix = {
        shape: [rows.length, 31],
        start,
        column,
        values,
      };
      assert.deepEqual(read(writeSparseNpz(matrix)), matrix);
    }));
  });

  it("writes matrices without entries, rows or columns", () => {
    for (
      const [rows, columns] of [[0, 0], [3, 0], [0, 3], [2, 2]] as const
    ) {
      const matrix: SparseMatrix = {
        shape: [rows, columns],
        start: new Array(rows + 1).fill(0),
        column: [],
        values: [],
      };
      assert.deepEqual(read(writeSparseNpz(matrix)), matrix);
    }
  });

  it("writes indices of 64 bits where 32 are too few", () => {
    const matrix: SparseMatrix = {
      shape: [1, 2 ** 40],
      start: [0, 2],
      column: [7, 2 ** 39],
      values: [1, 2],
    };
    assert.deepEqual(read(writeSparseNpz(matrix)), matrix);
  });

  it("reads its own files however well they pack", () => {
    const n = 300_000;
    const matrix: SparseMatrix = {
      shape: [n, 1],
      start: Int32Array.from({ length: n + 1 }, (_, i) => i),
      column: new Int32Array(n),
      values: new Float64Array(n).fill(0.25),
    };
    const bytes = writeSparseNpz(matrix);
    assert.deepEqual(
      readSparseNpz(bytes, { name }).values,
      matrix.values,
    );
  });

  it("writes the same bytes at any time and place", () => {
    const bytes = writeSparseNpz(MATRIX);
    // The date of an entry in ZIP: 1980-01-01, 00:00:00.
    assert.deepEqual([...bytes.subarray(10, 14)], [0, 0, 0b100001, 0]);
    assert.deepEqual(writeSparseNpz(MATRIX), bytes);
  });

  it("refuses arrays that are no matrix", () => {
    for (
      const changes of [
        { shape: [3, 0.5] as const },
        { start: [0, 3] },
        { column: [1, 0] },
        { column: [1, 2, 0] },
        { column: [1, 0, 0.5] },
        { start: [0, 0.5, 1, 3] },
      ]
    ) {
      assert.throws(
        () => writeSparseNpz({ ...MATRIX, ...changes }),
        /^RangeError: Cannot write a sparse matrix: /,
      );
    }
  });
});
