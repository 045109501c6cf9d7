/**
 * Between the user's shell and the commands: the folder that paths begin at,
 * and lines that can be pasted.
 *
 * @module
 */

import { delimiter, isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../files/input_error.ts";
import { whatPathMustBe } from "../files/path.ts";
import { quote } from "../text/words.ts";

/** Where `deno.json` is. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Undefined also where the command was started by hand, without the task's permissions: asking for one would stop it. */
function env(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) || undefined : undefined;
}

/** The folder in which the user gave the command: tasks themselves run in biornn's, and only there it is told them. */
export function userFolder(): string {
  const here = Deno.cwd();
  const given = env("INIT_CWD");
  return given !== undefined && isSameFolder(here, ROOT) ? given : here;
}

function isSameFolder(a: string, b: string): boolean {
  try {
    return Deno.realPathSync(a) === Deno.realPathSync(b);
  } catch {
    return resolve(a) === resolve(b);
  }
}

/**
 * A path of the command line, from the user's folder.
 *
 * @param what What it is, for the message, e.g. "--out" or "the config file".
 * @throws {InputError} If it is none, or one that a shell should have written out.
 */
export function userPath(text: string, what: string): string {
  const allowed = whatPathMustBe(text);
  if (allowed !== undefined) {
    throw new InputError(
      `Cannot use ${what} ${quote(text)}: it must be ${allowed}`,
    );
  }
  return resolve(userFolder(), text);
}

/** A path for people: from the user's folder where it lies below it. */
export function shownPath(path: string): string {
  const below = relative(userFolder(), path) || ".";
  return below.startsWith("..") || isAbsolute(below) ? path : below;
}

/** A word as a shell takes it for one; a path that begins with a dash is none of a flag. */
export function shellWord(word: string): string {
  const text = word.startsWith("-") ? `./${word}` : word;
  if (Deno.build.os === "windows") {
    return /^[\w.:/\\-]+$/.test(text)
      ? text
      : `"${text.replaceAll('"', '""')}"`;
  }
  return /^[\w.:/@+,-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The command line of a task, e.g. `deno task status results/bio`, as it works in the user's folder. */
export function taskLine(task: string, args: readonly string[]): string {
  const deno = isInstalled() ? "deno" : `npx -y deno@${Deno.version.deno}`;
  const outside = relative(ROOT, userFolder());
  const config = outside.startsWith("..") || isAbsolute(outside)
    ? ` --config ${shellWord(join(ROOT, "deno.json"))}`
    : "";
  return [`${deno} task${config} ${task}`, ...args].join(" ");
}

/** Whether a shell finds Deno; npx puts its own copy before the user's PATH, for as long as it runs. */
function isInstalled(): boolean {
  const file = Deno.build.os === "windows" ? "deno.exe" : "deno";
  const path = env("PATH");
  // Not to be known without the permission; most have it.
  if (path === undefined) return true;
  return path.split(delimiter)
    .filter((folder) => !/[/\\]_npx[/\\]|[/\\]node_modules[/\\]/.test(folder))
    .some((folder) => {
      try {
        return Deno.statSync(join(folder, file)).isFile;
      } catch {
        return false;
      }
    });
}
