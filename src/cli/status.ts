/**
 * `deno task status RESULTS`: tells what of an experiment is done, under way,
 * missing and failed.
 *
 * @module
 */

import { join } from "node:path";
import type { Flags } from "../compat/cli.ts";
import { InputError } from "../files/input_error.ts";
import { armFolders } from "../results/layout.ts";
import {
  formatDuration,
  formatTable,
  plural,
  printable,
} from "../text/words.ts";
import {
  type CombinationStatus,
  readStatus,
  type ResultsStatus,
  type RunStatus,
} from "../results/status.ts";
import { resultsFolders } from "./flags.ts";
import { print, printError, runCommand } from "./run_command.ts";
import { shownPath } from "./shell.ts";

const HELP =
  `Tells what of an experiment is done, under way, missing and failed.

  deno task status RESULTS [RESULTS …]

  --help   this text

RESULTS is a results folder, also one that trainings are writing to, one of the
original program, or the folder that holds those of several arms. A run is under
way when a state of it was saved; the time of its last state tells whether a
training is still at it. A run has failed when its loss became NaN or infinite.`;

const HEADINGS = ["", "combination", "done", "under way", "missing", "failed"];

function only<K extends RunStatus["kind"]>(
  runs: readonly RunStatus[],
  kind: K,
): Extract<RunStatus, { kind: K }>[] {
  return runs.filter((run): run is Extract<RunStatus, { kind: K }> =>
    run.kind === kind
  );
}

/** "2 at epoch 40–41/500, saved 0:35 ago". */
function describeRunning(
  runs: readonly RunStatus[],
  epochs: number,
  now: number,
): string {
  const running = only(runs, "running");
  if (running.length === 0) return "";
  const at = running.map((run) => run.epoch);
  const first = Math.min(...at), last = Math.max(...at);
  const newest = Math.max(
    ...running.map((run) => run.saved?.getTime() ?? -Infinity),
  );
  const ago = Number.isFinite(newest)
    ? `, saved ${formatDuration((now - newest) / 1000)} ago`
    : "";
  const range = first === last ? last : `${first}–${last}`;
  return `${running.length} at epoch ${range}/${epochs}${ago}`;
}

function rowOf(
  { index, title, runs }: CombinationStatus,
  epochs: number,
  now: number,
): string[] {
  const failed = runs.flatMap((run, iteration) =>
    run.kind === "failed"
      ? [`iteration ${iteration}: ${run.what} at epoch ${run.epoch}`]
      : []
  );
  const done = only(runs, "done").length + failed.length;
  const missing = only(runs, "missing").length;
  return [
    String(index),
    title,
    runs.length === 0 ? "0" : `${done}/${runs.length}`,
    describeRunning(runs, epochs, now),
    runs.length === 0 ? "all" : missing === 0 ? "" : String(missing),
    failed.join("; "),
  ];
}

/** The whole text for a results folder; `now` in milliseconds, as `Date.now()`. */
function formatResultsStatus(
  { path, experiment, combinations, trainings, warnings }: ResultsStatus,
  now: number,
): string {
  const all = combinations.flatMap(({ runs }) => runs);
  const failed = only(all, "failed").length;
  const count = plural(combinations.length, "combination");
  const { epochs = 0 } = experiment ?? {};
  const empty = combinations.filter(({ runs }) => runs.length === 0).length;
  const [about, ...totals] = experiment === undefined
    ? [
      `results of the original program, ${count}`,
      `${combinations.length - empty} of ${count} done`,
      `${empty} missing`,
    ]
    : [
      `${experiment.task.name}, ${experiment.connectome.name}, ${count} × ${
        plural(experiment.iterations, "iteration")
      }, ${plural(epochs, "epoch")}`,
      `${only(all, "done").length + failed} of ${all.length} runs done`,
      `${only(all, "running").length} under way`,
      `${only(all, "missing").length} missing`,
    ];
  return [
    printable(`${path}: ${about}`),
    "",
    ...formatTable([
      HEADINGS,
      ...combinations.map((combination) => rowOf(combination, epochs, now)),
    ], { right: [0] }),
    "",
    [...totals, `${failed} failed`].join(", "),
    ...trainings,
    ...warnings.map((line) => `warning: ${printable(line)}`),
  ].join("\n");
}

async function status(flags: Flags): Promise<number> {
  const given = resultsFolders(
    flags,
    "Cannot tell the status",
    "status results/quickstart",
  );
  const folders = await Array.fromAsync(given, async (folder) => {
    const arms = await armFolders(folder);
    return arms.length === 0 ? [folder] : arms.map((arm) => join(folder, arm));
  });
  let code = 0;
  for (const [i, folder] of folders.flat().entries()) {
    try {
      const status = await readStatus(folder);
      const path = shownPath(status.path);
      const text = formatResultsStatus({ ...status, path }, Date.now());
      print(i === 0 ? text : `\n${text}`);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      printError(`error: ${error.message}`);
      code = 2;
    }
  }
  return code;
}

if (import.meta.main) {
  await runCommand({ help: HELP, run: status });
}
