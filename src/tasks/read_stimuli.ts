/**
 * Reads pictures or latent vectors, and their labels, from a user's file.
 *
 * @module
 */

import { basename, dirname, extname, join } from "node:path";
import { isGzip } from "../files/gzip.ts";
import { readIdx } from "../files/idx.ts";
import { InputError } from "../files/input_error.ts";
import { readNpy } from "../files/npy.ts";
import { readFileBytes } from "../files/read_file.ts";
import { readTorchFile } from "../files/torch_file.ts";
import type { TorchTensor, TorchValue } from "../files/torch_value.ts";
import type { Stimuli } from "./task.ts";

/** What is read. */
export interface ReadStimuliOptions {
  readonly kind: "latents" | "images";
  /** Path of the file the bytes are of; labels may lie beside it. */
  readonly file: string;
}

/** Numbers with a shape, and where they are from. */
interface Table {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  readonly name: string;
}

/**
 * Reads stimuli; `loadStimuli` says which formats there are. The content
 * decides which one it is, not the name.
 *
 * @throws {InputError} If the file or its labels can't be read or do not fit.
 */
export async function readStimuli(
  bytes: Uint8Array,
  { kind, file }: ReadStimuliOptions,
): Promise<Stimuli> {
  const [first, second] = bytes;
  if (first === 0x93 && second === 0x4e) {
    const labelsFile = npyLabelsFile(file);
    const labels = await readFileBytes(labelsFile, {
      what: `the labels of "${file}" from`,
    });
    return stimuliOf(kind, [
      { ...readNpy(bytes, { name: file }), name: file },
      { ...readNpy(labels, { name: labelsFile }), name: labelsFile },
    ]);
  }
  if ((first === 0x50 && second === 0x4b) || first === 0x80) {
    return stimuliOf(kind, torchTables(bytes, file));
  }
  if ((first === 0 && second === 0) || isGzip(bytes)) {
    const labelsFile = idxLabelsFile(file);
    const labels = await readFileBytes(labelsFile, {
      what: `the labels of "${file}" from`,
    });
    return stimuliOf(kind, [
      { ...readIdx(bytes, { name: file }), name: file },
      { ...readIdx(labels, { name: labelsFile }), name: labelsFile },
    ]);
  }
  throw new InputError(
    `Cannot read the ${kind} "${file}": it is neither NumPy's .npy, nor PyTorch's .pt, nor an IDX file as MNIST's are`,
  );
}

/** `NAME_labels.npy` for `NAME.npy`. */
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

function isTensor(value: TorchValue | undefined): value is TorchTensor {
  return typeof value === "object" && value !== null &&
    !(value instanceof Map) && !(value instanceof Uint8Array) &&
    !Array.isArray(value);
}

function stimuliOf(
  kind: "latents" | "images",
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
  const most = kind === "images" ? 255 : Number.MAX_VALUE;
  const least = kind === "images" ? 0 : -Number.MAX_VALUE;
  for (const value of own) {
    // NaN fails both comparisons.
    if (value >= least && value <= most) continue;
    fail(
      kind === "images"
        ? `a pixel is ${value}, but pixels go from 0 to 255`
        : `one of the numbers is ${value}`,
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
