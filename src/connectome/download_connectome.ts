/**
 * Downloads a connectome of the catalogue into the cache.
 *
 * @module
 */

import { join } from "node:path";
import { sha256Hex } from "../files/checksum.ts";
import { InputError } from "../files/input_error.ts";
import { writeFileWhole } from "../files/write_file.ts";
import {
  CATALOGUE_ADDRESS,
  type CatalogueEntry,
  type CatalogueFile,
  filesOf,
} from "./catalogue.ts";

/** Milliseconds after which a file that does not come is given up. */
const TIMEOUT = 60_000;

/** Where a download goes, and how. */
export interface DownloadOptions {
  /** Folder the files are kept in; made where there is none. */
  readonly cacheFolder: string;
  /** Is told what is downloaded. */
  readonly onProgress?: (line: string) => void;
  /** Default the system's `fetch`. */
  readonly fetch?: (
    address: string,
    init: { readonly signal: AbortSignal; readonly redirect: "error" },
  ) => Promise<Response>;
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
  { cacheFolder, onProgress, fetch = globalThis.fetch }: DownloadOptions,
): Promise<void> {
  const files = filesOf(entry);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  onProgress?.(
    `downloading the connectome ${entry.name}: ${files.length} files, ` +
      `${Math.ceil(total / 1024)} KiB, from ${CATALOGUE_ADDRESS}`,
  );
  const contents: Uint8Array[] = [];
  for (const file of files) {
    try {
      contents.push(await download(file, fetch));
    } catch (error) {
      throw new InputError(
        `Cannot download the connectome "${entry.name}": ${
          reason(error, file)
        }; get ${
          files.map(({ file }) => file).join(", ")
        } from ${CATALOGUE_ADDRESS} on another way, and put them into ${cacheFolder} or into the folder that path_to_network names`,
      );
    }
  }
  await Deno.mkdir(cacheFolder, { recursive: true });
  // The weights are last: where they lie, the other files lie too.
  for (const [index, { file }] of files.entries()) {
    await writeFileWhole(join(cacheFolder, file), contents[index]!);
  }
  onProgress?.(`kept the connectome ${entry.name} in ${cacheFolder}`);
}

/** Something the server sent is not what the catalogue says. */
class RefusedError extends Error {
  override name = "RefusedError";
}

async function download(
  { file, sha256, bytes }: CatalogueFile,
  fetch: NonNullable<DownloadOptions["fetch"]>,
): Promise<Uint8Array> {
  const response = await fetch(`${CATALOGUE_ADDRESS}${file}`, {
    signal: AbortSignal.timeout(TIMEOUT),
    redirect: "error",
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new RefusedError(
      `the server answered ${response.status} for ${file}`,
    );
  }
  const content = await readExactly(response, { file, bytes });
  const found = await sha256Hex(content);
  if (found !== sha256) {
    throw new RefusedError(
      `${file} has the SHA-256 ${found}, but the catalogue says ${sha256}`,
    );
  }
  return content;
}

/** The body of an answer; reads no more of it than the catalogue says there is. */
async function readExactly(
  response: Response,
  { file, bytes }: { readonly file: string; readonly bytes: number },
): Promise<Uint8Array> {
  const content = new Uint8Array(bytes);
  let length = 0;
  if (response.body !== null) {
    for await (const chunk of response.body) {
      if (length + chunk.length > bytes) {
        throw new RefusedError(
          `${file} is longer than the ${bytes} bytes that the catalogue says`,
        );
      }
      content.set(chunk, length);
      length += chunk.length;
    }
  }
  if (length < bytes) {
    throw new RefusedError(`${file} ended after ${length} of ${bytes} bytes`);
  }
  return content;
}

function reason(error: unknown, { file }: CatalogueFile): string {
  if (error instanceof RefusedError) return error.message;
  const host = new URL(CATALOGUE_ADDRESS).host;
  if (error instanceof Deno.errors.NotCapable) {
    return `this program may not reach ${host} (--allow-net)`;
  }
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `${host} did not send ${file} within ${TIMEOUT / 1000} s`;
  }
  return `${host} can't be reached or broke off`;
}
