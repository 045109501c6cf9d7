/**
 * The road from a connectome to a trained network, as heat maps: regions, the
 * neurons made of them, and the recurrent weights before and after training.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readNpy } from "../files/npy.ts";
import { listFolder, readIfThere } from "../files/read.ts";
import { decodeSafetensors } from "../files/safetensors.ts";
import type { ExperimentRecord } from "../results/experiment_record.ts";
import {
  CONNECTOME_FILE,
  modelPath,
  NETWORK_FILE,
  parseModelName,
} from "../results/layout.ts";
import { readSound } from "../results/results_folder.ts";
import {
  DIVERGING,
  type Drawing,
  FIGURE_PIXELS,
  type FigureWidth,
  type Json,
  makeFigure,
  NO_CONNECTION,
  SEQUENTIAL,
  type Spec,
} from "./figure.ts";
import { number, text } from "./layers.ts";
import {
  cellHover,
  type MatrixColors,
  matrixPanel,
  nameTicks,
  regionStep,
} from "./matrices.ts";
import { sixDigits } from "./series.ts";

interface SquareMatrix {
  readonly size: number;
  /** `[size, size]`, row-major; row = from, column = to. */
  readonly values: ArrayLike<number>;
}

/** The matrices of a results folder that are there; folders of the original program have none of them. */
interface Networks {
  /** Regions. */
  readonly connectome: SquareMatrix | undefined;
  /** Neurons, those of a region side by side. */
  readonly network: SquareMatrix | undefined;
  /** W_hh transposed before and after training, so that rows are sources as in a connectome. */
  readonly initial: SquareMatrix | undefined;
  readonly trained: SquareMatrix | undefined;
  /** Neurons of a network too large to be drawn neuron by neuron: its files are sparse, and its matrices are left out. */
  readonly undrawnNeurons: number | undefined;
}

const WEIGHTS = "rnn.weight_hh_l0";
/** Where the rows of a sparse W_hh begin, and the last one ends. */
const SPARSE_ROWS = `${WEIGHTS}.crow_indices`;

/**
 * Reads the matrices that are there, of a combination the weights of iteration
 * 0, at first and at its last stored epoch.
 *
 * @throws {InputError} If a file is damaged.
 */
export async function readNetworks(
  folder: string,
  { combination }: { readonly combination: number },
): Promise<Networks> {
  const models = await listFolder(join(folder, String(combination))) ?? [];
  const epochs = models.flatMap(({ name }) => {
    const model = name.endsWith(".pth") ? undefined : parseModelName(name);
    return model?.iteration === 0 && model.epoch !== "initial"
      ? [model.epoch]
      : [];
  });
  const weightsAt = (epoch: number | "initial") =>
    readWeights(modelPath(folder, { combination, iteration: 0, epoch }));
  const initial = await weightsAt("initial");
  const trained = epochs.length === 0
    ? undefined
    : await weightsAt(Math.max(...epochs));
  const dense = (found: typeof initial) =>
    typeof found === "number" ? undefined : found;
  return {
    connectome: await readMatrix(folder, CONNECTOME_FILE),
    network: await readMatrix(folder, NETWORK_FILE),
    initial: dense(initial),
    trained: dense(trained),
    undrawnNeurons: [initial, trained].find((one) => typeof one === "number"),
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
  const bytes = await readSound(folder, { name, what: "the matrix" });
  if (bytes === undefined) return undefined;
  const { shape, data } = readNpy(bytes, { name: file });
  return { size: squareSide(shape, file), values: data };
}

/** The recurrent weights of a model; of one whose file has them sparse, the number of neurons alone. */
async function readWeights(
  file: string,
): Promise<SquareMatrix | number | undefined> {
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
  return { size, values };
}

interface Panel {
  readonly title: string;
  /** Undefined where all connections are alike. */
  readonly legend: string | undefined;
  readonly matrix: SquareMatrix;
  readonly colors: Omit<MatrixColors, "none">;
  /** What a row and a column are: those of a randomised network belong to no region. */
  readonly unit: "region" | "neuron";
}

const AXIS_PIXELS = 34;
const NAMES_PIXELS = 64;

/**
 * Draws the matrices that are there, rows = from, columns = to, in the order
 * of the connectome's regions.
 *
 * @returns undefined where there is none.
 */
export function networkFigure(
  networks: Networks,
  { label, combination, experiment, width }: {
    readonly label: string;
    readonly combination: string;
    readonly experiment: ExperimentRecord | undefined;
    readonly width: FigureWidth;
  },
): Drawing | undefined {
  // Every run's topology is a random one of its own.
  const randomized = experiment?.randomW === true;
  const regionNames = experiment?.connectome.regionNames ?? [];
  const panels = panelsOf(networks, randomized);
  if (panels.length === 0) return undefined;
  const total = FIGURE_PIXELS[width];
  const columns = Math.min(panels.length, 2);
  const pixels = Math.floor(total / columns) - 10 -
    (width === 85 ? AXIS_PIXELS : NAMES_PIXELS);
  const regions = networks.connectome?.size ?? Math.max(1, regionNames.length);
  const pairs = pairRows(networks, regions, regionNames);
  const titles = panels.map(({ title }) => title).join(", ");
  return makeFigure({
    section: "networks",
    title: `Networks of ${label}`,
    caption:
      `${label}: ${titles}; rows: from, columns: to (PyTorch's weight_hh is the transpose); grey: no connection. Recurrent weights of ${combination}, iteration 0${
        randomized
          ? "; each iteration has a randomised network of its own, whose neurons belong to no region"
          : "; neurons in the order of their regions"
      }.`,
    width: total,
  }, {
    title: { text: label },
    datasets: { pairs },
    columns,
    spacing: 10,
    concat: panels.map(({ title, legend, matrix, colors, unit }) => {
      const ofRegions = unit === "region";
      const units = ofRegions ? regions : matrix.size;
      const names = ofRegions && width === 178 ? regionNames : [];
      const ticks = nameTicks(names, { units, pixels }) ??
        { values: regionTicks(units), format: "d" };
      return matrixPanel(matrix.values, {
        ...colors,
        size: matrix.size,
        none: NO_CONNECTION,
        title,
        legend,
        x: { title: `to ${unit}`, units, pixels, ticks },
        y: { title: `from ${unit}`, units, pixels, ticks },
        hover: ofRegions && pairs.length > 0 ? [PAIR_HOVER] : [],
      });
    }),
    resolve: {
      scale: { color: "independent" },
      legend: { color: "independent" },
    },
  });
}

function panelsOf(
  { connectome, network, initial, trained }: Networks,
  randomized: boolean,
): Panel[] {
  const panels: Panel[] = [];
  const positive = (title: string, matrix: SquareMatrix | undefined) => {
    if (matrix === undefined) return;
    const colors = positiveColors(matrix);
    const legend = colors.log ? "weight (log scale)" : "weight";
    panels.push({ title, legend, matrix, colors, unit: "region" });
  };
  positive("connectome", connectome);
  const model = initial ?? trained;
  if (!randomized) positive("scaled network", network);
  else if (model !== undefined) {
    panels.push({
      title: "randomised network, iteration 0",
      legend: undefined,
      matrix: {
        size: model.size,
        values: Float64Array.from(model.values, (one) => one === 0 ? 0 : 1),
      },
      colors: { colors: SEQUENTIAL, domain: [0, 1] },
      unit: "neuron",
    });
  }
  const limit = saturation([initial, trained]);
  for (const [when, matrix] of Object.entries({ initial, trained })) {
    if (matrix === undefined) continue;
    panels.push({
      title: `${when} recurrent weights`,
      legend: "weight",
      matrix,
      colors: { colors: DIVERGING, domain: [-limit, limit] },
      unit: randomized ? "neuron" : "region",
    });
  }
  return panels;
}

function positiveColors({ values }: SquareMatrix): Panel["colors"] {
  let low = Infinity;
  let high = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value > 0 && Number.isFinite(value))) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (high === 0) return { colors: SEQUENTIAL, domain: [0, 1] };
  const log = high > 30 * low;
  // Splitting weights makes some astronomically small: six decades tell them apart, the rest is the palest colour.
  const least = log ? Math.max(low, high * 1e-6) : 0;
  return { colors: SEQUENTIAL, domain: [least, high], log };
}

