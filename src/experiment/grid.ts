/**
 * Reads `trial_params` and `combos_params`, Python dicts with known keys: the
 * task, its trials, and the grid of combinations that are trained.
 *
 * @module
 */

import type { Nonlinearity } from "../rnn/nonlinearities.ts";
import type { Optimizer } from "../rnn/optimizers.ts";
import {
  allowedValues,
  countTrained,
  isAllowed,
  type ParameterSchema,
  type Task,
  type TaskParameters,
} from "../tasks/task.ts";
import { itemsOf, needValue, readLiteral, showValue } from "./config.ts";
import type { Experiment, GridValue } from "./experiment.ts";
import type { IniFile } from "./configparser.ts";
import { LEARNING_RATE, MOST_COMBINATIONS, TRIAL_SCHEMA } from "./schema.ts";
import { didYouMean, listNames, plural, quote } from "../text/words.ts";
import type { PythonValue } from "../python/literal.ts";
import { reprPython, reprTuple } from "../python/repr.ts";
import { parsePythonBoolean } from "../python/text.ts";

/** What a key may be: a number or boolean, or one of some words. */
type ValueSchema = ParameterSchema | { readonly choices: readonly string[] };

/** A dict of a config file, and its errors. */
interface Dict {
  readonly entries: ReadonlyMap<string, PythonValue>;
  /** The error for something wrong with the dict, or at one of its values; `problem` follows the dict's name. */
  error(problem: string, at?: PythonValue): Error;
}

function readDict(
  ini: IniFile,
  place: Parameters<typeof needValue>[1],
): Dict {
  const { allowed } = place;
  const value = needValue(ini, place);
  const error: Dict["error"] = (problem, at) => value.error(problem, at?.at);
  const literal = readLiteral(value, "dict");
  if (literal.kind !== "dict") {
    throw error(` must be ${allowed}, found ${showValue(literal)}`);
  }
  const entries = new Map<string, PythonValue>();
  for (const { key, value } of literal.entries) {
    if (key.kind !== "string") {
      throw error(` needs keys in quotes, found ${showValue(key)}`, key);
    }
    if (entries.has(key.value)) {
      throw error(` has the key ${showValue(key)} twice`, key);
    }
    entries.set(key.value, value);
  }
  return { entries, error };
}

