/**
 * From a figure to SVG, PNG and PDF, without a browser, in the font that is
 * shipped. The libraries that draw are loaded when they are needed.
 *
 * Format of the font: https://learn.microsoft.com/en-us/typography/opentype/spec/
 *
 * @module
 */

import { Buffer } from "node:buffer";
// A package without modules: its description brings it in.
import "npm:dejavu-fonts-ttf@2.37.3/package.json" with { type: "json" };
import { type Figure, withoutHover } from "./figure.ts";
import { drawable } from "./names.ts";
import { encodePng } from "./raster.ts";
import { compile, type TopLevelSpec, vega } from "./vega.ts";

/** The bytes of DejaVu Sans. */
export async function loadFont(): Promise<Uint8Array<ArrayBuffer>> {
  return await Deno.readFile(
    new URL(
      import.meta.resolve("npm:dejavu-fonts-ttf@2.37.3/ttf/DejaVuSans.ttf"),
    ),
  );
}

/** Widths of a font's characters. */
export interface FontWidths {
  /** Width of a text at size 1. */
  readonly width: (text: string) => number;
  /** Letters of a text that the font lacks; it draws boxes for them. */
  readonly missing: (text: string) => string[];
}

/**
 * Reads the widths of characters from a TrueType font.
 *
 * @param bytes A font with a Unicode character map of format 4, as all common ones have.
 * @throws {SyntaxError} If it has none, or lacks a table.
 *
 * @example
 * ```ts
 * import { fontWidths, loadFont } from "./src/viz/render.ts";
 *
 * fontWidths(await loadFont()).width("epoch"); // 3.04
 * ```
 */
export function fontWidths(bytes: Uint8Array): FontWidths {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tables = readTables(view);
  const unitsPerEm = view.getUint16(tableAt(tables, "head") + 18);
  const metrics = view.getUint16(tableAt(tables, "hhea") + 34);
  const hmtx = tableAt(tables, "hmtx");
  const glyphOf = readCharacterMap(view, tableAt(tables, "cmap"));
  const cache = new Map<string, number>();
  const widthOf = (character: string): number => {
    let width = cache.get(character);
    if (width === undefined) {
      const glyph = glyphOf(character.codePointAt(0) as number);
      const row = Math.min(glyph, metrics - 1);
      width = view.getUint16(hmtx + 4 * row) / unitsPerEm;
      cache.set(character, width);
    }
    return width;
  };
  return {
    width(text) {
      let sum = 0;
      for (const character of text) sum += widthOf(character);
      return sum;
    },
    missing: (text) => [
      ...new Set(
        [...text].filter((letter) => glyphOf(letter.codePointAt(0)!) === 0),
      ),
    ],
  };
}

function readTables(view: DataView): Map<string, number> {
  const tables = new Map<string, number>();
  const count = view.getUint16(4);
  for (let i = 0; i < count; i++) {
    const entry = 12 + 16 * i;
    const tag = String.fromCharCode(
      ...[0, 1, 2, 3].map((k) => view.getUint8(entry + k)),
    );
    tables.set(tag, view.getUint32(entry + 8));
  }
  return tables;
}

function tableAt(tables: ReadonlyMap<string, number>, tag: string): number {
  const offset = tables.get(tag);
  if (offset === undefined) {
    throw new SyntaxError(`Cannot read the font: it has no table "${tag}"`);
  }
  return offset;
}

