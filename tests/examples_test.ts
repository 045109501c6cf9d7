/**
 * The examples in docstrings run, but for those that need files a reader has
 * (`ts no-eval`) and sketches (`ts ignore`).
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, it } from "../src/compat/testing.ts";

const ROOT = join(import.meta.dirname as string, "..");
const EXAMPLE = /^ *\* ```ts\n((?: *\*.*\n)*?) *\* ```$/gm;

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) yield path;
  }
}

/** Code of the examples of a file, by the line they begin on. */
async function examplesOf(path: string): Promise<[string, string][]> {
  const text = await Deno.readTextFile(path);
  return Array.from(text.matchAll(EXAMPLE), ({ index, 1: block = "" }) => {
    const line = text.slice(0, index).split("\n").length;
    const code = block.replaceAll(/^ *\* ?/gm, "")
      .replaceAll('from "./', `from "${pathToFileURL(ROOT).href}/`)
      .replaceAll('"@biornn/biornn"', `"${pathToFileURL(ROOT).href}/mod.ts"`);
    return [`${path.slice(ROOT.length + 1)}:${line}`, code];
  });
}

describe("examples in docstrings", () => {
  it("run", async () => {
    const folder = await Deno.makeTempDir({ prefix: "biornn_examples_" });
    try {
      let examples = 0;
      const wrong: string[] = [];
      for await (const path of sources(join(ROOT, "src"))) {
        for (const [place, code] of await examplesOf(path)) {
          const file = join(folder, `${examples++}.ts`);
          await Deno.writeTextFile(file, code);
          await import(pathToFileURL(file).href).catch((error) =>
            wrong.push(`${place}: ${error}`)
          );
        }
      }
      assert.deepEqual(wrong, []);
      // Public functions have one each; those that nobody outside calls need none.
      assert.ok(examples > 30);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
