/**
 * `deno task app`: serves the page that trains in the browser, or writes its
 * files for any static host.
 *
 * @module
 */

import { buildApp, HEADERS } from "../app/build.ts";
import type { Flags } from "../compat/cli.ts";
import { InputError } from "../files/input_error.ts";
import { writeFileWhole } from "../files/write.ts";
import { plural } from "../text/words.ts";
import { flagsOnly, numberFlag } from "./flags.ts";
import { print, runCommand } from "./run_command.ts";
import { shownPath, userPath } from "./shell.ts";

const HELP =
  `Serves a page that trains in the browser, on this machine alone, until Ctrl-C.

  deno task app
  deno task app --build DIR

  --port N      port on 127.0.0.1, default 8015; 0 takes a free one
  --build DIR   write the page's files for a static host, and end
  --help        this text`;

const PORT = 8015;

async function run(flags: Flags): Promise<number> {
  const { port, build } = flags.string;
  flagsOnly(flags, "Cannot serve the page");
  if (build !== undefined) {
    if (port !== undefined) {
      throw new InputError("Cannot use --port with --build: nothing is served");
    }
    return await write(userPath(build, "--build"));
  }
  await serve(
    numberFlag(flags, "port", { fallback: PORT, to: 65535, whole: true }),
  );
  return 0;
}

async function write(folder: string): Promise<number> {
  const files = await buildApp();
  await Deno.mkdir(folder, { recursive: true });
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
  return 0;
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
  await runCommand({ help: HELP, flags: { string: ["port", "build"] }, run });
}
