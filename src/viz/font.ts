/**
 * The font that is shipped, and how wide its text is: without a browser,
 * nothing else can tell where a legend's next entry begins.
 *
 * Format: https://learn.microsoft.com/en-us/typography/opentype/spec/
 *
 * @module
 */

// A package without modules: its description brings it in.
import "npm:dejavu-fonts-ttf@2.37.3/package.json" with { type: "json" };

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
}

/**
 * Reads the widths of characters from a TrueType font.
 *
 * @param bytes A font with a Unicode character map of format 4, as all common ones have.
 * @throws {SyntaxError} If it has none, or lacks a table.
 *
 * @example
 * ```ts
 * import { fontWidths, loadFont } from "./src/viz/font.ts";
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