/** Beyond this share of the weights, colours are saturated: a few large ones would pale all others. */
const SATURATED = 0.99;

/** The size that this share of all weights stays below; never 0. */
function saturation(matrices: readonly (SquareMatrix | undefined)[]): number {
  const sizes = matrices.flatMap((matrix) =>
    Array.from(matrix?.values ?? [], Math.abs)
  ).filter((size) => size > 0 && Number.isFinite(size));
  if (sizes.length === 0) return 1;
  const sorted = Float64Array.from(sizes).sort();
  const limit = sorted[Math.floor(SATURATED * (sorted.length - 1))]!;
  return Number(limit.toPrecision(2));
}

/** Mean size of the weights between two regions, zeros included. */
function blockMeans(
  { size, values }: SquareMatrix,
  regions: number,
): Float64Array {
  const sums = new Float64Array(regions * regions);
  const counts = new Float64Array(regions * regions);
  for (let i = 0; i < size; i++) {
    const row = Math.floor(i * regions / size) * regions;
    for (let j = 0; j < size; j++) {
      const pair = row + Math.floor(j * regions / size);
      sums[pair]! += Math.abs(values[i * size + j]!);
      counts[pair]!++;
    }
  }
  return sums.map((sum, pair) => sum / counts[pair]!);
}

/** Tooltips are a row a pair of regions; beyond this many regions there are none. */
const MOST_TOOLTIP_REGIONS = 64;

/** A row a connected pair of regions, for tooltips. */
function pairRows(
  { connectome, network, initial, trained }: Networks,
  regions: number,
  regionNames: readonly string[],
): Json[] {
  if (regions > MOST_TOOLTIP_REGIONS) return [];
  const means = Object.entries({ connectome, network, initial, trained })
    .flatMap(([key, matrix]) =>
      matrix ? [[key, blockMeans(matrix, regions)] as const] : []
    );
  const name = (i: number) => regionNames[i] ?? `region ${i + 1}`;
  return Array.from({ length: regions ** 2 }, (_, pair) => {
    const known = means.filter(([, values]) => Number.isFinite(values[pair]));
    if (known.every(([, values]) => values[pair] === 0)) return [];
    const [i, j] = [Math.floor(pair / regions), pair % regions];
    const sizes = known.map(([key, own]) => [key, sixDigits(own[pair]!)]);
    const row = { i, j, from: name(i), to: name(j) };
    return [{ ...row, ...Object.fromEntries(sizes) }];
  }).flat();
}

/** The first region and about four more, at round numbers. */
function regionTicks(regions: number): number[] {
  const step = regionStep(regions);
  const ticks = [1];
  for (let i = step; i <= regions; i += step) if (i > 1) ticks.push(i);
  return ticks;
}

const mean = (field: string, title: string) => number(field, title, ".3~g");

const PAIR_HOVER: Spec = cellHover({ name: "pairs" }, [
  text("from"),
  text("to"),
  mean("connectome", "connectome"),
  mean("network", "mean of scaled network"),
  mean("initial", "mean size of initial weights"),
  mean("trained", "mean size of trained weights"),
]);
