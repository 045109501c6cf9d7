/**
 * The road from a connectome to a trained network, as heat maps: regions, the
 * neurons made of them, and the recurrent weights before and after training.
 *
 * @module
 */

import {
  drawableText,
  type Drawing,
  HOVER,
  type Json,
  makeFigure,
  type Spec,
} from "./figure.ts";
import { number, quantity, text } from "./layers.ts";
import {
  type MatrixColors,
  matrixImage,
  type Networks,
  pngAddress,
  type SquareMatrix,
} from "./matrices.ts";
import { sixDigits } from "./series.ts";
import {
  DIVERGING,
  FIGURE_PIXELS,
  type FigureWidth,
  NO_CONNECTION,
  SEQUENTIAL,
  SMALL_TEXT,
} from "./theme.ts";

/** What a figure of networks shows. */
interface NetworkFigureOptions {
  readonly label: string;
  /** The combination whose weights are shown. */
  readonly combination: string;
  /** Whether every run's topology is a random one of its own. */
  readonly randomized: boolean;
  /** A name for each region; numbers stand for missing ones. */
  readonly regionNames: readonly string[];
  readonly width: FigureWidth;
}

interface Panel {
  readonly title: string;
  /** Undefined where all connections are alike. */
  readonly legend: string | undefined;
  readonly matrix: SquareMatrix;
  readonly colors: MatrixColors;
  /** What a row and a column are: those of a randomised network belong to no region. */
  readonly unit: "region" | "neuron";
}

/** Beyond this share of the weights, colours are saturated: a few large ones would pale all others. */
const SATURATED = 0.99;

/** Room for an axis with its title, and with the names of regions. */
const AXIS_PIXELS = 34;
const NAMES_PIXELS = 64;
/** Longest name of a region on an axis, in signs. */
const LONGEST_NAME = 9;

/** Tooltips are a row a pair of regions; beyond this many regions there are none. */
const MOST_TOOLTIP_REGIONS = 64;

/**
 * Draws the matrices that are there, rows = from, columns = to, in the order
 * of the connectome's regions.
 *
 * @returns undefined where there is none.
 */
export function networkFigure(
  networks: Networks,
  options: NetworkFigureOptions,
): Drawing | undefined {
  const panels = panelsOf(networks, options);
  if (panels.length === 0) return undefined;
  const total = FIGURE_PIXELS[options.width];
  const columns = Math.min(panels.length, 2);
  const side = Math.floor(total / columns) - 10 -
    (options.width === 85 ? AXIS_PIXELS : NAMES_PIXELS);
  const regions = networks.connectome?.size ??
    Math.max(1, options.regionNames.length);
  const pairs = pairRows(networks, { ...options, regions });
  const caption = `${options.label}: ${
    panels.map(({ title }) => title).join(", ")
  }; rows: from, columns: to (PyTorch's weight_hh is the transpose); grey: no connection. Recurrent weights of ${options.combination}, iteration 0${
    options.randomized
      ? "; each iteration has a randomised network of its own, whose neurons belong to no region"
      : "; neurons in the order of their regions"
  }.`;
  return makeFigure({
    section: "networks",
    title: `Networks of ${options.label}`,
    caption,
    width: total,
  }, {
    title: { text: options.label },
    datasets: { pairs },
    columns,
    spacing: 10,
    concat: panels.map((panel) =>
      panelSpec(panel, {
        side,
        regions,
        hover: pairs.length > 0,
        names: options.width === 178 ? options.regionNames : [],
      })
    ),
    resolve: {
      scale: { color: "independent" },
      legend: { color: "independent" },
    },
  });
}

function panelsOf(
  { connectome, network, initial, trained }: Networks,
  { randomized }: Pick<NetworkFigureOptions, "randomized">,
): Panel[] {
  const panels: Panel[] = [];
  const positive = (title: string, matrix: SquareMatrix | undefined) => {
    if (matrix === undefined) return;
    const colors = positiveColors(matrix);
    panels.push({
      title,
      legend: colors.log ? "weight (log scale)" : "weight",
      matrix,
      colors,
      unit: "region",
    });
  };
  positive("connectome", connectome);
  const models = [initial, trained].flatMap((m) => m === undefined ? [] : [m]);
  if (!randomized) positive("scaled network", network);
  else if (models[0] !== undefined) {
    const { size, values } = models[0].weights;
    panels.push({
      title: "randomised network, iteration 0",
      legend: undefined,
      matrix: {
        size,
        values: Float64Array.from(values, (weight) => weight === 0 ? 0 : 1),
      },
      colors: { colors: SEQUENTIAL, domain: [0, 1], log: false },
      unit: "neuron",
    });
  }
  const limit = saturation(models.map(({ weights }) => weights.values));
  for (const { weights, epoch } of models) {
    panels.push({
      title: epoch === "initial"
        ? "initial recurrent weights"
        : "trained recurrent weights",
      legend: "weight",
      matrix: weights,
      colors: { colors: DIVERGING, domain: [-limit, limit], log: false },
      unit: randomized ? "neuron" : "region",
    });
  }
  return panels;
}

