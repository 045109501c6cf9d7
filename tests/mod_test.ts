import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import denoConfig from "../deno.json" with { type: "json" };
import {
  buildRun,
  createEnsemble,
  createReferenceEngine,
  prepareExperiment,
  readExperiment,
  TASKS,
} from "../mod.ts";
import { describe, it } from "../src/compat/testing.ts";

describe("mod.ts", () => {
  it("trains a model of a config file in a few lines", async () => {
    const file = new URL("../config/quickstart.ini", import.meta.url).pathname;
    const experiment = readExperiment(await Deno.readTextFile(file), {
      file,
      tasks: TASKS,
    });
    const prepared = await prepareExperiment(experiment, {
      onProgress: () => {},
    });
    const run = await buildRun(prepared, { combination: 1, iteration: 0 });
    const engine = createReferenceEngine();
    const ensemble = await createEnsemble(engine, {
      ...prepared.size,
      loss: "mse",
      runs: [run],
    });
    const { validateLoss } = await ensemble.train(10);
    assert.ok(validateLoss[9] as number < (validateLoss[0] as number));
    ensemble.destroy();
    engine.destroy();
  });

  it("is imported from any folder, without biornn's deno.json", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const module = (path: string) => new URL(path, import.meta.url).href;
      await Deno.writeTextFile(
        join(folder, "program.ts"),
        `import { readExperiment, TASKS } from "${module("../mod.ts")}";
import { renderSvg } from "${module("../src/viz/render_svg.ts")}";
import { renderPng } from "${module("../src/viz/render_png.ts")}";
import { loadFont } from "${module("../src/viz/font.ts")}";
import { browserBuilds } from "${module("../src/viz/vega.ts")}";
const file = ${
          JSON.stringify(
            fileURLToPath(module("../config/quickstart.ini")),
          )
        };
readExperiment(Deno.readTextFileSync(file), { file, tasks: TASKS });
await renderPng('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', { font: await loadFont() });
console.log(typeof renderSvg, (await browserBuilds()).length);
`,
      );
      const { code, stdout, stderr } = await new Deno.Command(
        Deno.execPath(),
        {
          args: ["run", "--quiet", "--allow-all", "program.ts"],
          cwd: folder,
        },
      ).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert.equal(code, 0, text(stderr));
      assert.equal(text(stdout).trim(), "function 3");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

describe("what src imports", () => {
  it("is named by its exact version, in one file a package", async () => {
    const places = new Map<string, Set<string>>();
    for await (const file of walk(new URL("../src/", import.meta.url))) {
      const text = await Deno.readTextFile(file);
      for (
        const [, specifier = ""] of text.matchAll(/"((?:npm|jsr):[^"]*)"/g)
      ) {
        const [, name = "", version = ""] =
          /^\w+:(@?[^@]+)@([^/]*)/.exec(specifier) ?? [];
        assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, specifier);
        places.set(
          name,
          (places.get(name) ?? new Set()).add(file.href + version),
        );
      }
      for (
        const [, specifier = ""] of text.matchAll(
          /^(?:import .*|\}) from "([^"]*)"/gm,
        )
      ) {
        assert.match(specifier, /^(\.\.?\/|node:|npm:)/, file.href);
      }
    }
    for (const [name, found] of places) assert.equal(found.size, 1, name);
    for (const specifier of Object.values(denoConfig.imports)) {
      assert.match(specifier, /^(npm|jsr):@?[^@]+@\d+\.\d+\.\d+(-[\w.]+)?$/);
      const [, name = ""] = /^\w+:(@?[^@]+)/.exec(specifier) ?? [];
      assert.ok(!places.has(name), `${name} has two versions`);
    }
  });
});

async function* walk(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* walk(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}
