import assert from "node:assert/strict";
import { join } from "node:path";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import * as arrow from "npm:@uwdata/flechette@2.6.0";
import * as lz4 from "npm:lz4js@0.2.0";
import { parquetWriteBuffer } from "npm:hyparquet-writer@0.17.0";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import {
  connectomeOfFile,
  importConnectome,
  importedName,
  type ImportOptions,
} from "../../src/connectome/decode.ts";
import { InputError } from "../../src/files/input_error.ts";
import { sourceOfBytes, sourceOfFile } from "../../src/files/read.ts";
import { findPython } from "../find_python.ts";
import { withFolder } from "../with_folder.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { matrixOfGraph } from "../../src/graph/graph.ts";

async function read(
  name: string,
  content: Uint8Array | string,
  options: ImportOptions = {},
) {
  const folder = await Deno.makeTempDir({ prefix: "biornn_import_" });
  try {
    const path = join(folder, name);
    await Deno.writeFile(
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    const { graph, regionNames, notes } = await importConnectome(
      sourceOfFile(path, { what: "the connectome" }),
      options,
    );
    return {
      matrix: [...matrixOfGraph(graph)],
      names: regionNames.join(),
      notes,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const python = await findPython("scipy", "h5py");

/** Writes one matrix into files of all kinds, whose folder is the argument. */
const PYTHON_FILES = `
import sys, numpy as np, scipy.io, scipy.sparse, h5py
C = np.array([[0, .5, 0], [0, 0, 2], [1, 0, 0]])
S = scipy.sparse.csc_matrix(C)
def path(name): return sys.argv[1] + "/" + name
scipy.io.savemat(path("plain.mat"), {"C": C, "S": S, "names": np.array(["a", "b", "c"], dtype=object), "x": 3.0, "st": {"W": C}})
scipy.io.savemat(path("packed.mat"), {"C": C, "S": S}, do_compression=True)
with h5py.File(path("one.h5"), "w") as f:
    f["C"] = C
    f["names"] = np.array(["a", "b", "c"], dtype="S")
with h5py.File(path("several.hdf5"), "w", userblock_size=512) as f:
    f["C"] = C
    f.create_group("g").create_dataset("W", data=C, compression="gzip", chunks=(2, 2))
    f["whole"] = np.floor(C).astype("int64")
    f["matlab"] = C.T
    f["matlab"].attrs["MATLAB_class"] = np.bytes_("double")
    for name, M in (("csr", S.tocsr()), ("csc", S)):
        g = f.create_group(name)
        g.attrs["encoding-type"] = name + "_matrix"
        g.attrs["shape"] = M.shape
        for key in ("data", "indices", "indptr"): g[key] = getattr(M, key)
    g = f.create_group("matlab_sparse")
    g.attrs["MATLAB_sparse"] = np.uint64(3)
    g["data"], g["ir"], g["jc"] = S.data, S.indices.astype("u8"), S.indptr.astype("u8")
open(path("broken.h5"), "wb").write(b"\\x89HDF\\r\\n\\x1a\\n" + b"0" * 99)
`;

/** A MAT file of version 5 with matrices of doubles, column by column. */
function matFile(
  matrices: Readonly<Record<string, readonly (readonly number[])[]>>,
  { packed = false } = {},
): Uint8Array {
  const element = (type: number, data: Uint8Array, padded = true) => {
    const size = padded ? Math.ceil(data.length / 8) * 8 : data.length;
    const bytes = new Uint8Array(8 + size);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, type, true);
    view.setUint32(4, data.length, true);
    bytes.set(data, 8);
    return bytes;
  };
  const integers = (...values: number[]) =>
    new Uint8Array(Int32Array.from(values).buffer);
  const header = new Uint8Array(128).fill(32);
  header.set(new TextEncoder().encode("MATLAB 5.0 MAT-file"));
  header.set([0, 1, 0x49, 0x4d], 124);
  const parts = Object.entries(matrices).map(([name, rows]) => {
    const columns = rows[0]!.map((_, j) => rows.map((row) => row[j]!)).flat();
    const matrix = element(
      14,
      concat([
        element(6, integers(6, 0)),
        element(5, integers(rows.length, rows[0]!.length)),
        element(1, new TextEncoder().encode(name)),
        element(9, new Uint8Array(Float64Array.from(columns).buffer)),
      ]),
    );
    return packed ? element(15, deflateSync(matrix), false) : matrix;
  });
  return concat([header, ...parts]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function matTools() {
  const readMat = (bytes: Uint8Array, options: ImportOptions = {}) =>
    read("C.mat", bytes, options);
  const refused = (bytes: Uint8Array, expected: RegExp, matrix?: string) =>
    assert.rejects(
      readMat(bytes, matrix === undefined ? {} : { matrix }),
      (error) => error instanceof InputError && expected.test(error.message),
    );
  return { read: readMat, refused };
}

const npy = (...values: number[]) =>
  writeNpy({
    shape: [Math.sqrt(values.length), Math.sqrt(values.length)],
    data: Float64Array.from(values),
  });

describe("importConnectome()", () => {
  it("tells lists from matrices", async () => {
    const list = await read("l.csv", "from,to,weight\nA,B,2\nB,A,3\n");
    assert.deepEqual(list.matrix, [0, 2, 3, 0]);
    // As many rows as columns, and yet a list.
    const square = await read("l.csv", "1,2,0.5\n2,3,0.2\n3,1,0.4\n");
    assert.deepEqual(square.matrix, [0, 0.5, 0, 0, 0, 0.2, 0.4, 0, 0]);
    const words = await read("l.csv", "A,B,1\nB,C,2\nC,A,3\n");
    assert.equal(words.names, "A,B,C");
    const matrix = await read("m.csv", "0,2,1\n3,0,1\n1,1,0\n");
    assert.deepEqual(matrix.matrix, [0, 2, 1, 3, 0, 1, 1, 1, 0]);
    const named = await read("m.tsv", "\tV1\tV2\nV1\t0\t2\nV2\t3\t0\n");
    assert.deepEqual([named.matrix, named.names], [[0, 2, 3, 0], "V1,V2"]);
  });

  it("makes no list of a small matrix that lacks values or has names", async () => {
    for (
      const [cell, text] of [
        ["", "0,1,2\n1,,3\n2,3,0\n"],
        ["#DIV/0!", "#DIV/0!,1,2\n1,0,3\n2,3,0\n"],
        [".", "a,b,c\n0,.,2\n1,0,3\n2,3,0\n"],
        ["NA", "0\tNA\nNA\t0\n"],
      ] as const
    ) {
      await assert.rejects(
        read("m.csv", text),
        (error) =>
          error instanceof InputError && error.message.includes("no value") &&
          (cell === "" || error.message.includes(cell)),
        text,
      );
    }
    await assert.rejects(
      read("m.csv", ",a,b,c\na,0,1,2\nc,1,0,3\nb,2,3,0\n"),
      /same order/,
    );
    const loop = await read("m.csv", ",a,b,c\na,7,1,1\nb,2,0,2\nc,2,1,3\n");
    assert.deepEqual(
      [loop.names, loop.matrix],
      ["a,b,c", [0, 1, 1, 2, 0, 2, 2, 1, 0]],
    );
    // Ids have more digits than a number holds.
    const [a, b] = ["720575940628857210", "720575940628857211"];
    const ids = await read("m.csv", `,${a},${b}\n${a},0,5\n${b},7,0\n`);
    assert.deepEqual([ids.names, ids.matrix], [`${a},${b}`, [0, 5, 7, 0]]);
  });

  it("reads the lists that R's write.table() writes", async () => {
    const list = await read(
      "l.txt",
      '"source" "target" "weight"\n"1" "A" "B" 2\n"2" "B" "C" 3\n',
    );
    assert.deepEqual(
      [list.names, list.matrix],
      ["A,B,C", [0, 2, 0, 0, 0, 3, 0, 0, 0]],
    );
  });

  it("turns a matrix round whose rows receive, and leaves out its diagonal", async () => {
    const turned = await read("m.npy", npy(0, 2, 3, 0), { rows: "target" });
    assert.deepEqual(turned.matrix, [0, 3, 2, 0]);
    const csv = await read("m.csv", "0,2\n3,0\n", { rows: "target" });
    assert.deepEqual(csv.matrix, [0, 3, 2, 0]);
    const loops = await read("m.npy", npy(7, 2, 3, 8));
    assert.deepEqual(loops.matrix, [0, 2, 3, 0]);
    assert.match(loops.notes.join(), /2 connections of a region to itself/);
    await assert.rejects(
      read("l.csv", "from,to,weight\nA,B,2\n", { rows: "target" }),
      (error) =>
        error instanceof InputError &&
        /Cannot use --rows target: .* is a list/.test(error.message),
    );
  });

  it("warns of a matrix whose rows look like targets, until it is told so", async () => {
    const fractions = npy(0, 0.9, 0, 0.2, 0, 0.3, 0, 0.8, 0);
    const plain = await read("m.npy", fractions);
    assert.match(plain.notes.at(-1)!, /^warning: .*may be targets/);
    const told = await read("m.npy", fractions, { rows: "target" });
    assert.ok(told.notes.every((note) => !note.startsWith("warning")));
  });

  it("reads packed lists piece by piece, with ids of eighteen digits", async () => {
    const ids = Array.from(
      { length: 50 },
      (_, i) => `7205759406000000${i + 10}`,
    );
    const rows = Array.from({ length: 20_000 }, (_, i) => {
      const from = ids[i % 50]!;
      const to = ids[(i * 7 + 3) % 50]!;
      return `${from},${to},AL,${1 + i % 5},ACH\n`;
    });
    const text = `pre_root_id,post_root_id,neuropil,syn_count,nt_type\n${
      rows.join("")
    }`;
    const packed = await read("connections.csv.gz", gzipSync(text));
    const plain = await read("connections.csv", text);
    assert.deepEqual(packed, plain);
    assert.equal(packed.names.split(",").length, 50);
    assert.ok(packed.names.includes("720575940600000010"));
    const expected = rows.reduce((sum, row) => {
      const [from, to, , weight] = row.split(",");
      return from === to ? sum : sum + Number(weight);
    }, 0);
    assert.equal(packed.matrix.reduce((a, b) => a + b), expected);
  });

  it("reads Parquet, its numbers of 64 bits as they are", async () => {
    const bytes = new Uint8Array(parquetWriteBuffer({
      columnData: [
        {
          name: "pre_pt_root_id",
          data: [720575940600000010n, 720575940600000011n, 720575940600000010n],
          type: "INT64",
        },
        {
          name: "post_pt_root_id",
          data: [720575940600000011n, 720575940600000010n, 720575940600000011n],
          type: "INT64",
        },
        { name: "neuropil", data: ["AL, left", null, "LH"], type: "STRING" },
        { name: "syn_count", data: [7, 2, 30], type: "INT32" },
      ],
    }));
    const { matrix, names } = await read("fly.parquet", bytes);
    assert.deepEqual(matrix, [0, 37, 2, 0]);
    assert.equal(names, "720575940600000010,720575940600000011");
    await assert.rejects(
      read("x.parquet", "no Parquet"),
      (error) =>
        error instanceof InputError && /no Parquet file/.test(error.message),
    );
    await assert.rejects(
      importConnectome(
        sourceOfFile("nowhere.parquet", { what: "the connectome" }),
        {},
      ),
      {
        name: "InputError",
        message:
          'Cannot read the connectome "nowhere.parquet": there is no such file',
      },
    );
  });

  it("reads GraphML, with two keys of one name as networkx writes them", async () => {
    const graphml = (edges: string, direction = "directed") =>
      `<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d1" for="edge" attr.name="weight" attr.type="long" />
  <key id="d0" for="edge" attr.name="weight" attr.type="double" />
  <key id="n0" for="node" attr.name="name" attr.type="string" />
  <graph edgedefault="${direction}">
    <node id="0"><data key="n0">V1 &amp; V2</data></node><node id="1" />
    ${edges}
  </graph>
</graphml>`;
    const edges =
      `<edge source="0" target="1"><data key="d0">2.5</data></edge>` +
      `<edge source="1" target="0" directed="true"><data key="d1">3</data></edge>`;
    const directed = await read("g.graphml", graphml(edges));
    assert.deepEqual(directed.matrix, [0, 2.5, 3, 0]);
    assert.equal(directed.names, "V1 & V2,1");
    const both = await read("g.graphml", graphml(edges, "undirected"));
    assert.deepEqual(both.matrix, [0, 2.5, 5.5, 0]);
    const plain = await read(
      "g.graphml",
      graphml(`<edge source="0" target="1"/>`).replaceAll(/<key .*\n/g, ""),
    );
    assert.deepEqual(plain.matrix, [0, 1, 0, 0]);
    for (
      const wrong of ["", "<a/>", "<graphml></graphml>", "<graphml><graph>"]
    ) {
      await assert.rejects(read("g.graphml", wrong), InputError);
    }
  });

  it("reads MATLAB's matrices by their names, whole and sparse, packed or not", async () => {
    const { read: readMat, refused } = matTools();
    const one = matFile({ W: [[0, 2], [3, 0]] });
    assert.deepEqual((await readMat(one)).matrix, [0, 2, 3, 0]);
    const two = {
      W: [[0, 2], [3, 0]],
      other: [[0, 5, 0], [0, 0, 6], [7, 0, 0]],
    };
    for (const packed of [false, true]) {
      const bytes = matFile(two, { packed });
      const other = await readMat(bytes, { matrix: "other" });
      assert.deepEqual(other.matrix, [0, 5, 0, 0, 0, 6, 7, 0, 0]);
      await refused(bytes, /--matrix names one of W \(2 regions\) and other/);
      await refused(bytes, /--matrix nix: .* are W \(2 regions\)/, "nix");
    }
    await refused(matFile({ x: [[1, 2]] }), /holds no square matrix/);
    await refused(one.subarray(0, 150), /it is cut short/);
    await refused(new TextEncoder().encode("x"), /no MAT file of version 5/);
    await assert.rejects(read("C.npy", npy(0, 1, 1, 0), { matrix: "C" }));
    await assert.rejects(
      read("l.csv", "a,b,1\n", { matrix: "C" }),
      /neither MATLAB's nor HDF5/,
    );
  });

  itNeeds(
    "reads what scipy and h5py write",
    python === undefined ? "there is no Python with scipy and h5py" : undefined,
    async () => {
      await withFolder(async (folder) => {
        const { success, stderr } = await new Deno.Command(python!, {
          args: ["-c", PYTHON_FILES, folder],
        }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
        const C = [0, 0.5, 0, 0, 0, 2, 1, 0, 0];
        const files: readonly (readonly [string, string | undefined])[] = [
          ...["C", "S", "st.W"].map((name) => ["plain.mat", name] as const),
          ...["C", "S"].map((name) => ["packed.mat", name] as const),
          ["one.h5", undefined],
          ...["C", "g/W", "csr", "csc", "matlab", "matlab_sparse", "whole"]
            .map((name) => ["several.hdf5", name] as const),
        ];
        for (const [name, matrix] of files) {
          const file = sourceOfFile(join(folder, name), { what: "it" });
          const options = matrix === undefined ? {} : { matrix };
          const { graph } = await importConnectome(file, options);
          const whole = matrix === "whole";
          assert.deepEqual(
            [...matrixOfGraph(graph)],
            whole ? C.map(Math.floor) : C,
            `${name} ${matrix}`,
          );
        }
        const broken = sourceOfFile(join(folder, "broken.h5"), { what: "it" });
        await assert.rejects(importConnectome(broken, {}), /no HDF5 file/);
      });
    },
  );

  it("reads Arrow and Feather, packed or not, their numbers of 64 bits as they are", async () => {
    const table = arrow.tableFromArrays({
      body_pre: ["720575940600000010", "720575940600000011"].map(BigInt),
      body_post: ["720575940600000011", "720575940600000010"].map(BigInt),
      weight: Int32Array.of(7, 2),
      neuropil: ["AL, left", null],
    }, { types: { body_pre: arrow.int64(), body_post: arrow.uint64() } });
    arrow.setCompressionCodec(arrow.CompressionType.LZ4_FRAME, {
      encode: (data) => lz4.compress(data),
      decode: (data) => lz4.decompress(data),
    });
    arrow.setCompressionCodec(arrow.CompressionType.ZSTD, {
      encode: (data) => new Uint8Array(zstdCompressSync(data)),
      decode: (data) => data,
    });
    for (const format of ["file", "stream"] as const) {
      for (const codec of [null, ...Object.values(arrow.CompressionType)]) {
        const bytes = arrow.tableToIPC(table, { format, codec });
        const name = format === "file" ? "fly.feather" : "fly.arrows";
        const { matrix, names } = await read(name, bytes!);
        assert.deepEqual(matrix, [0, 7, 2, 0]);
        assert.equal(names, "720575940600000010,720575940600000011");
      }
    }
    for (const wrong of ["no Arrow", "FEA1 and more"]) {
      await assert.rejects(
        read("x.feather", wrong),
        (error) =>
          error instanceof InputError &&
          /no Arrow or Feather/.test(error.message),
      );
    }
  });

  it("refuses Arrow files whatever byte of them is wrong, or reads them", async () => {
    const table = arrow.tableFromArrays({
      pre: ["a", "b"],
      post: ["b", "a"],
      weight: Int32Array.of(7, 2),
    });
    for (const format of ["file", "stream"] as const) {
      const sound = arrow.tableToIPC(table, { format, codec: null })!;
      let claims = 0;
      for (let at = 0; at < sound.length; at++) {
        const bytes = sound.slice();
        bytes[at]! ^= 0x7f;
        const file = sourceOfBytes("x.arrow", bytes);
        await importConnectome(file, {}).catch((error) => {
          assert.ok(error instanceof InputError, `${at}: ${error.stack}`);
          if (/claims more than it can hold/.test(error.message)) claims++;
        });
      }
      assert.ok(claims > 10, `${claims}`);
    }
    assert.deepEqual(Array.from([1, 2]), [1, 2]);
  });

  it("keeps weights and regions of a matrix that are asked for", async () => {
    const text = ",a,b,c\na,0,1,2\nb,3,0,4\nc,5,6,0\n";
    const strong = await read("m.csv", text, { minWeight: 3 });
    assert.deepEqual(strong.matrix, [0, 0, 0, 3, 0, 4, 5, 6, 0]);
    assert.ok(strong.notes.includes("2 connections of less than 3 left out"));
    const part = await read("m.csv", text, { subset: new Set(["a", "c"]) });
    assert.deepEqual([part.names, part.matrix], ["a,c", [0, 2, 5, 0]]);
  });

  it("reads a wide table row by row, in whatever pieces it comes", async () => {
    const n = 150;
    const names = Array.from({ length: n }, (_, i) => `n${i}`);
    const rows = names.map((name, i) =>
      [name, ...names.map((_, j) => (i + 1) % n === j ? i + 0.5 : 0)].join("\t")
    );
    const text = [`\t${names.join("\t")}`, ...rows].join("\r\n");
    const { matrix, names: found } = await read("m.tsv.gz", gzipSync(text));
    assert.equal(found, names.join());
    assert.equal(matrix.filter((weight) => weight > 0).length, n);
    assert.equal(matrix[n - 1 + 0], 0);
    assert.equal(matrix[3 * n + 4], 3.5);
    await assert.rejects(
      read("m.tsv", `${text}\n1`),
      /152 rows and 151 columns/,
    );
  });

  it("says what is wrong with a file", async () => {
    const refused = (promise: Promise<unknown>, expected: RegExp) =>
      assert.rejects(promise, (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, expected);
        return true;
      });
    await refused(read("x.csv.gz", "from,to\n"), /no gzip file of text/);
    await refused(
      read("x.csv.gz", gzipSync(Uint8Array.of(0xff, 0xfe, 0xfd))),
      /no gzip file of text in UTF-8/,
    );
    const missing = sourceOfFile("missing.csv", { what: "the connectome" });
    await refused(importConnectome(missing, {}), /no such file/);
    await refused(read("x.csv", "from,to,weight\nA,A,1\n"), /1 region/);
  });
});

describe("importedName()", () => {
  it("leaves endings and the sign of a matrix away", () => {
    assert.equal(importedName("a/connections.csv.gz"), "connections");
    assert.equal(importedName("C_Mine.npy"), "Mine");
    assert.equal(importedName("v1.2.tsv"), "v1.2");
  });
});

describe("connectomeOfFile()", () => {
  it("reads what was dropped on the page as a folder's file is read", async () => {
    const text = "pre,post,n_syn\nA,B,2\nB,A,1\nA,B,1\n";
    const lines: string[] = [];
    const found = await connectomeOfFile(new TextEncoder().encode(text), {
      file: "mine.csv",
      onProgress: (line) => lines.push(line),
    });
    assert.equal(found.name, "mine");
    assert.deepEqual(found.regionNames, ["A", "B"]);
    assert.deepEqual([...found.graph.weight], [3, 1]);
    assert.ok(lines.length > 0);
  });
});
