/**
 * Finds a connectome by its name, wherever it is.
 *
 * @module
 */

import { sha256Hex } from "../files/checksum.ts";
import { InputError } from "../files/input_error.ts";
import { readFileBytes, safeName } from "../files/read.ts";
import { join } from "node:path";
import { cacheFolder as systemCacheFolder } from "../files/download.ts";
import {
  CATALOGUE,
  CATALOGUE_ADDRESS,
  type CatalogueEntry,
  catalogueEntry,
  citationsOf,
  filesOf,
} from "./catalogue.ts";
import type { Connectome } from "./connectome.ts";
import {
  downloadConnectome,
  type DownloadOptions,
} from "./download_connectome.ts";
import { embeddedConnectome } from "./embedded_connectome.ts";
import { nearestNames } from "../text/did_you_mean.ts";
import {
  connectomesIn,
  readConnectomeFolder,
} from "./read_connectome_folder.ts";
import { SYNTHETIC_NAME } from "./synthetic_macaque.ts";

/** Where to look for a connectome. */
export interface LoadOptions {
  /** The folder of the user's connectomes (`path_to_network`); looked in first. */
  readonly folder?: string;
  /** Where downloads are kept; default {@linkcode systemCacheFolder}. */
  readonly cacheFolder?: string;
  /** Is told what takes time, and what the user may not expect. */
  readonly onProgress?: (line: string) => void;
  /** Default the system's `fetch`. */
  readonly fetch?: DownloadOptions["fetch"];
}

/**
 * Loads a connectome: from the user's folder, else the embedded one, else from
 * the cache, else downloads it once from the address the catalogue pins.
 *
 * In a folder, the connectome NAME is the files `C_NAME.npy` (or `.csv`,
 * `.tsv`) for the weights, `Names_NAME.lst` (or `.txt`) for the names of the
 * regions, and `ND_NAME.npy` for the neuron densities; the last two need not be there.
 *
 * @throws {InputError} If there is none of that name, it can't be read or can't be had.
 *
 * @example
 * ```ts
 * import { loadConnectome } from "./src/connectome/load_connectome.ts";
 *
 * const connectome = await loadConnectome("Synthetic_Macaque_29");
 * connectome.weights[0 * 29 + 1]; // weight of the connection from region 0 to region 1
 * ```
 */
export async function loadConnectome(
  name: string,
  options: LoadOptions = {},
): Promise<Connectome> {
  const { folder, onProgress, cacheFolder = systemCacheFolder() } = options;
  safeName(name, { what: "the connectome's name" });
  if (folder !== undefined) {
    const found = await readConnectomeFolder(name, { folder });
    if (found !== undefined) return withCatalogue(found, { onProgress });
    if (!await isFolder(folder)) {
      onProgress?.(`note: path_to_network is no folder: ${folder}`);
    }
  }
  if (name === SYNTHETIC_NAME) return await embeddedConnectome();
  const entry = catalogueEntry(name);
  if (entry === undefined) throw await unknownConnectome(name, folder);
  if (cacheFolder === undefined) {
    throw new InputError(
      `Cannot download the connectome "${name}": neither BIORNN_CACHE nor HOME says where to keep it; set BIORNN_CACHE, or put ${
        filesOf(entry).map(({ file }) => file).join(", ")
      } from ${CATALOGUE_ADDRESS} into the folder that path_to_network names`,
    );
  }
  if (!await isCached(entry, { cacheFolder, onProgress })) {
    await downloadConnectome(entry, {
      cacheFolder,
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    });
  }
  const found = await readConnectomeFolder(name, { folder: cacheFolder });
  if (found === undefined) {
    throw new InputError(
      `Cannot read the connectome "${name}": its files have gone from ${cacheFolder}`,
    );
  }
  return withCatalogue(found, { onProgress });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}

/** Adds what the catalogue says about the connectome, and tells where the file is another than the catalogue's. */
function withCatalogue(
  connectome: Connectome,
  { onProgress }: { readonly onProgress: LoadOptions["onProgress"] },
): Connectome {
  const entry = catalogueEntry(connectome.name);
  if (entry === undefined) return connectome;
  if (connectome.sha256 !== entry.files.weights.sha256) {
    onProgress?.(
      `note: ${connectome.source} is not the file that the catalogue lists as ${entry.name} (its SHA-256 differs)`,
    );
  }
  return {
    ...connectome,
    species: entry.species,
    citations: citationsOf(entry),
  };
}

/** Whether the cache holds every file of a connectome, each as the catalogue has it. */
async function isCached(
  entry: CatalogueEntry,
  { cacheFolder, onProgress }: {
    readonly cacheFolder: string;
    readonly onProgress: LoadOptions["onProgress"];
  },
): Promise<boolean> {
  for (const { file, sha256 } of filesOf(entry)) {
    const path = join(cacheFolder, file);
    let bytes: Uint8Array;
    try {
      bytes = await Deno.readFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      // Anything else is told with the path.
      bytes = await readFileBytes(path, { what: "the cached file" });
    }
    if (await sha256Hex(bytes) !== sha256) {
      onProgress?.(
        `${path} is damaged (its SHA-256 is not the catalogue's); downloading again`,
      );
      return false;
    }
  }
  return true;
}

async function unknownConnectome(
  name: string,
  folder: string | undefined,
): Promise<InputError> {
  const inFolder = folder === undefined ? [] : await connectomesIn(folder);
  const known = [
    ...new Set([
      ...inFolder,
      SYNTHETIC_NAME,
      ...CATALOGUE.map((entry) => entry.name),
    ]),
  ];
  const near = nearestNames(name, known).slice(0, 3);
  const looked = folder === undefined
    ? ""
    : `there is no C_${name}.npy, .csv or .tsv in "${folder}", and `;
  const meant = near.length === 0
    ? `known are ${known.slice(0, 20).join(", ")}`
    : `did you mean ${near.map((candidate) => `"${candidate}"`).join(" or ")}?`;
  return new InputError(
    `Cannot find the connectome "${name}": ${looked}the catalogue has none of that name; ${meant}`,
  );
}
