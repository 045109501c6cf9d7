/**
 * Matrices as heat maps: a picture, a cell a colour, as PNG inside a figure,
 * with axes, a legend and what is told of the cell under the mouse. As vector
 * marks, a network of 220 neurons would be 48 400 rectangles.
 *
 * Format: https://www.w3.org/TR/png-3/
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import { drawableText, HOVER, SMALL_TEXT, type Spec } from "./figure.ts";
import { quantity, span } from "./layers.ts";

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
  readonly pixelsPerMetre?: number;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Kinds of pixels. */
const RGB = 2;
const INDEXED = 3;

/** Big-endian. */
function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, i) => bytes.writeUInt32BE(number, 4 * i));
  return bytes;
}

function chunk(type: string, ...data: readonly Uint8Array[]): Buffer {
  const named = Buffer.concat([Buffer.from(type), ...data]);
  return Buffer.concat([words(named.length - 4), named, words(crc32(named))]);
}

export function encodePng(
  { width, height, pixels, palette, pixelsPerMetre: density }: Picture,
): Buffer {
  const size = palette ? 1 : 3;
  // Each row begins with the number of its filter: none, which is best for lines on white.
  const rows = new Uint8Array(height * (1 + size * width));
  for (let y = 0, to = 0; y < height; y++) {
    to++;
    for (let i = y * width; i < (y + 1) * width; i++) {
      if (size === 1) rows[to++] = pixels[i]!;
      else for (let k = 0; k < 3; k++) rows[to++] = pixels[4 * i + k]!;
    }
  }
  const kind = palette ? INDEXED : RGB;
  return Buffer.concat([
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", words(width, height), Uint8Array.of(8, kind, 0, 0, 0)),
    ...(density
      ? [chunk("pHYs", words(density, density), Uint8Array.of(1))]
      : []),
    ...(palette ? [chunk("PLTE", Uint8Array.from(palette.flat()))] : []),
    chunk("IDAT", deflateSync(rows, { level: palette ? 9 : 6 })),
    chunk("IEND"),
  ]);
}

function rgbOf(color: string): Rgb {
  const value = parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Evenly spaced colours from the first to the last, of two or more. */
function ramp(colors: readonly string[], count: number): Rgb[] {
  const stops = colors.map(rgbOf);
  return Array.from({ length: count }, (_, i) => {
    const place = i / (count - 1) * (stops.length - 1);
    const left = Math.min(Math.floor(place), stops.length - 2);
    const [from, to] = [stops[left]!, stops[left + 1]!];
    const mix = (k: 0 | 1 | 2) =>
      Math.round(from[k] + (to[k] - from[k]) * (place - left));
    return [mix(0), mix(1), mix(2)];
  });
}

export interface MatrixColors {
  /** `#rrggbb`, from the lowest number to the highest. */
  readonly colors: readonly string[];
  /** Numbers of the first and the last colour; those beyond get these. */
  readonly domain: readonly [low: number, high: number];
  /** Whether colours are spaced by the numbers' logarithms; default false. */
  readonly log?: boolean;
  /** `#rrggbb` of what is 0 or no number. */
  readonly none: string;
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
  },
): Picture {
  const tall = Math.min(rows, MOST_PIXELS);
  const wide = Math.min(columns, MOST_PIXELS);
  const cells = new Float64Array(tall * wide);
  for (let i = 0; i < rows; i++) {
    const row = Math.floor(i * tall / rows) * wide;
    for (let j = 0; j < columns; j++) {
      const cell = row + Math.floor(j * wide / columns);
      const value = values[i * columns + j]!;
      if (Math.abs(value) > Math.abs(cells[cell]!)) cells[cell] = value;
    }
  }
  const place = log ? Math.log : (value: number) => value;
  const [low, high] = [place(domain[0]), place(domain[1])];
  const [across, down] = [wide, tall].map((side) =>
    Math.max(1, Math.ceil(FEWEST_PIXELS / side))
  ) as [number, number];
  const width = wide * across;
  const pixels = new Uint8Array(width * tall * down);
  for (const [cell, value] of cells.entries()) {
    if (value === 0 || !Number.isFinite(value)) continue;
    const share = high > low ? (place(value) - low) / (high - low) : 1;
    const color = 1 + Math.round(254 * Math.min(1, Math.max(0, share)));
    const [i, j] = [Math.floor(cell / wide), cell % wide];
    for (let y = i * down; y < (i + 1) * down; y++) {
      pixels.fill(color, y * width + j * across, y * width + (j + 1) * across);
    }
  }
  const palette = [rgbOf(none), ...ramp(colors, 255)];
  return { width, height: tall * down, pixels, palette };
}

