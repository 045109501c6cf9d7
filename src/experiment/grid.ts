/**
 * Reads `trial_params` and `combos_params`: the task, its trials, and the grid of
 * combinations that are trained.
 *
 * @module
 */

import type { Nonlinearity } from "../rnn/nonlinearities.ts";
import type { Optimizer } from "../rnn/optimizers.ts";
import {
  allowedValues,
  countTrained,
  type ParameterSchema,
  type Task,
  type TaskParameters,
} from "../tasks/task.ts";
import type { Combination, Experiment, GridValue } from "./experiment.ts";
import type { IniFile } from "./configparser.ts";
import {
  assertKnownKeys,
  type LiteralDict,
  mustBeAllowed,
  parameterValue,
  readLiteralDict,
  showValue,
} from "./dict.ts";
import { LEARNING_RATE, MOST_COMBINATIONS, TRIAL_SCHEMA } from "./schema.ts";
import { didYouMean, listNames, plural, quote } from "../text/words.ts";
import type { PythonValue } from "../python/literal.ts";
import { reprPython, reprTuple } from "../python/repr.ts";

/** What the grid may name. */
export interface Choices {
  readonly nonlinearities: ReadonlyMap<string, Nonlinearity>;
  readonly optimizers: ReadonlyMap<string, Optimizer>;
}

/** What a key of the grid may be. */
type GridSchema = ParameterSchema | { readonly choices: readonly string[] };

/**
 * Reads and checks `combos_params`.
 *
 * @throws {InputError} If something is missing, unknown, not allowed or does not go together.
 */
export function readGrid(
  ini: IniFile,
  { task, nonlinearities, optimizers }: Choices & {
    readonly task: Experiment["task"];
  },
): Experiment["grid"] {
  const choices = { nonlinearities, optimizers };
  const dict = readLiteralDict(ini, {
    section: "combosparams",
    key: "combos_params",
    allowed: "a Python dict of lists",
  });
  const schemas = gridSchemas(task, choices);
  assertKnown(dict, { task, known: schemas });
  const keys = [...dict.entries.keys()];
  const lists = keys.map((key) =>
    readList(dict, { key, schema: schemas.get(key)! })
  );
  const count = lists.reduce((product, list) => product * list.length, 1);
  if (count > MOST_COMBINATIONS) {
    throw dict.error(
      ` must give at most ${MOST_COMBINATIONS} combinations, found ${count}`,
    );
  }
  const combinations = cartesianProduct(lists).map((values, index) =>
    toCombination(values, { index, keys, task, choices })
  );
  for (const { parameters, repr } of combinations) {
    const problem = task.task.check?.(parameters);
    if (problem !== undefined) {
      throw dict.error(` has the combination ${repr}, but ${problem}`);
    }
  }
  return { keys, combinations };
}

/** All ways to take one value of each list; the last list's changes fastest. */
function cartesianProduct<T>(lists: readonly (readonly T[])[]): T[][] {
  let product: T[][] = [[]];
  for (const list of lists) {
    product = product.flatMap((start) => list.map((item) => [...start, item]));
  }
  return product;
}

function gridSchemas(
  { task }: Experiment["task"],
  { nonlinearities, optimizers }: Choices,
): Map<string, GridSchema> {
  return new Map<string, GridSchema>([
    ["lr", LEARNING_RATE],
    ["nonlinearity", { choices: [...nonlinearities.keys()] }],
    ["optimizer", { choices: [...optimizers.keys()] }],
    ...Object.entries(task.gridParameters),
  ]);
}

function assertKnown(
  dict: LiteralDict,
  { task: { task }, known }: {
    task: Experiment["task"];
    known: ReadonlyMap<string, GridSchema>;
  },
): void {
  assertKnownKeys(dict, {
    task: task.name,
    known: [...known.keys()],
    others: trialKeys(task),
    place: "[trialparams] trial_params, with one value",
  });
  for (const [key, schema] of known) {
    if (dict.entries.has(key)) continue;
    throw dict.error(
      ` lacks "${key}", which must be a list, each value ${allowedIn(schema)}`,
    );
  }
}

