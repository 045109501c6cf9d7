/**
 * `deno task connectome import`: writes what was published as a connectome that a
 * config can name.
 *
 * @module
 */

import type { Flags } from "../compat/cli.ts";
import { importConnectome, importedName } from "../connectome/import.ts";
import { matrixTable } from "../connectome/tables.ts";
import { InputError } from "../files/input_error.ts";
import { writeSparseNpz } from "../files/npz.ts";
import { readTextFile } from "../files/read.ts";
import { matrixOfGraph, rowsOf } from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import {
  outFolder,
  readChoice,
  readNumber,
  writeFiles,
} from "./connectome_flags.ts";
import { print, printError } from "./run_command.ts";
import { userPath } from "./shell.ts";

/** Most regions of which a table is written, to be read by people too. */
const MOST_IN_TABLE = 1000;

/** Reads the file and writes C_NAME.csv, or of many regions C_NAME.npz and Names_NAME.txt. */
export async function importFile(path: string, flags: Flags): Promise<void> {
  outFolder(flags);
  const { source, target, weight, types, subset } = flags.string;
  const rows = readChoice(flags, "rows", ["source", "target"]);
  const duplicates = readChoice(flags, "duplicates", ["sum", "error"]);
  const minWeight = readNumber(flags, "min_weight", {
    fallback: 0,
    from: 0,
    to: Number.MAX_VALUE,
  });
  const { graph, regionNames, notes } = await importConnectome(path, {
    ...(source === undefined ? {} : { source }),
    ...(target === undefined ? {} : { target }),
    ...(weight === undefined ? {} : { weight }),
    ...(rows === undefined ? {} : { rows }),
    ...(duplicates === undefined ? {} : { duplicates }),
    ...(types === undefined
      ? {}
      : { types: types.split(",").map((type) => type.trim()) }),
    ...(subset === undefined ? {} : { subset: await readIds(subset) }),
    minWeight,
    onProgress: printError,
  });
  const name = importedName(path);
  if (graph.nodes <= MOST_IN_TABLE) {
    const table = matrixTable({
      names: regionNames,
      weights: matrixOfGraph(graph),
    });
    await writeFiles({ [`C_${name}.csv`]: table }, flags);
  } else {
    const { start, sender, weights } = rowsOf(graph, { transpose: false });
    await writeFiles({
      [`Names_${name}.txt`]: `${regionNames.join("\n")}\n`,
      [`C_${name}.npz`]: writeSparseNpz({
        shape: [graph.nodes, graph.nodes],
        start,
        column: sender,
        values: weights,
      }),
    }, flags);
  }
  for (const note of notes) {
    if (note.startsWith("warning: ")) printError(note);
    else print(note);
  }
  print(
    `${name}: ${plural(graph.nodes, "region")}, ${
      plural(graph.weight.length, "connection")
    }`,
  );
}

async function readIds(path: string): Promise<ReadonlySet<string>> {
  const text = await readTextFile(userPath(path, "--subset"), {
    what: "the list of regions",
  });
  const ids = text.split(/[\r\n,;\t]+/).map((id) =>
    id.trim().replace(/^"(.*)"$/, "$1")
  ).filter((id) => id !== "");
  if (ids.length > 0) return new Set(ids);
  throw new InputError(`Cannot use --subset ${path}: it lists no region`);
}
