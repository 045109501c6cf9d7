/**
 * Reads `combos_params`: the grid of combinations that are trained.
 *
 * @module
 */

import type { Activation, OptimizerName } from "../engine/ensemble.ts";
import type { ParameterSchema, TaskParameters } from "../tasks/task.ts";
import type { Combination, Experiment, GridValue } from "./experiment.ts";
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
import { listNames } from "../text/words.ts";
import type { PythonValue } from "../python/literal.ts";
import { reprPython, reprTuple } from "../python/repr.ts";
import {
  ACTIVATIONS,
  LEARNING_RATE,
  MOST_COMBINATIONS,
  OPTIMIZERS,
  TRIAL_SCHEMA,
} from "./schema.ts";

/** What a key of the grid may be. */
type GridSchema = ParameterSchema | { readonly choices: readonly string[] };

/**
 * All ways to take one value of each list; the last list's changes fastest.
 *
 * @example
 * ```ts
 * import { cartesianProduct } from "./src/experiment/grid.ts";
 *
 * cartesianProduct([["a", "b"], ["x", "y"]]); // ax, ay, bx, by
 * ```
 */
export function cartesianProduct<T>(lists: readonly (readonly T[])[]): T[][] {
  let product: T[][] = [[]];
  for (const list of lists) {
    product = product.flatMap((start) => list.map((item) => [...start, item]));
  }
  return product;
}

/**
 * Reads and checks `combos_params`.
 *
 * @throws {InputError} If something is missing, unknown, not allowed or does not go together.
 */
export function readGrid(
  ini: IniFile,
  task: Experiment["task"],
): Experiment["grid"] {
  const dict = readLiteralDict(ini, {
    section: "combosparams",
    key: "combos_params",
    allowed: "a Python dict of lists",
  });
  const schemas = gridSchemas(task);
  assertKnown(dict, { task, known: schemas });
  const keys = [...dict.entries.keys()];
  const lists = keys.map((key) =>
    readList(dict, { key, schema: schemas.get(key) as GridSchema })
  );
  const count = lists.reduce((product, list) => product * list.length, 1);
  if (count > MOST_COMBINATIONS) {
    throw dict.error(
      ` must give at most ${MOST_COMBINATIONS} combinations, found ${count}`,
    );
  }
  const combinations = cartesianProduct(lists).map((values, index) =>
    toCombination(values, { index, keys, task })
  );
  for (const { parameters, repr } of combinations) {
    const problem = task.task.check?.(parameters);
    if (problem !== undefined) {
      throw dict.error(` has the combination ${repr}, but ${problem}`);
    }
  }
  return { keys, combinations };
}

function gridSchemas({ task }: Experiment["task"]): Map<string, GridSchema> {
  return new Map<string, GridSchema>([
    ["lr", LEARNING_RATE],
    ["nonlinearity", { choices: ACTIVATIONS }],
    ["optimizer", { choices: OPTIMIZERS }],
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
    others: [
      "task_name",
      ...Object.keys(TRIAL_SCHEMA),
      ...Object.keys(task.trialParameters),
    ],
    place: "[trialparams] trial_params, with one value",
  });
  for (const [key, schema] of known) {
    if (dict.entries.has(key)) continue;
    throw dict.error(
      ` lacks "${key}", which must be a list, each value ${allowedIn(schema)}`,
    );
  }
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
  const list = dict.entries.get(key) as PythonValue;
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
  { index, keys, task }: {
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
    activation: valueOf("nonlinearity") as Activation,
    optimizer: valueOf("optimizer") as OptimizerName,
    parameters,
  };
}
