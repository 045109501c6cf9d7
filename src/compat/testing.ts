/**
 * `describe` and `it` from `@std/testing/bdd`; where JSR can't be reached, the
 * same two of `node:test`, which `deno test` runs alike.
 *
 * @module
 */

import { loadStd } from "./load_std.ts";

/** The part of the two test libraries that biornn's tests use. */
export interface TestFunctions {
  /** Groups tests under a name. */
  describe(name: string, body: () => void): unknown;
  /** One test; `it.skip` shows it in the report as not run. */
  readonly it: ItFunction;
}

/** One test. */
export interface ItFunction {
  (name: string, body: () => void | Promise<void>): unknown;
  skip(name: string, body: () => void | Promise<void>): unknown;
}

const functions = (await loadStd("@std/testing", "bdd") ??
  await import("node:test")) as TestFunctions;

/** Groups tests under a name. */
export const describe: TestFunctions["describe"] = functions.describe;

/** One test. */
export const it: TestFunctions["it"] = functions.it;

/**
 * One test that needs something this machine may lack: when `missing` is a
 * sentence it is skipped, and its name in the report says why.
 */
export function itNeeds(
  name: string,
  missing: string | undefined,
  body: () => void | Promise<void>,
): void {
  if (missing === undefined) it(name, body);
  else it.skip(`${name} (skipped: ${missing})`, body);
}
