import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { importConnectome } from "../../src/connectome/decode.ts";
import { loadConnectome } from "../../src/connectome/load.ts";
import {
  createConnectome,
  describeSigns,
  readSigns,
  signOf,
  signsOf,
  signsTable,
  signsText,
} from "../../src/connectome/connectome.ts";
import { InputError } from "../../src/files/input_error.ts";
import { sourceOfBytes } from "../../src/files/read.ts";
import { withFolder } from "../with_folder.ts";

const graph = (edges: readonly (readonly [number, number, number])[]) => ({
  nodes: 3,
  from: Uint32Array.from(edges, ([from]) => from),
  to: Uint32Array.from(edges, ([, to]) => to),
  weight: Float64Array.from(edges, ([, , weight]) => weight),
});

describe("createConnectome()", () => {
  it("sorts edges, numbers regions, and has a checksum of the connections alone", async () => {
    const mine = await createConnectome(graph([[2, 0, 1], [0, 1, 0.5]]), {
      name: "Mine",
    });
    assert.deepEqual(mine.graph, graph([[0, 1, 0.5], [2, 0, 1]]));
    assert.deepEqual(mine.regionNames, ["0", "1", "2"]);
    const named = await createConnectome(mine.graph, {
      ...mine,
      name: "Other",
      regionNames: ["A", "B", "C"],
    });
    assert.equal(named.sha256, mine.sha256);
    const changed = await createConnectome(graph([[2, 0, 1], [0, 1, 0.25]]), {
      ...mine,
    });
    assert.notEqual(changed.sha256, mine.sha256);
  });

  it("refuses what can't be a connectome", async () => {
    for (
      const [edges, sentence] of [
        [[[0, 1, 1], [0, 1, 2]], 'there are two connections from "0" to "1"'],
        [[[0, 3, 1]], "a connection names region 3 of 3"],
        [[[3, 0, 1]], "a connection names region 3 of 3"],
        [
          [[1, 1, 1]],
          'C[1, 1] ("1" to "1") is 1, but the diagonal must be 0: connections within a region are made from its other weights',
        ],
        [
          [[0, 1, -1]],
          'C[0, 1] ("0" to "1") is -1, allowed are 0 and above',
        ],
        [
          [[0, 1, NaN]],
          'C[0, 1] ("0" to "1") is NaN, allowed are finite numbers',
        ],
        [[], "it has no connection, all weights are 0"],
      ] as const
    ) {
      await assert.rejects(
        createConnectome(graph(edges), { name: "Mine" }),
        new InputError(`Cannot use the connectome "Mine": ${sentence}`),
      );
    }
    await assert.rejects(
      createConnectome(graph([[0, 1, 1]]), { name: "Mine", regionNames: [] }),
      /3 regions but 0 region names/,
    );
  });
});

const file = (text: string, name = "signs.csv") =>
  sourceOfBytes(name, new TextEncoder().encode(text));

describe("readSigns()", () => {
  it("reads signs and transmitters, with a header or without", async () => {
    const texts = [
      "a,+\nb,-\nc,ACh\nd,GABA\ne,GLUT\nf,DA\n",
      "a,1\nb,-1\nc,acetylcholine\nd,gaba\ne,glutamate\nf,\n",
      "root_id,group,nt_type\na,x,exc\nb,y,inh\nc,z,ACH\nd,z,Gaba\ne,z,glu\nf,z,NA\n",
    ];
    for (const text of texts) {
      const known = await readSigns(file(text));
      const signs = signsOf(["a", "b", "c", "d", "e", "f", "g"], known);
      assert.deepEqual([...signs], [1, -1, 1, -1, -1, 0, 0], text);
      assert.equal(
        describeSigns(signs),
        "2 regions excite, 3 inhibit, of 2 it is not known",
      );
      assert.equal(signsText(signs), "+-+--00");
    }
    // What objects have of themselves is no sign, either.
    for (const word of ["banana", "constructor", "__proto__"]) {
      assert.equal(signOf(word), undefined, word);
    }
    await assert.rejects(
      readSigns(file("id,sign\na,+\nb,banana\n")),
      (error) =>
        error instanceof InputError &&
        /"signs.csv": row 3 has "banana" in column 2/.test(error.message),
    );
  });

  it("reads back what signsTable() writes", async () => {
    const names = ["720575940600000010", "left, dorsal", "c"];
    const table = signsTable(names, Int8Array.of(1, -1, 0));
    const known = await readSigns(file(table));
    assert.deepEqual([...signsOf(names, known)], [1, -1, 0]);
  });
});

describe("signs of a connectome", () => {
  it("come from a column of its list, by most of the weight that is sent", async () => {
    const text = "pre,post,syn_count,nt_type\n" +
      "A,B,10,ACH\nA,C,4,GABA\nB,A,2,GABA\nC,A,3,ACH\nC,B,3,GLUT\nD,A,1,DA\n";
    const { signs, regionNames } = await importConnectome(
      file(text, "fly.csv"),
      { signs: "nt_type" },
    );
    assert.equal(regionNames.join(), "A,B,C,D");
    assert.deepEqual([...signs!], [1, -1, 0, 0]);
    await assert.rejects(
      importConnectome(file(text, "fly.csv"), { signs: "nix" }),
      /--sign_column nix is none of its columns/,
    );
  });

  it("are found beside it in a folder", async () => {
    await withFolder(async (folder) => {
      await Deno.writeTextFile(
        join(folder, "C_Own.csv"),
        ",a,b,c\na,0,1,2\nb,1,0,0\nc,3,0,0\n",
      );
      assert.equal((await loadConnectome("Own", { folder })).signs, undefined);
      await Deno.writeTextFile(
        join(folder, "Signs_Own.csv"),
        "id,sign\nb,-\nother,+\n",
      );
      const { signs } = await loadConnectome("Own", { folder });
      assert.deepEqual([...signs!], [0, -1, 0]);
    });
  });
});
