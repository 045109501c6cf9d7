/**
 * The folder that figures are written to, in the formats that are asked for,
 * under names that every file system takes.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readIfThere, readTextFile } from "../files/read.ts";
import { makeFolder, stageFile, writeFileWhole } from "../files/write.ts";
import { plural } from "../text/words.ts";
import type { Figure } from "./figure.ts";
import type { Parameters } from "./layers.ts";

/** What can be written; `html` is one report of all figures. */
export const FORMATS = ["svg", "png", "pdf", "vl.json", "html"] as const;

type Format = typeof FORMATS[number];

/** What is written unasked; a PDF takes as long as all else of a figure. */
export const DEFAULT_FORMATS: readonly Format[] = FORMATS.filter((one) =>
  one !== "pdf"
);

export interface WriteOptions {
  readonly directory: string;
  /** Default {@linkcode DEFAULT_FORMATS}. */
  readonly formats?: readonly Format[];
  /** Pixels an inch of PNG files; default 300. */
  readonly dpi?: number;
  /** Whether files that were not written by this program, or were changed since, may be replaced; default false. */
  readonly overwrite?: boolean;
}

/** Checksums of what was written, in the format of `sha256sum`, so that nothing else is ever replaced. */
const LIST = "figures.sha256";
const LIST_LINE = /^([0-9a-f]{64}) {2}(.+)$/;

/**
 * Makes the folder for figures, and finds out whether it can be written to
 * before any work is done.
 *
 * @throws {InputError} If not.
 */
export async function prepareFolder(directory: string): Promise<void> {
  await makeFolder(directory);
  await (await stageFile(join(directory, "figures"), "")).discard();
}

/**
 * Opens a folder that figures are to be written to.
 *
 * @param names Names of all files that may be written, apart from `figures`, which are written in all formats.
 * @returns What writes: a file; a figure in all formats but `html`; at the end the list of the files. And the names of the
 * files in order, and a sentence for what is otherwise than asked for.
 * @throws {InputError} If one of them is there and was not written by this program, or was changed since.
 */
export async function openFigureFolder(
  names: readonly string[],
  {
    directory,
    figures,
    formats = DEFAULT_FORMATS,
    dpi = 300,
    overwrite = false,
  }: WriteOptions & { readonly figures: readonly Pick<Figure, "name">[] },
) {
  const list = join(directory, LIST);
  const text = await readTextFile(list, { what: "the list" }).catch(() => "");
  const listed = new Map(
    text.split("\n").flatMap((line) => {
      const [, sum, name] = LIST_LINE.exec(line) ?? [];
      return sum && name ? [[name, sum]] : [];
    }),
  );
  if (!overwrite) {
    const all = figures.flatMap(({ name }) =>
      formats.map((one) => `${name}.${one}`)
    );
    await refuseForeign(directory, [...all, ...names], listed);
  }
  const files: string[] = [];
  const warnings: string[] = [];
  const write = async (name: string, content: Uint8Array | string) => {
    await writeFileWhole(join(directory, name), content);
    files.push(name);
    listed.set(name, hash(content));
  };
  const drawStill = async (figure: Figure) => {
    const { name, title } = figure;
    // Rendering needs large libraries; who writes specifications alone does without.
    const { dpiWithin, renderPdf, renderPng, renderSvg } = await import(
      "./render.ts"
    );
    const svg = await renderSvg(figure);
    if (formats.includes("svg")) await write(`${name}.svg`, svg);
    if (formats.includes("png")) {
      const within = dpiWithin(svg, dpi);
      await write(`${name}.png`, await renderPng(svg, { dpi: within }));
      if (within < dpi) {
        warnings.push(
          `${name}.png has ${within} pixels an inch, not ${dpi}, as the figure is very tall; SVG and PDF have no such limit`,
        );
      }
    }
    if (formats.includes("pdf")) {
      await write(`${name}.pdf`, await renderPdf(svg, { title }));
    }
  };
  const isStill = formats.some((one) => one !== "html" && one !== "vl.json");
  const draw = async (figure: Figure) => {
    if (isStill) await drawStill(figure);
    if (formats.includes("vl.json")) {
      await write(`${figure.name}.vl.json`, formatSpec(figure));
    }
  };
  const finish = async () => {
    const lines = [...listed].map(([name, sum]) => `${sum}  ${name}\n`);
    await writeFileWhole(list, lines.join(""));
  };
  return { write, draw, finish, files, warnings };
}

