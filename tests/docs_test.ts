/**
 * What the documentation says is true: its links lead somewhere, the manual of
 * configs is what the schema says, its programs run as they stand.
 */
import assert from "node:assert/strict";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { configurationPage } from "../docs/configuration.ts";
import { describe, it, itNeeds } from "../src/compat/testing.ts";
import { createReferenceEngine } from "../src/reference/engine.ts";
import { readResultsFolder } from "../src/results/results_folder.ts";
import { prepare } from "../src/train/prepare.ts";
import { train } from "../src/train/train.ts";
import { findPython } from "./find_python.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const PYTHON = await findPython("torch");

/** Of tasks, trained experiments and engines. */
const METHODS = [
  "generate",
  "check",
  "steps",
  "inputSize",
  "trialCount",
  "plan",
  "model",
  "each",
  "perUpdate",
];

const FOLDERS = ["", "bench", "cluster", "docs", "examples", "tests"];

/** The pages, by their path. */
async function pages(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of FOLDERS) {
    for await (const { name } of Deno.readDir(join(ROOT, folder))) {
      if (!name.endsWith(".md")) continue;
      const path = join(ROOT, folder, name);
      found.set(path, await Deno.readTextFile(path));
    }
  }
  return found;
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const text = page.replaceAll(/^```[\s\S]*?^```/gm, "");
  return new Set(
    Array.from(
      text.matchAll(/^#+ (.*)$/gm),
      ([, heading = ""]) =>
        heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\- _]/gu, "")
          .replaceAll(" ", "-"),
    ),
  );
}

/** The blocks of code in a language. */
function blocks(page: string, language: string): string[] {
  return Array.from(
    page.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, "gm")),
    ([, code = ""]) => code,
  );
}

const read = (path: string) => Deno.readTextFile(join(ROOT, path));

