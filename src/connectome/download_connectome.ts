/**
 * Downloads a connectome of the catalogue into the cache.
 *
 * @module
 */

import { join } from "node:path";
import { download, DownloadError, type Fetch } from "../files/download.ts";
import { InputError } from "../files/input_error.ts";
import { writeFileWhole } from "../files/write.ts";
import {
  CATALOGUE_ADDRESS,
  type CatalogueEntry,
  filesOf,
} from "./catalogue.ts";

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
 * import { catalogueEntry } from "./src/connectome/catalogue.ts";
 * import { downloadConnectome } from "./src/connectome/download_connectome.ts";
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
      `${Math.ceil(total / 1024)} KiB, from ${CATALOGUE_ADDRESS}`,
  );
  const contents: Uint8Array[] = [];
  for (const { file, bytes, sha256 } of files) {
    const address = `${CATALOGUE_ADDRESS}${file}`;
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
        `Cannot download ${file} of the connectome "${entry.name}": ${error.message}; get ${names} from ${CATALOGUE_ADDRESS} by other means, and put them into "${cacheFolder}" or into the folder that path_to_network names`,
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