/** Checks that a dict has no other keys than those; one of the other dict is told its place. */
function assertKnownKeys(
  dict: Dict,
  task: Task,
  known: readonly string[],
  other: { readonly keys: readonly string[]; readonly place: string },
): void {
  for (const [key, value] of dict.entries) {
    if (known.includes(key)) continue;
    throw dict.error(
      other.keys.includes(key)
        ? ` has the key ${quote(key)}, which belongs in ${other.place}`
        : ` has the key ${quote(key)}${
          didYouMean(key, known)
        }, but ${task.name} takes ${listNames(known, "and")}`,
      value,
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

/** What `combos_params` must have. */
function gridKeys({ gridParameters }: Task): string[] {
  return ["lr", "nonlinearity", "optimizer", ...Object.keys(gridParameters)];
}

/** The value of a key, or of one item of its list. */
function readValue(
  dict: Dict,
  item: PythonValue,
  key: string,
  schema: ValueSchema,
): GridValue["value"] {
  const fail = (allowed: string, near = ""): never => {
    throw dict.error(
      `: "${key}" must be ${allowed}, found ${showValue(item)}${near}`,
      item,
    );
  };
  if ("choices" in schema) {
    const { choices } = schema;
    const text = item.kind === "string" ? item.value : "";
    return choices.includes(text)
      ? text
      : fail(`a list of ${listNames(choices)}`, didYouMean(text, choices));
  }
  if (schema.kind === "boolean") {
    if (item.kind === "boolean") return item.value;
    // `"True"` in quotes is seen in configs of the original.
    const word = item.kind === "string" && /^(?:true|false)$/i.test(item.value)
      ? parsePythonBoolean(item.value)
      : undefined;
    return word ?? fail(allowedValues(schema));
  }
  const number = item.kind === "integer" ||
      (item.kind === "float" && schema.kind === "number")
    ? Number(item.value)
    : NaN;
  if (!isAllowed(number, schema)) fail(allowedValues(schema));
  // Engines hold learning rates in single precision.
  const single = Math.fround(number);
  if (schema === LEARNING_RATE && !(single > 0 && Number.isFinite(single))) {
    fail("a number that single precision can hold");
  }
  return number;
}

/**
 * Reads and checks `combos_params`.
 *
 * @throws {InputError} If something is missing, unknown, not allowed or does not go together.
 */
export function readGrid(
  ini: IniFile,
  { task: { task, nrOfTrials, parameters }, nonlinearities, optimizers }: {
    readonly task: Experiment["task"];
    readonly nonlinearities: ReadonlyMap<string, Nonlinearity>;
    readonly optimizers: ReadonlyMap<string, Optimizer>;
  },
): Experiment["grid"] {
  const dict = readDict(ini, {
    section: "combosparams",
    key: "combos_params",
    allowed: "a Python dict of lists",
  });
  const schemas = new Map<string, ValueSchema>([
    ["lr", LEARNING_RATE],
    ["nonlinearity", { choices: [...nonlinearities.keys()] }],
    ["optimizer", { choices: [...optimizers.keys()] }],
    ...Object.entries(task.gridParameters),
  ]);
  assertKnownKeys(dict, task, gridKeys(task), {
    keys: trialKeys(task),
    place: "[trialparams] trial_params, with one value",
  });
  for (const [key, schema] of schemas) {
    if (dict.entries.has(key)) continue;
    const allowed = "choices" in schema
      ? listNames(schema.choices)
      : allowedValues(schema);
    throw dict.error(
      ` lacks "${key}", which must be a list, each value ${allowed}`,
    );
  }
  const keys = [...dict.entries.keys()];
  const lists = keys.map((key) => readGridList(dict, key, schemas.get(key)!));
  const count = lists.reduce((product, list) => product * list.length, 1);
  if (count > MOST_COMBINATIONS) {
    throw dict.error(
      ` must give at most ${MOST_COMBINATIONS} combinations, found ${count}`,
    );
  }
  // The last list's values change fastest.
  const product = lists.reduce<GridValue[][]>(
    (starts, list) =>
      starts.flatMap((start) => list.map((value) => [...start, value])),
    [[]],
  );
  const combinations = product.map((values, index) => {
    const value = (key: string) => values[keys.indexOf(key)]!.value;
    const own: TaskParameters = Object.fromEntries([
      ...Object.entries(parameters),
      ...Object.keys(task.gridParameters).map((key) => [key, value(key)]),
      ["nr_of_trials", nrOfTrials],
    ]);
    const repr = reprTuple(values.map(({ repr }) => repr));
    const problem = task.check?.(own);
    if (problem !== undefined) {
      throw dict.error(` has the combination ${repr}, but ${problem}`);
    }
    return {
      index,
      values,
      repr,
      learningRate: value("lr") as number,
      activation: nonlinearities.get(String(value("nonlinearity")))!,
      optimizer: optimizers.get(String(value("optimizer")))!,
      parameters: own,
    };
  });
  return { keys, combinations };
}

function readGridList(
  dict: Dict,
  key: string,
  schema: ValueSchema,
): GridValue[] {
  const list = dict.entries.get(key)!;
  const found = showValue(list);
  const items = itemsOf(list);
  if (items === undefined) {
    throw dict.error(
      `: "${key}" must be a list, found ${found}; a single value is a list too, [${found}]`,
      list,
    );
  }
  if (items.length === 0) {
    throw dict.error(
      `: "${key}" must be a list with a value at least, found ${found}`,
      list,
    );
  }
  const seen = new Set<GridValue["value"]>();
  return items.map((item) => {
    const value = readValue(dict, item, key, schema);
    if (seen.has(value)) {
      throw dict.error(`: "${key}" has ${showValue(item)} twice`, item);
    }
    seen.add(value);
    return { value, repr: reprPython(item) };
  });
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
  const dict = readDict(ini, {
    section: "trialparams",
    key: "trial_params",
    allowed:
      'a Python dict such as {"task_name":"seq_mem", "nr_of_trials":500, "train_size":0.8}',
  });
  const task = readTask(dict, tasks);
  assertKnownKeys(dict, task, trialKeys(task), {
    keys: gridKeys(task),
    place: "[combosparams] combos_params, as a list",
  });
  const read = (name: string, schema: ParameterSchema) => {
    const value = dict.entries.get(name);
    if (value !== undefined) {
      return readValue(dict, value, name, schema) as number | boolean;
    }
    if (schema.default !== undefined) return schema.default;
    throw dict.error(
      ` lacks "${name}", which must be ${allowedValues(schema)}`,
    );
  };
  const nrOfTrials = Number(read("nr_of_trials", TRIAL_SCHEMA.nr_of_trials));
  const trainSize = Number(read("train_size", TRIAL_SCHEMA.train_size));
  const parameters: TaskParameters = Object.fromEntries(
    Object.entries(task.trialParameters).map((
      [name, schema],
    ) => [name, read(name, schema)]),
  );
  // Both parts of the split need a trial.
  const trials = task.trialCount(nrOfTrials);
  const trained = countTrained(trials, trainSize);
  if (trained === 0 || trained === trials) {
    const value = dict.entries.get("train_size")!;
    throw dict.error(
      `: "train_size" ${showValue(value)} leaves none of ${
        trials === 1 ? "" : "the "
      }${plural(trials, "trial")} to ${
        trained === 0 ? "train" : "validate"
      }: use more trials or another "train_size"`,
      value,
    );
  }
  return { task, nrOfTrials, trainSize, parameters };
}

function readTask(dict: Dict, tasks: ReadonlyMap<string, Task>): Task {
  const allowed = listNames(tasks.keys());
  const name = dict.entries.get("task_name");
  if (name === undefined) {
    const near = dict.entries.keys()
      .find((key) => didYouMean(key, ["task_name"]) !== "");
    throw dict.error(
      ` lacks "task_name"${
        near === undefined ? "" : ` (is ${quote(near)} meant to be it?)`
      }, which must be ${allowed}`,
    );
  }
  const text = name.kind === "string" ? name.value : "";
  const task = tasks.get(text);
  if (task !== undefined) return task;
  throw dict.error(
    `: "task_name" must be ${allowed}, found ${showValue(name)}${
      didYouMean(text, tasks.keys())
    }`,
    name,
  );
}
