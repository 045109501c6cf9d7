/**
 * Reads the reference cases of a folder.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { listFolder, readTextFile } from "../files/read.ts";
import { type GoldenCase, readGoldenCase } from "./golden_case.ts";

/**
 * The training cases among a folder's `.json` files, by file name.
 *
 * @throws {InputError} If the folder or a case can't be read, or there is none.
 */
export async function readCases(folder: string): Promise<GoldenCase[]> {
  const cases: GoldenCase[] = [];
  for (const file of await jsonFiles(folder)) {
    const text = await readTextFile(file, { what: "the reference case" });
    const golden = readGoldenCase(parseJson(text, file), { file });
    if (golden !== undefined) cases.push(golden);
  }
  if (cases.length > 0) return cases;
  throw new InputError(
    `Cannot find a reference case in "${folder}": none of its .json files is of kind "train"`,
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `Cannot read the reference case "${file}": ${(error as Error).message}`,
      { cause: error },
    );
  }
}

async function jsonFiles(folder: string): Promise<string[]> {
  const entries = await listFolder(folder);
  if (entries === undefined) {
    throw new InputError(
      `Cannot read the folder of reference cases "${folder}": there is no such folder`,
    );
  }
  return entries.filter(({ isFile, name }) => isFile && name.endsWith(".json"))
    .map(({ name }) => join(folder, name)).sort();
}
