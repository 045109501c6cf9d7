/**
 * `deno task activity RESULTS`: what the neurons of a trained model do over time.
 *
 * @module
 */

import { join } from "node:path";
import { coactivation, regionMeans } from "../analysis/activity.ts";
import type { Flags } from "../compat/cli.ts";
import { InputError } from "../files/input_error.ts";
import { readNpy, writeNpy } from "../files/npy.ts";
import { readFileBytes } from "../files/read.ts";
import {
  type ExperimentRecord,
  readExperimentRecord,
} from "../results/experiment_record.ts";
import { type RunId, runLabel } from "../results/layout.ts";
import { someTrials, type Trials } from "../tasks/task.ts";
import { Papa } from "../text/csv.ts";
import { formatBytes, plural } from "../text/words.ts";
import { keepActivity, readModel, readTrials } from "../train/read_model.ts";
import { activityFigure, coactivationFigure } from "../viz/activity_figures.ts";
import { openFigureFolder, prepareFolder } from "../viz/write_figures.ts";
import { countFlag, numberFlag, pathFlag } from "./flags.ts";
import { print, printError, runCommand, warn } from "./run_command.ts";
import { shownPath, userPath } from "./shell.ts";

const HELP =
  `Writes what the neurons of a trained model do over time, and draws what its regions do.

  deno task activity RESULTS --combination 0 --iteration 0

  --combination N     number of the combination in folder_index.txt, default 0
  --iteration N       number of the run, from 0, default 0
  --epoch N           epoch after which the model was stored, from 0, or initial;
                      default the last one
  --trials FILE.npy   your own inputs, [trial, time, input]; default the trials that
                      the run validated on
  --limit N           at most so many trials, the first ones
  --stimuli FILE      the pictures or latents that the task showed, where the config
                      names them by a relative path
  --out DIR           folder for all that is written, default figs/activity
  --overwrite         replace files in DIR that were not written by biornn, too
  --help              this text

In DIR: inputs.npy [trial, time, input], hidden.npy [trial, time, neuron], outputs.npy
[trial, time, output], regions.csv (the region of each neuron), region_means.npy [trial,
time, region], coactivation.npy [region, region]: Spearman's rank correlation of the
regions' means over all time steps of all trials; activity and coactivation as .svg and .png.`;

/** Regions whose co-activation is computed: a matrix of 128 MB. */
const MOST_REGIONS = 4000;

type NamedArray = [
  name: string,
  shape: number[],
  data: Float32Array | Float64Array,
];