/** Glyph of a code point, by the map's format 4; 0, the box, where there is none. */
function readCharacterMap(
  view: DataView,
  cmap: number,
): (code: number) => number {
  const start = subtableOfFormat4(view, cmap);
  const double = view.getUint16(start + 6);
  const ends = start + 14;
  const starts = ends + double + 2;
  const deltas = starts + double;
  const ranges = deltas + double;
  return (code) => {
    for (let i = 0; i < double; i += 2) {
      if (view.getUint16(ends + i) < code) continue;
      const first = view.getUint16(starts + i);
      if (first > code || code > 0xffff) return 0;
      const delta = view.getUint16(deltas + i);
      const range = view.getUint16(ranges + i);
      if (range === 0) return (code + delta) & 0xffff;
      const glyph = view.getUint16(ranges + i + range + 2 * (code - first));
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  };
}

function subtableOfFormat4(view: DataView, cmap: number): number {
  const count = view.getUint16(cmap + 2);
  for (let i = 0; i < count; i++) {
    const offset = cmap + view.getUint32(cmap + 4 + 8 * i + 4);
    if (view.getUint16(offset) === 4) return offset;
  }
  throw new SyntaxError("Cannot read the font: it has no Unicode map");
}

/** How to render. */
export interface RenderOptions {
  /** The font that text is measured with, from `loadFont`. */
  readonly font: Uint8Array;
}

/** A warning of the compiler means that the figure is not what its specification says. */
function fail(...messages: readonly unknown[]): never {
  throw new TypeError(`Cannot draw the figure: ${messages.join(" ")}`);
}

const STRICT_LOGGER = {
  level() {
    return this;
  },
  error: fail,
  warn: fail,
  info() {
    return this;
  },
  debug() {
    return this;
  },
};

let measuredFont: Uint8Array | undefined;

/** Vega guesses widths where there is no canvas; a guess puts legends far apart. */
function measureTextWith(font: Uint8Array): void {
  if (measuredFont === font) return;
  measuredFont = font;
  const widths = fontWidths(font);
  // Its types don't have this export of the library.
  const { textMetrics } = vega as unknown as {
    textMetrics: {
      width: (item: { fontSize?: number }, text: unknown) => number;
    };
  };
  textMetrics.width = ({ fontSize = 11 }, text) =>
    fontSize *
    widths.width(text === null || text === undefined ? "" : String(text));
}

/**
 * Draws a figure as SVG; its text stays text.
 *
 * @returns An SVG document as wide as the figure says.
 * @throws {TypeError} If the specification is no faultless Vega-Lite.
 *
 * @example
 * ```ts no-eval
 * import type { Figure } from "./src/viz/figure.ts";
 * import { loadFont, renderSvg } from "./src/viz/render.ts";
 *
 * declare const figure: Figure;
 * await renderSvg(figure, { font: await loadFont() }); // "<svg …"
 * ```
 */
export async function renderSvg(
  { spec, width }: Figure,
  { font }: RenderOptions,
): Promise<string> {
  measureTextWith(font);
  const still = withoutHover(drawable(spec)) as unknown as TopLevelSpec;
  const compiled = compile(still, { logger: STRICT_LOGGER }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none" });
  try {
    view.logger(STRICT_LOGGER);
    return fitWidth(await view.toSVG(), width);
  } finally {
    view.finalize();
  }
}

/**
 * Facets and rows of plots come out some pixels wider or narrower than asked
 * for, as nobody knows beforehand how wide their axes are. The view box stays,
 * so this scales the picture to its column.
 */
function fitWidth(svg: string, width: number): string {
  const [, head = "", ownWidth = "", ownHeight = ""] =
    /^(<svg[^>]*? width="([\d.]+)" height="([\d.]+)")/.exec(svg) ?? [];
  const height =
    Math.round(1e3 * Number(ownHeight) * width / Number(ownWidth)) / 1e3;
  return svg.replace(
    head,
    head.replace(/ width=.*$/, ` width="${width}" height="${height}"`),
  );
}

let ready: ReturnType<typeof loadRenderer> | undefined;

/** WebAssembly, not a native library: it needs no permission beyond reading. */
async function loadRenderer() {
  const { initWasm, Resvg } = await import("npm:@resvg/resvg-wasm@2.6.2");
  const file = import.meta.resolve("npm:@resvg/resvg-wasm@2.6.2/index_bg.wasm");
  await initWasm(await Deno.readFile(new URL(file)));
  return Resvg;
}

/** Vega's request for unsmoothed pictures ends in a word that this renderer does not know. */
const PIXELATED = "image-rendering: pixelated;";

/** An inch has so many CSS pixels, and so many metres. */
const CSS_DPI = 96;
const INCH = 0.0254;

/** Most pixels of a PNG: drawing takes some 16 bytes of each. */
const MOST_PIXELS = 2 ** 25;

/** The pixels an inch that are asked for, or of a very tall figure as many as memory allows. */
export function dpiWithin(svg: string, dpi: number): number {
  const [width, height] = sizeOf(svg);
  const inches = width * height / CSS_DPI ** 2;
  return Math.min(dpi, Math.floor(Math.sqrt(MOST_PIXELS / inches)));
}

/** Width and height of an SVG in CSS pixels. */
function sizeOf(svg: string): [width: number, height: number] {
  const [, width, height] =
    /^<svg[^>]*? width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return [Number(width), Number(height)];
}

/**
 * Draws an SVG as PNG, which says how large it is to be printed.
 *
 * @param svg An SVG as `renderSvg` makes it.
 * @param options `font`: the only font that is known; text in any other would vanish silently. `dpi`: pixels an inch; default 300.
 *
 * @example
 * ```ts
 * import { loadFont, renderPng } from "./src/viz/render.ts";
 *
 * await renderPng('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', {
 *   font: await loadFont(),
 * }); // 28 pixels wide
 * ```
 */
export async function renderPng(
  svg: string,
  { font, dpi = 300 }: RenderOptions & { readonly dpi?: number },
): Promise<Uint8Array> {
  const Resvg = await (ready ??= loadRenderer());
  const renderer = new Resvg(svg.replaceAll(PIXELATED, ""), {
    fitTo: { mode: "zoom", value: dpi / CSS_DPI },
    font: { fontBuffers: [font], defaultFontFamily: "DejaVu Sans" },
    background: "white",
  });
  try {
    const image = renderer.render();
    try {
      const { width, height, pixels } = image;
      // Faster than the renderer's own encoder, and it says how large the picture is.
      return encodePng({ width, height, pixels }, {
        pixelsPerMetre: Math.round(dpi / INCH),
      });
    } finally {
      image.free();
    }
  } finally {
    renderer.free();
  }
}

/** A point of print has so many of the 96 CSS pixels of an inch. */
const POINTS = 72 / CSS_DPI;

/**
 * Draws an SVG as a PDF of its size, its text as text in the font that is
 * shipped, its lines as lines.
 *
 * @param svg An SVG as `renderSvg` makes it.
 * @param options `title` of the document.
 */
export async function renderPdf(
  svg: string,
  { font, title }: RenderOptions & { readonly title: string },
): Promise<Uint8Array> {
  const [{ default: PDFDocument }, { default: drawSvg }] = await Promise.all([
    import("npm:pdfkit@0.20.2"),
    import("npm:svg-to-pdfkit@0.1.8"),
  ]);
  const [width, height] = sizeOf(svg);
  const size: [number, number] = [width * POINTS, height * POINTS];
  const pdf = new PDFDocument({
    size,
    margin: 0,
    // One of its own fonts would be looked for beside the library.
    font: null as unknown as string,
    // The same figure gives the same bytes.
    info: { Title: title, Creator: "biornn", CreationDate: new Date(0) },
  });
  const chunks: Uint8Array[] = [];
  pdf.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  const ended = new Promise((resolve) => pdf.on("end", resolve));
  pdf.registerFont(FONT_NAME, Buffer.from(font));
  pdf.font(FONT_NAME);
  drawSvg(pdf, svg.replace(SOLID_DASHES, ""), 0, 0, {
    width: size[0],
    height: size[1],
    fontCallback: () => FONT_NAME,
  });
  pdf.end();
  await ended;
  return Buffer.concat(chunks);
}

const FONT_NAME = "DejaVuSans";

/** Dashes without gaps, which this library refuses. */
const SOLID_DASHES = / stroke-dasharray="1,0"/g;
