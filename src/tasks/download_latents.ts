/**
 * The original's latent vectors: 50 features of each picture of the MNIST test
 * set, downloaded on request (`latents = download`). The repository they come
 * from states no licence, so they are not part of this one.
 *
 * @module
 */

import { join } from "node:path";
import { sha256Hex } from "../files/checksum.ts";
import {
  download,
  DownloadError,
  type Fetch,
  type KnownFile,
} from "../files/download.ts";
import { InputError } from "../files/input_error.ts";
import { writeFileWhole } from "../files/write_file.ts";

/** Name of the file in the cache. */
const FILE = "mnist_latent_output_labels.pt";

/**
 * A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated recurrent neural
 * networks, https://doi.org/10.1016/j.neunet.2021.07.011; the pictures are
 * MNIST's (Y. LeCun, C. Cortes, C. J. C. Burges).
 */
const SOURCE: KnownFile = {
  address:
    `https://raw.githubusercontent.com/AlGoulas/bio_rnn_mem/f9ca6a0a51c089df3304f4bb88e6e67f305e55c9/latent_mnist/${FILE}`,
  bytes: 2_080_466,
  sha256: "2459db237e9262ed112f4c193949278375081126bfcb611f9866f8bc6ab9ce7d",
};

/** Where downloads go, and how. */
export interface DownloadLatentsOptions {
  /** Folder the file is kept in; made where there is none. Undefined: it is not kept. */
  readonly cacheFolder: string | undefined;
  readonly onProgress?: (line: string) => void;
  /** Default the system's `fetch`. */
  readonly fetch?: Fetch;
}

/**
 * The original's file of latents, from the cache or from its source.
 *
 * @throws {InputError} If it can't be downloaded, with where to get it otherwise.
 */
export async function downloadLatents(
  { cacheFolder, onProgress, fetch }: DownloadLatentsOptions,
): Promise<{ bytes: Uint8Array; name: string }> {
  const kept = cacheFolder === undefined ? FILE : join(cacheFolder, FILE);
  const cached = cacheFolder === undefined
    ? undefined
    : await readIfThere(kept);
  if (cached !== undefined && await sha256Hex(cached) === SOURCE.sha256) {
    return { bytes: cached, name: kept };
  }
  onProgress?.(
    `downloading the latents of MNIST, ${
      Math.ceil(SOURCE.bytes / 1024)
    } KiB, from ${SOURCE.address}`,
  );
  let bytes: Uint8Array;
  try {
    bytes = await download(SOURCE, fetch === undefined ? {} : { fetch });
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    throw new InputError(
      `Cannot download the latents ${FILE}: ${error.message}; get the file from ${SOURCE.address} on another way and name it in [paths] latents, or leave latents empty for synthetic ones`,
      { cause: error },
    );
  }
  if (cacheFolder !== undefined) {
    await Deno.mkdir(cacheFolder, { recursive: true });
    await writeFileWhole(kept, bytes);
  }
  return { bytes, name: kept };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
