/**
 * Reads `trial_params`: the task and its trials.
 *
 * @module
 */

import type { ParameterSchema, Task, TaskParameters } from "../tasks/task.ts";
import { countTrained } from "../tasks/trial_set.ts";
import type { Experiment } from "./experiment.ts";
import type { IniFile } from "./ini.ts";
import {
  assertKnownKeys,
  type LiteralDict,
  mustBeAllowed,
  parameterValue,
  readLiteralDict,
  showValue,
} from "./literal_dict.ts";
import { allowedValues } from "./messages.ts";
import { didYouMean } from "../text/did_you_mean.ts";
import { listNames, quote } from "../text/words.ts";
import { TRIAL_SCHEMA } from "./schema.ts";

/**
 * Reads and checks `trial_params`.
 *
 * @throws {InputError} If it names no task, or something is missing, unknown or not allowed.
 */
export function readTrialParams(
  ini: IniFile,
  tasks: ReadonlyMap<string, Task>,
): Experiment["task"] {
  const dict = readLiteralDict(ini, {
    section: "trialparams",
    key: "trial_params",
    allowed:
      'a Python dict such as {"task_name":"seq_mem", "nr_of_trials":500, "train_size":0.8}',
  });
  const task = readTask(dict, tasks);
  assertKnownKeys(dict, {
    task: task.name,
    known: [
      "task_name",
      ...Object.keys(TRIAL_SCHEMA),
      ...Object.keys(task.trialParameters),
    ],
    others: [
      "lr",
      "nonlinearity",
      "optimizer",
      ...Object.keys(task.gridParameters),
    ],
    place: "[combosparams] combos_params, as a list",
  });
  const nrOfTrials = Number(
    readParameter(dict, {
      name: "nr_of_trials",
      schema: TRIAL_SCHEMA.nr_of_trials,
    }),
  );
  const trainSize = Number(
    readParameter(dict, {
      name: "train_size",
      schema: TRIAL_SCHEMA.train_size,
    }),
  );
  const parameters: TaskParameters = Object.fromEntries(
    Object.entries(task.trialParameters).map((
      [name, schema],
    ) => [name, readParameter(dict, { name, schema })]),
  );
  assertSplit(dict, { task, nrOfTrials, trainSize });
  return { task, nrOfTrials, trainSize, parameters };
}

function readTask(
  dict: LiteralDict,
  tasks: ReadonlyMap<string, Task>,
): Task {
  const allowed = listNames(tasks.keys());
  const name = dict.entries.get("task_name");
  if (name === undefined) {
    throw dict.error(
      ` lacks "task_name"${
        didYouMeanOneOf(dict, "task_name")
      }, which must be ${allowed}`,
    );
  }
  const text = name.kind === "string" ? name.value : "";
  const task = tasks.get(text);
  if (task === undefined) {
    throw dict.error(
      `: "task_name" must be ${allowed}, found ${showValue(name)}${
        didYouMean(text, tasks.keys())
      }`,
      name,
    );
  }
  return task;
}

/** Names the key that a missing one was mistyped as. */
function didYouMeanOneOf(dict: LiteralDict, missing: string): string {
  for (const key of dict.entries.keys()) {
    if (didYouMean(key, [missing]) !== "") {
      return ` (is ${quote(key)} meant to be it?)`;
    }
  }
  return "";
}

function readParameter(
  dict: LiteralDict,
  { name, schema }: { name: string; schema: ParameterSchema },
): number | boolean {
  const value = dict.entries.get(name);
  if (value === undefined) {
    if (schema.default !== undefined) return schema.default;
    throw dict.error(
      ` lacks "${name}", which must be ${allowedValues(schema)}`,
    );
  }
  const found = parameterValue(value, schema);
  if (found === undefined) {
    throw dict.error(mustBeAllowed(value, { name, schema }), value);
  }
  return found;
}

/** Both parts of the split need a trial. */
function assertSplit(
  dict: LiteralDict,
  { task, nrOfTrials, trainSize }: Pick<
    Experiment["task"],
    "task" | "nrOfTrials" | "trainSize"
  >,
): void {
  const trials = task.trialCount(nrOfTrials);
  const trained = countTrained(trials, trainSize);
  if (trained > 0 && trained < trials) return;
  const value = dict.entries.get("train_size");
  throw dict.error(
    `: "train_size" ${
      value === undefined ? trainSize : showValue(value)
    } leaves none of ${trials === 1 ? "1 trial" : `the ${trials} trials`} to ${
      trained === 0 ? "train" : "validate"
    }: use more trials or another "train_size"`,
    value,
  );
}