function positiveColors({ values }: SquareMatrix): MatrixColors {
  let low = Infinity;
  let high = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(value > 0 && Number.isFinite(value))) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (high === 0) return { colors: SEQUENTIAL, domain: [0, 1], log: false };
  const log = high > 30 * low;
  // Splitting weights makes some astronomically small: six decades tell them apart, the rest is the palest colour.
  return {
    colors: SEQUENTIAL,
    domain: [log ? Math.max(low, high * 1e-6) : 0, high],
    log,
  };
}

/** The size that the given share of all weights stays below; never 0. */
function saturation(matrices: readonly ArrayLike<number>[]): number {
  const sizes: number[] = [];
  for (const values of matrices) {
    for (let i = 0; i < values.length; i++) {
      const size = Math.abs(values[i]!);
      if (size > 0 && Number.isFinite(size)) sizes.push(size);
    }
  }
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

/** A row a connected pair of regions, for tooltips. */
function pairRows(
  { connectome, network, initial, trained }: Networks,
  { regions, regionNames }: {
    regions: number;
    regionNames: readonly string[];
  },
): Json[] {
  if (regions > MOST_TOOLTIP_REGIONS) return [];
  const means = {
    connectome: connectome && blockMeans(connectome, regions),
    network: network && blockMeans(network, regions),
    initial: initial && blockMeans(initial.weights, regions),
    trained: trained && blockMeans(trained.weights, regions),
  };
  const rows: Json[] = [];
  const name = (i: number) => regionNames[i] ?? `region ${i + 1}`;
  for (let i = 0; i < regions; i++) {
    for (let j = 0; j < regions; j++) {
      const row: Record<string, Json> = { i, j, from: name(i), to: name(j) };
      let connected = false;
      for (const [key, values] of Object.entries(means)) {
        const value = values?.[i * regions + j];
        if (value === undefined || !Number.isFinite(value)) continue;
        if (value !== 0) connected = true;
        row[key] = sixDigits(value);
      }
      if (connected) rows.push(row);
    }
  }
  return rows;
}

/** The first region and about four more, at round numbers. */
function regionTicks(regions: number): number[] {
  const step = regionStep(regions);
  const ticks = [1];
  for (let i = step; i <= regions; i += step) if (i > 1) ticks.push(i);
  return ticks;
}

/** A round number of regions, of which about five make all. */
export function regionStep(regions: number): number {
  return [1, 2, 5, 10, 20, 50, 100, 200, 500]
    .find((size) => regions <= 5 * size) ?? 1000;
}

/** Up to four powers of ten in a range, or its ends where there are none. */
function powersOfTen(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last <= first) return [low, high];
  const step = Math.ceil((last - first + 1) / 4);
  const powers: number[] = [];
  for (let e = last; e >= first; e -= step) powers.unshift(10 ** e);
  return powers;
}

/** Names where there is room for each, else a few numbers. */
export function ticksOf(
  names: readonly string[],
  { units, side }: { units: number; side: number },
): Spec {
  if (names.length !== units || side / units < SMALL_TEXT) {
    return { values: regionTicks(units), format: "d" };
  }
  const short = names.map((name) => {
    const signs = [...drawableText(name)];
    return signs.length > LONGEST_NAME
      ? `${signs.slice(0, LONGEST_NAME - 1).join("")}…`
      : signs.join("");
  });
  return {
    values: names.map((_, i) => i + 1),
    labelExpr: `${JSON.stringify(short)}[datum.value - 1]`,
    labelFontSize: SMALL_TEXT,
    labelOverlap: false,
    ticks: false,
  };
}

function panelSpec(
  { title, legend, matrix, colors, unit }: Panel,
  { side, regions, hover, names }: {
    readonly side: number;
    readonly regions: number;
    readonly hover: boolean;
    readonly names: readonly string[];
  },
): Spec {
  const units = unit === "region" ? regions : matrix.size;
  const ticks = ticksOf(unit === "region" ? names : [], { units, side });
  return matrixPanel({
    title,
    legend,
    values: matrix.values,
    size: matrix.size,
    none: NO_CONNECTION,
    colors,
    x: { title: `to ${unit}`, units, pixels: side, ticks },
    y: { title: `from ${unit}`, units, pixels: side, ticks },
    hover: hover && unit === "region"
      ? [cellHover({ name: "pairs" }, PAIR_TOOLTIP)]
      : [],
  });
}