function hash(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Fails where files of somebody else would be replaced. */
async function refuseForeign(
  directory: string,
  names: readonly string[],
  listed: ReadonlyMap<string, string>,
): Promise<void> {
  const foreign: string[] = [];
  for (const name of names) {
    const bytes = await readIfThere(join(directory, name), {
      what: "the figure",
    });
    if (bytes && listed.get(name) !== hash(bytes)) foreign.push(name);
  }
  if (foreign.length === 0) return;
  const more = foreign.length - 3;
  throw new InputError(
    `Cannot write figures to the folder "${directory}": ${
      foreign.slice(0, 3).join(", ")
    }${
      more > 0 ? ` and ${plural(more, "file")} more` : ""
    } in it would be replaced, but ${
      foreign.length === 1 ? "was" : "were"
    } not written by biornn, or changed since. Choose another folder, or add --overwrite`,
  );
}

/** A sentence on the letters that the font lacks, if there are some. */
export async function missingLetters(
  texts: readonly string[],
): Promise<string[]> {
  const { missing } = await (await import("./render.ts")).loadFont();
  const letters = missing(texts.join("")).filter((one) => one.trim() !== "");
  return letters.length === 0 ? [] : [
    `the font of the figures has no letters for ${
      letters.slice(0, 8).join("")
    }${
      letters.length > 8 ? "…" : ""
    }: boxes stand for them in PNG and PDF files; SVG files and the report show them where the reader's fonts have them`,
  ];
}

/** A specification as text: readable, but a row of data a line. */
function formatSpec({ spec: { datasets, ...spec } }: Figure): string {
  const text = JSON.stringify(spec, null, 2);
  if (datasets === undefined) return `${text}\n`;
  const tables = Object.entries(datasets as Record<string, unknown[]>).map((
    [name, rows],
  ) =>
    `    ${JSON.stringify(name)}: [\n${
      rows.map((row) => `      ${JSON.stringify(row)}`).join(",\n")
    }\n    ]`
  );
  // Before the brace that ends the object.
  return `${text.slice(0, -2)},\n  "datasets": {\n${
    tables.join(",\n")
  }\n  }\n}\n`;
}

/** Room for an index before, a kind and an ending after, within 255 bytes. */
const LONGEST = 100;

/** Letters, digits, dots and hyphens of a text; whatever else becomes one hyphen. */
function safePart(text: string): string {
  return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "")
    .replace(/[^A-Za-z0-9.]+/g, "-").replace(/-?\.(?![0-9])|^\.|\.$/g, "-")
    .replace(/-{2,}/g, "-");
}

/** As {@linkcode safePart}, without hyphens at its ends. */
function trimmed(text: string): string {
  return safePart(text).replace(/^-+|-+$/g, "");
}

/** A number as it stands in a file name: `1e-06`, `0.001`, `3`. */
function nameNumber(value: number): string {
  const text = Math.abs(value) < 1e-4 && value !== 0
    ? value.toExponential()
    : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2").replace("e+", "e");
}

/**
 * The name of a combination's figure, without an ending: its number, then each
 * parameter, with its key where the value is a number.
 */
export function combinationFileName(
  kind: string,
  { index, parameters }: {
    readonly index: number;
    readonly parameters: Parameters;
  },
): string {
  const parts = Object.entries(parameters).map(([key, value]) => {
    if (typeof value === "string") return trimmed(value).toLowerCase();
    const name = key.split("_").map(trimmed).filter(Boolean).join("_");
    return `${name}-${typeof value === "number" ? nameNumber(value) : value}`;
  });
  return fileName(kind, [String(index).padStart(2, "0"), ...parts]);
}

/** Joins parts to a name, without an ending. */
export function fileName(kind: string, parts: readonly string[]): string {
  const kept = parts.map((part) =>
    part.split("_").map(safePart).join("_").replace(/^[-_]+|[-_]+$/g, "")
  ).filter(Boolean);
  return [kind, ...kept].join("_").slice(0, LONGEST).replace(/[-_.]+$/, "");
}

/**
 * Makes names different that would be one file, on systems that don't tell
 * capital letters apart too.
 */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let i = 2; taken.has(unique.toLowerCase()); i++) {
      unique = `${name}_${i}`;
    }
    taken.add(unique.toLowerCase());
    return unique;
  });
}
