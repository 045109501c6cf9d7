/**
 * Reads the matrices behind an experiment: its connectome, the network that
 * was made of it, and the recurrent weights before and after training.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readNpy } from "../files/npy.ts";
import { listFolder, readIfThere } from "../files/read.ts";
import { decodeSafetensors } from "../files/safetensors.ts";
import {
  CONNECTOME_FILE,
  modelName,
  NETWORK_FILE,
  parseModelName,
} from "../results/layout.ts";
import { refuseDamaged } from "../results/results_folder.ts";

/** A square matrix. */
export interface SquareMatrix {
  readonly size: number;
  /** `[size, size]`, row-major; row = from, column = to. */
  readonly values: ArrayLike<number>;
}

/** Recurrent weights of one model. */
export interface RecurrentWeights {
  /** W_hh transposed, so that rows are sources as in a connectome. */
  readonly weights: SquareMatrix;
  /** The epoch after which they were stored, counted from 0. */
  readonly epoch: number | "initial";
}

/** The matrices of a results folder; folders of the original program have none of them. */
export interface Networks {
  /** Regions. */
  readonly connectome: SquareMatrix | undefined;
  /** Neurons, those of a region side by side. */
  readonly network: SquareMatrix | undefined;
  readonly initial: RecurrentWeights | undefined;
  readonly trained: RecurrentWeights | undefined;
  /** Neurons of a network too large to be drawn neuron by neuron: its files are sparse, and its matrices are left out. */
  readonly undrawnNeurons?: number;
}

const WEIGHTS = "rnn.weight_hh_l0";
/** Where the rows of a sparse W_hh begin, and the last one ends. */
const SPARSE_ROWS = `${WEIGHTS}.crow_indices`;

/**
 * Reads the matrices that are there.
 *
 * @param folder A results folder.
 * @param options `combination`: whose weights are read, of iteration 0, at its last stored epoch.
 * @throws {InputError} If a file is damaged.
 *
 * @example
 * ```ts no-eval
 * import { readNetworks } from "./src/viz/read_networks.ts";
 *
 * const { connectome } = await readNetworks("results/bio", { combination: 0 });
 * connectome?.size; // 29 regions
 * ```
 */
export async function readNetworks(
  folder: string,
  { combination }: { readonly combination: number },
): Promise<Networks> {
  const models = join(folder, String(combination));
  const epochs = (await listFolder(models) ?? []).flatMap(({ name }) => {
    const model = name.endsWith(".pth") ? undefined : parseModelName(name);
    return model?.iteration === 0 && model.epoch !== "initial"
      ? [model.epoch]
      : [];
  });
  const read = (epoch: number | "initial") =>
    readWeights(join(models, modelName({ epoch, iteration: 0 })), epoch);
  const initial = await read("initial");
  const trained = epochs.length === 0
    ? undefined
    : await read(Math.max(...epochs));
  const undrawn = [initial, trained].find((found) => typeof found === "number");
  return {
    connectome: await readMatrix(folder, CONNECTOME_FILE),
    network: await readMatrix(folder, NETWORK_FILE),
    initial: typeof initial === "number" ? undefined : initial,
    trained: typeof trained === "number" ? undefined : trained,
    ...(undrawn === undefined ? {} : { undrawnNeurons: undrawn }),
  };
}

function squareSide(shape: readonly number[], file: string): number {
  const [rows, columns] = shape;
  if (shape.length === 2 && rows !== undefined && rows === columns) return rows;
  throw new InputError(
    `Cannot read "${file}": its matrix must be square, found shape (${
      shape.join(", ")
    })`,
  );
}

async function readMatrix(
  folder: string,
  name: string,
): Promise<SquareMatrix | undefined> {
  const file = join(folder, name);
  const bytes = await readIfThere(file, { what: "the matrix" });
  if (bytes === undefined) return undefined;
  await refuseDamaged(folder, { name, bytes });
  const { shape, data } = readNpy(bytes, { name: file });
  return { size: squareSide(shape, file), values: data };
}

/** The recurrent weights of a model; of one whose file has them sparse, the number of neurons alone. */
async function readWeights(
  file: string,
  epoch: RecurrentWeights["epoch"],
): Promise<RecurrentWeights | number | undefined> {
  const bytes = await readIfThere(file, { what: "the model" });
  if (bytes === undefined) return undefined;
  const { tensors } = decodeSafetensors(bytes, { name: file });
  const rows = tensors.find(({ name }) => name === SPARSE_ROWS);
  if (rows !== undefined) return rows.data.length - 1;
  const tensor = tensors.find(({ name }) => name === WEIGHTS);
  if (tensor === undefined) {
    throw new InputError(`Cannot read "${file}": it has no tensor ${WEIGHTS}`);
  }
  const { shape, data } = tensor;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new InputError(
      `Cannot read "${file}": its tensor ${WEIGHTS} must hold numbers in single or double precision`,
    );
  }
  const size = squareSide(shape, file);
  const values = new Float64Array(size * size);
  for (let to = 0; to < size; to++) {
    for (let from = 0; from < size; from++) {
      values[from * size + to] = data[to * size + from] as number;
    }
  }
  return { weights: { size, values }, epoch };
}
