/**
 * Writing a file whole: whoever reads it finds the old content or the new one,
 * never a part, even if the program is killed or the disk is full.
 *
 * @module
 */

import { InputError } from "./input_error.ts";
import { systemReason } from "./system_error.ts";

let written = 0;

/** In the same folder, as only there a rename is one step; unique among threads and processes of machines that share the folder. */
function temporaryName(path: string): string {
  const unique = crypto.randomUUID().slice(0, 8);
  return `${path}.${Deno.pid}-${written++}-${unique}.tmp`;
}

function inputErrorOf(error: unknown, path: string): unknown {
  const reason = systemReason(error, { path, verb: "write" });
  return reason === undefined
    ? error
    : new InputError(`Cannot write "${path}": ${reason}`, { cause: error });
}

function bytesOf(content: Uint8Array | string): Uint8Array {
  return typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
}

/**
 * Writes a file whole, or replaces it: under a temporary name in the same
 * folder, flushed to the disk, then renamed.
 *
 * @param content The bytes, or text that is written as UTF-8.
 * @throws {InputError} If it can't be written: path and reason. Nothing is left behind then.
 *
 * @example
 * ```ts no-eval
 * import { writeFileWhole } from "./src/files/write_file.ts";
 *
 * await writeFileWhole("results/folder_index.txt", "0 (0.0001, 'relu')\n");
 * ```
 */
export async function writeFileWhole(
  path: string,
  content: Uint8Array | string,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const bytes = bytesOf(content);
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      for (let done = 0; done < bytes.length;) {
        done += await file.write(bytes.subarray(done));
      }
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {
      // It was never made, or the disk is gone: the first error is the one to tell.
    });
    throw inputErrorOf(error, path);
  }
}
