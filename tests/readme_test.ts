import assert from "node:assert/strict";
import { describe, it } from "../src/compat/testing.ts";
import { readExperiment } from "../src/experiment/read.ts";
import { TASKS } from "../src/tasks/registry.ts";
import { CATALOGUE, COLLECTION_CITATION } from "../src/connectome/catalogue.ts";
import denoConfig from "../deno.json" with { type: "json" };

const README = await Deno.readTextFile(
  new URL("../README.md", import.meta.url),
);

describe("README.md", () => {
  it("leads to every connectome", async () => {
    const page = await Deno.readTextFile(
      new URL("../docs/connectomes.md", import.meta.url),
    );
    for (const { name, regions } of CATALOGUE) {
      const line = page.split("\n").find((text) =>
        text.startsWith(`| \`${name}\``)
      );
      assert.match(line ?? "", new RegExp(`\\| ${regions} `), name);
    }
  });

  it("shows a config that is right", () => {
    const text = /```ini\n([\s\S]*?)```/.exec(README)?.[1] ?? "";
    const experiment = readExperiment(text, { file: "README", tasks: TASKS });
    assert.equal(experiment.grid.combinations.length, 24);
  });

  it("has a citation file of the same version, with every paper of the catalogue", async () => {
    const citation = await Deno.readTextFile(
      new URL("../CITATION.cff", import.meta.url),
    );
    const version = `\nversion: ${denoConfig.version}\n`;
    assert.ok(citation.includes(version));
    const texts = [
      COLLECTION_CITATION,
      ...CATALOGUE.flatMap(({ citations }) => citations),
    ];
    for (const text of texts) {
      const doi = /https:\/\/doi\.org\/(\S+)$/.exec(text)?.[1];
      assert.ok(doi !== undefined && citation.includes(`doi: ${doi}\n`), text);
    }
  });

  it("names tasks that there are", () => {
    for (const [, task] of README.matchAll(/deno(?:@[\d.]+)? task (\w+)/g)) {
      assert.ok(task as string in denoConfig.tasks, `deno task ${task}`);
    }
  });
});
