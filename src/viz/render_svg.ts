/**
 * From a figure to an SVG with real text, without a browser.
 *
 * @module
 */

import { type Figure, withoutHover } from "./figure.ts";
import { fontWidths } from "./font.ts";
import { compile, type TopLevelSpec, vega } from "./vega.ts";

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
 * import { loadFont } from "./src/viz/font.ts";
 * import { renderSvg } from "./src/viz/render_svg.ts";
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
  const still = withoutHover(spec) as unknown as TopLevelSpec;
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
