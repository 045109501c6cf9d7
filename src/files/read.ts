/**
 * Reading files that the user named: what the system says when that fails, in
 * words; and names that come out of files.
 *
 * @module
 */

import { InputError } from "./input_error.ts";

/** Codes that the user can do something about. Numbers are those of Linux, macOS, Windows. */
const REASONS: readonly {
  readonly codes: readonly string[];
  readonly numbers: readonly number[];
  readonly reason: string;
}[] = [
  { codes: ["ENOSPC"], numbers: [28, 112], reason: "the disk is full" },
  {
    codes: ["EDQUOT"],
    numbers: [122, 69],
    reason: "the disk quota is used up",
  },
  {
    codes: ["EFBIG"],
    numbers: [27, 223],
    reason: "it is larger than a file may be here",
  },
  { codes: ["EROFS"], numbers: [30, 19], reason: "the disk can only be read" },
  {
    codes: ["ENAMETOOLONG"],
    numbers: [36, 63],
    reason: "its name is too long",
  },
  {
    codes: ["EISDIR", "EEXIST", "ENOTEMPTY"],
    numbers: [],
    reason: "it is a folder",
  },
  {
    codes: ["ENOTDIR"],
    numbers: [],
    reason: "a part of its path is a file, not a folder",
  },
];

/**
 * Why a file could not be read or written.
 *
 * @param error What Deno's functions threw.
 * @returns A clause without a full stop; undefined if the operating system did not say it, so that it is a fault of
 * the program.
 */
export function systemReason(
  error: unknown,
  { path, verb }: { readonly path: string; readonly verb: "read" | "write" },
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
  // Errors of a write to an open file carry no code, only words and a number.
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  const known = REASONS.find(({ codes, numbers }) =>
    codes.includes(String(code)) ||
    (code === undefined && numbers.includes(Number(number)))
  );
  if (known !== undefined) return known.reason;
  return code === undefined && number === undefined ? undefined : error.message;
}

/** Most bytes of a file; more than any that is of use here, and what one array can hold. */
const MOST_BYTES = 2 ** 32;
/** Most bytes that come out of a pipe. */
const MOST_PIPED = 2 ** 28;

/** Where a shell puts what `<(command)` writes; elsewhere a pipe waits for a writer that may never come. */
const SHELL_PIPE = /^\/(?:dev|proc)\//;

/** What the file is, for messages. */
interface ReadFileOptions {
  /** E.g. "the connectome". */
  readonly what: string;
}

function cannotRead(
  path: string,
  { what, error }: ReadFileOptions & { readonly error: unknown },
): unknown {
  const reason = systemReason(error, { path, verb: "read" });
  if (error instanceof InputError || reason === undefined) return error;
  return new InputError(`Cannot read ${what} "${path}": ${reason}`, {
    cause: error,
  });
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
  { what }: ReadFileOptions,
): Promise<Deno.FileInfo> {
  const info = await Deno.stat(path).catch((error) => {
    throw cannotRead(path, { what, error });
  });
  const { isFile, isDirectory, isFifo } = info;
  if (isFile || (isFifo && SHELL_PIPE.test(path))) return info;
  throw new InputError(
    `Cannot read ${what} "${path}": it is ${
      isDirectory ? "a folder" : `no file, but a ${isFifo ? "pipe" : "device"}`
    }`,
  );
}

/**
 * The bytes of a file, or of what a shell pipes in.
 *
 * @throws {InputError} As {@linkcode statFile}, and if it may not be read.
 */
export async function readFileBytes(
  path: string,
  { what }: ReadFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const fail = (reason: string): never => {
    throw new InputError(`Cannot read ${what} "${path}": ${reason}`);
  };
  const { isFile, size } = await statFile(path, { what });
  if (size > MOST_BYTES) return fail(`its ${size} bytes are too many`);
  try {
    return isFile ? await Deno.readFile(path) : await readPipe(path, fail);
  } catch (error) {
    throw cannotRead(path, { what, error });
  }
}

/**
 * The bytes of a file piece by piece, however large it is.
 *
 * @throws {InputError} As {@linkcode readFileBytes}.
 */
export async function* readChunks(
  path: string,
  { what }: ReadFileOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  await statFile(path, { what });
  try {
    yield* (await Deno.open(path)).readable;
  } catch (error) {
    throw cannotRead(path, { what, error });
  }
}

/** A file whose bytes are asked for as they are needed, wherever they lie: on a disk, or in a browser's memory. */
export interface ByteSource {
  /** What messages call it; its ending says what it is. */
  readonly name: string;
  /** Its bytes in pieces. */
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Its bytes at once. */
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

/** A pipe, as shells make of `<(command)`; what is in it is not known before. */
async function readPipe(
  path: string,
  fail: (reason: string) => never,
): Promise<Uint8Array<ArrayBuffer>> {
  using pipe = await Deno.open(path);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of pipe.readable) {
    bytes += chunk.length;
    if (bytes > MOST_PIPED) {
      fail(`more than ${MOST_PIPED} bytes come out of it`);
    }
    chunks.push(chunk);
  }
  return await new Blob(chunks).bytes();
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
    const reason = systemReason(error, { path, verb: "read" });
    if (reason === undefined) throw error;
    throw new InputError(`Cannot list the folder "${path}": ${reason}`, {
      cause: error,
    });
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
  const encoder = new TextEncoder();
  if (text.split(/[/\\]/).some((n) => encoder.encode(n).length > 255)) {
    return "a path whose names have 255 bytes at most";
  }
  // deno-lint-ignore no-control-regex
  const broken = text === "" || text.length > 4096 || /[\x00-\x1f]/.test(text);
  return broken ? "a path" : undefined;
}
