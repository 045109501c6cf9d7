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
  readonly boolean: readonly string[];
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
type FlagReader = (
  args: readonly string[],
  names: FlagNames,
) => Readonly<Record<string, unknown>>;

/** Reads flags with `@std/cli`. */
export function createStdReader(library: StdCli): FlagReader {
  return (args, names) =>
    library.parseArgs([...args], {
      boolean: [...names.boolean],
      string: [...names.string, ...listsOf(names)],
      collect: listsOf(names),
    });
}

/** Reads flags with what Deno has built in. */
export const nodeReader: FlagReader = (args, names) => {
  const options: NonNullable<
    NonNullable<Parameters<typeof nodeParseArgs>[0]>["options"]
  > = {};
  for (const name of names.boolean) options[name] = { type: "boolean" };
  for (const name of names.string) options[name] = { type: "string" };
  for (const name of listsOf(names)) {
    options[name] = { type: "string", multiple: true };
  }
  return nodeParseArgs({ args: [...args], options }).values;
};

const stdCli = await loadStd("@std/cli", "parse-args") as StdCli | undefined;
const defaultReader = stdCli === undefined
  ? nodeReader
  : createStdReader(stdCli);

function listsOf({ list, each = [] }: FlagNames): string[] {
  return [...list, ...each];
}

/** How many values a flag has at most; undefined of what is no flag. */
function mostValues(name: string, names: FlagNames): number | undefined {
  if (names.boolean.includes(name)) return 0;
  if (names.list.includes(name)) return Infinity;
  return names.string.includes(name) || names.each?.includes(name)
    ? 1
    : undefined;
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
 */
export function parseFlags(
  args: readonly string[],
  names: FlagNames,
  { read = defaultReader }: { readonly read?: FlagReader } = {},
): Flags {
  const positional: string[] = [];
  // The libraries see nothing but sound flags, each with its value: they differ in what they make of the rest.
  const flags: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    if (argument === "--") {
      positional.push(...args.slice(i + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") {
      positional.push(argument);
      continue;
    }
    const [flag = "", ...rest] = argument.split("=");
    const name = flag.startsWith("--") ? flag.slice(2) : "";
    const most = mostValues(name, names);
    if (most === undefined) {
      throw new SyntaxError(`${flag} is not a flag of this command`);
    }
    const hasOwn = rest.length > 0;
    if (most === 0) {
      if (hasOwn) throw new SyntaxError(`${flag} takes no value`);
      flags.push(flag);
      continue;
    }
    const values = hasOwn ? [rest.join("=")] : [];
    while (!hasOwn && values.length < most) {
      const next = args[i + 1];
      if (next === undefined || next.startsWith("--")) break;
      values.push(next);
      i++;
    }
    if (values.length === 0 || values.includes("")) {
      throw new SyntaxError(`${flag} needs a value`);
    }
    flags.push(...values.map((value) => `${flag}=${value}`));
  }
  const found = read(flags, names);
  const boolean: Record<string, boolean> = {};
  const string: Record<string, string> = {};
  const list: Record<string, readonly string[]> = {};
  for (const name of names.boolean) boolean[name] = found[name] === true;
  for (const name of names.string) {
    if (found[name] !== undefined) string[name] = String(found[name]);
  }
  for (const name of listsOf(names)) {
    const values = found[name];
    if (Array.isArray(values) && values.length > 0) {
      list[name] = values.map(String);
    }
  }
  return { boolean, string, list, positional };
}
