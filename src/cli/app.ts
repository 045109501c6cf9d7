/**
 * `deno task app`: serves the page that trains in the browser, or writes its
 * files for any static host.
 *
 * @module
 */

import { buildApp, HEADERS } from "../app/build.ts";
import type { Flags } from "../compat/cli.ts";
import { InputError } from "../files/input_error.ts";
import { listFolder, readIfThere } from "../files/read.ts";
import { makeFolder, writeFileWhole } from "../files/write.ts";
import { plural } from "../text/words.ts";
import { flagsOnly, numberFlag, pathFlag } from "./flags.ts";
import { print, runCommand } from "./run_command.ts";
import { shownPath } from "./shell.ts";

const HELP =
  `Serves a page that trains in the browser, on this machine alone, until Ctrl-C.

  deno task app
  deno task app --build DIR

  --port N      port on 127.0.0.1, default 8015; 0 takes a free one
  --build DIR   write the page's files for a static host, and end
  --help        this text`;

async function run(flags: Flags): Promise<number> {
  const { port, build } = flags.string;
  flagsOnly(flags, "Cannot serve the page");
  if (port !== undefined && build !== undefined) {
    throw new InputError("Cannot use --port with --build: nothing is served");
  }
  const folder = pathFlag(flags, "build");
  if (folder !== undefined) await write(folder);
  else {
    const range = { to: 65535, whole: true };
    await serve(numberFlag(flags, "port", range) ?? 8015);
  }
  return 0;
}

async function write(folder: string): Promise<void> {
  await makeFolder(folder);
  const files = await buildApp();
  const taken = await takenName(folder, files);
  if (taken !== undefined) {
    throw new InputError(
      `Cannot write the page to "${
        shownPath(folder)
      }": it holds another page's "${taken}"; choose another folder`,
    );
  }
  let bytes = 0;
  for (const [name, file] of files) {
    await writeFileWhole(`${folder}/${name}`, file.bytes);
    bytes += file.bytes.length;
  }
  print(
    `Wrote ${plural(files.size, "file")}, ${(bytes / 1e6).toFixed(2)} MB, to ${
      shownPath(folder)
    }`,
  );
}

/** A file that the page would replace, in a folder that holds no such page. */
async function takenName(
  folder: string,
  files: ReadonlyMap<string, unknown>,
): Promise<string | undefined> {
  const index = await readIfThere(`${folder}/index.html`, { what: "the page" });
  const title = "<title>biornn: ";
  if (new TextDecoder().decode(index).includes(title)) return undefined;
  const names = (await listFolder(folder) ?? []).map(({ name }) => name);
  return names.sort().find((name) => files.has(name));
}

async function serve(port: number): Promise<void> {
  const files = await buildApp();
  try {
    await Deno.serve({
      hostname: "127.0.0.1",
      port,
      onListen: ({ port }) => print(`http://127.0.0.1:${port}/`),
    }, (request) => {
      const { pathname } = new URL(request.url);
      const name = pathname === "/" ? "index.html" : pathname.slice(1);
      const file = files.get(name);
      return file === undefined
        ? new Response("Not found", { status: 404, headers: HEADERS })
        : new Response(file.bytes, {
          headers: { ...HEADERS, "content-type": file.type },
        });
    }).finished;
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new InputError(
      `Cannot serve on port ${port}: another program does; give another with --port`,
    );
  }
}

if (import.meta.main) {
  await runCommand({ help: HELP, run });
}
