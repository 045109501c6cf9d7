/**
 * Writes figures in the formats that are asked for.
 *
 * @module
 */

import { join } from "node:path";
import { writeFileWhole } from "../files/write.ts";
import type { Figure } from "./figure.ts";

/** What can be written; `html` is one report of all figures. */
export const FORMATS = ["svg", "png", "vl.json", "html"] as const;

/** One of them. */
export type Format = typeof FORMATS[number];

/** Where and how to write. */
export interface WriteFiguresOptions {
  readonly directory: string;
  readonly formats: readonly Format[];
}

/**
 * Writes a file a figure and format, except `html`.
 *
 * @returns The names of the files.
 * @throws {InputError} If one can't be written.
 *
 * @example
 * ```ts no-eval
 * import type { Figure } from "./src/viz/figure.ts";
 * import { writeFigures } from "./src/viz/write_figures.ts";
 *
 * declare const figures: Figure[];
 * await writeFigures(figures, { directory: "figs", formats: ["svg", "png"] });
 * ```
 */
export async function writeFigures(
  figures: readonly Figure[],
  { directory, formats }: WriteFiguresOptions,
): Promise<string[]> {
  const files: string[] = [];
  const write = async (name: string, content: Uint8Array | string) => {
    await writeFileWhole(join(directory, name), content);
    files.push(name);
  };
  const svgOf = formats.includes("svg") || formats.includes("png")
    ? await loadSvgRenderer()
    : undefined;
  for (const figure of figures) {
    const svg = await svgOf?.(figure);
    if (svg !== undefined && formats.includes("svg")) {
      await write(`${figure.name}.svg`, svg);
    }
    if (svg !== undefined && formats.includes("png")) {
      await write(`${figure.name}.png`, await pngOf(svg));
    }
    if (formats.includes("vl.json")) {
      await write(`${figure.name}.vl.json`, formatSpec(figure));
    }
  }
  return files;
}

/** Rendering needs large libraries; who writes specifications alone does without. */
async function loadSvgRenderer(): Promise<(figure: Figure) => Promise<string>> {
  const [{ renderSvg }, { loadFont }] = await Promise.all([
    import("./render_svg.ts"),
    import("./font.ts"),
  ]);
  const font = await loadFont();
  return (figure) => renderSvg(figure, { font });
}

async function pngOf(svg: string): Promise<Uint8Array> {
  const [{ renderPng }, { loadFont }] = await Promise.all([
    import("./render_png.ts"),
    import("./font.ts"),
  ]);
  return await renderPng(svg, { font: await loadFont() });
}

/**
 * A specification as text: readable, but a row of data a line.
 *
 * @example
 * ```ts no-eval
 * import type { Figure } from "./src/viz/figure.ts";
 * import { formatSpec } from "./src/viz/write_figures.ts";
 *
 * declare const figure: Figure;
 * formatSpec(figure); // opens in the Vega editor
 * ```
 */
export function formatSpec({ spec }: Figure): string {
  const rows: string[] = [];
  const text = JSON.stringify(spec, (key, value) => {
    if (key !== "datasets") return value;
    return Object.fromEntries(
      Object.entries(value as Record<string, unknown[]>).map(([name, data]) => {
        rows.push(data.map((row) => JSON.stringify(row)).join(",\n      "));
        return [name, [`@rows ${rows.length - 1}@`]];
      }),
    );
  }, 2);
  return `${
    text.replace(/"@rows (\d+)@"/g, (_, i) => rows[Number(i)] as string)
  }\n`;
}
