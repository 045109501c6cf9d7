/**
 * The pictures, or their latent vectors, that a task shows: from the user's
 * file, from the original's source, or synthetic.
 *
 * @module
 */

import { basename, dirname, extname, join } from "node:path";
import {
  cacheFolder as systemCacheFolder,
  download,
  DownloadError,
  type Fetch,
  type KnownFile,
} from "../files/download.ts";
import { sha256Hex } from "../files/bytes.ts";
import { isGzip, readIdx } from "../files/idx.ts";
import { InputError } from "../files/input_error.ts";
import { readNpy } from "../files/npy.ts";
import { readFileBytes, readIfThere } from "../files/read.ts";
import { isTensor, readTorchFile } from "../files/torch.ts";
import { makeFolder, writeFileWhole } from "../files/write.ts";
import { encodeLatents, syntheticDigits } from "./synthetic_stimuli.ts";
import type { Stimuli } from "./task.ts";

type Kind = "latents" | "images";

/**
 * Loads latents ([count, 50]) or images ([count, 784], pixels from 0 to 255)
 * with their labels. A file may be
 *
 * - `.npy`: `NAME.npy`, [count, …], with the labels, [count], in `NAME_labels.npy` beside it;
 * - `.pt`: PyTorch's file of a tuple (latents or images, labels), as the original has it;
 * - IDX, as MNIST comes: `…images-idx3-ubyte`, with `…labels-idx1-ubyte` beside it, both packed (`.gz`) or not.
 *
 * "download" gets the original's latents from their source, once. Without a
 * file, digits are drawn and encoded by a program: synthetic, and named so.
 *
 * @throws {InputError} If a file can't be read or does not fit, or the download fails.
 */
export async function loadStimuli(
  kind: Kind,
  { file, seed, ...downloading }: DownloadOptions & {
    /** `[paths] latents` or `images`: a file, or "download"; undefined: synthetic. */
    readonly file?: string;
    /** Seed of the experiment, for synthetic stimuli. */
    readonly seed: number;
  },
): Promise<Stimuli> {
  if (file === undefined) {
    const digits = syntheticDigits({ seed });
    return kind === "images" ? digits : encodeLatents(digits);
  }
  if (file !== "download") {
    const bytes = await readFileBytes(file, { what: `the ${kind}` });
    return stimuliOf(kind, await readTables(kind, file, bytes));
  }
  if (kind === "images") {
    throw new InputError(
      'Cannot use "download" for [paths] images: there is no source for them; name a file (.npy, .pt or IDX, such as t10k-images-idx3-ubyte), or leave it out for synthetic digits',
    );
  }
  const { bytes, name } = await downloadLatents(downloading);
  return stimuliOf(kind, await readTables(kind, name, bytes));
}

interface Table {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  readonly name: string;
}

/** Stimuli and labels. The content decides which format a file has, not the name. */
async function readTables(
  kind: Kind,
  file: string,
  bytes: Uint8Array,
): Promise<[Table, Table]> {
  const [first, second] = bytes;
  if ((first === 0x50 && second === 0x4b) || first === 0x80) {
    return torchTables(bytes, file);
  }
  const isNpy = first === 0x93 && second === 0x4e;
  if (!isNpy && !(first === 0 && second === 0) && !isGzip(bytes)) {
    throw new InputError(
      `Cannot read the ${kind} "${file}": it is neither NumPy's .npy, nor PyTorch's .pt, nor an IDX file as MNIST's are`,
    );
  }
  const read = isNpy ? readNpy : readIdx;
  const labelsFile = isNpy ? npyLabelsFile(file) : idxLabelsFile(file);
  const labels = await readFileBytes(labelsFile, {
    what: `the labels of "${file}" from`,
  });
  return [
    { ...read(bytes, { name: file }), name: file },
    { ...read(labels, { name: labelsFile }), name: labelsFile },
  ];
}

function npyLabelsFile(file: string): string {
  const extension = extname(file);
  const stem = basename(file, extension);
  return join(dirname(file), `${stem}_labels${extension}`);
}

/** `t10k-labels-idx1-ubyte` for `t10k-images-idx3-ubyte`, as MNIST's files are named. */
function idxLabelsFile(file: string): string {
  const name = basename(file);
  if (!name.includes("images")) {
    throw new InputError(
      `Cannot find the labels of "${file}": the name of an IDX file must hold "images", as t10k-images-idx3-ubyte does, with its labels in t10k-labels-idx1-ubyte beside it`,
    );
  }
  return join(
    dirname(file),
    name.replace("images", "labels").replace("idx3", "idx1"),
  );
}

