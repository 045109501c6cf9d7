/**
 * `describe` and `it` from `@std/testing/bdd`; where JSR can't be reached, the
 * same two of `node:test`, which `deno test` runs alike.
 *
 * @module
 */

import { loadStd } from "./load_std.ts";

type Body = () => void | Promise<void>;

/** The part of the two test libraries that biornn's tests use. */
interface TestFunctions {
  describe(name: string, body: () => void): unknown;
  /** One test; `it.skip` shows it in the report as not run. */
  readonly it: {
    (name: string, body: Body): unknown;
    skip(name: string, body: Body): unknown;
  };
}

export const { describe, it } = (await loadStd("@std/testing", "bdd") ??
  await import("node:test")) as TestFunctions;

/**
 * One test that needs something this machine may lack: when `missing` is a
 * sentence it is skipped, and its name in the report says why.
 */
export function itNeeds(
  name: string,
  missing: string | undefined,
  body: Body,
): void {
  if (missing === undefined) it(name, body);
  else it.skip(`${name} (skipped: ${missing})`, body);
}
