/**
 * Command-line flags, read by `parseArgs` of `@std/cli`; where JSR can't be
 * reached, by `parseArgs` of `node:util`, with the same result.
 *
 * @module
 */

import { parseArgs as nodeParseArgs } from "node:util";
import { loadStd } from "./load_std.ts";

/** Which flags a command knows; all values come back as strings. Names don't begin with `no-`. */
export interface FlagNames {
  /** Flags without a value. */
  readonly boolean: readonly string[];
  /** Flags with one value. */
  readonly string: readonly string[];
  /** Flags with one or more values, `--results_folders a b`. */
  readonly list: readonly string[];
  /** Flags with one value that may stand several times, `--set a=1 --set b=2`; they come back in `list`. */
  readonly each?: readonly string[];
}

/** What stood on the command line. */
export interface Flags {
  readonly boolean: Readonly<Record<string, boolean>>;
  readonly string: Readonly<Record<string, string>>;
  readonly list: Readonly<Record<string, readonly string[]>>;
  /** What is no flag, in order. */
  readonly positional: readonly string[];
}

/** The part of `@std/cli` that is used. */
export interface StdCli {
  parseArgs(args: string[], options: {
    boolean: string[];
    string: string[];
    collect: string[];
  }): Record<string, unknown>;
}

/** Turns `--name` and `--name=value` into values by name: true, a string, or a list of strings. */
export type FlagReader = (
  args: readonly string[],
  names: FlagNames,
) => Readonly<Record<string, unknown>>;

const stdCli = await loadStd("@std/cli", "parse-args") as StdCli | undefined;

/** Reads flags with `@std/cli`. */
export function createStdReader(library: StdCli): FlagReader {
  return (args, names) =>
    library.parseArgs([...args], {
      boolean: [...names.boolean],
      string: [...names.string, ...listsOf(names)],
      collect: listsOf(names),
    });
}

function listsOf({ list, each = [] }: FlagNames): string[] {
  return [...list, ...each];
}

/** Reads flags with what Deno has built in. */
export const nodeReader: FlagReader = (args, names) => {
  const options: Record<
    string,
    { type: "boolean" | "string"; multiple?: boolean }
  > = {};
  for (const name of names.boolean) options[name] = { type: "boolean" };
  for (const name of names.string) options[name] = { type: "string" };
  for (const name of listsOf(names)) {
    options[name] = { type: "string", multiple: true };
  }
  return nodeParseArgs({ args: [...args], options }).values;
};

const defaultReader: FlagReader = stdCli === undefined
  ? nodeReader
  : createStdReader(stdCli);

/** `--name a b` as `--name=a --name=b` for list flags, and `--name a` as `--name=a` for the others. */
function joinValues(args: readonly string[], names: FlagNames): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] as string;
    if (argument === "--") return [...joined, ...args.slice(i)];
    const name = argument.startsWith("--") && !argument.includes("=")
      ? argument.slice(2)
      : undefined;
    const most = name === undefined
      ? 0
      : names.list.includes(name)
      ? Infinity
      : names.string.includes(name) || names.each?.includes(name)
      ? 1
      : 0;
    let count = 0;
    while (
      count < most && i + 1 < args.length &&
      !(args[i + 1] as string).startsWith("--")
    ) {
      joined.push(`--${name}=${args[++i]}`);
      count++;
    }
    if (count === 0) joined.push(argument);
  }
  return joined;
}

/**
 * Reads a command line.
 *
 * A value may begin with one dash, `--learning_rate -1`; one that begins with
 * two is given as `--name=--value`. After `--` nothing is a flag. Of a flag with
 * one value that stands twice the last counts.
 *
 * @param options `read`: the library to use; default `@std/cli` where it can be had.
 * @throws {SyntaxError} For an unknown flag, a flag without its value or a value where none belongs; the
 * message begins with the flag.
 *
 * @example
 * ```ts
 * import { parseFlags } from "./src/compat/cli.ts";
 *
 * const flags = parseFlags(["--results_folders", "a", "b", "--dark"], {
 *   boolean: ["dark"],
 *   string: [],
 *   list: ["results_folders"],
 * });
 * flags.list.results_folders; // ["a", "b"]
 * ```
 */
export function parseFlags(
  args: readonly string[],
  names: FlagNames,
  { read = defaultReader }: { readonly read?: FlagReader } = {},
): Flags {
  const positional: string[] = [];
  // The libraries see nothing but sound flags: they differ in what they make of the rest.
  const flags: string[] = [];
  let flagsEnded = false;
  for (const argument of joinValues(args, names)) {
    if (flagsEnded || !argument.startsWith("-") || argument === "-") {
      positional.push(argument);
    } else if (argument === "--") {
      flagsEnded = true;
    } else {
      checkFlag(argument, names);
      flags.push(argument);
    }
  }
  return { ...collect(read(flags, names), names), positional };
}

function checkFlag(argument: string, names: FlagNames): void {
  const [flag = "", ...rest] = argument.split("=");
  const name = flag.startsWith("--") ? flag.slice(2) : "";
  const value = rest.length === 0 ? undefined : rest.join("=");
  if (names.boolean.includes(name)) {
    if (value !== undefined) throw new SyntaxError(`--${name} takes no value`);
  } else if (names.string.includes(name) || listsOf(names).includes(name)) {
    if (!value) throw new SyntaxError(`--${name} needs a value`);
  } else {
    throw new SyntaxError(`${flag} is not a flag of this command`);
  }
}

function collect(
  values: Readonly<Record<string, unknown>>,
  names: FlagNames,
): Omit<Flags, "positional"> {
  const boolean: Record<string, boolean> = {};
  const string: Record<string, string> = {};
  const list: Record<string, readonly string[]> = {};
  for (const name of names.boolean) boolean[name] = values[name] === true;
  for (const name of names.string) {
    if (values[name] !== undefined) string[name] = String(values[name]);
  }
  for (const name of listsOf(names)) {
    const found = values[name];
    if (Array.isArray(found) && found.length > 0) {
      list[name] = found.map(String);
    }
  }
  return { boolean, string, list };
}