/** The original's file: a tuple of the vectors and their labels. */
function torchTables(bytes: Uint8Array, file: string): [Table, Table] {
  const saved = readTorchFile(bytes, { name: file });
  const [values, labels] = Array.isArray(saved) ? saved : [];
  if (
    !Array.isArray(saved) || saved.length !== 2 ||
    !isTensor(values) || !isTensor(labels)
  ) {
    throw new InputError(
      `Cannot use "${file}": it must hold a tuple of two tensors, the vectors and their labels`,
    );
  }
  return [{ ...values, name: file }, { ...labels, name: file }];
}

function stimuliOf(
  kind: Kind,
  [values, labels]: [Table, Table],
): Stimuli {
  const { name } = values;
  const fail = (what: string): never => {
    throw new InputError(`Cannot use the ${kind} "${name}": ${what}`);
  };
  const [count = 0, ...rest] = values.shape;
  const size = rest.reduce((product, length) => product * length, 1);
  if (rest.length === 0 || count === 0 || size === 0) {
    fail(`their shape is [${values.shape}], but [count, …] is needed`);
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    fail(
      `there are ${count} of them, but the labels${
        labels.name === name ? "" : ` in "${labels.name}"`
      } are of shape [${labels.shape}]`,
    );
  }
  const own = Float32Array.from(values.data);
  const isImages = kind === "images";
  const [least, most] = isImages
    ? [0, 255]
    : [-Number.MAX_VALUE, Number.MAX_VALUE];
  for (const value of own) {
    // NaN fails both comparisons.
    if (value >= least && value <= most) continue;
    if (!isImages) fail(`one of the numbers is ${value}`);
    fail(
      `a pixel is ${value}, but pixels go from 0 to 255${
        value < 0
          ? ' (or from 0 to 1 with "rescale": False); undo the normalisation that made them negative'
          : ""
      }`,
    );
  }
  for (let i = 0; i < count; i++) {
    const label = labels.data[i]!;
    if (Number.isInteger(label) && label >= 0 && label <= 255) continue;
    fail(`label ${i} is ${label}, but labels are whole numbers from 0 to 255`);
  }
  return {
    size,
    count,
    values: own,
    labels: Uint8Array.from(labels.data),
    source: name,
    synthetic: false,
  };
}

/** The original's file of latents, and its name in the cache. */
const FILE = "mnist_latent_output_labels.pt";

/**
 * 50 features of each picture of MNIST's test set (Y. LeCun, C. Cortes,
 * C. J. C. Burges), by A. Goulas, F. Damicelli, C. C. Hilgetag,
 * https://doi.org/10.1016/j.neunet.2021.07.011. The repository they come from
 * states no licence, so they are not part of this one.
 */
const SOURCE: KnownFile = {
  address:
    `https://raw.githubusercontent.com/AlGoulas/bio_rnn_mem/f9ca6a0a51c089df3304f4bb88e6e67f305e55c9/latent_mnist/${FILE}`,
  bytes: 2_080_466,
  sha256: "2459db237e9262ed112f4c193949278375081126bfcb611f9866f8bc6ab9ce7d",
};

interface DownloadOptions {
  /** Where downloads are kept; default {@linkcode systemCacheFolder}. */
  readonly cacheFolder?: string;
  /** Is told what takes time. */
  readonly onProgress?: (line: string) => void;
  /** Default the system's `fetch`. */
  readonly fetch?: Fetch;
}

/**
 * The original's file of latents, from the cache or from its source.
 *
 * @throws {InputError} If it can't be downloaded, with where to get it otherwise.
 */
async function downloadLatents(
  { cacheFolder = systemCacheFolder(), onProgress, fetch }: DownloadOptions,
): Promise<{ bytes: Uint8Array; name: string }> {
  const name = join(cacheFolder ?? "", FILE);
  const cached = cacheFolder === undefined
    ? undefined
    : await readIfThere(name, { what: "the cached latents" });
  if (cached !== undefined && await sha256Hex(cached) === SOURCE.sha256) {
    return { bytes: cached, name };
  }
  onProgress?.(
    `downloading the latents of MNIST, ${
      Math.ceil(SOURCE.bytes / 1024)
    } KiB, from ${SOURCE.address}`,
  );
  const bytes = await download(SOURCE, { fetch }).catch((error) => {
    if (!(error instanceof DownloadError)) throw error;
    throw new InputError(
      `Cannot download the latents ${FILE}: ${error.message}; get the file from ${SOURCE.address} on another way and name it in [paths] latents, or leave latents empty for synthetic ones`,
      { cause: error },
    );
  });
  if (cacheFolder !== undefined) {
    await makeFolder(cacheFolder);
    await writeFileWhole(name, bytes);
  }
  return { bytes, name };
}
