/**
 * What flags mean: numbers in a range, one of a few words, labels, keys of a config.
 *
 * @module
 */

import type { LabelledResults } from "../analysis/match.ts";
import type { FlagNames, Flags } from "../compat/cli.ts";
import type { ExperimentOverrides } from "../experiment/read.ts";
import { InputError } from "../files/input_error.ts";
import { readResultsFolder } from "../results/results_folder.ts";
import { didYouMean, listNames, printable, quote } from "../text/words.ts";
import { userPath } from "./shell.ts";

/**
 * The flags that a help text lists, a line each: `--name` alone, `--name N`
 * with a value, `--name A B …` with several, `--name KEY=VALUE` several times.
 * The text is their declaration, so that there is no flag which it leaves out.
 */
export function flagsOf(help: string): Required<FlagNames> {
  const flags = { boolean: ["help"], string: [], list: [], each: [] } as Record<
    keyof FlagNames,
    string[]
  >;
  const lines = help.matchAll(
    /^ {2}(--\w[\w-]*(?:, --\w[\w-]*)*)(?: (\S.*?))?(?: {2}.*)?$/gm,
  );
  for (const [, names = "", value] of lines) {
    const kind = value === undefined
      ? "boolean"
      : value.endsWith("…")
      ? "list"
      : value.includes("=")
      ? "each"
      : "string";
    flags[kind].push(...names.split(", ").map((name) => name.slice(2)));
  }
  return flags;
}

/** Which numbers a flag allows, by default from 0. */
interface Range {
  readonly from?: number;
  readonly above?: number;
  readonly to?: number;
  readonly whole?: boolean;
}

/** "a number above 0, at most 10". */
export function describeRange({ from = 0, above, to, whole }: Range): string {
  const least = above === undefined ? `from ${from}` : `above ${above}`;
  const most = to === undefined || to >= Number.MAX_SAFE_INTEGER
    ? ""
    : above === undefined
    ? ` to ${to}`
    : `, at most ${to}`;
  return `${whole ? "an integer" : "a number"} ${least}${most}`;
}

/** The number that a text says, or an error about the flag that it belongs to. */
export function numberOf(text: string, flag: string, range: Range): number {
  const { from = 0, above, to = Number.MAX_SAFE_INTEGER, whole } = range;
  const value = text.trim() === "" ? NaN : Number(text);
  const isEnough = above === undefined ? value >= from : value > above;
  if (isEnough && value <= to && (!whole || Number.isInteger(value))) {
    return value;
  }
  throw new InputError(
    `Cannot use --${flag} ${quote(text)}: it must be ${describeRange(range)}`,
  );
}

/** The number of a flag; undefined where it is not given. */
export function numberFlag(
  { string }: Flags,
  flag: string,
  range: Range = {},
): number | undefined {
  const text = string[flag];
  return text === undefined ? undefined : numberOf(text, flag, range);
}

/** `--seed`: seeds are whole numbers that a double holds. */
export function seedFlag(flags: Flags, fallback = 0): number {
  return numberFlag(flags, "seed", { whole: true }) ?? fallback;
}

/** How many of something, from 1. */
export function countFlag(
  flags: Flags,
  flag: string,
  fallback: number,
): number {
  return numberFlag(flags, flag, { from: 1, whole: true }) ?? fallback;
}

/** The same of a flag with several numbers. */
export function countsFlag(
  { list }: Flags,
  flag: string,
  fallback: readonly number[],
  to?: number,
): readonly number[] {
  const range = to === undefined
    ? { from: 1, whole: true }
    : { from: 1, to, whole: true };
  return list[flag]?.map((text) => numberOf(text, flag, range)) ?? fallback;
}

/** A word of a flag that allows but a few. */
export function choiceOf<C extends string>(
  text: string,
  flag: string,
  allowed: readonly C[],
): C {
  const choice = allowed.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new InputError(
    `Cannot use --${flag} ${quote(text)}: allowed are ${
      listNames(allowed, "and")
    }${didYouMean(text, allowed)}`,
  );
}

/** The same of a flag with one word; undefined where it is not given. */
export function choiceFlag<C extends string>(
  { string }: Flags,
  flag: string,
  allowed: readonly C[],
): C | undefined {
  const text = string[flag];
  return text === undefined ? undefined : choiceOf(text, flag, allowed);
}

