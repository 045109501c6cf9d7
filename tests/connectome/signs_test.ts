import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { importConnectome } from "../../src/connectome/decode.ts";
import { loadConnectome } from "../../src/connectome/load.ts";
import {
  describeSigns,
  readSigns,
  signOf,
  signsOf,
  signsTable,
  signsText,
} from "../../src/connectome/signs.ts";
import { InputError } from "../../src/files/input_error.ts";
import { sourceOfBytes } from "../../src/files/read.ts";
import { withFolder } from "../with_folder.ts";

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
    assert.equal(signOf("banana"), undefined);
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