async function activity(flags: Flags): Promise<number> {
  const { length } = flags.positional;
  if (length !== 1) {
    throw new InputError(
      `Cannot go on: give one results folder, e.g. deno task activity results/bio (found ${length})`,
    );
  }
  const folder = userPath(flags.positional[0]!, "the results folder");
  const whole = { whole: true };
  const id = {
    combination: numberFlag(flags, "combination", whole) ?? 0,
    iteration: numberFlag(flags, "iteration", whole) ?? 0,
  };
  const epoch = flags.string.epoch === "initial"
    ? "initial"
    : numberFlag(flags, "epoch", whole);
  const limit = countFlag(flags, "limit", Infinity);
  const out = pathFlag(flags, "out", "figs/activity");

  const record = await readExperimentRecord(folder);
  const model = await readModel(folder, { ...id, epoch });
  const own = pathFlag(flags, "trials");
  const trials = own === undefined
    ? await validationTrials(folder, id, limit, pathFlag(flags, "stimuli"))
    : await ownTrials(own, model.inputSize, limit);
  const kept = keepActivity(model, trials);
  const { regionNames, neurons } = record.connectome;
  const regions = regionNames.length;
  const { trialCount, steps } = trials;
  const rows = (width: number) => [trialCount, steps, width];

  const options = {
    regionNames,
    model: [
      record.task.name,
      record.connectome.name,
      runLabel(id),
      ...epoch === undefined
        ? []
        : [epoch === "initial" ? "before training" : `after epoch ${epoch}`],
      ...own === undefined ? [] : ["trials of one's own"],
    ].join(", "),
  };
  const matrix = regions > MOST_REGIONS
    ? undefined
    : coactivation(kept, { regions });
  const figures = [
    activityFigure(kept, options),
    ...(matrix === undefined ? [] : [coactivationFigure(matrix, options)]),
  ];
  const arrays: NamedArray[] = [
    ["inputs", rows(model.inputSize), trials.inputs],
    ["hidden", rows(model.hiddenSize), kept.hidden],
    ["outputs", rows(model.outputSize), kept.output],
    ["region_means", rows(regions), regionMeans(kept, { regions })],
  ];
  if (matrix !== undefined) {
    arrays.push(["coactivation", [regions, regions], matrix]);
  }
  await prepareFolder(out);
  const files = await openFigureFolder([
    ...arrays.map(([name]) => `${name}.npy`),
    "regions.csv",
  ], {
    directory: out,
    figures,
    formats: ["svg", "png"],
    overwrite: flags.boolean.overwrite === true,
  });
  for (const [name, shape, data] of arrays) {
    await files.write(`${name}.npy`, writeNpy({ shape, data }));
  }
  await files.write("regions.csv", regionTable(record));
  for (const figure of figures) await files.draw(figure);
  await files.finish();
  warn(files.warnings);
  if (record.randomW) {
    printError(
      `note: the network is a random one (null model ${
        record.nullModel ?? "permute"
      }): what is called a region here is ${
        plural(neurons, "neuron")
      } of the same numbers`,
    );
  }
  if (matrix === undefined) {
    printError(
      `note: no co-activation of ${regions} regions, which would take ${
        formatBytes(8 * regions ** 2)
      }; allowed are ${MOST_REGIONS} regions`,
    );
  }
  print(
    `${plural(trialCount, "trial")} of ${
      plural(steps, "time step")
    }: the hidden states of ${plural(model.hiddenSize, "neuron")} take ${
      formatBytes(kept.hidden.byteLength)
    }`,
    `Written: ${
      files.files.map((file) => shownPath(join(out, file))).join(", ")
    }`,
  );
  return 0;
}

async function validationTrials(
  folder: string,
  id: RunId,
  limit: number,
  stimuli: string | undefined,
): Promise<Trials> {
  const all = await readTrials(folder, { ...id, stimuli });
  const numbers = all.validateBatches.flatMap((batch) => [...batch]);
  return someTrials(all, numbers.slice(0, limit));
}

/** Inputs of the user's own, [trial, time, input]. */
async function ownTrials(
  file: string,
  inputSize: number,
  limit: number,
): Promise<Omit<Trials, "targets">> {
  const bytes = await readFileBytes(file, { what: "the trials" });
  const { shape, data } = readNpy(bytes, { name: file });
  const [trials = 0, steps = 0, width] = shape;
  const fail = (what: string): never => {
    throw new InputError(`Cannot use the trials "${file}": ${what}`);
  };
  if (shape.length !== 3 || width !== inputSize || trials * steps === 0) {
    fail(
      `it must be an array [trial, time, input] with ${
        plural(inputSize, "input")
      }, found shape (${shape.join(", ")})`,
    );
  }
  const wrong = data.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (wrong >= 0) {
    const place = Math.floor(wrong / inputSize);
    fail(
      `input ${wrong % inputSize} of trial ${
        Math.floor(place / steps)
      }, time step ${place % steps} is ${
        data[wrong]
      }, but single precision is needed`,
    );
  }
  const trialCount = Math.min(trials, limit);
  const length = trialCount * steps * inputSize;
  const inputs = new Float32Array(data.subarray(0, length));
  return { trialCount, steps, inputSize, inputs };
}

/** Of each neuron its region, and whether it gets the input and is read out. */
function regionTable(
  { connectome, inputRegions, outputRegions }: ExperimentRecord,
): string {
  const { regionNames, neurons } = connectome;
  const has = (chosen: readonly number[] | undefined, region: number) =>
    Number(chosen?.includes(region) ?? true);
  const rows = regionNames.flatMap((name, region) =>
    Array.from({ length: neurons }, (_, i) => ({
      neuron: region * neurons + i,
      region,
      name,
      input: has(inputRegions, region),
      output: has(outputRegions, region),
    }))
  );
  return `${Papa.unparse(rows, { newline: "\n" })}\n`;
}

if (import.meta.main) {
  await runCommand({ help: HELP, run: activity });
}
