/**
 * From a figure to SVG, PNG and PDF, without a browser, in the font that is
 * shipped; and the libraries that do the same in a browser.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import * as vega from "npm:vega@6.4.0";
import { compile, type TopLevelSpec } from "npm:vega-lite@6.5.0";
import { create as openFont } from "npm:fontkit@2.0.4";
// A package without modules: its description brings it in.
import "npm:dejavu-fonts-ttf@2.37.3/package.json" with { type: "json" };
import { drawable, type Drawing } from "./figure.ts";
import { encodePng } from "./matrices.ts";

/** What is used of the library that reads fonts, which has no types. */
interface OpenFont {
  readonly unitsPerEm: number;
  readonly glyphForCodePoint: (code: number) => { advanceWidth: number };
  readonly hasGlyphForCodePoint: (code: number) => boolean;
}

let font: ReturnType<typeof readFont> | undefined;

/** DejaVu Sans, which Vega measures text with from now on: without a canvas it guesses, and a guess puts legends far apart. */
export function loadFont() {
  return font ??= readFont();
}

async function readFont() {
  const bytes = await Deno.readFile(
    new URL(
      import.meta.resolve("npm:dejavu-fonts-ttf@2.37.3/ttf/DejaVuSans.ttf"),
    ),
  );
  const open = openFont(Buffer.from(bytes)) as OpenFont;
  /** Width of a text at size 1. */
  const width = (text: string) =>
    [...text].reduce((sum, letter) => {
      const glyph = open.glyphForCodePoint(letter.codePointAt(0)!);
      return sum + glyph.advanceWidth / open.unitsPerEm;
    }, 0);
  /** Letters of a text that the font lacks; it draws boxes for them. */
  const missing = (text: string) =>
    [...new Set(text)].filter((letter) =>
      !open.hasGlyphForCodePoint(letter.codePointAt(0)!)
    );
  // Its types don't have this export of the library.
  const { textMetrics } = vega as unknown as {
    textMetrics: {
      width: (item: { fontSize?: number }, text: unknown) => number;
    };
  };
  textMetrics.width = ({ fontSize = 11 }, text) =>
    fontSize * width(String(text ?? ""));
  return { bytes, width, missing };
}

/** A warning of the compiler means that the figure is not what its specification says. */
function fail(...messages: readonly unknown[]): never {
  throw new TypeError(`Cannot draw the figure: ${messages.join(" ")}`);
}

const STRICT_LOGGER = {
  level: () => STRICT_LOGGER,
  error: fail,
  warn: fail,
  info: () => STRICT_LOGGER,
  debug: () => STRICT_LOGGER,
};

/**
 * Draws a figure as SVG; its text stays text.
 *
 * @returns An SVG document as wide as the figure says.
 * @throws {TypeError} If the specification is no faultless Vega-Lite.
 */
export async function renderSvg(
  { spec, width }: Pick<Drawing, "spec" | "width">,
): Promise<string> {
  await loadFont();
  const still = drawable(spec, { still: true }) as unknown as TopLevelSpec;
  const compiled = compile(still, { logger: STRICT_LOGGER }).spec;
  const view = new vega.View(vega.parse(compiled), { renderer: "none" })
    .logger(STRICT_LOGGER);
  return fitWidth(await view.toSVG(), width);
}

/** Width and height of an SVG in CSS pixels, as its first element says. */
const SIZE = /^(<svg[^>]*?) width="([\d.]+)" height="([\d.]+)"/;

function sizeOf(svg: string): [width: number, height: number] {
  const [, , width, height] = SIZE.exec(svg) ?? [];
  return [Number(width), Number(height)];
}

/**
 * Facets and rows of plots come out some pixels wider or narrower than asked
 * for, as nobody knows beforehand how wide their axes are. The view box stays,
 * so this scales the picture to its column.
 */
function fitWidth(svg: string, width: number): string {
  const [ownWidth, ownHeight] = sizeOf(svg);
  const height = Math.round(1e3 * ownHeight * width / ownWidth) / 1e3;
  return svg.replace(SIZE, `$1 width="${width}" height="${height}"`);
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

/**
 * Draws an SVG as PNG, which says how large it is to be printed.
 *
 * @param svg An SVG as `renderSvg` makes it.
 * @param options `dpi`: pixels an inch; default 300.
 */
export async function renderPng(
  svg: string,
  { dpi = 300 }: { readonly dpi?: number } = {},
): Promise<Uint8Array> {
  const { bytes } = await loadFont();
  const Resvg = await (ready ??= loadRenderer());
  using memory = new DisposableStack();
  const renderer = new Resvg(svg.replaceAll(PIXELATED, ""), {
    fitTo: { mode: "zoom", value: dpi / CSS_DPI },
    // The only font that is known; text in any other would vanish silently.
    font: { fontBuffers: [bytes], defaultFontFamily: "DejaVu Sans" },
    background: "white",
  });
  memory.defer(() => renderer.free());
  const image = renderer.render();
  memory.defer(() => image.free());
  const { width, height, pixels } = image;
  const pixelsPerMetre = Math.round(dpi / INCH);
  // Faster than the renderer's own encoder, and it says how large the picture is.
  return encodePng({ width, height, pixels, pixelsPerMetre });
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
  { title }: { readonly title: string },
): Promise<Uint8Array> {
  const { bytes } = await loadFont();
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
  pdf.registerFont(FONT_NAME, Buffer.from(bytes));
  pdf.font(FONT_NAME);
  drawSvg(pdf, svg.replace(SOLID_DASHES, ""), 0, 0, {
    width: size[0],
    height: size[1],
    fontCallback: () => FONT_NAME,
  });
  pdf.end();
  return Buffer.concat(await Array.fromAsync(pdf as AsyncIterable<Buffer>));
}

const FONT_NAME = "DejaVuSans";

/** Dashes without gaps, which this library refuses. */
const SOLID_DASHES = / stroke-dasharray="1,0"/g;

/** The scripts of a page that draws: Vega, Vega-Lite, vega-embed. */
export async function browserBuilds(): Promise<string[]> {
  // Only what is imported somewhere has a place.
  await import("npm:vega-embed@7.3.0");
  // The builds lie beside the modules.
  return await Promise.all([
    new URL("vega.min.js", import.meta.resolve("npm:vega@6.4.0")),
    new URL("vega-lite.min.js", import.meta.resolve("npm:vega-lite@6.5.0")),
    new URL("vega-embed.min.js", import.meta.resolve("npm:vega-embed@7.3.0")),
  ].map((file) => Deno.readTextFile(file)));
}