/** The same of a flag with several words, in the order of those allowed. */
export function choicesFlag<C extends string>(
  { list }: Flags,
  flag: string,
  allowed: readonly C[],
): C[] | undefined {
  const chosen = list[flag]?.map((text) => choiceOf(text, flag, allowed));
  return chosen && allowed.filter((one) => chosen.includes(one));
}

/** `--width`: how wide figures are printed, in mm. */
export function widthFlag(flags: Flags): 85 | 178 | undefined {
  const width = choiceFlag(flags, "width", ["85", "178"]);
  return width === undefined ? undefined : width === "85" ? 85 : 178;
}

/** A path of a flag, or else another one, from the user's folder. */
export function pathFlag<O extends string | undefined = undefined>(
  { string }: Flags,
  flag: string,
  other?: O,
): string | O {
  const path = string[flag] ?? other;
  return path === undefined ? path as O : userPath(path, `--${flag}`);
}

/** Refuses words that belong to no flag. */
export function flagsOnly(
  { positional: [word] }: Flags,
  cannot: string,
  instead = "",
): void {
  if (word === undefined) return;
  throw new InputError(
    `${cannot}: it takes flags only, found ${quote(word)}${instead}`,
  );
}

/** The results folders that a command is given; `cannot` and `example` tell what it does, where there is none. */
export function resultsFolders(
  { positional }: Flags,
  cannot: string,
  example: string,
): string[] {
  if (positional.length === 0) {
    throw new InputError(
      `${cannot}: name a results folder, e.g. deno task ${example}`,
    );
  }
  return positional.map((path) => userPath(path, "the results folder"));
}

/** The value of a flag that must be given. */
export function needed<T>(
  value: T | undefined,
  flag: string,
  what = "; --help tells more",
): T {
  if (value !== undefined) return value;
  throw new InputError(`Cannot go on: --${flag} is needed${what}`);
}

/** `--results_labels` or, where they are not given, `own`: a label for each folder. */
export function labelsOf(
  folders: readonly string[],
  { list: { results_labels: given } }: Flags,
  own: readonly string[] = [],
): readonly string[] {
  const wrong = (why: string) =>
    new InputError(`Cannot label the results: ${why}`);
  const labels = given ?? own;
  if (labels.length !== folders.length) {
    throw wrong(
      `there are ${folders.length} results folders, and --results_labels names ${labels.length}; there must be a label for each folder`,
    );
  }
  const twice = folders.find((folder, i) => folders.indexOf(folder) < i);
  if (twice !== undefined) {
    throw wrong(`the folder ${quote(twice)} is given twice`);
  }
  for (const [i, label] of labels.entries()) {
    if (label.trim() === "") throw wrong("a label is empty");
    if (printable(label) !== label) {
      throw wrong(
        `the label ${quote(label)} has characters that can't be shown`,
      );
    }
    if (labels.indexOf(label) < i) {
      throw wrong(
        `two folders have the label ${
          quote(label)
        }; name each by --results_labels`,
      );
    }
  }
  return labels;
}

/** Reads results folders, one after the other. */
export async function readLabelled(
  folders: readonly string[],
  labels: readonly string[],
): Promise<LabelledResults[]> {
  return await Array.fromAsync(folders, async (folder, i) => ({
    label: labels[i]!,
    results: await readResultsFolder(folder),
  }));
}

/** `--set section.key=value`; of a key that stands twice the last counts. */
function readSettings(settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(settings.map((setting) => {
    const equals = setting.indexOf("=");
    if (equals < 1) {
      throw new InputError(
        `Cannot use --set ${
          quote(setting)
        }: it must be section.key=value, e.g. net.random_w=True`,
      );
    }
    return [setting.slice(0, equals).trim(), setting.slice(equals + 1)];
  }));
}

/** What the flags that training commands share put in place of a config's values. */
export function readOverrides(
  { string, list }: Flags,
): ExperimentOverrides & { readonly set: Record<string, string> } {
  const { path_to_results, path_to_network, seed, epochs, iterations } = string;
  return {
    pathToResults: path_to_results,
    pathToNetwork: path_to_network,
    seed,
    epochs,
    iterations,
    set: readSettings(list.set ?? []),
  };
}
