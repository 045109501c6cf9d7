/**
 * Command-line flags, read by `parseArgs` of `@std/cli`; where JSR can't be
 * reached, by `parseArgs` of `node:util`, with the same result.
 *
 * @module
 */

import { parseArgs as nodeParseArgs } from "node:util";

/** Which flags a command knows; all values come back as strings. */
export interface FlagNames {
  /** Flags without a value. */
  readonly boolean: readonly string[];
  /** Flags with one value. */
  readonly string: readonly string[];
  /** Flags with one or more values, `--results_folders a b`. */
  readonly list: readonly string[];
}

/** What stood on the command line. */
export interface Flags {
  readonly boolean: Readonly<Record<string, boolean>>;
  readonly string: Readonly<Record<string, string>>;
  readonly list: Readonly<Record<string, readonly string[]>>;
  /** What is no flag, in order. */
  readonly positional: readonly string[];
}

interface StdCli {
  parseArgs(args: readonly string[], options: {
    boolean: string[];
    string: string[];
    collect: string[];
    stopEarly: boolean;
    unknown: (argument: string) => unknown;
  }): Record<string, unknown> & { _: (string | number)[] };
}

const stdCli: StdCli | undefined = await import("@std/cli/parse-args").then(
  (library) => library as unknown as StdCli,
  () => undefined,
);

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
      : names.string.includes(name)
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
export function parseFlags(args: readonly string[], names: FlagNames): Flags {
  const joined = joinValues(args, names);
  const positional: string[] = [];
  let flagsEnded = false;
  for (const argument of joined) {
    if (flagsEnded || !argument.startsWith("-") || argument === "-") {
      positional.push(argument);
      continue;
    }
    if (argument === "--") {
      flagsEnded = true;
      continue;
    }
    const [name, value] = splitFlag(argument);
    const takesValue = names.string.includes(name) || names.list.includes(name);
    if (!takesValue && !names.boolean.includes(name)) {
      throw new SyntaxError(
        `${argument.split("=")[0]} is not a flag of this command`,
      );
    }
    if (takesValue && value === undefined) {
      throw new SyntaxError(`--${name} needs a value`);
    }
    if (!takesValue && value !== undefined) {
      throw new SyntaxError(`--${name} takes no value`);
    }
  }
  const found = stdCli === undefined
    ? parseWithNode(joined, names)
    : parseWithStd(joined, names);
  return { ...found, positional };
}

function splitFlag(
  argument: string,
): [name: string, value: string | undefined] {
  const body = argument.replace(/^--/, "");
  const equals = body.indexOf("=");
  return equals < 0
    ? [body, undefined]
    : [body.slice(0, equals), body.slice(equals + 1)];
}

function parseWithStd(
  args: readonly string[],
  names: FlagNames,
): Omit<Flags, "positional"> {
  const values = (stdCli as StdCli).parseArgs(args, {
    boolean: [...names.boolean],
    string: [...names.string, ...names.list],
    collect: [...names.list],
    stopEarly: false,
    unknown: () => true,
  });
  return collect(values, names);
}

function parseWithNode(
  args: readonly string[],
  names: FlagNames,
): Omit<Flags, "positional"> {
  const options: Record<
    string,
    { type: "boolean" | "string"; multiple?: boolean }
  > = {};
  for (const name of names.boolean) options[name] = { type: "boolean" };
  for (const name of names.string) options[name] = { type: "string" };
  for (const name of names.list) {
    options[name] = { type: "string", multiple: true };
  }
  const { values } = nodeParseArgs({
    args: [...args],
    options,
    allowPositionals: true,
  });
  return collect(values, names);
}

function collect(
  values: Record<string, unknown>,
  names: FlagNames,
): Omit<Flags, "positional"> {
  const boolean: Record<string, boolean> = {};
  const string: Record<string, string> = {};
  const list: Record<string, readonly string[]> = {};
  for (const name of names.boolean) boolean[name] = values[name] === true;
  for (const name of names.string) {
    if (values[name] !== undefined) string[name] = String(values[name]);
  }
  for (const name of names.list) {
    const found = values[name];
    if (Array.isArray(found) && found.length > 0) {
      list[name] = found.map(String);
    }
  }
  return { boolean, string, list };
}
