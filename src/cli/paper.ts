/**
 * `deno task paper`: trains any part of the experiments of Goulas, Damicelli and
 * Hilgetag (2021), and reports on all that are there.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Flags } from "../compat/cli.ts";
import { loadConnectome } from "../connectome/load.ts";
import { NULL_MODEL_NAMES } from "../connectome/nulls/null_model.ts";
import {
  BIOLOGICAL,
  cellFolder,
  cellsOf,
  cellTitle,
  MATCHES,
  PAPER_TASKS,
  type PaperCell,
  type PaperChoice,
  readCell,
  SPECIES,
  STRATEGIES,
} from "../experiment/paper.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { InputError } from "../files/input_error.ts";
import { listFolder, readTextFile } from "../files/read.ts";
import { readParts } from "../results/open_folder.ts";
import { formatDuration, formatTable, plural } from "../text/words.ts";
import { probeTime } from "../train/describe_plan.ts";
import { prepareArms } from "../train/prepare.ts";
import type { ReportedCell } from "../viz/paper_report.ts";
import { prepareFolder } from "../viz/write_figures.ts";
import {
  choicesFlag,
  flagsOnly,
  pathFlag,
  readLabelled,
  readOverrides,
  widthFlag,
} from "./flags.ts";
import { print, printError, runCommand, warn } from "./run_command.ts";
import { shownPath, userFolder } from "./shell.ts";
import { engineOf, trainExperiments, TRAINING_HELP } from "./train.ts";

const HELP =
  `Repeats Goulas, Damicelli and Hilgetag (2021), or any part of it: are networks wired like brains better
at remembering than random ones? docs/paper.md tells what that takes and what was seen.

  deno task paper --species macaque --task seq_mem --epochs 500

  --species NAME …          macaque marmoset human; synthetic needs no download; default the first three
  --task NAME …             seq_mem nback_mem pic_latent_mem; default all
  --strategies NAME …       how networks are built; default all of: random_ranked (weights split at random,
                            initial weights in the connectome's rank order), equal_ranked (split evenly),
                            random, equal (initial weights in no order)
  --arms NAME …             networks that are compared: none, the biological one (always), and null models;
                            default none permute regions degrees
  --match NAME …            starts of null models: none, spectral_radius, activity; default the first two
  --path_to_results DIR     folder for all experiments and the report; default results/goulas2021
  --dry-run                 say how many trainings it comes to, and how long they take on this machine
  and all flags of deno task train, which its --help lists

The arms of an experiment train side by side, each into a folder of its name; one experiment comes after
the other. What was stopped goes on with --resume; parts of it can be trained at different times or, with
--shard i/n, on different machines into the same folder. The report is about all experiments in the
folder of which all networks are trained: figs/report.html, figs/paper.csv and the forest plot.

  --width 85|178            print width of the forest plot in mm; default 178
  --help                    this text`;

/** Names of all arms that there may be, the biological one first: the others are compared with it. */
const ARM_NAMES = [
  BIOLOGICAL,
  ...Object.values(MATCHES).flatMap((suffix) =>
    NULL_MODEL_NAMES.map((name) => `${name}${suffix}`)
  ),
];

/** What `--species` is where nobody says: those of the paper. */
const MEASURED = ["macaque", "marmoset", "human"] as const;

function keysOf<K extends string>(record: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(record) as K[];
}

function readChoice(flags: Flags): PaperChoice {
  const arms = choicesFlag(flags, "arms", ["none", ...NULL_MODEL_NAMES]);
  const strategies = keysOf(STRATEGIES);
  return {
    species: choicesFlag(flags, "species", keysOf(SPECIES)) ?? MEASURED,
    tasks: choicesFlag(flags, "task", PAPER_TASKS) ?? PAPER_TASKS,
    strategies: choicesFlag(flags, "strategies", strategies) ?? strategies,
    nullModels: arms?.filter((name) => name !== "none") ??
      ["permute", "regions", "degrees"],
    matches: choicesFlag(flags, "match", keysOf(MATCHES)) ??
      ["none", "spectral_radius"],
  };
}

type Paper = Awaited<ReturnType<typeof openPaper>>;

async function openPaper(flags: Flags) {
  flagsOnly(flags, "Cannot repeat the paper");
  const choice = readChoice(flags);
  const overrides = readOverrides(flags);
  // Of the forest plot.
  const width = widthFlag(flags) ?? 178;
  const folder = pathFlag(flags, "path_to_results", "results/goulas2021");
  const configs = new Map<string, { text: string; file: string }>();
  for (const task of choice.tasks) {
    const file = `config/goulas2021/${task}.ini`;
    const url = new URL(`../../${file}`, import.meta.url);
    const path = fileURLToPath(url);
    const text = await readTextFile(path, { what: "config file" });
    configs.set(task, { text, file });
  }
  const read = (cell: PaperCell) =>
    readCell(cell, {
      ...choice,
      overrides,
      results: folder,
      folder: userFolder(),
      config: configs.get(cell.task)!,
    });
  return { flags, choice, folder, width, read };
}

