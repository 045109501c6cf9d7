/**
 * The error for what a user can put right: a config file, a data file, a flag.
 *
 * @module
 */

/**
 * Something the user gave cannot be used. The message is one sentence that
 * names the file, what was found and what is allowed. Commands print it
 * without a stack trace and exit with code 2.
 *
 * @example
 * ```ts no-eval
 * import { InputError } from "@biornn/biornn";
 *
 * throw new InputError('Cannot read "net.npy": it ends after 12 of 128 bytes');
 * ```
 */
export class InputError extends Error {
  /** "InputError". */
  override name = "InputError";
}

/**
 * Something that cannot be done now, but may go well at another time, without
 * a change of what was given: a folder that another process trains in, a full
 * disk. Commands exit with code 1, so that a scheduler tries again.
 */
export class RetryError extends InputError {
  override name = "RetryError";
}

/** Throws the {@linkcode InputError} that says what is wrong with a file. */
export type Fail = (what: string, options?: ErrorOptions) => never;

/** For a file of that name; `as` says what it should hold, e.g. "the matrix". */
export function cannotRead(name: string, as?: string): Fail {
  const start = as === undefined ? "Cannot read" : `Cannot read ${as}`;
  return (what, options) => {
    throw new InputError(`${start} "${name}": ${what}`, options);
  };
}
