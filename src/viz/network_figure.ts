/**
 * The road from a connectome to a trained network, as heat maps: regions, the
 * neurons made of them, and the recurrent weights before and after training.
 *
 * @module
 */

import { type Figure, HOVER, type Json, SCHEMA, type Spec } from "./figure.ts";
import { type MatrixColors, matrixImage, pngAddress } from "./raster.ts";
import type { Networks, SquareMatrix } from "./read_networks.ts";
import {
  DIVERGING,
  FIGURE_PIXELS,
  type FigureWidth,
  SEQUENTIAL,
  themeConfig,
} from "./theme.ts";
import { sixDigits } from "./thin.ts";

/** What a figure of networks shows. */
export interface NetworkFigureOptions {
  readonly name: string;
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
  readonly legend: string;
  readonly matrix: SquareMatrix;
  readonly colors: MatrixColors;
}

/** Beyond this share of the weights, colours are saturated: a few large ones would pale all others. */
const SATURATED = 0.99;

/** Room for an axis with its title. */
const AXIS_PIXELS = 34;

/** Tooltips are a row a pair of regions; beyond this many regions there are none. */
const MOST_TOOLTIP_REGIONS = 64;

/**
 * Draws the matrices that are there, rows = from, columns = to, in the order
 * of the connectome's regions.
 *
 * @returns undefined where there is none.
 *
 * @example
 * ```ts
 * import { networkFigure } from "./src/viz/network_figure.ts";
 *
 * networkFigure(
 *   {
 *     connectome: { size: 2, values: [0, 0.5, 0.2, 0] },
 *     network: undefined,
 *     initial: undefined,
 *     trained: undefined,
 *   },
 *   {
 *     name: "networks_bio",
 *     label: "bio",
 *     combination: "(0.001, 'relu', 'Adam', 3)",
 *     randomized: false,
 *     regionNames: ["V1", "V2"],
 *     width: "two",
 *   },
 * );
 * ```
 */
export function networkFigure(
  networks: Networks,
  options: NetworkFigureOptions,
): Figure | undefined {
  const panels = panelsOf(networks);
  if (panels.length === 0) return undefined;
  const total = FIGURE_PIXELS[options.width];
  const columns = Math.min(panels.length, options.width === "one" ? 2 : 4);
  const side = Math.min(
    Math.floor(total / columns) - AXIS_PIXELS - 8,
    Math.round(total * 0.42),
  );
  const regions = networks.connectome?.size ??
    Math.max(1, options.regionNames.length);
  const pairs = pairRows(networks, { ...options, regions });
  const caption = `${options.label}: ${
    panels.map(({ title }) => title).join(", ")
  }; rows: from, columns: to; neurons in the order of their regions; white: no connection. W_hh of ${options.combination}, iteration 0${
    options.randomized
      ? ", whose topology is a randomisation of the scaled network"
      : ""
  }.`;
  return {
    name: options.name,
    section: "networks",
    title: `Networks of ${options.label}`,
    caption,
    width: total,
    spec: {
      $schema: SCHEMA,
      description: caption,
      config: themeConfig() as Spec,
      title: { text: options.label },
      datasets: { pairs },
      columns,
      spacing: 10,
      concat: panels.map((panel) =>
        panelSpec(panel, { side, regions, hover: pairs.length > 0 })
      ),
      resolve: {
        scale: { color: "independent" },
        legend: { color: "independent" },
      },
    },
  };
}

function panelsOf(
  { connectome, network, initial, trained }: Networks,
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
    });
  };
  positive("connectome", connectome);
  positive("scaled network", network);
  const models = [initial, trained].flatMap((m) => m === undefined ? [] : [m]);
  const limit = saturation(models.map(({ weights }) => weights.values));
  for (const { weights, epoch } of models) {
    panels.push({
      title: epoch === "initial" ? "initial W_hh" : "trained W_hh",
      legend: "weight",
      matrix: weights,
      colors: { colors: DIVERGING, domain: [-limit, limit], log: false },
    });
  }
  return panels;
}

