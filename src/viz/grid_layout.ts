/**
 * Lays out a grid of hyper-parameters in rows, columns and dashes, whatever
 * its keys are.
 *
 * @module
 */

import type { Plain } from "../results/json_fields.ts";
import { nameNumber } from "./file_name.ts";

/** Values by key of a combination. */
export type Parameters = Readonly<Record<string, Plain>>;

/** Which keys stand where; those with one value stand nowhere. */
export interface GridLayout {
  /** How difficult the task is. */
  readonly difficulty: string | undefined;
  /** Kinds of network and optimizer. */
  readonly kinds: readonly string[];
  /** All others, such as the learning rate. */
  readonly others: readonly string[];
}

/** How the tasks call their difficulty. */
const DIFFICULTIES = ["n_back", "pattern_length", "trial_length"];

/** Keys that are no difficulty though they are numbers. */
const RATES = /^(lr|learning_rate|weight_decay|momentum)$/;

/**
 * Finds the keys that vary, and what each is: the task's difficulty, a kind (a
 * key with names for values), or something else.
 *
 * @example
 * ```ts
 * import { gridLayout } from "./src/viz/grid_layout.ts";
 *
 * gridLayout([
 *   { lr: 0.001, nonlinearity: "relu", n_back: 2 },
 *   { lr: 0.001, nonlinearity: "tanh", n_back: 3 },
 * ]); // difficulty "n_back", kinds ["nonlinearity"], others []
 * ```
 */
export function gridLayout(combinations: readonly Parameters[]): GridLayout {
  const values = new Map<string, Set<Plain>>();
  for (const parameters of combinations) {
    for (const [key, value] of Object.entries(parameters)) {
      const seen = values.get(key);
      if (seen === undefined) values.set(key, new Set([value]));
      else seen.add(value);
    }
  }
  const varying = [...values].filter(([, seen]) => seen.size > 1);
  const numeric = varying.filter(([key, seen]) =>
    !RATES.test(key) && [...seen].every((value) => typeof value === "number")
  ).map(([key]) => key);
  const difficulty = DIFFICULTIES.find((key) => numeric.includes(key)) ??
    numeric.at(-1);
  const kinds = varying.filter(([, seen]) =>
    [...seen].every((value) => typeof value === "string")
  ).map(([key]) => key);
  const others = varying.map(([key]) => key).filter((key) =>
    key !== difficulty && !kinds.includes(key)
  );
  return { difficulty, kinds, others };
}

/**
 * The values of some keys in words: names alone, numbers with their key.
 *
 * @example
 * ```ts
 * import { describeKeys } from "./src/viz/grid_layout.ts";
 *
 * describeKeys({ lr: 1e-6, optimizer: "Adam" }, ["lr", "optimizer"]); // "lr 1e-06, Adam"
 * ```
 */
export function describeKeys(
  parameters: Parameters,
  keys: readonly string[],
): string {
  return keys.flatMap((key) => {
    const value = parameters[key];
    if (value === undefined) return [];
    return [
      typeof value === "string"
        ? value
        : `${key} ${typeof value === "number" ? nameNumber(value) : value}`,
    ];
  }).join(", ");
}
