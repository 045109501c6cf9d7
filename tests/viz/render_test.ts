import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { encodePng } from "../../src/viz/matrices.ts";
import {
  dpiWithin,
  loadFont,
  renderPdf,
  renderPng,
} from "../../src/viz/render.ts";
import { type DecodedPng, decodePng } from "./decode_png.ts";

/** A picture of 100 × 40 CSS pixels. */
async function picture(content: string): Promise<DecodedPng> {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40" viewBox="0 0 100 40">${content}</svg>`;
  return decodePng(await renderPng(svg, { dpi: 192 }));
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
  it("has the pixels that are asked for, on white", async () => {
    const { width, height, rgba } = await picture("");
    assert.deepEqual([width, height], [200, 80]);
    assert.ok(rgba.every((value) => value === 255));
  });

  it("says how large it is to be printed, 300 dots an inch unless told otherwise", async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48"/>';
    const png = await renderPng(svg);
    const view = new DataView(png.buffer, png.byteOffset);
    assert.deepEqual([view.getUint32(16), view.getUint32(20)], [300, 150]);
    const at = new TextDecoder("latin1").decode(png).indexOf("pHYs");
    // 300 dots an inch are 11,811 a metre; unit 1 is the metre.
    assert.equal(view.getUint32(at + 4), 11811);
    assert.equal(view.getUint32(at + 8), 11811);
    assert.equal(png[at + 12], 1);
  });

  it("is as fine as memory allows", () => {
    const svg = (height: number) => `<svg width="672" height="${height}"/>`;
    assert.equal(dpiWithin(svg(500), 300), 300);
    const dpi = dpiWithin(svg(34_560), 300);
    const pixels = 7 * dpi * 360 * dpi;
    assert.ok(dpi > 72 && pixels < 40e6, `${dpi} dpi, ${pixels} pixels`);
  });

  it("draws text in the theme's font, as wide as it was measured", async () => {
    const text = "epoch ± 10⁻³";
    const columns = inkColumns(
      await picture(
        `<text x="2" y="25" font-size="10px" font-family="DejaVu Sans">${text}</text>`,
      ),
    );
    const measured = (await loadFont()).width(text) * 10 * 2;
    const ink = (columns.at(-1) as number) - (columns[0] as number);
    assert.ok(Math.abs(ink - measured) < 4, `${ink} ${measured}`);
  });

  it("draws pictures inside the SVG without smoothing", async () => {
    const png = encodePng({
      width: 2,
      height: 1,
      pixels: Uint8Array.of(0, 1),
      palette: [[0, 0, 0], [255, 255, 255]],
    });
    const address = `data:image/png;base64,${png.toString("base64")}`;
    const { width, rgba } = await picture(
      `<image href="${address}" width="100" height="40" preserveAspectRatio="none" style="image-rendering: optimizeSpeed; image-rendering: pixelated;"/>`,
    );
    const row = Array.from({ length: width }, (_, x) => rgba[4 * x]);
    assert.deepEqual(new Set(row), new Set([0, 255]));
  });
});

describe("renderPdf()", () => {
  it("is as large as the figure, holds its font, and is the same each time", async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48"><path d="M0,0L9,9" stroke="black" stroke-dasharray="1,0"/><text x="2" y="20">epoch</text></svg>';
    const pdf = await renderPdf(svg, { title: "Overview" });
    const text = new TextDecoder("latin1").decode(pdf);
    assert.match(text, /^%PDF-1/);
    assert.match(text, /\/MediaBox \[0 0 72 36\]/);
    assert.match(text, /\/BaseFont \/[A-Z]*\+?DejaVuSans/);
    assert.deepEqual(await renderPdf(svg, { title: "Overview" }), pdf);
  });
});

describe("loadFont()", () => {
  it("names the letters that the font lacks", async () => {
    const { missing } = await loadFont();
    assert.deepEqual(missing("bio ± 10⁻³ µ漢字漢"), ["漢", "字"]);
  });
});