function positiveColors({ values }: SquareMatrix): MatrixColors {
  let low = Infinity;
  let high = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
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
      const size = Math.abs(values[i] as number);
      if (size > 0 && Number.isFinite(size)) sizes.push(size);
    }
  }
  if (sizes.length === 0) return 1;
  const sorted = Float64Array.from(sizes).sort();
  const limit = sorted[Math.floor(SATURATED * (sorted.length - 1))] as number;
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
      sums[pair] = (sums[pair] as number) +
        Math.abs(values[i * size + j] as number);
      counts[pair] = (counts[pair] as number) + 1;
    }
  }
  return sums.map((sum, pair) => sum / (counts[pair] as number));
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
  const step =
    [1, 2, 5, 10, 20, 50, 100, 200, 500].find((size) => regions <= 5 * size) ??
      1000;
  const ticks = [1];
  for (let i = step; i <= regions; i += step) if (i > 1) ticks.push(i);
  return ticks;
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

function panelSpec(
  { title, legend, matrix, colors }: Panel,
  { side, regions, hover }: { side: number; regions: number; hover: boolean },
): Spec {
  const [low, high] = colors.domain;
  const place = (field: string, title: string): Spec => ({
    field,
    type: "quantitative",
    title,
    scale: {
      domain: [0.5, regions + 0.5],
      nice: false,
      reverse: field === "y",
    },
    axis: {
      grid: false,
      values: regionTicks(regions),
      domain: false,
      offset: 1,
    },
  });
  return {
    title: { text: title, anchor: "middle", offset: 4 },
    width: side,
    height: side,
    view: { stroke: "#bbbbbb", strokeWidth: 0.7 },
    layer: [
      {
        data: { values: [{}] },
        mark: {
          type: "image",
          width: side,
          height: side,
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
              matrixImage(matrix.values, { size: matrix.size, ...colors }),
            ),
          },
        },
      },
      {
        // No mark to see: it carries the axes and the legend.
        data: {
          values: [
            { x: 1, y: 1, value: low },
            { x: regions, y: regions, value: high },
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
          x: place("x", "to region"),
          y: place("y", "from region"),
          color: {
            field: "value",
            type: "quantitative",
            title: legend,
            scale: {
              type: colors.log ? "log" : "linear",
              domain: [low, high],
              range: [...colors.colors],
              nice: false,
              ...(colors.log ? {} : { zero: false }),
            },
            legend: {
              orient: "bottom",
              gradientLength: Math.round(side * 0.9),
              gradientThickness: 6,
              titleOrient: "top",
              ...(colors.log
                ? { values: powersOfTen(low, high), format: "~e" }
                : { tickCount: 3, format: "~g" }),
            },
          },
        },
      },
      ...(hover ? [hoverLayer()] : []),
    ],
  };
}

function hoverLayer(): Spec {
  const number = (field: string, title: string): Spec => ({
    field,
    title,
    type: "quantitative",
    format: ".3~g",
  });
  return {
    name: HOVER,
    data: { name: "pairs" },
    transform: [
      { calculate: "datum.i + 0.5", as: "top" },
      { calculate: "datum.i + 1.5", as: "bottom" },
      { calculate: "datum.j + 0.5", as: "left" },
      { calculate: "datum.j + 1.5", as: "right" },
    ],
    mark: { type: "rect", fillOpacity: 0, aria: false },
    encoding: {
      x: { field: "left", type: "quantitative" },
      x2: { field: "right" },
      y: { field: "top", type: "quantitative" },
      y2: { field: "bottom" },
      tooltip: [
        { field: "from", title: "from" },
        { field: "to", title: "to" },
        number("connectome", "connectome"),
        number("network", "mean of scaled network"),
        number("initial", "mean |W_hh|, initial"),
        number("trained", "mean |W_hh|, trained"),
      ],
    },
  };
}
