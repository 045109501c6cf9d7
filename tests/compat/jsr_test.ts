import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import denoConfig from "../../deno.json" with { type: "json" };
import { describe, it } from "../../src/compat/testing.ts";
import { withFolder } from "../with_folder.ts";

const { href: COMPAT } = new URL("../../src/compat/", import.meta.url);

/** Stand for the packages: they do what is asked of them, and say that they were there. */
const PACKAGES: Record<string, { path: string; text: string }> = {
  "@std/cli": {
    path: "parse-args",
    text: `export function parseArgs(args, { boolean, collect }) {
  console.log("@std/cli");
  const values = {};
  for (const name of collect) values[name] = [];
  for (const arg of args) {
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg);
    if (boolean.includes(name)) values[name] = true;
    else if (collect.includes(name)) values[name].push(value);
    else values[name] = value;
  }
  return values;
}`,
  },
  "@std/ini": {
    path: "parse",
    text: `export function parse() {
  console.log("@std/ini");
  return { net: { a: "1" } };
}`,
  },
};

/** What a program says that reads flags and checks an INI text. */
const PROGRAM = `import { parseFlags } from "${COMPAT}cli.ts";
import { readOtherwise } from "${COMPAT}ini.ts";
const names = { boolean: ["dark"], string: ["seed"], list: ["only"], each: ["set"] };
const flags = parseFlags(
  ["--seed", "007", "--only", "a", "b", "--set=x=1", "--dark", "--set", "y=2", "c.ini"],
  names,
);
const entries = new Map([["net", new Map([["a", "1"]])]]);
console.log(JSON.stringify([flags, await readOtherwise("[net]\\na=1", { entries })]));
Deno.exit(0);
`;
const SAME =
  '[{"boolean":{"dark":true},"string":{"seed":"007"},"list":{"only":["a","b"],"set":["x=1","y=2"]},"positional":["c.ini"]},null]';

/** A copy of JSR on this machine. */
function serve(answer: (path: string) => string | undefined | "silence") {
  const asked: string[] = [];
  const pending = Promise.withResolvers<Response>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      const text = answer(pathname);
      if (text === "silence") return pending.promise;
      return text === undefined
        ? new Response("", { status: 404 })
        : new Response(text);
    },
  );
  return {
    asked,
    host: `127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      pending.resolve(new Response("", { status: 503 }));
      await server.shutdown();
    },
  };
}

/** The files of a package of JSR. */
function packageFiles(version?: string) {
  const files: Record<string, string> = {};
  for (const [name, { path, text }] of Object.entries(PACKAGES)) {
    const pinned = version ??
      denoConfig.imports[name as "@std/cli"].replace(/.*@/, "");
    const checksum = createHash("sha256").update(text).digest("hex");
    const size = text.length;
    files[`/${name}/meta.json`] = JSON.stringify({
      scope: "std",
      name: name.slice(5),
      versions: { [pinned]: {} },
    });
    files[`/${name}/${pinned}_meta.json`] = JSON.stringify({
      manifest: { "/mod.js": { size, checksum: `sha256-${checksum}` } },
      exports: { [`./${path}`]: "./mod.js" },
    });
    files[`/${name}/${pinned}/mod.js`] = text;
  }
  return files;
}

/** Runs the program with an empty cache of its own, or a given one. */
async function run(host: string, folder: string) {
  const program = join(folder, "program.ts");
  await Deno.writeTextFile(program, PROGRAM);
  const start = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-lock", "--allow-read"],
      `--config=${new URL("../../deno.json", import.meta.url).pathname}`,
      `--allow-import=${host}`,
      program,
    ],
    env: {
      NO_COLOR: "1",
      JSR_URL: `http://${host}/`,
      DENO_DIR: join(folder, "cache"),
    },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return {
    lines: new TextDecoder().decode(stdout).trim().split("\n"),
    seconds: (performance.now() - start) / 1000,
  };
}

describe("the packages of JSR", () => {
  it("are used where JSR answers, from the cache where it no longer does", () =>
    withFolder(async (folder) => {
      const files = packageFiles();
      let isThere = true;
      await using jsr = serve((path) => isThere ? files[path] : "silence");
      // Compiling and the first answers may take longer than a command waits; then the cache has them.
      let last = await run(jsr.host, folder);
      for (let i = 0; i < 5 && last.lines.length < 3; i++) {
        await Deno.remove(join(folder, "cache", "location_data"), {
          recursive: true,
        }).catch(() => {});
        last = await run(jsr.host, folder);
      }
      assert.deepEqual(last.lines, ["@std/cli", "@std/ini", SAME]);
      isThere = false;
      const asked = jsr.asked.length;
      assert.deepEqual((await run(jsr.host, folder)).lines.at(-1), SAME);
      assert.equal(jsr.asked.length, asked);
    }));

  it("are done without where JSR has another version, with the same result", () =>
    withFolder(async (folder) => {
      const files = packageFiles("1.99.0");
      await using jsr = serve((path) => files[path]);
      assert.deepEqual((await run(jsr.host, folder)).lines, [SAME]);
    }));

  it("cost nothing where JSR gives no answer", () =>
    withFolder(async (folder) => {
      await using jsr = serve(() => "silence");
      const first = await run(jsr.host, folder);
      assert.deepEqual(first.lines, [SAME]);
      const asked = jsr.asked.length;
      const second = await run(jsr.host, folder);
      assert.deepEqual(second.lines, [SAME]);
      // It is remembered, so that nobody asks again.
      assert.equal(jsr.asked.length, asked);
      assert.ok(
        Math.min(first.seconds, second.seconds) < 2,
        `${first.seconds} s`,
      );
    }));
});
