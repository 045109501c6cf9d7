/**
 * The catalogue: measured connectomes that can be downloaded, with the papers
 * to cite, the checksum of every file, and how to read it.
 *
 * @module
 */

import { join } from "node:path";
import catalogue from "../../connectomes/catalogue.json" with { type: "json" };
import { download, DownloadError, type Fetch } from "../files/download.ts";
import { InputError } from "../files/input_error.ts";
import { writeFileWhole } from "../files/write.ts";
import type { RowMeaning } from "./connectome.ts";

/** A file of the catalogue. */
export interface CatalogueFile {
  /** Its name, at its source and in a folder of connectomes. */
  readonly file: string;
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A connectome of the catalogue. */
export interface CatalogueEntry {
  readonly name: string;
  readonly species: string;
  /** What was measured, and how. */
  readonly description: string;
  readonly regions: number;
  /** Number of connections between its regions. */
  readonly connections: number;
  /** Which regions the rows of its file are. */
  readonly rows: RowMeaning;
  /** What to cite, one paper an element, with its DOI. */
  readonly citations: readonly string[];
  /** Address of the folder of its files, where that is not the collection's. */
  readonly address?: string;
  /** Its terms, where they are not the collection's. */
  readonly licence?: string;
  /** Of a list of connections: the types that are read; all without it. */
  readonly types?: readonly string[];
  readonly files: {
    readonly weights: CatalogueFile;
    readonly names?: CatalogueFile;
    readonly density?: CatalogueFile;
  };
}

/** Address of the folder that holds the files of the collection, pinned to a commit. */
export const CATALOGUE_ADDRESS: string = catalogue.address;

/** Terms of the collection. */
export const CATALOGUE_LICENCE: string = catalogue.licence;

/** Paper that goes with the collection as a whole. */
export const COLLECTION_CITATION: string = catalogue.collectionCitation;

/** All connectomes of the catalogue. */
export const CATALOGUE: readonly CatalogueEntry[] = catalogue
  .connectomes as readonly CatalogueEntry[];

/** The connectome of that name, or undefined. */
export function catalogueEntry(name: string): CatalogueEntry | undefined {
  return CATALOGUE.find((entry) => entry.name === name);
}

/** What to cite for a connectome of the catalogue: its papers and the collection's. */
export function citationsOf(entry: CatalogueEntry): string[] {
  return entry.address === undefined
    ? [...entry.citations, COLLECTION_CITATION]
    : [...entry.citations];
}

/** Where its files are. */
export function addressOf({ address }: CatalogueEntry): string {
  return address ?? CATALOGUE_ADDRESS;
}

/** The files of a connectome, the weights last. */
export function filesOf({ files }: CatalogueEntry): CatalogueFile[] {
  return [
    ...(files.names === undefined ? [] : [files.names]),
    ...(files.density === undefined ? [] : [files.density]),
    files.weights,
  ];
}

/** Where a download goes, and how. */
export interface DownloadOptions {
  /** Folder the files are kept in; made where there is none. */
  readonly cacheFolder: string;
  /** Is told what is downloaded. */
  readonly onProgress?: (line: string) => void;
  /** Default the system's `fetch`. */
  readonly fetch?: Fetch;
}

/**
 * Downloads all files of a connectome from the address the catalogue pins, and
 * keeps them where each has the size and the checksum that the catalogue says;
 * else nothing is kept.
 *
 * @throws {InputError} If the network, the server or the checksum is at fault;
 * says where to get the files and where to put them.
 *
 * @example
 * ```ts no-eval
 * import {
 *   catalogueEntry,
 *   downloadConnectome,
 * } from "./src/connectome/catalogue.ts";
 *
 * const entry = catalogueEntry("Macaque_Normalized")!;
 * await downloadConnectome(entry, { cacheFolder: "connectomes/cache" });
 * ```
 */
export async function downloadConnectome(
  entry: CatalogueEntry,
  { cacheFolder, onProgress, fetch }: DownloadOptions,
): Promise<void> {
  const files = filesOf(entry);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  onProgress?.(
    `downloading the connectome ${entry.name}: ${files.length} files, ` +
      `${Math.ceil(total / 1024)} KiB, from ${addressOf(entry)}`,
  );
  const contents: Uint8Array[] = [];
  for (const { file, bytes, sha256 } of files) {
    const address = `${addressOf(entry)}${file}`;
    try {
      contents.push(
        await download(
          { address, bytes, sha256 },
          fetch === undefined ? {} : { fetch },
        ),
      );
    } catch (error) {
      if (!(error instanceof DownloadError)) throw error;
      const names = files.map(({ file }) => file).join(", ");
      throw new InputError(
        `Cannot download ${file} of the connectome "${entry.name}": ${error.message}; get ${names} from ${
          addressOf(entry)
        } by other means, and put them into "${cacheFolder}" or into the folder that path_to_network names`,
        { cause: error },
      );
    }
  }
  await makeFolder(cacheFolder);
  // The weights are last: where they lie, the other files lie too.
  for (const [index, { file }] of files.entries()) {
    await writeFileWhole(join(cacheFolder, file), contents[index]!);
  }
  onProgress?.(`kept the connectome ${entry.name} in ${cacheFolder}`);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new InputError(
      `Cannot make the folder for downloads "${folder}" (${
        (error as Error).message
      }); set BIORNN_CACHE to a folder that can be written`,
      { cause: error },
    );
  }
}
