/**
 * Makes the page: bundles the modules for browsers, and gives all files that a
 * host needs.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";

/** What the page may do: run its own scripts and WebAssembly, and ask nobody for anything. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Headers of every answer; without the last two a page can't share memory with its workers. */
export const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": `${POLICY}; frame-ancestors 'none'`,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** The scripts that are asked for by name, with what each is made of. */
const SCRIPTS = {
  page: `import ${JSON.stringify(import.meta.resolve("./page.tsx"))};`,
  trainer: `import ${JSON.stringify(import.meta.resolve("./trainer.ts"))};`,
  worker: `import ${JSON.stringify(import.meta.resolve("../wasm/worker.ts"))};`,
  events: 'export { EventEmitter } from "npm:events@3.3.0";',
} as const;

/** What scripts ask for, and what they get. */
const RENAMED = {
  '"./worker.ts"': '"./worker.js"',
  // graphology asks for Node's.
  '"node:events"': '"./events.js"',
} as const;

interface AppFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/**
 * The files of the page, by name.
 *
 * @throws {InputError} If a package that it needs can't be had.
 */
export async function buildApp(): Promise<Map<string, AppFile>> {
  const files = new Map<string, AppFile>();
  const add = (name: string, text: string) =>
    files.set(name, {
      type: TYPES[name.split(".").at(-1)!]!,
      bytes: new TextEncoder().encode(text),
    });
  for (const name of ["index.html", "style.css", "icon.svg"]) {
    const text = await Deno.readTextFile(new URL(name, import.meta.url));
    add(name, text.replace("{{csp}}", POLICY));
  }
  const folder = await Deno.makeTempDir({ prefix: "biornn-app-" });
  try {
    for (const [name, text] of Object.entries(SCRIPTS)) {
      await Deno.writeTextFile(`${folder}/${name}.ts`, text);
    }
    // Beside each other, so that each finds the others.
    await bundle(
      Object.keys(SCRIPTS).map((name) => `${folder}/${name}.ts`),
      `${folder}/out`,
    );
    for await (const { name } of Deno.readDir(`${folder}/out`)) {
      let script = await Deno.readTextFile(`${folder}/out/${name}`);
      for (const [before, after] of Object.entries(RENAMED)) {
        script = script.replaceAll(before, after);
      }
      add(name, script);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return files;
}

async function bundle(
  entries: readonly string[],
  folder: string,
): Promise<void> {
  const map = new URL("./import_map.json", import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform=browser",
      "--minify",
      "--code-splitting",
      `--import-map=${map}`,
      `--outdir=${folder}`,
      ...entries,
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new InputError(
    `Cannot make the page: ${new TextDecoder().decode(stderr).trim()}`,
  );
}
