/**
 * Reads a connectome from a folder.
 *
 * @module
 */

import { join } from "node:path";
import { sha256Hex } from "../files/checksum.ts";
import { InputError } from "../files/input_error.ts";
import { readNameList } from "../files/pickle.ts";
import { readNpy } from "../files/npy.ts";
import { readFileBytes, readTextFile } from "../files/read.ts";
import {
  type Connectome,
  MAX_REGIONS,
  validateConnectome,
} from "./connectome.ts";
import { parseMatrixTable, type SquareMatrix } from "./matrix_table.ts";

/**
 * Reads `C_NAME.npy`, `.csv` or `.tsv` (the first that is there), the names of its
 * regions from `Names_NAME.lst` or `.txt`, and its neuron densities from
 * `ND_NAME.npy`. Without a file of names they are those of the table's header, else "1",
 * "2", …
 *
 * @returns undefined where the folder holds no such matrix.
 * @throws {InputError} If a file is there but can't be used.
 *
 * @example
 * ```ts
 * import { readConnectomeFolder } from "./src/connectome/read_connectome_folder.ts";
 *
 * await readConnectomeFolder("Macaque_Normalized", { folder: "connectomes" });
 * ```
 */
export async function readConnectomeFolder(
  name: string,
  { folder }: { readonly folder: string },
): Promise<Connectome | undefined> {
  const found = await firstFile(folder, [
    `C_${name}.npy`,
    `C_${name}.csv`,
    `C_${name}.tsv`,
  ]);
  if (found === undefined) return undefined;
  const bytes = await readFileBytes(found, { what: "the connectome" });
  const { regions, weights, names } = found.endsWith(".npy")
    ? matrixOfNpy(bytes, found)
    : parseMatrixTable(textOf(bytes, found), found);
  const regionNames = await namesOf(name, folder) ?? names ??
    Array.from({ length: regions }, (_, region) => String(region + 1));
  const neuronDensity = await densityOf(name, folder);
  const connectome: Connectome = {
    name,
    species: "unknown",
    regions,
    weights,
    regionNames,
    ...(neuronDensity === undefined ? {} : { neuronDensity }),
    citations: [],
    // So are the names of what `connectome generate` writes.
    synthetic: name.startsWith("Synthetic_"),
    source: found,
    sha256: await sha256Hex(bytes),
  };
  validateConnectome(connectome, found);
  return connectome;
}

/** Names of the connectomes in a folder, in alphabetical order; none where there is no such folder. */
export async function connectomesIn(folder: string): Promise<string[]> {
  const names = new Set<string>();
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const match = /^C_(.+)\.(?:npy|csv|tsv)$/.exec(name);
      if (match !== null) names.add(match[1] as string);
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    // A folder that can't be listed has no names to offer.
  }
  return [...names].sort();
}

/** Path of the first of these files that is there. */
async function firstFile(
  folder: string,
  names: readonly string[],
): Promise<string | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    try {
      await Deno.stat(path);
      return path;
    } catch (error) {
      if (
        error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.NotADirectory
      ) continue;
      // It is there but can't be looked at: reading it says why.
      return path;
    }
  }
  return undefined;
}

function matrixOfNpy(bytes: Uint8Array, path: string): SquareMatrix {
  const { shape, data } = readNpy(bytes, { name: path });
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows !== columns || rows! > MAX_REGIONS) {
    throw new InputError(
      `Cannot use the connectome "${path}": it must be a square matrix of at most ${MAX_REGIONS} regions, found the shape (${
        shape.join(", ")
      })`,
    );
  }
  return { regions: rows!, weights: data };
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(
      `Cannot read the connectome "${path}": it is no text in UTF-8`,
    );
  }
}

async function namesOf(
  name: string,
  folder: string,
): Promise<string[] | undefined> {
  const path = await firstFile(folder, [
    `Names_${name}.lst`,
    `Names_${name}.txt`,
  ]);
  if (path === undefined) return undefined;
  const what = "the names of the regions";
  if (path.endsWith(".lst")) {
    return readNameList(await readFileBytes(path, { what }), { name: path });
  }
  return (await readTextFile(path, { what })).split(/\r?\n/)
    .map((line) => line.trim()).filter((line) => line !== "");
}

async function densityOf(
  name: string,
  folder: string,
): Promise<Float64Array | undefined> {
  const path = await firstFile(folder, [`ND_${name}.npy`]);
  if (path === undefined) return undefined;
  const bytes = await readFileBytes(path, { what: "the neuron densities" });
  const { shape, data } = readNpy(bytes, { name: path });
  if (shape.length !== 1) {
    throw new InputError(
      `Cannot use the neuron densities "${path}": they must be a vector, found the shape (${
        shape.join(", ")
      })`,
    );
  }
  return data;
}
