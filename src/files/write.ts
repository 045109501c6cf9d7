/**
 * Writing a file whole: whoever reads it finds the old content or the new one,
 * never a part, even if the program is killed or the disk is full.
 *
 * @module
 */

import { dirname } from "node:path";
import { InputError } from "./input_error.ts";
import { systemError } from "./read.ts";

let written = 0;

/** In the same folder, as only there a rename is one step; unique among threads and processes of machines that share the folder. */
export function temporaryName(path: string): string {
  const unique = crypto.randomUUID().slice(0, 8);
  return `${path}.${Deno.pid}-${written++}-${unique}.tmp`;
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

/** A file that is written and flushed, but does not have its name yet. */
export interface StagedFile {
  readonly temporary: string;
  /** Gives it its name, in the place of what had it before. */
  publish(): Promise<void>;
  discard(): Promise<void>;
}

/**
 * Writes a file under a temporary name, to find out whether there is room for
 * it before anything else is done.
 *
 * @throws {InputError} If it can't be written: path and reason. Nothing is left behind then.
 */
export async function stageFile(
  path: string,
  content: Uint8Array | string,
): Promise<StagedFile> {
  const temporary = temporaryName(path);
  const discard = async () => {
    await Deno.remove(temporary).catch(() => {
      // It was never made, or the disk is gone: the first error is the one to tell.
    });
  };
  const orTell = async (error: unknown) => {
    await discard();
    const cannot = `Cannot write "${path}"`;
    throw systemError(error, { cannot, path, verb: "write" });
  };
  try {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    using file = await Deno.open(temporary, { write: true, createNew: true });
    for (let done = 0; done < bytes.length;) {
      done += await file.write(bytes.subarray(done));
    }
    await file.sync();
  } catch (error) {
    await orTell(error);
  }
  return {
    temporary,
    publish: () => Deno.rename(temporary, path).catch(orTell),
    discard,
  };
}

/**
 * Writes a file whole, or replaces it: under a temporary name in the same
 * folder, flushed to the disk, then renamed; the folder is flushed too, where the
 * system can, so that after a power cut the new content is still there.
 *
 * @param content The bytes, or text that is written as UTF-8.
 * @throws {InputError} If it can't be written: path and reason. Nothing is left behind then.
 */
export async function writeFileWhole(
  path: string,
  content: Uint8Array | string,
): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      await (await stageFile(path, content)).publish();
      break;
    } catch (error) {
      // Another process that tidies up may take the temporary file for that of a dead one.
      const isGone = error instanceof InputError &&
        error.cause instanceof Deno.errors.NotFound &&
        await Deno.stat(dirname(path)).then(() => true, () => false);
      if (!isGone || tries === 3) throw error;
    }
  }
  await syncFolder(dirname(path));
}

/** Files that are written side by side: flushing one takes the disk as long as flushing many at once. */
const AT_ONCE = 32;

/**
 * Writes many files, each of them whole. Should the program be killed
 * meanwhile, some are new and the others as before.
 *
 * @param files Paths and functions that give the bytes when their turn comes.
 * @throws {InputError} As {@linkcode writeFileWhole}, at the first that can't be written.
 */
export async function writeFilesWhole(
  files: Iterable<readonly [path: string, content: () => Uint8Array]>,
): Promise<void> {
  const folders = new Set<string>();
  // One list for all, which ends at the first task that fails.
  const tasks = Iterator.from(files).map(([path, content]) => async () => {
    await (await stageFile(path, content())).publish();
    folders.add(dirname(path));
  });
  const work = async () => {
    for (const task of tasks) await task();
  };
  const done = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  const error = done.find((result) => result.status === "rejected");
  if (error !== undefined) throw error.reason;
  for (const folder of folders) await syncFolder(folder);
}

/**
 * Makes a folder and those above it.
 *
 * @throws {InputError} If it can't be made: path and reason.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    const isFile = error instanceof Deno.errors.AlreadyExists ||
      error instanceof Deno.errors.NotADirectory ||
      (error as { code?: unknown }).code === "ENOTDIR";
    const cannot = `Cannot make the folder "${path}"`;
    throw isFile
      ? new InputError(`${cannot}: it, or a part of its path, is a file`, {
        cause: error,
      })
      : systemError(error, { cannot, path, verb: "write" });
  }
}
