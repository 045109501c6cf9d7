import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  CATALOGUE,
  CATALOGUE_ADDRESS,
} from "../../src/connectome/catalogue.ts";
import { loadConnectome } from "../../src/connectome/load.ts";
import { InputError } from "../../src/files/input_error.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { writeSparseNpz } from "../../src/files/npz.ts";
import { sha256Hex } from "../../src/files/bytes.ts";
import { matrixOfGraph } from "../../src/graph/graph.ts";

/** Never asks the network. */
const fetch = () => Promise.reject(new TypeError("no network"));

async function withFiles(
  files: Readonly<Record<string, Uint8Array | string>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string"
        ? new TextEncoder().encode(content)
        : content;
      await Deno.writeFile(join(folder, name), bytes);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A matrix in NumPy's format, in C order. */
function npy(rows: readonly (readonly number[])[]): Uint8Array {
  return writeNpy({
    shape: [rows.length, rows[0]!.length],
    data: Float64Array.from(rows.flat()),
  });
}

/** A pickled list of names, protocol 3, as bio2art has them. */
function lst(names: readonly string[]): Uint8Array {
  const text = names.flatMap((name) => {
    const bytes = [...new TextEncoder().encode(name)];
    return [0x58, bytes.length, 0, 0, 0, ...bytes];
  });
  return Uint8Array.of(0x80, 3, 0x5d, 0x71, 0, 0x28, ...text, 0x65, 0x2e);
}

const MATRIX = [[0, 0.5, 0], [0.25, 0, 0], [0, 0.125, 0]];

async function messageOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    assert.ok(!error.message.includes("\n"));
    return error.message;
  }
  throw new assert.AssertionError({ message: "it was not refused" });
}