/** The cells whose connectome can be had, and a sentence for each that cannot. */
async function availableCells({ choice, read }: Paper) {
  const missing: string[] = [];
  const cells: PaperCell[] = [];
  for (const one of choice.species) {
    const own = cellsOf({ ...choice, species: [one] });
    const [{ net, paths }] = read(own[0]!) as [Experiment];
    try {
      await loadConnectome(net.name, {
        folder: paths.network,
        onProgress: printError,
      });
      cells.push(...own);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      missing.push(`${one} is left out: ${error.message}`);
    }
  }
  return { cells, missing };
}

async function paper(flags: Flags): Promise<number> {
  const opened = await openPaper(flags);
  engineOf(flags);
  const { cells, missing } = await availableCells(opened);
  warn(missing);
  if (cells.length === 0) {
    throw new InputError(
      "Cannot repeat the paper: none of the connectomes can be had",
    );
  }
  if (flags.boolean["dry-run"]) await describe(cells, opened);
  else {
    const code = await trainCells(cells, opened);
    if (code !== 0) return code;
    await report(opened, missing);
  }
  return missing.length === 0 ? 0 : 2;
}

/** Trains one experiment after the other; its exit code, where one was stopped. */
async function trainCells(
  cells: readonly PaperCell[],
  { flags, read }: Paper,
): Promise<number> {
  let left = cells.length;
  for (const [i, cell] of cells.entries()) {
    printError(`${cellTitle(cell)} (${i + 1} of ${cells.length})`);
    const code = await trainExperiments(read(cell), flags, () => {
      left--;
    });
    if (code !== 0) return code;
  }
  if (left > 0) {
    print(
      `This part is done; of ${
        plural(left, "experiment")
      } runs of other parts are still to come.`,
    );
  }
  return 0;
}

/** `--dry-run`: how many trainings, and how long they take; ways to build networks cost the same. */
async function describe(
  cells: readonly PaperCell[],
  { flags, read }: Paper,
): Promise<void> {
  const engine = await engineOf(flags)(printError);
  const rows: string[][] = [];
  let [total, seconds] = [0, 0];
  try {
    const kinds = Map.groupBy(
      cells,
      ({ species, task }) => `${species} ${task}`,
    );
    for (const alike of kinds.values()) {
      const [{ species, task }] = alike as [PaperCell];
      const arms = await prepareArms(read(alike[0]!));
      const { grid, training } = arms[0]!.experiment;
      const each = grid.combinations.length * training.iterations;
      const probed = await probeTime(arms, { engine, shard: undefined });
      const trainings = alike.length * arms.length * each;
      const own = alike.length * probed.seconds;
      total += trainings;
      seconds += own;
      const strategies = alike.length === 1
        ? "1 strategy"
        : `${alike.length} strategies`;
      rows.push([
        species,
        task,
        `${strategies} × ${plural(arms.length, "network")} × ${each}`,
        String(trainings),
        formatDuration(own),
      ]);
    }
  } finally {
    engine.destroy();
  }
  print(
    ...formatTable([
      ["species", "task", "experiments", "trainings", "time"],
      ...rows,
      ["all", "", "", String(total), formatDuration(seconds)],
    ]),
    `The time is that of this machine (${engine.description}), by a probe of each species and task; n parts (--shard) on as many machines take an n-th of it.`,
  );
}

/** Reports on all experiments in the folder of which all networks are trained. */
async function report(
  { flags, folder, width }: Paper,
  missing: readonly string[],
): Promise<void> {
  const all = cellsOf({
    species: keysOf(SPECIES),
    tasks: PAPER_TASKS,
    strategies: keysOf(STRATEGIES),
  });
  const reported: ReportedCell[] = [];
  const unfinished: string[] = [];
  for (const cell of all) {
    const place = join(folder, cellFolder(cell));
    const there = (await listFolder(place) ?? []).map(({ name }) => name);
    const finished: string[] = [];
    for (const label of ARM_NAMES.filter((name) => there.includes(name))) {
      if (await readParts(join(place, label)) === "finished") {
        finished.push(label);
      } else unfinished.push(`${cellTitle(cell)}, ${label}`);
    }
    if (finished[0] !== BIOLOGICAL) continue;
    const paths = finished.map((label) => join(place, label));
    const arms = await readLabelled(paths, finished);
    reported.push({ name: cellTitle(cell), arms });
  }
  if (reported.length === 0) {
    print("No experiment is finished, so that there is no report yet.");
    return;
  }
  // What draws takes a while to load.
  const { writePaperReport } = await import("../viz/paper_report.ts");
  const directory = join(folder, "figs");
  await prepareFolder(directory);
  const { files, findings } = await writePaperReport(reported, {
    title: "Goulas, Damicelli and Hilgetag (2021), repeated",
    directory,
    width,
    overwrite: flags.boolean.overwrite === true,
    missing: [
      ...missing,
      ...(unfinished.length === 0
        ? []
        : [`not finished, and not in this report: ${unfinished.join("; ")}`]),
    ],
  });
  print(
    ...findings,
    `Wrote ${plural(files.length, "file")} about ${
      plural(reported.length, "experiment")
    } to ${shownPath(directory)}: ${files.join(" ")}`,
  );
}

if (import.meta.main) {
  await runCommand({
    help: HELP,
    more: TRAINING_HELP,
    onlyLogs: true,
    run: paper,
  });
}
