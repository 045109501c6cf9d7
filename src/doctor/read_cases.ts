/**
 * Reads all reference cases of a folder.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readTextFile, systemReason } from "../files/read.ts";
import { type GoldenCase, readGoldenCase } from "./golden_case.ts";

/** The largest file that is read as a case; the largest of ours has 0.3 MB. */
const MAX_CASE_BYTES = 2 ** 26;
const WHAT = "the reference case";

/** What a folder holds. */
export interface CaseFolder {
  /** The training cases, by file name. */
  readonly cases: readonly GoldenCase[];
  /** Names of `.json` files that are something else. */
  readonly passedOver: readonly string[];
}

/**
 * The training cases among a folder's `.json` files; `index.json` is their list.
 *
 * @throws {InputError} If the folder or a case can't be read, or there is none.
 *
 * @example
 * ```ts
 * import { readCases } from "./src/doctor/read_cases.ts";
 *
 * const { cases } = await readCases("tests/golden");
 * ```
 */
export async function readCases(folder: string): Promise<CaseFolder> {
  const cases: GoldenCase[] = [];
  const passedOver: string[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    await checkFile(path);
    const text = await readTextFile(path, { what: WHAT });
    const golden = readGoldenCase(text, { name: path });
    if (golden === undefined) passedOver.push(name);
    else cases.push(golden);
  }
  if (cases.length === 0) {
    throw new InputError(
      `Cannot find a reference case in "${folder}": none of its .json files is of kind "train"`,
    );
  }
  return { cases, passedOver };
}

/** Before anything is read: a pipe would never end, a huge file would fill the memory. */
async function checkFile(path: string): Promise<void> {
  let reason: string | undefined;
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) reason = "it is no file";
    else if (size > MAX_CASE_BYTES) {
      reason = `it has ${size} bytes; allowed are ${MAX_CASE_BYTES}`;
    }
  } catch (error) {
    reason = systemReason(error, { path, verb: "read" });
    if (reason === undefined) throw error;
  }
  if (reason !== undefined) {
    throw new InputError(`Cannot read ${WHAT} "${path}": ${reason}`);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory && name.endsWith(".json") && name !== "index.json") {
        names.push(name);
      }
    }
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : error instanceof Deno.errors.NotADirectory
      ? "it is a file, not a folder"
      : systemReason(error, { path: folder, verb: "read" });
    if (reason === undefined) throw error;
    throw new InputError(
      `Cannot read the folder of reference cases "${folder}": ${reason}`,
      { cause: error },
    );
  }
  return names.sort();
}