describe("loadConnectome()", () => {
  it("reads .npy, .lst and densities from the user's folder, C[i, j] from i to j", async () => {
    await withFiles({
      "C_Mine.npy": npy(MATRIX),
      "Names_Mine.lst": lst(["V1", "V2", "7m"]),
      "ND_Mine.npy": writeNpy({
        shape: [3],
        data: Float64Array.of(10, NaN, 30),
      }),
    }, async (folder) => {
      const connectome = await loadConnectome("Mine", { folder, fetch });
      assert.equal(connectome.regions, 3);
      assert.equal(matrixOfGraph(connectome.graph)[0 * 3 + 1], 0.5);
      assert.equal(matrixOfGraph(connectome.graph)[1 * 3 + 0], 0.25);
      assert.deepEqual(connectome.regionNames, ["V1", "V2", "7m"]);
      assert.deepEqual([...connectome.neuronDensity!], [10, NaN, 30]);
      assert.equal(connectome.source, join(folder, "C_Mine.npy"));
      assert.equal(connectome.synthetic, false);
      assert.match(connectome.sha256, /^[0-9a-f]{64}$/);
    });
  });

  it("reads tables with names, with a header or with neither", async () => {
    await withFiles({
      "C_both.csv": "from,V1,V2,7m\nV1,0,0.5,0\nV2,0.25,0,0\n7m,0,0.125,0\n",
      "C_header.tsv": "V1\tV2\t7m\n0\t0.5\t0\n0.25\t0\t0\n0\t0.125\t0\n",
      "C_bare.csv": "0,0.5,0\r\n0.25,0,0\r\n0,1.25e-1,0\r\n",
      "C_listed.csv": "0,0.5,0\n0.25,0,0\n0,0.125,0",
      "Names_listed.txt": "A\nB\nC\n",
    }, async (folder) => {
      const names = async (name: string) => {
        const found = await loadConnectome(name, { folder, fetch });
        assert.deepEqual([...matrixOfGraph(found.graph)], MATRIX.flat());
        return found.regionNames;
      };
      assert.deepEqual(await names("both"), ["V1", "V2", "7m"]);
      assert.deepEqual(await names("header"), ["V1", "V2", "7m"]);
      assert.deepEqual(await names("bare"), ["1", "2", "3"]);
      assert.deepEqual(await names("listed"), ["A", "B", "C"]);
    });
  });

  it("finds endings in capitals, and names whose accents stand beside their letters", async () => {
    await withFiles({
      "C_Upper.CSV": "0,0.5,0\n0.25,0,0\n0,0.125,0\n",
      ["C_Crâne.npy".normalize("NFD")]: npy(MATRIX),
      ["C_Ångström.npy".normalize("NFC")]: npy(MATRIX),
    }, async (folder) => {
      for (
        const name of [
          "Upper",
          "Crâne".normalize("NFC"),
          "Crâne".normalize("NFD"),
          "Ångström".normalize("NFD"),
        ]
      ) {
        const { graph } = await loadConnectome(name, { folder, fetch });
        assert.deepEqual([...matrixOfGraph(graph)], MATRIX.flat());
      }
    });
  });

  it("reads SciPy's sparse matrices, without the zeros that are written in them, and distances", async () => {
    await withFiles({
      "C_sparse.npz": writeSparseNpz({
        shape: [3, 3],
        start: [0, 2, 3, 4],
        column: [1, 2, 0, 1],
        values: [0.5, 0, 0.25, 0.125],
      }),
      "D_sparse.npy": npy([[0, 1, 2], [1, 0, 3], [2, 3, 0]]),
    }, async (folder) => {
      const { graph, distances } = await loadConnectome("sparse", { folder });
      assert.equal(graph.weight.length, 3);
      assert.deepEqual([...matrixOfGraph(graph)], MATRIX.flat());
      assert.equal(distances![1 * 3 + 2], 3);
    });
  });

  it("warns where fractions sum to more than 1 over sources", async () => {
    const turned = [[0, 0.9, 0], [0.2, 0, 0.3], [0, 0.8, 0]];
    const whole = [[0, 0.9, 0], [0.2, 0, 0.3], [0, 0.1, 0]];
    await withFiles({
      "C_turned.npy": npy(turned),
      "C_whole.npy": npy(whole),
      "C_counts.npy": npy([[0, 9, 0], [2, 0, 3], [0, 8, 0]]),
      "Names_turned.txt": "A\nB\nC\n",
    }, async (folder) => {
      const warnings = async (name: string) => {
        const lines: string[] = [];
        await loadConnectome(name, {
          folder,
          onProgress: (line) => lines.push(line),
        });
        return lines.join("\n");
      };
      assert.match(
        await warnings("turned"),
        /^warning: .*C_turned\.npy: .* into "B" to 1\.7: .* may be targets, not sources; .*--rows target/,
      );
      assert.equal(await warnings("whole"), "");
      assert.equal(await warnings("counts"), "");
    });
  });

  it("uses of the cache those files alone that the catalogue lists", async () => {
    const entry = CATALOGUE.find(({ files }) =>
      files.density === undefined && files.names !== undefined
    )!;
    await withFiles({}, async (cacheFolder) => {
      const contents = new Map([
        [entry.files.weights, npy(MATRIX)],
        [entry.files.names!, lst(["A", "B", "C"])],
      ]);
      for (const [file, bytes] of contents) {
        await Deno.writeFile(join(cacheFolder, file.file), bytes);
        Object.assign(file, {
          sha256: await sha256Hex(bytes),
          bytes: bytes.length,
        });
      }
      await Deno.writeFile(
        join(cacheFolder, `ND_${entry.name}.npy`),
        writeNpy({ shape: [3], data: Float64Array.of(1, 2, 3) }),
      );
      const found = await loadConnectome(entry.name, { cacheFolder, fetch });
      assert.equal(found.regions, 3);
      assert.equal(found.neuronDensity, undefined);
    });
  });

  it("prefers the user's folder to what is embedded, and says when a file is not the catalogue's", async () => {
    await withFiles({
      "C_Synthetic_Macaque_29.npy": npy(MATRIX),
      "C_Macaque_Normalized.npy": npy(MATRIX),
    }, async (folder) => {
      const own = await loadConnectome("Synthetic_Macaque_29", { folder });
      assert.equal(own.regions, 3);
      assert.equal(own.synthetic, true);
      const lines: string[] = [];
      const other = await loadConnectome("Macaque_Normalized", {
        folder,
        fetch,
        onProgress: (line) => lines.push(line),
      });
      assert.equal(other.regions, 3);
      assert.match(lines.join(), /is not the file that the catalogue lists/);
      const embedded = await loadConnectome("Synthetic_Macaque_29");
      assert.equal(embedded.regions, 29);
    });
  });

  it("falls back where the folder or the file is not there", async () => {
    await withFiles({}, async (empty) => {
      for (const folder of [empty, join(empty, "missing")]) {
        const { source } = await loadConnectome("Synthetic_Macaque_29", {
          folder,
        });
        assert.equal(source, "embedded");
      }
    });
  });

  it("says what is wrong with a matrix: file, row, column, regions", async () => {
    const cases: [string, readonly (readonly number[])[], RegExp][] = [
      ["square", [[0, 1, 0], [1, 0, 0]], /square matrix.*\(2, 3\)/],
      ["nan", [[0, NaN], [1, 0]], /C\[0, 1\] \("A" to "B"\) is NaN/],
      ["infinite", [[0, 1], [Infinity, 0]], /C\[1, 0\] .* is Infinity/],
      ["negative", [[0, 1], [-2, 0]], /\("B" to "A"\) is -2, allowed are 0/],
      ["diagonal", [[0, 1], [1, 3]], /C\[1, 1\] .* the diagonal must/],
      ["empty", [[0, 0], [0, 0]], /no connection/],
      ["tiny", [[0, 1e-300], [1, 0]], /1e-300, allowed are 1e-100 to 1e\+100/],
      ["small", [[0]], /1 region, at least 2 are needed/],
    ];
    for (const [name, rows, expected] of cases) {
      await withFiles({
        [`C_${name}.npy`]: npy(rows),
        [`Names_${name}.lst`]: lst(rows.map((_, i) => "AB"[i] ?? "C")),
      }, async (folder) => {
        const message = await messageOf(
          loadConnectome(name, { folder, fetch }),
        );
        assert.match(message, expected);
        assert.ok(message.includes(join(folder, `C_${name}.npy`)));
      });
    }
  });

  it("refuses files that do not fit together or can't be read", async () => {
    await withFiles({
      "C_names.npy": npy(MATRIX),
      "Names_names.lst": lst(["A", "B"]),
      "C_density.npy": npy(MATRIX),
      "ND_density.npy": writeNpy({ shape: [2], data: Float64Array.of(1, 2) }),
      "C_flat.npy": npy(MATRIX),
      "ND_flat.npy": npy(MATRIX),
      "C_cut.npy": npy(MATRIX).slice(0, 150),
      "C_words.csv": "0,a\nb,0\n",
      "C_ragged.csv": "0,1\n1\n",
    }, async (folder) => {
      const message = (name: string) =>
        messageOf(loadConnectome(name, { folder, fetch }));
      assert.match(await message("names"), /3 regions but 2 region names/);
      assert.match(await message("density"), /3 regions but 2 neuron densit/);
      assert.match(await message("flat"), /ND_flat.*must be a vector/);
      assert.match(await message("cut"), /C_cut\.npy/);
      assert.match(await message("words"), /C_words\.csv/);
      assert.match(await message("ragged"), /C_ragged\.csv/);
    });
  });

  it("offers the nearest known names for an unknown one", async () => {
    await withFiles({ "C_Zebrafish.npy": npy(MATRIX) }, async (folder) => {
      const message = (name: string) =>
        messageOf(loadConnectome(name, { folder, fetch }));
      assert.match(
        await message("marmoset"),
        /did you mean "Marmoset_Normalized"\?$/,
      );
      assert.match(await message("Zebrafisch"), /mean "Zebrafish"\?$/);
      const none = await message("qqq");
      assert.match(none, /known are Zebrafish, Synthetic_Macaque_29, Dros/);
      assert.ok(none.includes(folder));
    });
  });

  it("lets no name leave the folder", async () => {
    await withFiles({ "C_x.npy": npy(MATRIX) }, async (folder) => {
      const inside = join(folder, "inside");
      await Deno.mkdir(join(inside, "C_"), { recursive: true });
      for (
        const name of [
          "../../etc/passwd",
          "/../C_x",
          "..",
          "",
          "a\\b",
          "x\0",
          "C_/../../C_x",
          "x".repeat(300),
        ]
      ) {
        assert.match(
          await messageOf(loadConnectome(name, { folder: inside, fetch })),
          /^Cannot use the connectome's name /,
        );
      }
    });
  });

  it("says in one sentence where to get a connectome without a network", async () => {
    await withFiles({}, async (cacheFolder) => {
      for (const { name, files, address } of CATALOGUE) {
        const message = await messageOf(
          loadConnectome(name, { cacheFolder, fetch }),
        );
        assert.match(message, new RegExp(`^Cannot download .*"${name}"`));
        assert.ok(message.includes(files.weights.file));
        assert.ok(message.includes(address ?? CATALOGUE_ADDRESS));
        assert.ok(message.includes(cacheFolder));
        assert.ok(message.includes("path_to_network"));
      }
    });
  });

  it("gives a connectome or one sentence for whatever bytes a file holds", async () => {
    await withFiles({}, async (folder) => {
      const good = npy(MATRIX);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom("npy", "csv", "tsv"),
          fc.oneof(
            fc.uint8Array({ maxLength: 300 }),
            fc.string({ unit: fc.constantFrom(...'0123.,;\t\n"a-e') })
              .map((text) => new TextEncoder().encode(text)),
            fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }))
              .map(([at, byte]) => good.with(at, byte)),
          ),
          async (extension, bytes) => {
            const path = join(folder, `C_x.${extension}`);
            await Deno.writeFile(path, bytes);
            try {
              const { regions, graph } = await loadConnectome("x", {
                folder,
                fetch,
              });
              assert.equal(graph.nodes, regions);
              assert.ok(graph.weight.every((weight) => weight > 0));
            } catch (error) {
              assert.ok(error instanceof InputError, String(error));
            } finally {
              await Deno.remove(path);
            }
          },
        ),
        { numRuns: 300 },
      );
    });
  });
});
