/**
 * Reading files that the user named, and what the system says when reading or
 * writing fails, in words.
 *
 * @module
 */

import { InputError } from "./input_error.ts";

/** What the user can do something about, by the system's code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it is larger than a file may be here",
  EROFS: "the disk can only be read",
  ENAMETOOLONG: "its name is too long",
  EISDIR: "it is a folder",
  EEXIST: "it is a folder",
  ENOTEMPTY: "it is a folder",
  ENOTDIR: "a part of its path is a file, not a folder",
};

/** Codes by their numbers on Linux, macOS and Windows: errors of a write to an open file carry no code. */
const CODES: Readonly<Record<string, string>> = {
  28: "ENOSPC",
  112: "ENOSPC",
  122: "EDQUOT",
  69: "EDQUOT",
  27: "EFBIG",
  223: "EFBIG",
  30: "EROFS",
  19: "EROFS",
  36: "ENAMETOOLONG",
  63: "ENAMETOOLONG",
};

interface Access {
  readonly path: string;
  readonly verb: "read" | "write";
}

/**
 * Why a file could not be read or written.
 *
 * @param error What Deno's functions threw.
 * @returns A clause without a full stop; undefined if the operating system did not say it, so that it is a fault of
 * the program.
 */
export function systemReason(
  error: unknown,
  { path, verb }: Access,
): string | undefined {
  if (path === "") return "its path is empty";
  if (path.includes("\0")) return "its path holds a NUL character";
  if (!(error instanceof Error)) return undefined;
  if (error instanceof Deno.errors.NotCapable) {
    return `this program was started without the permission to ${verb} it (--allow-${verb})`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `this user may not ${verb} it`;
  }
  if (error instanceof Deno.errors.NotFound) {
    return verb === "read"
      ? "there is no such file"
      : "its folder does not exist";
  }
  const { code } = error as Error & { code?: unknown };
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  if (code === undefined && number === undefined) return undefined;
  return REASONS[String(code ?? CODES[number!])] ?? error.message;
}

/** The error that a sentence ends with why; the error itself where it is a fault of the program. */
export function systemError(
  error: unknown,
  { cannot, ...access }: Access & { readonly cannot: string },
): unknown {
  const reason = systemReason(error, access);
  if (error instanceof InputError || reason === undefined) return error;
  return new InputError(`${cannot}: ${reason}`, { cause: error });
}

/** Most bytes of a file; more than any that is of use here, and what one array can hold. */
const MOST_BYTES = 2 ** 32;
const MOST_PIPED = 2 ** 28;

/** Where a shell puts what `<(command)` writes; elsewhere a pipe waits for a writer that may never come. */
const SHELL_PIPE = /^\/(?:dev|proc)\//;

interface ReadFileOptions {
  /** E.g. "the connectome". */
  readonly what: string;
}

function cannotRead(
  path: string,
  { what }: ReadFileOptions,
  why: unknown,
): unknown {
  const cannot = `Cannot read ${what} "${path}"`;
  return typeof why === "string"
    ? new InputError(`${cannot}: ${why}`)
    : systemError(why, { cannot, path, verb: "read" });
}

/**
 * What the system says of a file that is to be read: a regular one, or what a
 * shell pipes in. Another pipe would wait for a writer, and a device like
 * /dev/zero never ends.
 *
 * @throws {InputError} If there is no such file, or it is a folder, a pipe or a device.
 */
export async function statFile(
  path: string,
  options: ReadFileOptions,
): Promise<Deno.FileInfo> {
  const info = await Deno.stat(path).catch((error) => {
    throw cannotRead(path, options, error);
  });
  const { isFile, isDirectory, isFifo } = info;
  if (isFile || (isFifo && SHELL_PIPE.test(path))) return info;
  const kind = isDirectory
    ? "a folder"
    : `no file, but a ${isFifo ? "pipe" : "device"}`;
  throw cannotRead(path, options, `it is ${kind}`);
}

