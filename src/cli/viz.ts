/**
 * `deno task viz`: figures, statistics and a report of results folders.
 *
 * @module
 */

import type { Flags } from "../compat/cli.ts";
import { InputError } from "../files/input_error.ts";
import { formatFindings } from "../analysis/tables.ts";
import { plural } from "../text/words.ts";
import {
  drawResults,
  type DrawResultsOptions,
  FIGURE_KINDS,
} from "../viz/draw_results.ts";
import {
  DEFAULT_FORMATS,
  FORMATS,
  prepareFolder,
} from "../viz/write_figures.ts";
import {
  choicesFlag,
  flagsOnly,
  labelsOf,
  needed,
  numberFlag,
  pathFlag,
  readLabelled,
  widthFlag,
} from "./flags.ts";
import { print, runCommand, warn } from "./run_command.ts";
import { shownPath, userPath } from "./shell.ts";

const HELP = `Draws and compares the results of experiments.

  deno task viz --results_folders A B --results_labels bio rand --save_figs figs

  --results_folders A B …   results folders, of biornn or of the original program
  --results_labels a b …    a name for each, as it stands in legends; the others
                            are compared with the first
  --save_figs DIR           folder for all that is written; it is made if needed
  --ylabel TEXT             name of the loss on axes (default: by the task,
                            loss (MSE) or loss (NLL))
  --formats F …             svg, png, pdf, vl.json (open it in the Vega editor),
                            html (one report with all figures); default: all but pdf
  --dpi N                   pixels an inch of PNG files; default 300
  --only KIND …             overview, boxplots, curves, networks, measures; default: all
  --combination N           only the curves of combination N of folder_index.txt
  --width 85|178            print width of all figures in mm, one column or two;
                            default: 85 for curves, 178 for the others
  --margin PERCENT          margin of equivalence; default 10. Of losses, a share of
                            what the better label learned beyond the baseline; of
                            accuracies, of the points above chance; of epochs,
                            of the other label's mean
  --all_pairs               compare every label with every other one
  --overwrite               replace files in DIR that viz did not write, too
  --help                    this text

Without --only and --combination, statistics.csv is written too. It and the report compare
minimum loss, 99 % epoch and final accuracy of the first label with each other.`;

function drawOptions(flags: Flags): DrawResultsOptions {
  const { boolean, string } = flags;
  const margin = numberFlag(flags, "margin", { above: 0, to: 1000 });
  return {
    directory: needed(pathFlag(flags, "save_figs"), "save_figs"),
    ylabel: string.ylabel,
    formats: choicesFlag(flags, "formats", FORMATS) ?? DEFAULT_FORMATS,
    kinds: choicesFlag(flags, "only", FIGURE_KINDS),
    combination: numberFlag(flags, "combination", {
      to: 999_999_999,
      whole: true,
    }),
    width: widthFlag(flags),
    dpi: numberFlag(flags, "dpi", { from: 1, to: 2400, whole: true }) ?? 300,
    margin: margin && margin / 100,
    allPairs: boolean.all_pairs === true,
    overwrite: boolean.overwrite === true,
  };
}

async function viz(flags: Flags): Promise<number> {
  const start = performance.now();
  flagsOnly(flags, "Cannot draw", "; --results_folders must stand before it");
  const paths = needed(flags.list.results_folders, "results_folders")
    .map((folder) => userPath(folder, "--results_folders"));
  needed(flags.list.results_labels, "results_labels");
  const labels = labelsOf(paths, flags);
  const options = drawOptions(flags);
  const folders = await readLabelled(paths, labels);
  for (const { results } of folders) {
    if (results.combinations.length > 0) continue;
    throw new InputError(
      `Cannot draw the results in "${results.path}": no combination has losses yet`,
    );
  }
  await prepareFolder(options.directory);
  const { warnings, comparisons, files } = await drawResults(folders, options);
  warn(warnings);
  print(
    ...formatFindings(comparisons),
    `Wrote ${plural(files.length, "file")} to ${
      shownPath(options.directory)
    } in ${((performance.now() - start) / 1000).toFixed(1)} s:`,
    ...listFiles(files),
  );
  return 0;
}

/** Files of a figure in one line: `loss_00.svg .png .vl.json`. */
function listFiles(files: readonly string[]): string[] {
  const parts = files.map((file) =>
    /^(.*?)(\.vl\.json|\.[a-z]+)?$/.exec(file)!
  );
  return [...Map.groupBy(parts, ([, stem]) => stem)].map(([stem, own]) =>
    `  ${stem}${own.map(([, , ending]) => ending).join(" ")}`
  );
}

if (import.meta.main) {
  await runCommand({ help: HELP, run: viz });
}
