/**
 * Finds a connectome by its name, wherever it is: in a folder, in the program, in the
 * cache, or at the address that the catalogue pins.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import {
  cacheFolder as systemCacheFolder,
  download,
  DownloadError,
  type Fetch,
} from "../files/download.ts";
import { sha256Hex } from "../files/bytes.ts";
import { InputError } from "../files/input_error.ts";
import { readNameList } from "../files/pickle.ts";
import { readNpy } from "../files/npy.ts";
import { safeName } from "../files/path.ts";
import {
  listFolder,
  readChunks,
  readFileBytes,
  readIfThere,
  readTextFile,
  sourceOfFile,
} from "../files/read.ts";
import { makeFolder, writeFileWhole } from "../files/write.ts";
import {
  addressOf,
  CATALOGUE,
  type CatalogueEntry,
  catalogueEntry,
  filesOf,
  SYNTHETIC_NAME,
} from "./catalogue.ts";
import {
  type Connectome,
  connectomeOf,
  readSigns,
  signsOf,
} from "./connectome.ts";
import { nearestNames } from "../text/words.ts";
import {
  catalogued,
  embeddedConnectome,
  importConnectome,
  readMatrix,
} from "./decode.ts";
import { shapeText } from "./matrix_files.ts";

/** What messages call a connectome's file. */
const WHAT = { what: "the connectome" };

/** Where to look for a connectome. */
export interface LoadOptions {
  /** The folder of the user's connectomes (`path_to_network`); looked in first. */
  readonly folder?: string | undefined;
  /** Where downloads are kept; default {@linkcode systemCacheFolder}. */
  readonly cacheFolder?: string;
  /**
   * "file": rows of the file are taken for sources whatever the catalogue says, as the
   * original program does. Default "declared".
   */
  readonly orientation?: "declared" | "file";
  /** Is told what takes time, and what the user may not expect. */
  readonly onProgress?: (line: string) => void;
  /**
   * Default the system's `fetch`.
   *
   * @internal
   */
  readonly fetch?: Fetch;
}

/**
 * Loads a connectome: from the user's folder, else the embedded one, else from
 * the cache, else downloads it once from the address the catalogue pins.
 *
 * In a folder, the connectome NAME is the file `C_NAME.npy`, `.npz` (of
 * `scipy.sparse.save_npz`), `.csv` or `.tsv` for the weights, a row a region that
 * sends; `Names_NAME.lst` (or `.txt`) for the names of the regions, `ND_NAME.npy` for
 * the neuron densities, `D_NAME.npy` for the distances and `Signs_NAME.csv` for which
 * regions excite and which inhibit; the last four need not be there.
 *
 * @throws {InputError} If there is none of that name, it can't be read or can't be had.
 *
 * @example
 * ```ts
 * import { loadConnectome } from "@biornn/biornn";
 *
 * const { graph } = await loadConnectome("Synthetic_Macaque_29");
 * graph.weight.length; // 536 connections
 * ```
 */
export async function loadConnectome(
  name: string,
  options: LoadOptions = {},
): Promise<Connectome> {
  return catalogued(await findConnectome(name, options), options);
}

async function findConnectome(
  name: string,
  options: LoadOptions,
): Promise<Connectome> {
  const { folder, onProgress, cacheFolder = systemCacheFolder() } = options;
  safeName(name, { what: "the connectome's name" });
  if (folder !== undefined) {
    const found = await readConnectomeFolder(name, folder);
    if (found !== undefined) return found;
    const info = await Deno.stat(folder).catch(() => undefined);
    if (!info?.isDirectory) {
      onProgress?.(`note: path_to_network is no folder: ${folder}`);
    }
  }
  if (name === SYNTHETIC_NAME) return await embeddedConnectome();
  const entry = catalogueEntry(name);
  if (entry === undefined) throw await unknownConnectome(name, folder);
  const files = filesOf(entry).map(({ file }) => file);
  if (cacheFolder === undefined) {
    throw new InputError(
      `Cannot download the connectome "${name}": neither BIORNN_CACHE nor HOME says where to keep it; set BIORNN_CACHE, or put ${
        files.join(", ")
      } from ${addressOf(entry)} into the folder that path_to_network names`,
    );
  }
  if (!await isCached(entry, cacheFolder, onProgress)) {
    await downloadConnectome(entry, { ...options, cacheFolder });
  }
  // Files beside those that the catalogue lists were never checked.
  const found = await readConnectomeFolder(name, cacheFolder, files);
  if (found !== undefined) return found;
  throw new InputError(
    `Cannot read the connectome "${name}": its files have gone from ${cacheFolder}`,
  );
}

/** Ends of the files that hold a connectome's weights, in the order in which they are looked for. */
const MATRIX_ENDS = ["npy", "npz", "csv", "tsv"];

/**
 * @param files The files that may be read; all without it.
 * @returns undefined where the folder holds no such matrix.
 */
