/**
 * `deno task tasks`: lists the tasks, and draws what one shows and asks.
 *
 * @module
 */

import { join } from "node:path";
import type { Flags } from "../compat/cli.ts";
import { InputError } from "../files/input_error.ts";
import { createStream } from "../random/stream.ts";
import { TASKS } from "../tasks/registry.ts";
import { loadStimuli } from "../tasks/stimuli.ts";
import {
  allowedValues,
  generateTrials,
  isAllowed,
  type ParameterSchema,
  type Task,
  type TaskParameters,
} from "../tasks/task.ts";
import { didYouMean, formatTable, listNames } from "../text/words.ts";
import { drawTrials } from "../viz/activity_figures.ts";
import { openFigureFolder, prepareFolder } from "../viz/write_figures.ts";
import { pathFlag, seedFlag } from "./flags.ts";
import { print, runCommand } from "./run_command.ts";
import { shownPath } from "./shell.ts";

const HELP = `Lists the tasks, and draws what one shows and asks.

  deno task tasks list
  deno task tasks show NAME [KEY=VALUE …] [flags]

  KEY=VALUE    a parameter of the task, as in trial_params and combos_params
  --out DIR    folder for trial_NAME.svg and trial_NAME.png, default figs
  --seed N     seed of the trials, default 0
  --help       this text`;

async function run(flags: Flags): Promise<number> {
  const [command, name, ...values] = flags.positional;
  if (command === "list" && name === undefined) return list();
  if (command === "show" && name !== undefined) {
    return await show(taskOf(name), values, flags);
  }
  throw new InputError(
    `Cannot use "${flags.positional.join(" ")}": give list, or show NAME`,
  );
}

function list(): number {
  const rows = [...TASKS.values()].map((
    { name, description = "" },
  ) => [name, description]);
  print(...formatTable(rows, { right: [] }));
  return 0;
}

function taskOf(name: string): Task {
  const task = TASKS.get(name);
  if (task !== undefined) return task;
  throw new InputError(
    `Cannot find the task "${name}"${
      didYouMean(name, TASKS.keys())
    }; known are ${listNames(TASKS.keys(), "and")}`,
  );
}

async function show(
  task: Task,
  values: readonly string[],
  flags: Flags,
): Promise<number> {
  const out = pathFlag(flags, "out", "figs");
  const seed = seedFlag(flags);
  const parameters = parametersOf(task, values);
  const stimuli = task.stimuli === undefined
    ? {}
    : { stimuli: await loadStimuli(task.stimuli, { seed }) };
  const trials = generateTrials(task, { ...parameters, nr_of_trials: 2 }, {
    stream: createStream({ seed, purpose: "trials" }),
    ...stimuli,
  });
  const figure = drawTrials(task, trials);
  await prepareFolder(out);
  const folder = await openFigureFolder([], {
    directory: out,
    figures: [figure],
    formats: ["svg", "png"],
  });
  await folder.draw(figure);
  await folder.finish();
  const drawn = folder.files.map((file) => shownPath(join(out, file)));
  print(
    figure.caption,
    ...Object.entries(parameters).map(([key, value]) => `  ${key} = ${value}`),
    `Drawn: ${drawn.join(", ")}`,
  );
  return 0;
}

/** The parameters that are given, and for the others their defaults or examples. */
function parametersOf(task: Task, values: readonly string[]): TaskParameters {
  const schemas = { ...task.trialParameters, ...task.gridParameters };
  const parameters: Record<string, number | boolean> = {};
  for (const [key, schema] of Object.entries(schemas)) {
    const usual = schema.default ?? schema.example ?? schema.from;
    if (usual !== undefined) parameters[key] = usual;
  }
  for (const text of values) {
    const [key = "", value = ""] = text.split(/=(.*)/s);
    if (!Object.hasOwn(schemas, key)) {
      throw new InputError(
        `Cannot use "${text}": ${task.name} has no parameter "${key}"${
          didYouMean(key, Object.keys(schemas))
        }; it has ${listNames(Object.keys(schemas), "and")}`,
      );
    }
    parameters[key] = valueOf(value, key, schemas[key]!);
  }
  const wrong = task.check?.(parameters);
  if (wrong !== undefined) {
    throw new InputError(`Cannot show ${task.name}: ${wrong}`);
  }
  return parameters;
}

function valueOf(
  text: string,
  key: string,
  schema: ParameterSchema,
): number | boolean {
  if (schema.kind === "boolean") {
    if (text === "True" || text === "False") return text === "True";
  } else {
    const value = text.trim() === "" ? NaN : Number(text);
    if (isAllowed(value, schema)) return value;
  }
  throw new InputError(
    `Cannot use ${key}=${text}: it must be ${allowedValues(schema)}`,
  );
}

if (import.meta.main) {
  await runCommand({ help: HELP, run });
}
