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
import { writeFileWhole } from "../files/write.ts";
import { print, printError } from "./run_command.ts";

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
  const value = text === undefined || text.trim() === "" ? NaN : Number(text);
  if (
    !(value >= from && value <= to) || (integer && !Number.isInteger(value))
  ) {
    throw new InputError(
      `Cannot use --${[name, text ?? []].flat().join(" ")}: it must be ${
        integer ? "an integer" : "a number"
      } from ${from} to ${to}`,
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
  return folder === undefined ? {} : { folder };
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
  return folder;
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
        `Cannot write "${path}": the file is there; --overwrite replaces it`,
      );
    }
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new InputError(
      `Cannot make the folder "${folder}": ${(error as Error).message}`,
    );
  }
  for (const [name, content] of Object.entries(files)) {
    await writeFileWhole(join(folder, name), content);
    print(join(folder, name));
  }
}
