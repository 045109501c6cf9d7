/**
 * `deno task table RESULTS --out FILE`: results as one tidy table.
 *
 * @module
 */

import { basename } from "node:path";
import { type Column, tidyTable } from "../analysis/tables.ts";
import type { Flags } from "../compat/cli.ts";
import { InputError } from "../files/input_error.ts";
import { encodeParquet } from "../files/parquet.ts";
import { writeFileWhole } from "../files/write.ts";
import { Papa } from "../text/csv.ts";
import { plural } from "../text/words.ts";
import { choiceFlag, labelsOf, readLabelled, resultsFolders } from "./flags.ts";
import { print, runCommand, warn } from "./run_command.ts";
import { shownPath, userPath } from "./shell.ts";

const HELP =
  `Writes results as one tidy table, for pandas, polars, R and spreadsheets.

  deno task table RESULTS [RESULTS …] --out results.csv

  --out FILE               .csv or .parquet
  --rows epoch|run         a row a run and epoch (default), or a row a run with its
                           lowest loss, when it was reached, and the accuracy at the end
  --results_labels a b …   a name for each folder, in the column "results" (default: its own)
  --help                   this text

Epochs count from 0. Combinations that are not finished are left out.`;

/** Nothing is an empty cell; infinity and truth are written so that pandas and R read them. */
function toCsv(columns: readonly Column[]): string {
  const rows = columns[0]?.data.length ?? 0;
  return Papa.unparse({
    fields: columns.map(({ name }) => name),
    data: Array.from({ length: rows }, (_, row) =>
      columns.map(({ data }) => {
        const value = data[row];
        if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
        if (value === Infinity) return "Inf";
        return value === -Infinity ? "-Inf" : value;
      })),
  }, { newline: "\n" }) + "\n";
}

const ENCODERS: Readonly<
  Record<string, (columns: readonly Column[]) => string | Uint8Array>
> = { csv: toCsv, parquet: encodeParquet };

async function table(flags: Flags): Promise<number> {
  const { out } = flags.string;
  const paths = resultsFolders(
    flags,
    "Cannot write the table",
    "table results/quickstart --out quickstart.csv",
  );
  const labels = labelsOf(paths, flags, paths.map((path) => basename(path)));
  const rows = choiceFlag(flags, "rows", ["epoch", "run"]) ?? "epoch";
  const encode = ENCODERS[/\.(\w+)$/.exec(out ?? "")?.[1] ?? ""];
  if (out === undefined || encode === undefined) {
    throw new InputError(
      `Cannot write the table${
        out === undefined ? "" : ` "${out}"`
      }: --out must name a file that ends in .csv or .parquet`,
    );
  }
  const folders = await readLabelled(paths, labels);
  warn(folders.flatMap(({ results }) => results.warnings));
  const columns = tidyTable(folders, rows);
  const [first] = columns;
  if (first === undefined) {
    throw new InputError(
      "Cannot write the table: no combination has losses yet",
    );
  }
  const file = userPath(out, "--out");
  await writeFileWhole(file, encode(columns));
  print(
    `Wrote ${plural(first.data.length, "row")} and ${
      plural(columns.length, "column")
    } to ${shownPath(file)}`,
  );
  return 0;
}

if (import.meta.main) {
  await runCommand({ help: HELP, run: table });
}
