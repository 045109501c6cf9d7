/**
 * From an SVG to a PNG, with the font that is shipped.
 *
 * @module
 */

import { initWasm, Resvg } from "npm:@resvg/resvg-wasm@2.6.2";
import type { RenderOptions } from "./render_svg.ts";

/** Pixels of the picture to a CSS pixel. */
export const PNG_SCALE = 2;

let ready: Promise<void> | undefined;

/** WebAssembly, not a native library: it needs no permission beyond reading. */
async function loadRenderer(): Promise<void> {
  const file = import.meta.resolve("npm:@resvg/resvg-wasm@2.6.2/index_bg.wasm");
  await initWasm(await Deno.readFile(new URL(file)));
}

/** Vega's request for unsmoothed pictures ends in a word that this renderer does not know. */
const PIXELATED = "image-rendering: pixelated;";

/**
 * Draws an SVG as PNG, {@linkcode PNG_SCALE} pixels to a CSS pixel.
 *
 * @param svg An SVG as `renderSvg` makes it.
 * @param options `font`: the only font that is known; text in any other would vanish silently.
 *
 * @example
 * ```ts
 * import { loadFont } from "./src/viz/font.ts";
 * import { renderPng } from "./src/viz/render_png.ts";
 *
 * await renderPng('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', {
 *   font: await loadFont(),
 * }); // 18 pixels wide
 * ```
 */
export async function renderPng(
  svg: string,
  { font }: RenderOptions,
): Promise<Uint8Array> {
  await (ready ??= loadRenderer());
  const renderer = new Resvg(svg.replaceAll(PIXELATED, ""), {
    fitTo: { mode: "zoom", value: PNG_SCALE },
    font: { fontBuffers: [font], defaultFontFamily: "DejaVu Sans" },
    background: "white",
  });
  try {
    const image = renderer.render();
    try {
      return image.asPng();
    } finally {
      image.free();
    }
  } finally {
    renderer.free();
  }
}
