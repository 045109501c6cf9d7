/**
 * The sentences in which a config's errors are told.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { ParameterSchema } from "../tasks/task.ts";
import { quote } from "../text/words.ts";
import type { Experiment } from "./experiment.ts";

/** Where in a config something is wrong. */
export interface ConfigPlace {
  /** Name of the file. */
  readonly file: string;
  /** Number of the line, from 1. */
  readonly line?: number | undefined;
}

/** The error for something wrong in a config: `Cannot read "config.ini", line 3: …`. */
export function configError(
  { file, line }: ConfigPlace,
  problem: string,
): InputError {
  const where = line === undefined ? "" : `, line ${line}`;
  return new InputError(`Cannot read ${quote(file)}${where}: ${problem}`);
}

/** What a schema allows: "a whole number from 1 to 10". */
export function allowedValues(
  { kind, from, to, above, below }: ParameterSchema,
): string {
  if (kind === "boolean") return "True or False";
  const limits: string[] = [];
  if (above !== undefined) limits.push(`above ${above}`);
  if (below !== undefined) limits.push(`below ${below}`);
  if (from === undefined && to !== undefined) limits.push(`at most ${to}`);
  const range = from === undefined
    ? ""
    : `from ${from}${to === undefined ? "" : ` to ${to}`}`;
  const joined = limits.join(" and ");
  const bounded = to !== undefined || below !== undefined;
  const noun = bounded ? "a number" : "a finite number";
  return [kind === "integer" ? "a whole number" : noun, range, joined]
    .filter((part) => part !== "").join(" ");
}

/** Whether a number is one that a schema allows. */
export function isAllowed(
  value: number,
  { from, to, above, below }: ParameterSchema,
): boolean {
  return Number.isFinite(value) &&
    (from === undefined || value >= from) &&
    (to === undefined || value <= to) &&
    (above === undefined || value > above) &&
    (below === undefined || value < below);
}

/**
 * The sentence for a config whose `rnn_size` is not the number of regions of
 * its connectome.
 *
 * @param regions Number of regions of the connectome.
 */
export function regionsMismatch(
  { file, net, source }: Experiment,
  regions: number,
): string {
  return configError(
    { file, line: source.lines.rnn_size },
    `[net] rnn_size must be ${regions}, the number of regions of ${net.name}, found ${net.regions}`,
  ).message;
}
