/**
 * Names for the values of a combination, where the results folder does not
 * have them: the original program wrote values alone.
 *
 * @module
 */

import type { Plain } from "./json_fields.ts";

const NONLINEARITIES: readonly Plain[] = ["tanh", "relu"];
const OPTIMIZERS: readonly Plain[] = ["Adam", "RMSprop", "SGD"];

/**
 * Infers the keys of a grid from its values: a nonlinearity and an optimizer
 * by their names, the learning rate as the first number, where some are no
 * integers, and the one integer left over as the task's difficulty. What can't
 * be told is called "parameter 1", "parameter 2", … by its place.
 *
 * @param combinations The values of every combination.
 * @param options `accuracy`: whether the task has one, which tells n-back from sequence memory.
 *
 * @example
 * ```ts
 * import { inferGridKeys } from "./src/results/grid_keys.ts";
 *
 * inferGridKeys([[0.0001, "relu", "Adam", 3]], { accuracy: false });
 * // ["lr", "nonlinearity", "optimizer", "pattern_length"]
 * ```
 */
export function inferGridKeys(
  combinations: readonly (readonly Plain[])[],
  { accuracy }: { readonly accuracy: boolean },
): string[] {
  const length = Math.max(0, ...combinations.map((values) => values.length));
  const keys: (string | undefined)[] = [];
  for (let i = 0; i < length; i++) {
    const column = combinations.flatMap((values) => values.slice(i, i + 1));
    const key = column.every((value) => NONLINEARITIES.includes(value))
      ? "nonlinearity"
      : column.every((value) => OPTIMIZERS.includes(value))
      ? "optimizer"
      : column.every((value) => typeof value === "number") &&
          column.some((value) => !Number.isInteger(value))
      ? "lr"
      : undefined;
    keys.push(key !== undefined && keys.includes(key) ? undefined : key);
  }
  const difficulty = keys.indexOf(undefined);
  if (
    length === 4 && keys.includes("lr") &&
    keys.lastIndexOf(undefined) === difficulty &&
    combinations.every((values) => Number.isInteger(values[difficulty]))
  ) {
    keys[difficulty] = accuracy ? "n_back" : "pattern_length";
  }
  return keys.map((key, i) => key ?? `parameter ${i + 1}`);
}