/** A new folder that holds biornn, as the programs of the manual want it. */
async function besideBiornn(
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "biornn_docs_" });
  try {
    await Deno.symlink(ROOT, join(folder, "biornn"), { type: "dir" });
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run(
  folder: string,
  { name, code }: { name: string; code: string },
): Promise<string> {
  await Deno.writeTextFile(join(folder, name), code);
  const { code: exit, stdout, stderr } = await new Deno.Command(
    Deno.execPath(),
    {
      args: ["run", "--quiet", "--allow-all", name],
      cwd: folder,
      env: { NO_COLOR: "1", XDG_RUNTIME_DIR: "/tmp" },
    },
  ).output();
  assert.equal(exit, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

describe("the documentation", () => {
  it("has no link that leads nowhere", async () => {
    const all = await pages();
    for (const [path, page] of all) {
      const text = page.replaceAll(/^```[\s\S]*?^```/gm, "");
      for (const [, link = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? path : join(dirname(path), file);
        const where = `${relative(ROOT, path)}: ${link}`;
        await assert.doesNotReject(Deno.stat(target), where);
        if (anchor === undefined) continue;
        assert.ok(anchorsOf(all.get(target) ?? "").has(anchor), where);
      }
    }
  });

  it("is all reached from README.md", async () => {
    const linked = await read("README.md");
    for await (const { name } of Deno.readDir(join(ROOT, "docs"))) {
      if (name.endsWith(".md")) {
        assert.ok(linked.includes(`docs/${name}`), name);
      }
    }
  });

  it("has the manual of configs that the schema gives", async () => {
    const plain = (text: string) =>
      text.replaceAll(/-{3,}/g, "---").replaceAll(/\s+/g, " ").trim();
    assert.equal(
      plain(await read("docs/configuration.md")),
      plain(configurationPage()),
      "docs/configuration.md is out of date: run deno task docs:config",
    );
  });

  it("explains sentences that the program says", async () => {
    let source = "";
    for await (const { text } of sources(join(ROOT, "src"))) source += text;
    const table = await read("docs/troubleshooting.md");
    const sentences = Array.from(
      table.matchAll(/^\| `([^`]+)`/gm),
      ([, sentence = ""]) => sentence,
    );
    assert.ok(sentences.length > 5);
    for (const sentence of sentences) {
      for (const part of sentence.split("…")) {
        assert.ok(source.includes(part), `nothing says "${part}"`);
      }
    }
  });

  it("names files, functions and null models that there are", async () => {
    const api = await import("../mod.ts");
    for (const [path, page] of await pages()) {
      const where = relative(ROOT, path);
      for (
        const [, file = ""] of page.matchAll(/`((?:src|tests)\/[^`*…]*)`/g)
      ) {
        await assert.doesNotReject(Deno.stat(join(ROOT, file)), where);
      }
      if (!where.startsWith("docs")) continue;
      const text = page.replaceAll(/^```[\s\S]*?^```/gm, "");
      for (
        const [, name = ""] of text.matchAll(/`(\w+)\((?!.*Options)[^`]*`/g)
      ) {
        assert.ok(
          name in api || METHODS.includes(name),
          `${where} names ${name}(), which mod.ts does not export`,
        );
      }
    }
    const nulls = await read("docs/null_models.md");
    for (const name of Object.keys(api.NULL_MODELS)) {
      assert.ok(nulls.includes(`| \`${name}\``), name);
    }
  });

  it("says truly which room imports from which", async () => {
    const page = await read("docs/architecture.md");
    const floor = new Map<string, number>();
    for (const [i, [row]] of [...page.matchAll(/^\| `src.*$/gm)].entries()) {
      const [rooms = ""] = row.split("|").slice(1);
      for (const [, room = ""] of rooms.matchAll(/`src\/(\w+)`/g)) {
        floor.set(room, i);
      }
    }
    for await (const { path, text } of sources(join(ROOT, "src"))) {
      const room = roomOf(path);
      const own = floor.get(room);
      assert.ok(own !== undefined, `src/${room} is not in the table`);
      for (const [, from = ""] of text.matchAll(IMPORT)) {
        const target = roomOf(join(dirname(path), from));
        const other = floor.get(target) ?? -1;
        assert.ok(other <= own, `${relative(ROOT, path)} imports ${from}`);
      }
    }
  });

  it("builds a task in a program of fewer than 60 lines that learns", async () => {
    const page = await read("docs/extending.md");
    const [program = ""] = blocks(page, "ts");
    const config =
      blocks(page, "text").find((text) => text.includes("delayed_match")) ?? "";
    assert.ok(program.split("\n").length < 60);
    await besideBiornn(async (folder) => {
      await Deno.writeTextFile(join(folder, "own_task.ini"), config);
      const said = await run(folder, { name: "own_task.ts", code: program });
      const [, percent] = /(\d+\.\d) % right/.exec(said) ?? [];
      assert.ok(Number(percent) > 90, said);
    });
  });

  it("has programs that run as they stand", async () => {
    const programs = [
      ...blocks(await read("docs/notebooks.md"), "ts"),
      ...blocks(await read("docs/extending.md"), "ts").slice(1),
      ...blocks(await read("README.md"), "ts"),
    ];
    assert.ok(programs.length >= 7);
    const own = blocks(await read("docs/extending.md"), "ts").slice(1);
    assert.ok(own.every((program) => program.split("\n").length <= 30));
    await besideBiornn(async (folder) => {
      // One program: the start of Deno takes longer than what they do.
      const code = await Promise.all(programs.map(async (text, i) => {
        const name = `program_${i}.ts`;
        await Deno.writeTextFile(join(folder, name), `${text}\nexport {};\n`);
        return `await import("./${name}");`;
      }));
      await run(folder, { name: "all.ts", code: code.join("\n") });
    });
  });

  itNeeds(
    "has programs in Python that read results",
    PYTHON === undefined ? "no Python with torch" : undefined,
    async () => {
      const [first = "", second = "", third = ""] = blocks(
        await read("docs/results.md"),
        "python",
      );
      const folder = await Deno.makeTempDir({ prefix: "biornn_docs_" });
      try {
        const prepared = await prepare(join(ROOT, "config/quickstart.ini"), {
          overrides: { epochs: 1, iterations: 2 },
        });
        await train(prepared, { engine: createReferenceEngine(), folder });
        const { code, stdout, stderr } = await new Deno.Command(PYTHON!, {
          args: [
            "-c",
            [first, second, third].join("\n").replaceAll(
              "results/",
              `${folder}/`,
            )
              .replaceAll("epoch_499", "epoch_0"),
          ],
        }).output();
        assert.equal(code, 0, new TextDecoder().decode(stderr));
        const [loss, difference] = new TextDecoder().decode(stdout).trim()
          .split("\n").map(Number);
        const { combinations } = await readResultsFolder(folder);
        const [a, b] = combinations[0]!.validateLoss.values;
        assert.ok(Math.abs(loss! - (a! + b!) / 2) < 1e-12);
        assert.ok(difference! < 1e-5, `${difference}`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
});

/** What a module imports, examples in comments left out. */
const IMPORT = /^(?! \*).*(?:from |import\()"(\.\.?\/[^"]*)"/gm;

/** "viz" of ".../src/viz/figure.ts"; "" outside of src. */
function roomOf(path: string): string {
  const [top, room] = relative(ROOT, path).split(sep);
  return top === "src" ? room ?? "" : "";
}

async function* sources(
  folder: string,
): AsyncGenerator<{ path: string; text: string }> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* sources(path);
    else if (name.endsWith(".ts")) {
      yield { path, text: await Deno.readTextFile(path) };
    }
  }
}
