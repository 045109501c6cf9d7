/**
 * `deno task crate RESULTS`: makes a results folder ready for an archive.
 *
 * @module
 */

import { join } from "node:path";
import type { Flags } from "../compat/cli.ts";
import { COLLECTION_CITATION } from "../connectome/catalogue.ts";
import { sha256Hex } from "../files/bytes.ts";
import { readFileBytes } from "../files/read.ts";
import { writeFileWhole } from "../files/write.ts";
import { bibtex, type CrateFile, roCrate } from "../results/archive.ts";
import {
  CITATIONS_FILE,
  CRATE_FILE,
  EXPERIMENT_FILE,
  isOwnFolder,
  ownFile,
} from "../results/layout.ts";
import { readExperimentRecord } from "../results/experiment_record.ts";
import { readStatus } from "../results/status.ts";
import { plural } from "../text/words.ts";
import { resultsFolders } from "./flags.ts";
import { print, runCommand, warn } from "./run_command.ts";
import { shownPath } from "./shell.ts";

const HELP = `Describes results for an archive of research data.

  deno task crate RESULTS [RESULTS …]

writes into each results folder

  ro-crate-metadata.json   RO-Crate 1.1, a Process Run Crate: what was trained, by what,
                           from which config and connectome, with every file's checksum
  citations.bib            what to cite, as BibTeX

  --help                   this text`;

async function filesOf(folder: string): Promise<CrateFile[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const own = ownFile(name, undefined);
    if (own?.temporary === false && !name.endsWith(".lock")) paths.push(name);
    if (!isDirectory || !isOwnFolder(name)) continue;
    for await (const inner of Deno.readDir(join(folder, name))) {
      if (ownFile(inner.name, name)?.temporary === false) {
        paths.push(`${name}/${inner.name}`);
      }
    }
  }
  const described = paths.sort().filter((path) => path !== CRATE_FILE);
  return await Array.fromAsync(described, async (path) => {
    const file = join(folder, path);
    const bytes = await readFileBytes(file, { what: "the result" });
    return { path, bytes: bytes.length, sha256: await sha256Hex(bytes) };
  });
}

async function describe(folder: string): Promise<void> {
  const record = await readExperimentRecord(folder);
  const { combinations } = await readStatus(folder);
  const left = combinations.flatMap(({ runs }) => runs)
    .filter(({ kind }) => kind !== "done" && kind !== "failed").length;
  if (left > 0) {
    warn([
      `${plural(left, "run")} of ${shownPath(folder)} ${
        left === 1 ? "is" : "are"
      } not finished`,
    ]);
  }
  const citations = [...record.connectome.citations, COLLECTION_CITATION];
  await writeFileWhole(join(folder, CITATIONS_FILE), bibtex(citations));
  const { mtime } = await Deno.stat(join(folder, EXPERIMENT_FILE));
  const files = await filesOf(folder);
  await writeFileWhole(
    join(folder, CRATE_FILE),
    roCrate(record, { files, ended: mtime ?? new Date(), citations }),
  );
  print(
    `Wrote ${CRATE_FILE}, which describes ${
      plural(files.length, "file")
    }, and ${CITATIONS_FILE} to ${shownPath(folder)}`,
  );
}

async function crate(flags: Flags): Promise<number> {
  const folders = resultsFolders(
    flags,
    "Cannot describe results",
    "crate results/quickstart",
  );
  for (const folder of folders) await describe(folder);
  return 0;
}

if (import.meta.main) {
  await runCommand({ help: HELP, run: crate });
}