/** Longest name of a region on an axis, in signs. */
const LONGEST_NAME = 9;

export interface MatrixAxis {
  readonly title: string;
  /** Cells as the axis counts them, from 1. */
  readonly units: number;
  readonly pixels: number;
  readonly ticks: Spec;
}

/** Ticks with a name each; undefined where there is no room for them, or a name is missing. */
export function nameTicks(
  names: readonly string[],
  { units, pixels }: Pick<MatrixAxis, "units" | "pixels">,
): Spec | undefined {
  if (names.length !== units || pixels / units < SMALL_TEXT) return undefined;
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

/** A round number of regions, of which about five make all. */
export function regionStep(regions: number): number {
  return [1, 2, 5, 10, 20, 50, 100, 200, 500]
    .find((size) => regions <= 5 * size) ?? 1000;
}

/** Up to four powers of ten in a range, or its ends where there are none. */
function powersOfTen([low, high]: MatrixColors["domain"]): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last <= first) return [low, high];
  const step = Math.ceil((last - first + 1) / 4);
  const powers: number[] = [];
  for (let e = last; e >= first; e -= step) powers.unshift(10 ** e);
  return powers;
}

/** A matrix as a picture with axes and the legend of its colours. */
export function matrixPanel(
  values: ArrayLike<number>,
  { title, legend, x, y, hover, ...picture }:
    & Parameters<typeof matrixImage>[1]
    & {
      readonly title?: string;
      readonly legend: string | undefined;
      readonly x: MatrixAxis;
      readonly y: MatrixAxis;
      readonly hover: readonly Spec[];
    },
): Spec {
  const { colors, domain, log = false } = picture;
  const png = encodePng(matrixImage(values, picture)).toString("base64");
  const side = (field: "x" | "y", { title, units, ticks }: MatrixAxis) => ({
    ...quantity(field),
    title,
    scale: { domain: [0.5, units + 0.5], nice: false, reverse: field === "y" },
    axis: {
      grid: false,
      domain: false,
      offset: 1,
      ...ticks,
      ...(field === "x" && "labelFontSize" in ticks &&
        { labelAngle: -90, labelAlign: "right", labelBaseline: "middle" }),
    },
  });
  return {
    ...(title !== undefined &&
      { title: { text: title, anchor: "middle", offset: 4 } }),
    width: x.pixels,
    height: y.pixels,
    view: { stroke: "#bbbbbb", strokeWidth: 0.7 },
    layer: [{
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
        url: { value: `data:image/png;base64,${png}` },
      },
    }, {
      // No mark to see: it carries the axes and the legend.
      data: {
        values: [
          { x: 1, y: 1, value: domain[0] },
          { x: x.units, y: y.units, value: domain[1] },
        ],
      },
      mark: { type: "point", size: 0, strokeWidth: 0, opacity: 1, aria: false },
      encoding: {
        x: side("x", x),
        y: side("y", y),
        color: {
          ...quantity("value"),
          title: legend ?? null,
          scale: {
            type: log ? "log" : "linear",
            domain: [...domain],
            range: [...colors],
            // As the picture is made.
            interpolate: "rgb",
            nice: false,
            ...(!log && { zero: false }),
          },
          legend: legend === undefined ? null : {
            orient: "bottom",
            gradientLength: Math.round(x.pixels * 0.9),
            gradientThickness: 6,
            titleOrient: "top",
            ...(log
              ? { values: powersOfTen(domain), format: "~e" }
              : { tickCount: 3, format: "~g" }),
          },
        },
      },
    }, ...hover],
  };
}

/** What is told of the cell under the mouse, of rows with its place `i` and `j`. */
export function cellHover(data: Spec, tooltip: readonly Spec[]): Spec {
  const ends = {
    top: "i + 0.5",
    bottom: "i + 1.5",
    left: "j + 0.5",
    right: "j + 1.5",
  };
  return {
    name: HOVER,
    data,
    transform: Object.entries(ends).map(([as, place]) => ({
      calculate: `datum.${place}`,
      as,
    })),
    mark: { type: "rect", fillOpacity: 0, aria: false },
    encoding: {
      ...span("x", ["left", "right"]),
      ...span("y", ["top", "bottom"]),
      tooltip,
    },
  };
}
