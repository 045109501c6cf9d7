/**
 * `deno task compare`: trains an experiment with its biological network and with those of
 * null models, each into a results folder of its own, and draws all.
 *
 * @module
 */

import { join } from "node:path";
import { formatFindings } from "../analysis/tables.ts";
import type { Flags } from "../compat/cli.ts";
import {
  NULL_MODEL_NAMES,
  type NullModelName,
} from "../connectome/nulls/null_model.ts";
import { readExperiment } from "../experiment/read.ts";
import { InputError } from "../files/input_error.ts";
import { readTextFile } from "../files/read.ts";
import type { LabelledResults } from "../analysis/compare.ts";
import { didYouMean } from "../text/did_you_mean.ts";
import { listNames, plural } from "../text/words.ts";
import { chooseEngine, readDeviceChoice } from "../train/choose_engine.ts";
import { prepareExperiment } from "../train/prepare.ts";
import { train } from "../train/train.ts";
import { FIGURE_KINDS } from "../viz/build_figures.ts";
import { drawResults } from "../viz/draw_results.ts";
import { DEFAULT_FORMATS, prepareFolder } from "../viz/write_figures.ts";
import { print, printError, runCommand } from "./run_command.ts";
import { readOverrides } from "./settings.ts";
import { shownPath, userFolder, userPath } from "./shell.ts";

const HELP =
  `Trains an experiment with its biological network and with null models, and draws all.

  deno task compare CONFIG.ini --null_models degrees regions --set net.match=spectral_radius

Each arm has a results folder in the config's path_to_results: bio, and one by the name of each null
model; the figures, statistics and report are in figs beside them. A comparison that was stopped goes
on with --resume.

  --null_models NAME …      what the biological network is compared with; default permute; there are
                            ${NULL_MODEL_NAMES.slice(0, 7).join(", ")},
                            ${NULL_MODEL_NAMES.slice(7).join(", ")}
  --path_to_results DIR     folder for the arms and the figures
  --path_to_network DIR     folder with connectomes, looked in first
  --seed N, --epochs N, --iterations N
  --set SECTION.KEY=VALUE   any other key, e.g. net.match=spectral_radius; it may stand several times
  --device auto|gpu|cpu     what computes, as in train
  --resume                  go on where a comparison was stopped
  --overwrite               remove the results that the arms' folders hold
  --help                    this text`;

/** What the first arm is called. */
const BIOLOGICAL = "bio";

/** An arm of the comparison: its label, and its null model. */
type Arm = readonly [label: string, nullModel: NullModelName | "none"];

function readArms(flags: Flags): readonly Arm[] {
  const names = flags.list.null_models ?? ["permute"];
  const arms = [...new Set(names)].map((name): Arm => {
    const known = NULL_MODEL_NAMES.find((each) => each === name);
    if (known !== undefined) return [known, known];
    throw new InputError(
      `Cannot use --null_models ${name}: allowed are ${
        listNames(NULL_MODEL_NAMES, "and")
      }${didYouMean(name, NULL_MODEL_NAMES)}`,
    );
  });
  return [[BIOLOGICAL, "none"], ...arms];
}

async function compare(flags: Flags): Promise<number> {
  const start = performance.now();
  const [file, ...more] = flags.positional;
  if (file === undefined || more.length > 0) {
    throw new InputError(
      `Cannot compare: give one config file before the flags (found ${flags.positional.length})`,
    );
  }
  const { overwrite, resume } = flags.boolean;
  if (overwrite && resume) {
    throw new InputError(
      "Cannot use --overwrite with --resume: it would remove the runs that are to be gone on with",
    );
  }
  const arms = readArms(flags);
  const device = readDeviceChoice(flags.string.device);
  const text = await readTextFile(userPath(file, "the config file"), {
    what: "config file",
  });
  const overrides = readOverrides(flags);
  const read = (nullModel: Arm[1]) =>
    readExperiment(text, {
      file,
      folder: userFolder(),
      overrides: {
        ...overrides,
        set: {
          ...overrides.set,
          "net.random_w": "False",
          "net.null_model": nullModel,
        },
      },
    });
  // All are read before any is trained: what is wrong is told at once.
  const experiments = arms.map(([, nullModel]) => read(nullModel));
  const engine = await chooseEngine(device, { warn: printError });
  const trained: LabelledResults[] = [];
  try {
    for (const [i, [label]] of arms.entries()) {
      const experiment = experiments[i]!;
      const folder = join(experiment.paths.results, label);
      const prepared = await prepareExperiment({
        ...experiment,
        paths: { ...experiment.paths, results: folder },
      }, { onProgress: printError });
      printError(
        `${label} (${i + 1} of ${arms.length}): ${shownPath(folder)}`,
      );
      let told = performance.now();
      const { results, failures } = await train(prepared, {
        engine,
        folder,
        overwrite: overwrite === true,
        resume: resume === true,
        onLine: printError,
        onProgress: ({ done, total }) => {
          if (performance.now() - told < TOLD_EVERY) return;
          told = performance.now();
          printError(`${Math.floor(100 * done / total)} % of ${label}`);
        },
      });
      if (failures.length > 0) {
        printError(
          `warning: ${plural(failures.length, "run")} of ${label} diverged`,
        );
      }
      trained.push({ label, results });
    }
  } finally {
    engine.destroy();
  }
  const directory = join(experiments[0]!.paths.results, "figs");
  await prepareFolder(directory);
  const drawn = await drawResults(trained, {
    directory,
    formats: DEFAULT_FORMATS,
    kinds: FIGURE_KINDS,
    combination: undefined,
    ylabel: undefined,
    width: undefined,
    overwrite: overwrite === true || resume === true,
    all: true,
  });
  for (const warning of drawn.warnings) printError(`warning: ${warning}`);
  for (const line of formatFindings(drawn.comparisons)) print(line);
  print(
    `Done in ${
      ((performance.now() - start) / 1000).toFixed(1)
    } s. The figures are in ${shownPath(directory)}, ${
      plural(arms.length, "results folder")
    } beside them`,
  );
  return 0;
}

/** Milliseconds between two lines of progress. */
const TOLD_EVERY = 10_000;

if (import.meta.main) {
  await runCommand({
    help: HELP,
    flags: {
      boolean: ["overwrite", "resume"],
      string: [
        "path_to_results",
        "path_to_network",
        "seed",
        "epochs",
        "iterations",
        "device",
      ],
      list: ["null_models"],
      each: ["set"],
    },
    run: compare,
  });
}
