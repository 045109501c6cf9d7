/**
 * What the parts of `deno task connectome` share: flags, and files written.
 *
 * @module
 */

import { join } from "node:path";
import type { Flags } from "../compat/cli.ts";
import type { Connectome } from "../connectome/connectome.ts";
import { loadConnectome } from "../connectome/load.ts";
import { InputError } from "../files/input_error.ts";
import { didYouMean } from "../text/did_you_mean.ts";
import { listNames } from "../text/words.ts";
import { makeFolder, writeFileWhole } from "../files/write.ts";
import { shorten } from "../text/words.ts";
import { print, printError } from "./run_command.ts";
import { shownPath, userPath } from "./shell.ts";

/** An error that sends the user to the help. */
export function wrong(text: string): InputError {
  return new InputError(`${text}; --help shows the commands`);
}

/** The number of a flag; its fallback where the flag is not given. */
export function readNumber(
  flags: Flags,
  name: string,
  { fallback, from, to, integer = false }: {
    readonly fallback?: number;
    readonly from: number;
    readonly to: number;
    readonly integer?: boolean;
  },
): number {
  const text = flags.string[name];
  if (text === undefined && fallback !== undefined) return fallback;
  const allowed = `${
    integer ? "an integer" : "a number"
  } from ${from} to ${to}`;
  if (text === undefined) {
    throw wrong(`Cannot go on: --${name} is needed, ${allowed}`);
  }
  const value = text.trim() === "" ? NaN : Number(text);
  if (
    !(value >= from && value <= to) || (integer && !Number.isInteger(value))
  ) {
    throw new InputError(
      `Cannot use --${name} ${shorten(text)}: it must be ${allowed}`,
    );
  }
  return value;
}

/** The value of a flag that allows but a few; undefined where it is not given. */
export function readChoice<C extends string>(
  flags: Flags,
  name: string,
  choices: readonly C[],
): C | undefined {
  const text = flags.string[name];
  if (text === undefined) return undefined;
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new InputError(
    `Cannot use --${name} ${text}: allowed are ${listNames(choices, "and")}${
      didYouMean(text, choices)
    }`,
  );
}

/** The folder of the user's own connectomes, as an option. */
export function folderOf(flags: Flags): { folder?: string } {
  const folder = flags.string.path_to_network;
  return folder === undefined
    ? {}
    : { folder: userPath(folder, "--path_to_network") };
}

/** The connectome of that name; what takes time is told on standard error. */
export async function load(
  name: string,
  flags: Flags,
  { orientation = "declared" }: {
    readonly orientation?: "declared" | "file";
  } = {},
): Promise<Connectome> {
  return await loadConnectome(name, {
    ...folderOf(flags),
    orientation,
    onProgress: printError,
  });
}

/** The folder for what is written. */
export function outFolder(flags: Flags): string {
  const folder = flags.string.out;
  if (folder === undefined) throw wrong("Cannot write: --out DIR is missing");
  return userPath(folder, "--out");
}

/** Writes files into a folder, all or, where one of them is there, none. */
export async function writeFiles(
  files: Readonly<Record<string, Uint8Array | string>>,
  flags: Flags,
): Promise<void> {
  const folder = outFolder(flags);
  for (const name of Object.keys(files)) {
    if (flags.boolean.overwrite) break;
    const path = join(folder, name);
    if (await Deno.lstat(path).then(() => true, () => false)) {
      throw new InputError(
        `Cannot write "${
          shownPath(path)
        }": the file is there; --overwrite replaces it`,
      );
    }
  }
  await makeFolder(folder);
  for (const [name, content] of Object.entries(files)) {
    await writeFileWhole(join(folder, name), content);
    print(shownPath(join(folder, name)));
  }
}
