/**
 * Matrices of a results folder: the connectome of an experiment, the network
 * that was made of it, the recurrent weights before and after training; and
 * pictures of them, a cell a colour, as PNG inside a figure. As vector marks,
 * a network of 220 neurons would be 48 400 rectangles.
 *
 * Format: https://www.w3.org/TR/png-3/
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
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
  readonly undrawnNeurons: number | undefined;
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
    undrawnNeurons: undrawn,
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
      values[from * size + to] = data[to * size + from]!;
    }
  }
  return { weights: { size, values }, epoch };
}

/** Red, green, blue, 0 to 255. */
type Rgb = readonly [number, number, number];

/** A picture without transparency. */
interface Picture {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`, numbers of the palette's colours, or `[height, width, 4]`: red, green, blue, and what is ignored. */
  readonly pixels: Uint8Array;
  /** At most 256 colours. */
  readonly palette?: readonly Rgb[];
  /** How large it is to be printed. */
  readonly pixelsPerMetre?: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Kinds of pixels. */
const RGB = 2;
const INDEXED = 3;

/** Big-endian. */
function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, number] of numbers.entries()) {
    bytes.writeUInt32BE(number, 4 * i);
  }
  return bytes;
}

function chunk(type: string, ...data: readonly Uint8Array[]): Buffer {
  const named = Buffer.concat([Buffer.from(type), ...data]);
  return Buffer.concat([words(named.length - 4), named, words(crc32(named))]);
}

export function encodePng(
  { width, height, pixels, palette, pixelsPerMetre }: Picture,
): Buffer {
  const size = palette === undefined ? 3 : 1;
  // Each row begins with the number of its filter: none, which is best for lines on white.
  const rows = new Uint8Array(height * (1 + size * width));
  for (let y = 0, to = 0; y < height; y++) {
    to++;
    for (let i = y * width; i < (y + 1) * width; i++) {
      if (size === 1) rows[to++] = pixels[i]!;
      else for (let k = 0; k < 3; k++) rows[to++] = pixels[4 * i + k]!;
    }
  }
  const kind = palette === undefined ? RGB : INDEXED;
  return Buffer.concat([
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", words(width, height), Uint8Array.of(8, kind, 0, 0, 0)),
    ...(pixelsPerMetre === undefined ? [] : [
      chunk("pHYs", words(pixelsPerMetre, pixelsPerMetre), Uint8Array.of(1)),
    ]),
    ...(palette ? [chunk("PLTE", Uint8Array.from(palette.flat()))] : []),
    chunk("IDAT", deflateSync(rows, { level: palette ? 9 : 6 })),
    chunk("IEND"),
  ]);
}

/** The same as an address that holds the whole picture. */
export function pngAddress(picture: Picture): string {
  return `data:image/png;base64,${encodePng(picture).toString("base64")}`;
}

/** `#rrggbb` in numbers. */
function rgbOf(color: string): Rgb {
  const value = parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/**
 * Evenly spaced colours from the first to the last.
 *
 * @param colors `#rrggbb`, two at least.
 */
function ramp(colors: readonly string[], count: number): Rgb[] {
  const stops = colors.map(rgbOf);
  return Array.from({ length: count }, (_, i) => {
    const place = count === 1 ? 0 : i / (count - 1) * (stops.length - 1);
    const left = Math.min(Math.floor(place), stops.length - 2);
    const share = place - left;
    const [from, to] = [stops[left] as Rgb, stops[left + 1] as Rgb];
    const mix = (k: 0 | 1 | 2) =>
      Math.round(from[k] + (to[k] - from[k]) * share);
    return [mix(0), mix(1), mix(2)];
  });
}

/** How numbers become colours. */
export interface MatrixColors {
  /** `#rrggbb`, from the lowest number to the highest. */
  readonly colors: readonly string[];
  /** Numbers of the first and the last colour; those beyond get these. */
  readonly domain: readonly [number, number];
  /** Whether colours are spaced by the numbers' logarithms. */
  readonly log: boolean;
}

/** A picture need not be finer than this: 40 mm at 600 dots an inch. */
export const MOST_PIXELS = 960;
/** Programs that smooth pictures do no harm to cells that are several pixels wide. */
const FEWEST_PIXELS = 360;

/**
 * Draws a matrix. Zeros have a colour of their own: there is no connection. Where there
 * are more cells than pixels, a pixel has the largest number, by its size, of
 * its cells.
 *
 * @param values `[rows, columns]`, row-major; rows from top to bottom.
 */
export function matrixImage(
  values: ArrayLike<number>,
  { size: rows, columns = rows, none, colors, domain, log }: MatrixColors & {
    /** Rows, and columns where there are as many. */
    readonly size: number;
    readonly columns?: number;
    /** `#rrggbb` of what is 0 or no number. */
    readonly none: string;
  },
): Picture {
  const tall = Math.min(rows, MOST_PIXELS);
  const wide = Math.min(columns, MOST_PIXELS);
  const cells = rows > tall || columns > wide
    ? reduce(values, { rows, columns, tall, wide })
    : values;
  const place = log ? Math.log : (value: number) => value;
  const [low, high] = [place(domain[0]), place(domain[1])];
  const scaleOf = (side: number) =>
    Math.max(1, Math.ceil(FEWEST_PIXELS / side));
  const [across, down] = [scaleOf(wide), scaleOf(tall)];
  const width = wide * across;
  const pixels = new Uint8Array(width * tall * down);
  for (let i = 0; i < tall; i++) {
    for (let j = 0; j < wide; j++) {
      const value = cells[i * wide + j]!;
      if (value === 0 || !Number.isFinite(value)) continue;
      const share = high > low ? (place(value) - low) / (high - low) : 1;
      const color = 1 + Math.round(254 * Math.min(1, Math.max(0, share)));
      for (let y = i * down; y < (i + 1) * down; y++) {
        const from = y * width + j * across;
        pixels.fill(color, from, from + across);
      }
    }
  }
  return {
    width,
    height: tall * down,
    pixels,
    palette: [rgbOf(none), ...ramp(colors, 255)],
  };
}

function reduce(
  values: ArrayLike<number>,
  { rows, columns, tall, wide }: {
    rows: number;
    columns: number;
    tall: number;
    wide: number;
  },
): Float64Array {
  const cells = new Float64Array(tall * wide);
  for (let i = 0; i < rows; i++) {
    const row = Math.floor(i * tall / rows);
    for (let j = 0; j < columns; j++) {
      const cell = row * wide + Math.floor(j * wide / columns);
      const value = values[i * columns + j]!;
      if (Math.abs(value) > Math.abs(cells[cell]!)) {
        cells[cell] = value;
      }
    }
  }
  return cells;
}
