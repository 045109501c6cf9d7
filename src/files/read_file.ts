/**
 * Reading a file that the user named, and names that come out of files.
 *
 * @module
 */

import { InputError } from "./input_error.ts";
import { systemReason } from "./system_error.ts";

/** What the file is, for messages. */
export interface ReadFileOptions {
  /** E.g. "the connectome". */
  readonly what: string;
}

/**
 * The bytes of a file.
 *
 * @throws {InputError} If there is no such file, it is a folder, or it may not be read.
 *
 * @example
 * ```ts
 * import { readFileBytes } from "./src/files/read_file.ts";
 *
 * await readFileBytes("deno.json", { what: "the configuration" });
 * ```
 */
export async function readFileBytes(
  path: string,
  { what }: ReadFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const reason = systemReason(error, { path, verb: "read" });
    if (reason === undefined) throw error;
    throw new InputError(`Cannot read ${what} "${path}": ${reason}`, {
      cause: error,
    });
  }
}

/**
 * The text of a UTF-8 file, without a byte order mark.
 *
 * @throws {InputError} As {@linkcode readFileBytes}, and if it is no UTF-8.
 *
 * @example
 * ```ts
 * import { readTextFile } from "./src/files/read_file.ts";
 *
 * await readTextFile("deno.json", { what: "the configuration" });
 * ```
 */
export async function readTextFile(
  path: string,
  { what }: ReadFileOptions,
): Promise<string> {
  const bytes = await readFileBytes(path, { what });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(
      `Cannot read ${what} "${path}": it is no text in UTF-8`,
      { cause: error },
    );
  }
}

const WINDOWS_DEVICE =
  /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|\s*$)/i;
const MAX_NAME_BYTES = 255;

/**
 * The name itself, if it can be that of a file inside a folder, on any
 * operating system: no path, no way out of the folder.
 *
 * @throws {InputError} If it is empty, "." or "..", holds a separator, a control character or one that Windows
 * forbids, ends in a dot or blank, is a Windows device or is longer than 255 bytes.
 *
 * @example
 * ```ts
 * import { safeName } from "./src/files/read_file.ts";
 *
 * safeName("Macaque_Normalized", { what: "the connectome's name" }); // "Macaque_Normalized"
 * ```
 */
export function safeName(name: string, { what }: ReadFileOptions): string {
  const reason = unsafeReason(name);
  if (reason === undefined) return name;
  const shown = JSON.stringify(
    name.length > 40 ? `${name.slice(0, 40)}…` : name,
  );
  throw new InputError(`Cannot use ${what} ${shown}: ${reason}`);
}

function unsafeReason(name: string): string | undefined {
  if (name === "") return "a name may not be empty";
  if (name === "." || name === "..") return "it names a folder";
  if (/[/\\]/.test(name)) return "a name may not hold / or \\";
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f<>:"|?*]/.test(name)) {
    return 'a name may not hold control characters or any of < > : " | ? *';
  }
  if (/[. ]$/.test(name)) return "a name may not end in a dot or a blank";
  if (WINDOWS_DEVICE.test(name)) return "Windows keeps this name for a device";
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    return `a name may have ${MAX_NAME_BYTES} bytes at most`;
  }
  return undefined;
}