/** A side of a matrix. */
export interface MatrixAxis {
  readonly title: string;
  /** Cells as the axis counts them, from 1. */
  readonly units: number;
  readonly pixels: number;
  /** As of {@linkcode ticksOf}. */
  readonly ticks: Spec;
}

/** A matrix as a picture with axes and the legend of its colours. */
export function matrixPanel(
  { title, legend, values, size, columns = size, none, colors, x, y, hover }: {
    readonly title?: string;
    /** Undefined for none. */
    readonly legend: string | undefined;
    /** `[size, columns]`, row-major. */
    readonly values: ArrayLike<number>;
    readonly size: number;
    readonly columns?: number;
    /** `#rrggbb` of what is 0 or no number. */
    readonly none: string;
    readonly colors: MatrixColors;
    readonly x: MatrixAxis;
    readonly y: MatrixAxis;
    /** Layers for the mouse. */
    readonly hover: readonly Spec[];
  },
): Spec {
  const [low, high] = colors.domain;
  const place = (field: "x" | "y"): Spec => {
    const { title, units, ticks } = field === "x" ? x : y;
    return {
      field,
      type: "quantitative",
      title,
      scale: {
        domain: [0.5, units + 0.5],
        nice: false,
        reverse: field === "y",
      },
      axis: {
        grid: false,
        domain: false,
        offset: 1,
        ...ticks,
        ...(field === "x" && "labelFontSize" in ticks
          ? { labelAngle: -90, labelAlign: "right", labelBaseline: "middle" }
          : {}),
      },
    };
  };
  return {
    ...(title === undefined
      ? {}
      : { title: { text: title, anchor: "middle", offset: 4 } }),
    width: x.pixels,
    height: y.pixels,
    view: { stroke: "#bbbbbb", strokeWidth: 0.7 },
    layer: [
      {
        data: { values: [{}] },
        mark: {
          type: "image",
          width: x.pixels,
          height: y.pixels,
          aspect: false,
          smooth: false,
          align: "left",
          baseline: "top",
          aria: false,
        },
        encoding: {
          x: { value: 0 },
          y: { value: 0 },
          url: {
            value: pngAddress(
              matrixImage(values, { size, columns, none, ...colors }),
            ),
          },
        },
      },
      {
        // No mark to see: it carries the axes and the legend.
        data: {
          values: [
            { x: 1, y: 1, value: low },
            { x: x.units, y: y.units, value: high },
          ],
        },
        mark: {
          type: "point",
          size: 0,
          strokeWidth: 0,
          opacity: 1,
          aria: false,
        },
        encoding: {
          x: place("x"),
          y: place("y"),
          color: {
            field: "value",
            type: "quantitative",
            title: legend ?? null,
            scale: {
              type: colors.log ? "log" : "linear",
              domain: [low, high],
              range: [...colors.colors],
              // As the picture is made.
              interpolate: "rgb",
              nice: false,
              ...(colors.log ? {} : { zero: false }),
            },
            legend: legend === undefined ? null : {
              orient: "bottom",
              gradientLength: Math.round(x.pixels * 0.9),
              gradientThickness: 6,
              titleOrient: "top",
              ...(colors.log
                ? { values: powersOfTen(low, high), format: "~e" }
                : { tickCount: 3, format: "~g" }),
            },
          },
        },
      },
      ...hover,
    ],
  };
}

/** What is told of the cell under the mouse, of rows with its place `i` and `j`. */
export function cellHover(data: Spec, tooltip: readonly Spec[]): Spec {
  const edge = (as: string, calculate: string): Spec => ({ calculate, as });
  return {
    name: HOVER,
    data,
    transform: [
      edge("top", "datum.i + 0.5"),
      edge("bottom", "datum.i + 1.5"),
      edge("left", "datum.j + 0.5"),
      edge("right", "datum.j + 1.5"),
    ],
    mark: { type: "rect", fillOpacity: 0, aria: false },
    encoding: {
      x: quantity("left"),
      x2: { field: "right" },
      y: quantity("top"),
      y2: { field: "bottom" },
      tooltip,
    },
  };
}

const mean = (field: string, title: string) => number(field, title, ".3~g");

/** What is told of a pair of regions. */
const PAIR_TOOLTIP = [
  text("from", "from"),
  text("to", "to"),
  mean("connectome", "connectome"),
  mean("network", "mean of scaled network"),
  mean("initial", "mean size of initial weights"),
  mean("trained", "mean size of trained weights"),
];
