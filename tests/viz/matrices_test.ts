import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { encodePng, matrixImage } from "../../src/viz/matrices.ts";
import { decodePng } from "./decode_png.ts";

const COLORS = {
  colors: ["#ff0000", "#0000ff"],
  none: "#e4e4e4",
  log: false,
} as const;

/** Colour of the middle of a cell, as `r,g,b`. */
function colorAt(
  values: readonly number[],
  { row, column, log = false, domain }: {
    row: number;
    column: number;
    log?: boolean;
    domain: readonly [number, number];
  },
): string {
  const size = Math.sqrt(values.length);
  const image = matrixImage(values, { ...COLORS, size, domain, log });
  const { width, rgba } = decodePng(encodePng(image));
  const cell = width / size;
  const at = 4 *
    (Math.floor((row + 0.5) * cell) * width +
      Math.floor((column + 0.5) * cell));
  return rgba.subarray(at, at + 3).join();
}

describe("matrixImage()", () => {
  it("has row 0 on top and column 0 at the left", () => {
    const domain = [1, 2] as const;
    const values = [0, 1, 2, 0];
    assert.equal(colorAt(values, { row: 0, column: 1, domain }), "255,0,0");
    assert.equal(colorAt(values, { row: 1, column: 0, domain }), "0,0,255");
  });

  it("has a colour of its own where there is no connection", () => {
    const where = { row: 0, column: 0, domain: [-1, 1] as const };
    assert.equal(colorAt([0, 1, -1, 0], where), "228,228,228");
  });

  it("spaces colours evenly between those that are given", () => {
    const image = matrixImage([1, 2, 3, 4], {
      size: 2,
      none: "#e4e4e4",
      colors: ["#000000", "#808080", "#ffffff"],
      domain: [1, 4],
      log: false,
    });
    const grey = [1, 64, 128, 192, 255].map((at) => image.palette![at]![0]);
    assert.deepEqual(grey, [0, 63, 128, 192, 255]);
  });

  it("spaces colours by logarithms on request", () => {
    const values = [1e-4, 1e-2, 1, 0];
    const where = { row: 0, column: 1, log: true, domain: [1e-4, 1] as const };
    assert.equal(colorAt(values, where), "128,0,128");
  });

  it("gives numbers beyond the domain its end colours", () => {
    const where = { row: 0, column: 0, domain: [1, 2] as const };
    assert.equal(colorAt([9, 1, 1, 1], where), "0,0,255");
  });

  it("keeps a single connection of a network that is larger than the picture", () => {
    const size = 2000;
    const values = new Float32Array(size * size);
    values[1234 * size + 567] = 1;
    const image = matrixImage(values, { ...COLORS, size, domain: [0, 1] });
    assert.equal(image.width, 960);
    assert.equal(image.pixels.filter((pixel) => pixel !== 0).length, 1);
  });
});
