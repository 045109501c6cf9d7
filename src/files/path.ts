/**
 * Paths, as `node:path` makes them, in browsers too: what reads a config or names
 * a result there has no Node. And what a name or a path may be that comes out of a
 * file.
 *
 * @module
 */

import { InputError } from "./input_error.ts";

export { basename, dirname, join, resolve } from "npm:pathe@2.0.3";

const MAX_NAME_BYTES = 255;

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** What no name of a file may look like, on any operating system, and why. */
const UNSAFE: readonly (readonly [looks: RegExp, reason: string])[] = [
  [/^$/, "a name may not be empty"],
  [/^\.\.?$/, "it names a folder"],
  [/[/\\]/, "a name may not hold / or \\"],
  [
    // deno-lint-ignore no-control-regex
    /[\u0000-\u001f\u007f<>:"|?*]/,
    'a name may not hold control characters or any of < > : " | ? *',
  ],
  [/[. ]$/, "a name may not end in a dot or a blank"],
  [
    /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|\s*$)/i,
    "Windows keeps this name for a device",
  ],
];

/**
 * The name itself, if it can be that of a file inside a folder, on any
 * operating system: no path, no way out of the folder.
 *
 * @throws {InputError} If it is empty, "." or "..", holds a separator, a control character or one that Windows
 * forbids, ends in a dot or blank, is a Windows device or is longer than 255 bytes.
 */
export function safeName(
  name: string,
  { what }: { readonly what: string },
): string {
  const tooLong = bytesOf(name) > MAX_NAME_BYTES
    ? `a name may have ${MAX_NAME_BYTES} bytes at most`
    : undefined;
  const reason = UNSAFE.find(([looks]) => looks.test(name))?.[1] ?? tooLong;
  if (reason === undefined) return name;
  const shown = JSON.stringify(
    name.length > 40 ? `${name.slice(0, 40)}…` : name,
  );
  throw new InputError(`Cannot use ${what} ${shown}: ${reason}`);
}

/**
 * What a text must be to be a path; undefined where it is one. Quotes belong to
 * Python, and `~`, `$NAME` and `%NAME%` to shells: here they would name a file.
 */
export function whatPathMustBe(text: string): string | undefined {
  if (/^(["']).*\1$/.test(text)) return "a path without quotes";
  if (/^~[\w.-]*([/\\]|$)/.test(text)) {
    return 'a path that does not begin with "~"';
  }
  const variable = /\$\{?[A-Za-z_]\w*\}?|%[A-Za-z_]\w+%/.exec(text)?.[0];
  if (variable !== undefined) {
    return `a path with the value of ${variable} written out`;
  }
  if (text.split(/[/\\]/).some((name) => bytesOf(name) > MAX_NAME_BYTES)) {
    return `a path whose names have ${MAX_NAME_BYTES} bytes at most`;
  }
  // deno-lint-ignore no-control-regex
  const broken = text === "" || text.length > 4096 || /[\x00-\x1f]/.test(text);
  return broken ? "a path" : undefined;
}
