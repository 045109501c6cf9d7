/**
 * Whole numbers on the command line of a benchmark.
 *
 * @module
 */

import type { Flags } from "../src/compat/cli.ts";
import { InputError } from "../src/files/input_error.ts";

/**
 * The value of a flag that is a whole number from 1.
 *
 * @throws {InputError} If it is anything else.
 */
export function countFlag(
  flags: Flags,
  { name, fallback }: { readonly name: string; readonly fallback: number },
): number {
  const text = flags.string[name];
  return text === undefined ? fallback : readCount(text, name);
}

/**
 * The values of a flag that is a list of whole numbers from 1.
 *
 * @throws {InputError} If one of them is anything else.
 */
export function countsFlag(
  flags: Flags,
  { name, fallback }: {
    readonly name: string;
    readonly fallback: readonly number[];
  },
): readonly number[] {
  return flags.list[name]?.map((text) => readCount(text, name)) ?? fallback;
}

function readCount(text: string, name: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) {
    return value;
  }
  throw new InputError(
    `Cannot use --${name} ${text}: it must be a whole number from 1`,
  );
}