async function readConnectomeFolder(
  name: string,
  folder: string,
  files?: readonly string[],
): Promise<Connectome | undefined> {
  const there = await namesIn(folder);
  const find = (...candidates: readonly string[]) =>
    firstFile(
      folder,
      there,
      candidates.filter((file) => files?.includes(file) ?? true),
    );
  const entry = catalogueEntry(name);
  const published = entry?.files.weights.file ?? "";
  const isList = published !== "" && !published.startsWith("C_");
  const source = await find(
    ...MATRIX_ENDS.map((end) => `C_${name}.${end}`),
    ...(isList ? [published] : []),
  );
  if (source === undefined) return undefined;
  const file = sourceOfFile(source, WHAT);
  const { graph, regionNames: own } = isList && basename(source) === published
    ? await importConnectome(file, { types: entry?.types })
    : await readMatrix(file);
  const namesFile = await find(`Names_${name}.lst`, `Names_${name}.txt`);
  const regionNames = namesFile === undefined
    ? own
    : await readNames(namesFile);
  const signs = await find(`Signs_${name}.csv`);
  const density = await find(`ND_${name}.npy`);
  const distances = await find(`D_${name}.npy`);
  return connectomeOf({
    name,
    graph,
    regionNames,
    signs: signs === undefined ? undefined : signsOf(
      regionNames,
      await readSigns(sourceOfFile(signs, { what: "the signs" })),
    ),
    neuronDensity: await readNumbers(density, "the neuron densities", "vector"),
    distances: await readNumbers(distances, "the distances", "matrix"),
    // So are the names of what `connectome generate` writes.
    synthetic: name.startsWith("Synthetic_"),
    source,
    sha256: await sha256OfFile(source),
  });
}

/** Names of the connectomes in a folder, in alphabetical order; none where there is no such folder. */
export async function connectomesIn(folder: string): Promise<string[]> {
  const names = new Set<string>();
  for (const name of await namesIn(folder)) {
    const match = /^C_(.+)\.(?:npy|npz|csv|tsv)$/i.exec(name);
    if (match !== null) names.add(match[1]!.normalize());
    for (const entry of CATALOGUE) {
      if (entry.files.weights.file === name) names.add(entry.name);
    }
  }
  return [...names].sort();
}

/** Names of a folder's entries; none where it can't be listed. */
async function namesIn(folder: string): Promise<string[]> {
  const entries = await listFolder(folder).catch((error) => {
    // A folder that can't be listed has no names to offer.
    if (error instanceof InputError) return [];
    throw error;
  });
  return (entries ?? []).map(({ name }) => name);
}

/**
 * Path of the first of these files that is there; capitals of its ending do not matter, nor
 * whether accents are letters' own or stand beside them, as macOS writes them.
 */
async function firstFile(
  folder: string,
  there: readonly string[],
  candidates: readonly string[],
): Promise<string | undefined> {
  const plain = (name: string) =>
    name.normalize().replace(/\.[^.]*$/, (end) => end.toLowerCase());
  for (const name of candidates) {
    // What is there but can't be looked at is found, too: reading it says why.
    const isThere = await Deno.stat(join(folder, name)).then(
      () => true,
      (error) =>
        !(error instanceof Deno.errors.NotFound ||
          error instanceof Deno.errors.NotADirectory),
    );
    const found = isThere
      ? name
      : there.find((other) => plain(other) === plain(name));
    if (found !== undefined) return join(folder, found);
  }
  return undefined;
}

async function readNames(path: string): Promise<string[]> {
  const what = "the names of the regions";
  if (/\.lst$/i.test(path)) {
    return readNameList(await readFileBytes(path, { what }), { name: path });
  }
  const text = await readTextFile(path, { what });
  return text.split(/\r?\n/).map((line) => line.trim())
    .filter((line) => line !== "");
}

async function readNumbers(
  path: string | undefined,
  what: string,
  kind: "vector" | "matrix",
): Promise<Float64Array | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readFileBytes(path, { what });
  const { shape, data } = readNpy(bytes, { name: path });
  if (shape.length === (kind === "vector" ? 1 : 2)) return data;
  throw new InputError(
    `Cannot use ${what} "${path}": they must be a ${kind}, found the shape ${
      shapeText(shape)
    }`,
  );
}

/** Whether the cache holds every file of a connectome, each as the catalogue has it. */
async function isCached(
  entry: CatalogueEntry,
  folder: string,
  onProgress: LoadOptions["onProgress"],
): Promise<boolean> {
  for (const { file, sha256 } of filesOf(entry)) {
    const path = join(folder, file);
    const bytes = await readIfThere(path, { what: "the cached file" });
    if (bytes === undefined) return false;
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
    : `there is no C_${name}.npy, .npz, .csv or .tsv in "${folder}", and `;
  const meant = near.length === 0
    ? `known are ${known.slice(0, 20).join(", ")}`
    : `did you mean ${near.map((candidate) => `"${candidate}"`).join(" or ")}?`;
  return new InputError(
    `Cannot find the connectome "${name}": ${looked}the catalogue has none of that name; ${meant}`,
  );
}

/** Where a download goes, and how. */
export interface DownloadOptions
  extends Pick<LoadOptions, "onProgress" | "fetch"> {
  /** Folder the files are kept in; made where there is none. */
  readonly cacheFolder: string;
}

/**
 * Downloads all files of a connectome from the address the catalogue pins, and
 * keeps them where each has the size and the checksum that the catalogue says;
 * else nothing is kept.
 *
 * @throws {InputError} If the network, the server or the checksum is at fault;
 * says where to get the files and where to put them.
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
  const contents = new Map<string, Uint8Array>();
  for (const { file, bytes, sha256 } of files) {
    const address = `${addressOf(entry)}${file}`;
    try {
      contents.set(file, await download({ address, bytes, sha256 }, { fetch }));
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
  await makeFolder(cacheFolder).catch((cause) => {
    throw new InputError(
      `${cause.message}; set BIORNN_CACHE to a folder that can be written`,
      { cause },
    );
  });
  // The weights are last: where they lie, the other files lie too.
  for (const [file, content] of contents) {
    await writeFileWhole(join(cacheFolder, file), content);
  }
  onProgress?.(`kept the connectome ${entry.name} in ${cacheFolder}`);
}

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readChunks(path, WHAT)) hash.update(chunk);
  return hash.digest("hex");
}