/** What `trial_params` may have. */
function trialKeys({ trialParameters }: Task): string[] {
  return [
    "task_name",
    ...Object.keys(TRIAL_SCHEMA),
    ...Object.keys(trialParameters),
  ];
}

function allowedIn(schema: GridSchema): string {
  return "choices" in schema
    ? listNames(schema.choices)
    : allowedValues(schema);
}

function readList(
  dict: LiteralDict,
  { key, schema }: { key: string; schema: GridSchema },
): GridValue[] {
  const list = dict.entries.get(key)!;
  if (list.kind !== "list" && list.kind !== "tuple") {
    throw dict.error(
      `: "${key}" must be a list, found ${
        showValue(list)
      }; a single value is a list too, [${showValue(list)}]`,
      list,
    );
  }
  if (list.items.length === 0) {
    throw dict.error(
      `: "${key}" must be a list with a value at least, found ${
        showValue(list)
      }`,
      list,
    );
  }
  const values: GridValue[] = [];
  const seen = new Set<GridValue["value"]>();
  for (const item of list.items) {
    const value = gridValue(item, { key, schema });
    if (typeof value === "object") throw dict.error(value.problem, item);
    if (seen.has(value)) {
      throw dict.error(`: "${key}" has ${showValue(item)} twice`, item);
    }
    seen.add(value);
    values.push({ value, repr: reprPython(item) });
  }
  return values;
}

function gridValue(
  item: PythonValue,
  { key, schema }: { key: string; schema: GridSchema },
): GridValue["value"] | { problem: string } {
  if ("choices" in schema) {
    const { choices } = schema;
    const text = item.kind === "string" ? item.value : "";
    return choices.includes(text) ? text : {
      problem: `: "${key}" must be a list of ${listNames(choices)}, found ${
        showValue(item)
      }${didYouMean(text, choices)}`,
    };
  }
  const value = parameterValue(item, schema);
  if (value === undefined) {
    return { problem: mustBeAllowed(item, { name: key, schema }) };
  }
  // Engines hold learning rates in single precision.
  const single = Math.fround(Number(value));
  return key !== "lr" || (single > 0 && Number.isFinite(single)) ? value : {
    problem: `: "lr" must be a number that single precision can hold, found ${
      showValue(item)
    }`,
  };
}

function toCombination(
  values: readonly GridValue[],
  { index, keys, task, choices }: {
    choices: Choices;
    index: number;
    keys: readonly string[];
    task: Experiment["task"];
  },
): Combination {
  const valueOf = (key: string) => values[keys.indexOf(key)]?.value;
  const parameters: TaskParameters = Object.fromEntries([
    ...Object.entries(task.parameters),
    ...Object.keys(task.task.gridParameters).map((key) => [key, valueOf(key)]),
    ["nr_of_trials", task.nrOfTrials],
  ]);
  return {
    index,
    values,
    repr: reprTuple(values.map(({ repr }) => repr)),
    learningRate: valueOf("lr") as number,
    activation: choices.nonlinearities.get(String(valueOf("nonlinearity")))!,
    optimizer: choices.optimizers.get(String(valueOf("optimizer")))!,
    parameters,
  };
}

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
    known: trialKeys(task),
    others: [
      "lr",
      "nonlinearity",
      "optimizer",
      ...Object.keys(task.gridParameters),
    ],
    place: "[combosparams] combos_params, as a list",
  });
  const number = (name: keyof typeof TRIAL_SCHEMA) =>
    Number(readParameter(dict, { name, schema: TRIAL_SCHEMA[name] }));
  const nrOfTrials = number("nr_of_trials");
  const trainSize = number("train_size");
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
    } leaves none of ${trials === 1 ? "" : "the "}${
      plural(trials, "trial")
    } to ${
      trained === 0 ? "train" : "validate"
    }: use more trials or another "train_size"`,
    value,
  );
}
