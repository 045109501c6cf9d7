import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { fontWidths, loadFont } from "../../src/viz/font.ts";
import { pngAddress } from "../../src/viz/raster.ts";
import { renderPng } from "../../src/viz/render_png.ts";
import { FONT } from "../../src/viz/theme.ts";
import { type DecodedPng, decodePng } from "./decode_png.ts";

/** A picture of 100 × 40 CSS pixels. */
async function picture(content: string): Promise<DecodedPng> {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40" viewBox="0 0 100 40">${content}</svg>`;
  return decodePng(await renderPng(svg, { font: await loadFont() }));
}

/** Columns of pixels that are not white. */
function inkColumns({ width, height, rgba }: DecodedPng): number[] {
  const columns: number[] = [];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if ((rgba[4 * (y * width + x)] as number) < 128) {
        columns.push(x);
        break;
      }
    }
  }
  return columns;
}

describe("renderPng()", () => {
  it("is twice as wide and high as the SVG, on white", async () => {
    const { width, height, rgba } = await picture("");
    assert.deepEqual([width, height], [200, 80]);
    assert.ok(rgba.every((value) => value === 255));
  });

  it("draws text in the theme's font, as wide as it was measured", async () => {
    const text = "epoch ± 10⁻³";
    const columns = inkColumns(
      await picture(
        `<text x="2" y="25" font-size="10px" font-family="${FONT}">${text}</text>`,
      ),
    );
    const measured = fontWidths(await loadFont()).width(text) * 10 * 2;
    const ink = (columns.at(-1) as number) - (columns[0] as number);
    assert.ok(Math.abs(ink - measured) < 4, `${ink} ${measured}`);
  });

  it("draws pictures inside the SVG without smoothing", async () => {
    const address = pngAddress({
      width: 2,
      height: 1,
      pixels: Uint8Array.of(0, 1),
      palette: [[0, 0, 0], [255, 255, 255]],
    });
    const { width, rgba } = await picture(
      `<image href="${address}" width="100" height="40" preserveAspectRatio="none" style="image-rendering: optimizeSpeed; image-rendering: pixelated;"/>`,
    );
    const row = Array.from({ length: width }, (_, x) => rgba[4 * x]);
    assert.deepEqual(new Set(row), new Set([0, 255]));
  });
});
