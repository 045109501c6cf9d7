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
import { print, printError, runCommand } from "./run_command.ts";
import { shownPath, userPath } from "./shell.ts";

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
  { epochs, now }: { epochs: number; now: number },
): string {
  const running = only(runs, "running");
  if (running.length === 0) return "";
  const at = running.map((run) => run.epoch);
  const from = Math.min(...at), to = Math.max(...at);
  const newest = Math.max(
    ...running.map((run) => run.saved?.getTime() ?? -Infinity),
  );
  const ago = Number.isFinite(newest)
    ? `, saved ${formatDuration((now - newest) / 1000)} ago`
    : "";
  return `${running.length} at epoch ${
    from === to ? to : `${from}–${to}`
  }/${epochs}${ago}`;
}

function describeFailed(runs: readonly RunStatus[]): string {
  return runs.flatMap((run, iteration) =>
    run.kind === "failed"
      ? [`iteration ${iteration}: ${run.what} at epoch ${run.epoch}`]
      : []
  ).join("; ");
}

function rowOf(
  { index, title, runs }: CombinationStatus,
  { epochs, now }: { epochs: number; now: number },
): string[] {
  const trained = runs.filter(({ kind }) =>
    kind === "done" || kind === "failed"
  );
  const missing = only(runs, "missing").length;
  return [
    String(index),
    title,
    runs.length === 0 ? "0" : `${trained.length}/${runs.length}`,
    describeRunning(runs, { epochs, now }),
    runs.length === 0 ? "all" : missing === 0 ? "" : String(missing),
    describeFailed(runs),
  ];
}

/** The whole text for a results folder; `now` in milliseconds, as `Date.now()`. */
function formatResultsStatus(
  { path, experiment, combinations, trainings, warnings }: ResultsStatus,
  now: number,
): string {
  const all = combinations.flatMap(({ runs }) => runs);
  const failed = only(all, "failed").length;
  const done = only(all, "done").length + failed;
  const count = plural(combinations.length, "combination");
  const about = experiment === undefined
    ? `results of the original program, ${count}`
    : `${printable(experiment.task.name)}, ${
      printable(experiment.connectome.name)
    }, ${count} × ${plural(experiment.iterations, "iteration")}, ${
      plural(experiment.epochs, "epoch")
    }`;
  const epochs = experiment?.epochs ?? 0;
  const totals = experiment === undefined
    ? [
      `${
        combinations.filter(({ runs }) => runs.length > 0).length
      } of ${count} done`,
      `${combinations.filter(({ runs }) => runs.length === 0).length} missing`,
    ]
    : [
      `${done} of ${all.length} runs done`,
      `${only(all, "running").length} under way`,
      `${only(all, "missing").length} missing`,
    ];
  return [
    `${printable(path)}: ${about}`,
    "",
    ...formatTable([
      HEADINGS,
      ...combinations.map((combination) => rowOf(combination, { epochs, now })),
    ], { right: [0] }),
    "",
    [...totals, `${failed} failed`].join(", "),
    ...trainings,
    ...warnings.map((line) => `warning: ${printable(line)}`),
  ].join("\n");
}

async function status(flags: Flags): Promise<number> {
  if (flags.positional.length === 0) {
    throw new InputError(
      "Cannot tell the status: name a results folder, e.g. deno task status results/quickstart",
    );
  }
  let code = 0;
  const folders: string[] = [];
  for (const path of flags.positional) {
    const folder = userPath(path, "the results folder");
    const arms = await armFolders(folder);
    folders.push(
      ...arms.length === 0 ? [folder] : arms.map((arm) => join(folder, arm)),
    );
  }
  for (const [i, path] of folders.entries()) {
    try {
      const status = await readStatus(path);
      const text = formatResultsStatus(
        { ...status, path: shownPath(status.path) },
        Date.now(),
      );
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
