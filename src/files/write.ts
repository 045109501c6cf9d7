/**
 * Writing a file whole: whoever reads it finds the old content or the new one,
 * never a part, even if the program is killed or the disk is full.
 *
 * @module
 */

import { dirname } from "node:path";
import { InputError } from "./input_error.ts";
import { systemReason } from "./read.ts";

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
 * Flushes a folder to the disk, as else a power cut may take back a rename that
 * was done. Where a folder can't be opened (Windows) or flushed (some network
 * disks), the system decides when; the file itself is whole in any case.
 */
async function syncFolder(path: string): Promise<void> {
  try {
    using folder = await Deno.open(path, { read: true });
    await folder.sync();
  } catch {
    // The file is written and in its place: nothing that the caller could do better.
  }
}

/**
 * Writes a file whole, or replaces it: under a temporary name in the same
 * folder, flushed to the disk, then renamed; the folder is flushed too, where the
 * system can, so that after a power cut the new content is still there.
 *
 * @param content The bytes, or text that is written as UTF-8.
 * @throws {InputError} If it can't be written: path and reason. Nothing is left behind then.
 *
 * @example
 * ```ts no-eval
 * import { writeFileWhole } from "./src/files/write.ts";
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
  await syncFolder(dirname(path));
}
