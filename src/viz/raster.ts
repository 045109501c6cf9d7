/**
 * Pictures of matrices: a cell a colour, as a PNG inside a figure. As vector
 * marks, a network of 220 neurons would be 48 400 rectangles.
 *
 * Format: https://www.w3.org/TR/png-3/
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** Colours that a pixel names by number. */
export interface IndexedImage {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`, numbers of colours. */
  readonly pixels: Uint8Array;
  /** At most 256. */
  readonly palette: readonly Rgb[];
}

/** A picture without transparency. */
interface OpaqueImage {
  readonly width: number;
  readonly height: number;
  /** `[height, width, 4]`: red, green, blue, and what is ignored. */
  readonly pixels: Uint8Array;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const RGB = 2;
const INDEXED = 3;

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/**
 * The bytes of a PNG file with a palette.
 *
 * @example
 * ```ts
 * import { encodeIndexedPng } from "./src/viz/raster.ts";
 *
 * encodeIndexedPng({
 *   width: 2,
 *   height: 1,
 *   pixels: Uint8Array.of(0, 1),
 *   palette: [[255, 255, 255], [46, 37, 101]],
 * });
 * ```
 */
export function encodeIndexedPng(
  { width, height, pixels, palette }: IndexedImage,
): Uint8Array {
  // Each row begins with the number of its filter: none.
  const rows = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  return Buffer.concat([
    Uint8Array.from(SIGNATURE),
    header({ width, height, kind: INDEXED }),
    chunk("PLTE", Uint8Array.from(palette.flat())),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

function header(
  { width, height, kind }: { width: number; height: number; kind: number },
): Uint8Array {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([8, kind, 0, 0, 0], 8);
  return chunk("IHDR", data);
}

/** The bytes of a PNG file that says how large it is to be printed. */
export function encodePng(
  { width, height, pixels }: OpaqueImage,
  { pixelsPerMetre }: { readonly pixelsPerMetre: number },
): Uint8Array {
  const size = new Uint8Array(9);
  const view = new DataView(size.buffer);
  view.setUint32(0, pixelsPerMetre);
  view.setUint32(4, pixelsPerMetre);
  size[8] = 1;
  // Each row begins with the number of its filter: none, which is best for lines on white.
  const rows = new Uint8Array(height * (1 + 3 * width));
  let to = 0;
  for (let y = 0; y < height; y++) {
    rows[to++] = 0;
    for (let from = 4 * y * width; from < 4 * (y + 1) * width; from += 4) {
      rows[to++] = pixels[from]!;
      rows[to++] = pixels[from + 1]!;
      rows[to++] = pixels[from + 2]!;
    }
  }
  return Buffer.concat([
    Uint8Array.from(SIGNATURE),
    header({ width, height, kind: RGB }),
    chunk("pHYs", size),
    chunk("IDAT", deflateSync(rows, { level: 6 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** The same as an address that holds the whole picture. */
export function pngAddress(image: IndexedImage): string {
  return `data:image/png;base64,${
    Buffer.from(encodeIndexedPng(image)).toString("base64")
  }`;
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
export function ramp(colors: readonly string[], count: number): Rgb[] {
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
const MOST_PIXELS = 960;
/** Programs that smooth pictures do no harm to cells that are several pixels wide. */
const FEWEST_PIXELS = 360;

/**
 * Draws a square matrix. Zeros have a colour of their own: there is no connection. Where there
 * are more cells than pixels, a pixel has the largest number, by its size, of
 * its cells.
 *
 * @param values `[size, size]`, row-major; rows from top to bottom.
 *
 * @example
 * ```ts
 * import { matrixImage } from "./src/viz/raster.ts";
 *
 * matrixImage(Float64Array.of(0, 1, 0.5, 0), {
 *   size: 2,
 *   none: "#e4e4e4",
 *   colors: ["#9fdfb9", "#150b18"],
 *   domain: [0.5, 1],
 *   log: false,
 * });
 * ```
 */
export function matrixImage(
  values: ArrayLike<number>,
  { size, none, colors, domain, log }: MatrixColors & {
    readonly size: number;
    /** `#rrggbb` of zeros. */
    readonly none: string;
  },
): IndexedImage {
  const side = Math.min(size, MOST_PIXELS);
  const cells = size > side ? reduce(values, { size, side }) : values;
  const place = log ? Math.log : (value: number) => value;
  const [low, high] = [place(domain[0]), place(domain[1])];
  const scale = Math.max(1, Math.ceil(FEWEST_PIXELS / side));
  const pixels = new Uint8Array((side * scale) ** 2);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const value = cells[i * side + j] as number;
      if (value === 0 || !Number.isFinite(value)) continue;
      const share = high > low ? (place(value) - low) / (high - low) : 1;
      const color = 1 + Math.round(254 * Math.min(1, Math.max(0, share)));
      for (let y = i * scale; y < (i + 1) * scale; y++) {
        const from = y * side * scale + j * scale;
        pixels.fill(color, from, from + scale);
      }
    }
  }
  return {
    width: side * scale,
    height: side * scale,
    pixels,
    palette: [rgbOf(none), ...ramp(colors, 255)],
  };
}

function reduce(
  values: ArrayLike<number>,
  { size, side }: { size: number; side: number },
): Float64Array {
  const cells = new Float64Array(side * side);
  for (let i = 0; i < size; i++) {
    const row = Math.floor(i * side / size);
    for (let j = 0; j < size; j++) {
      const cell = row * side + Math.floor(j * side / size);
      const value = values[i * size + j] as number;
      if (Math.abs(value) > Math.abs(cells[cell] as number)) {
        cells[cell] = value;
      }
    }
  }
  return cells;
}