/**
 * The bytes of a file, or of what a shell pipes in.
 *
 * @throws {InputError} As {@linkcode statFile}, and if it may not be read.
 */
export async function readFileBytes(
  path: string,
  options: ReadFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { isFile, size } = await statFile(path, options);
  if (size > MOST_BYTES) {
    throw cannotRead(path, options, `its ${size} bytes are too many`);
  }
  try {
    if (isFile) return await Deno.readFile(path);
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let piped = 0;
    for await (const chunk of (await Deno.open(path)).readable) {
      piped += chunk.length;
      if (piped > MOST_PIPED) {
        throw cannotRead(
          path,
          options,
          `more than ${MOST_PIPED} bytes come out of it`,
        );
      }
      chunks.push(chunk);
    }
    return await new Blob(chunks).bytes();
  } catch (error) {
    throw cannotRead(path, options, error);
  }
}

/**
 * The bytes of a file piece by piece, however large it is.
 *
 * @throws {InputError} As {@linkcode readFileBytes}.
 */
export async function* readChunks(
  path: string,
  options: ReadFileOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  await statFile(path, options);
  try {
    yield* (await Deno.open(path)).readable;
  } catch (error) {
    throw cannotRead(path, options, error);
  }
}

/** A file whose bytes are asked for as they are needed, wherever they lie: on a disk, or in a browser's memory. */
export interface ByteSource {
  /** What messages call it; its ending says what it is. */
  readonly name: string;
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Those from `start` to before `end`. */
  slice(start: number, end: number): Promise<ArrayBuffer>;
  size(): Promise<number>;
}

/** A file of this machine. Nothing is read before it is asked for. */
export function sourceOfFile(
  path: string,
  options: ReadFileOptions,
): ByteSource {
  return {
    name: path,
    chunks: () => readChunks(path, options),
    bytes: () => readFileBytes(path, options),
    size: async () => (await statFile(path, options)).size,
    slice: async (start, end) => {
      using file = await Deno.open(path);
      await file.seek(start, Deno.SeekMode.Start);
      const bytes = new Uint8Array(end - start);
      for (let done = 0; done < bytes.length;) {
        const read = await file.read(bytes.subarray(done));
        if (read === null) break;
        done += read;
      }
      return bytes.buffer;
    },
  };
}

/** A file that is at hand as bytes. */
export function sourceOfBytes(name: string, bytes: Uint8Array): ByteSource {
  const own = bytes.slice();
  return {
    name,
    // Browsers have no ReadableStream.from().
    async *chunks() {
      yield own;
    },
    bytes: () => Promise.resolve(own),
    size: () => Promise.resolve(own.length),
    slice: (start, end) => Promise.resolve(own.slice(start, end).buffer),
  };
}

/**
 * The bytes of a file; undefined where there is none.
 *
 * @throws {InputError} As {@linkcode readFileBytes}.
 */
export async function readIfThere(
  path: string,
  options: ReadFileOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await readFileBytes(path, options);
  } catch (error) {
    const isMissing = error instanceof InputError &&
      error.cause instanceof Deno.errors.NotFound;
    if (isMissing) return undefined;
    throw error;
  }
}

/**
 * The text of a UTF-8 file, without a byte order mark.
 *
 * @throws {InputError} As {@linkcode readFileBytes}, and if it is no UTF-8.
 */
export async function readTextFile(
  path: string,
  options: ReadFileOptions,
): Promise<string> {
  const bytes = await readFileBytes(path, options);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw cannotRead(path, options, "it is no text in UTF-8");
  }
}

/**
 * What lies in a folder; undefined where there is no folder.
 *
 * @throws {InputError} If it can't be listed: path and reason.
 */
export async function listFolder(
  path: string,
): Promise<Deno.DirEntry[] | undefined> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    if (
      path !== "" && (error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotADirectory ||
        (error as { code?: unknown }).code === "ENOTDIR")
    ) return undefined;
    throw systemError(error, {
      cannot: `Cannot list the folder "${path}"`,
      path,
      verb: "read",
    });
  }
}
