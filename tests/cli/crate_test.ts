import assert from "node:assert/strict";
import { join } from "node:path";
import {
  CATALOGUE,
  COLLECTION_CITATION,
} from "../../src/connectome/catalogue.ts";
import { describe, it } from "../../src/compat/testing.ts";
import { sha256Hex } from "../../src/files/bytes.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { bibtex } from "../../src/results/archive.ts";
import { prepare } from "../../src/train/prepare.ts";
import { train } from "../../src/train/train.ts";
import { withFolder } from "../with_folder.ts";
import { runTask } from "./run_task.ts";

const CONFIG = new URL("../../config/quickstart.ini", import.meta.url);

type Entity = Readonly<Record<string, unknown>>;

/** All ids that an entity refers to. */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (typeof value !== "object" || value === null) return [];
  const id = (value as Entity)["@id"];
  return Object.keys(value).length === 1 && typeof id === "string"
    ? [id]
    : Object.values(value).flatMap(references);
}

describe("deno task crate", () => {
  it("describes every file of the results, and is replaced with them", async () => {
    await withFolder(async (folder) => {
      const overrides = { epochs: 1, iterations: 1 };
      const prepared = await prepare(CONFIG, { overrides });
      const engine = createReferenceEngine();
      await train(prepared, { engine, folder });
      // Described twice it is the same.
      for (let i = 0; i < 2; i++) {
        const { code, stderr } = await runTask("crate", [folder]);
        assert.equal(code, 0, stderr);
        assert.equal(stderr, "");
      }
      const crate = join(folder, "ro-crate-metadata.json");
      const graph: Entity[] =
        JSON.parse(await Deno.readTextFile(crate))["@graph"];
      const ids = new Set(graph.map((entity) => entity["@id"]));
      assert.equal(ids.size, graph.length);
      for (
        const id of references(graph.map((entity) => ({ ...entity, "": 0 })))
      ) {
        assert.ok(ids.has(id) || id === "https://w3id.org/ro/crate/1.1", id);
      }
      const files = graph.filter((entity) => entity["@type"] === "File");
      assert.ok(files.some((entity) => entity["@id"] === "experiment.json"));
      for (const entity of files) {
        const bytes = await Deno.readFile(join(folder, String(entity["@id"])));
        assert.equal(entity.sha256, await sha256Hex(bytes));
        assert.equal(entity.contentSize, String(bytes.length));
      }
      await train(prepared, { engine, folder, overwrite: true });
      await assert.rejects(Deno.stat(crate), Deno.errors.NotFound);
    });
  });

  it("says in a sentence where there are no results", async () => {
    const { code, stderr } = await runTask("crate", ["nowhere"]);
    assert.equal(code, 2);
    assert.match(stderr, /there is no such f/);
  });
});

describe("bibtex()", () => {
  it("takes every citation of the catalogue apart", () => {
    const citations = CATALOGUE.flatMap((entry) => entry.citations);
    const text = bibtex([...citations, COLLECTION_CITATION]);
    assert.doesNotMatch(text, /@misc/);
    assert.equal(
      text.match(/^@article\{\w+,$/gm)?.length,
      new Set(citations).size + 1,
    );
    assert.equal(
      bibtex([COLLECTION_CITATION]),
      `@article{goulas2021,
  author = {A. Goulas and F. Damicelli and C. C. Hilgetag},
  title = {{Bio-instantiated recurrent neural networks}},
  journal = {Neural Networks},
  volume = {142},
  pages = {608--618},
  year = {2021},
  doi = {10.1016/j.neunet.2021.07.011},
}
`,
    );
  });

  it("keeps what it can't take apart as a note, under keys of their own", () => {
    const text = bibtex(["my own data", "theirs, https://doi.org/10.1/x"]);
    assert.match(text, /^@misc\{source,\n {2}note = \{my own data\},\n\}/);
    assert.match(text, /@misc\{source_2,\n.*\n {2}doi = \{10\.1\/x\},/);
  });
});
