/**
 * What the operating system said when a file could not be read or written, in
 * words for the user.
 *
 * @module
 */

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
 *
 * @example
 * ```ts
 * import { systemReason } from "./src/files/system_error.ts";
 *
 * try {
 *   Deno.readFileSync("/");
 * } catch (error) {
 *   systemReason(error, { path: "/", verb: "read" }); // "it is a folder"
 * }
 * ```
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
