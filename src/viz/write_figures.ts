/**
 * The folder that figures are written to, in the formats that are asked for,
 * under names that every file system takes.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { readFileBytes, readTextFile } from "../files/read.ts";
import { makeFolder, stageFile, writeFileWhole } from "../files/write.ts";
import { plural } from "../text/words.ts";
import type { Figure } from "./figure.ts";

/** What can be written; `html` is one report of all figures. */
export const FORMATS = ["svg", "png", "pdf", "vl.json", "html"] as const;

export type Format = typeof FORMATS[number];

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

/** A folder of figures that is being written. */
interface FigureFolder {
  readonly write: (name: string, content: Uint8Array | string) => Promise<void>;
  /** Writes a figure in all formats but `html`. */
  readonly draw: (figure: Figure) => Promise<void>;
  /** Names of the files, in the order in which they were written. */
  readonly files: readonly string[];
  /** One sentence each: what is otherwise than asked for. */
  readonly warnings: readonly string[];
  /** Writes the list of the files; the folder is complete then. */
  readonly finish: () => Promise<void>;
}

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
): Promise<FigureFolder> {
  const listed = await readList(directory);
  const all = figures.flatMap(({ name }) =>
    formats.map((one) => `${name}.${one}`)
  );
  if (!overwrite) {
    const foreign = await othersFiles([...all, ...names], {
      directory,
      listed,
    });
    if (foreign.length > 0) {
      throw new InputError(
        `Cannot write figures to the folder "${directory}": ${
          foreign.slice(0, 3).join(", ")
        }${
          foreign.length > 3
            ? ` and ${plural(foreign.length - 3, "file")} more`
            : ""
        } in it would be replaced, but ${
          foreign.length === 1 ? "was" : "were"
        } not written by biornn, or changed since. Choose another folder, or add --overwrite`,
      );
    }
  }
  const files: string[] = [];
  const warnings: string[] = [];
  const write = async (name: string, content: Uint8Array | string) => {
    await writeFileWhole(join(directory, name), content);
    files.push(name);
    listed.set(name, hash(content));
  };
  const still = formats.filter((one) => one !== "html" && one !== "vl.json");
  const draw = async (figure: Figure) => {
    const { name, title } = figure;
    if (still.length > 0) {
      // Rendering needs large libraries; who writes specifications alone does without.
      const { dpiWithin, renderPdf, renderPng, renderSvg } = await import(
        "./render.ts"
      );
      const svg = await renderSvg(figure);
      if (still.includes("svg")) await write(`${name}.svg`, svg);
      if (still.includes("png")) {
        const within = dpiWithin(svg, dpi);
        await write(`${name}.png`, await renderPng(svg, { dpi: within }));
        if (within < dpi) {
          warnings.push(
            `${name}.png has ${within} pixels an inch, not ${dpi}, as the figure is very tall; SVG and PDF have no such limit`,
          );
        }
      }
      if (still.includes("pdf")) {
        await write(`${name}.pdf`, await renderPdf(svg, { title }));
      }
    }
    if (formats.includes("vl.json")) {
      await write(`${name}.vl.json`, formatSpec(figure));
    }
  };
  const finish = async () => {
    const lines = [...listed].map(([name, sum]) => `${sum}  ${name}\n`);
    await writeFileWhole(join(directory, LIST), lines.join(""));
  };
  return { write, draw, files, warnings, finish };
}

function hash(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

async function readList(directory: string): Promise<Map<string, string>> {
  const listed = new Map<string, string>();
  let text: string;
  try {
    text = await readTextFile(join(directory, LIST), { what: "the list" });
  } catch {
    return listed;
  }
  for (const line of text.split("\n")) {
    const [, sum, name] = LIST_LINE.exec(line) ?? [];
    if (sum !== undefined && name !== undefined) listed.set(name, sum);
  }
  return listed;
}

/** Which of the names are files of somebody else. */
async function othersFiles(
  names: readonly string[],
  { directory, listed }: {
    readonly directory: string;
    readonly listed: ReadonlyMap<string, string>;
  },
): Promise<string[]> {
  const there = new Set<string>();
  for await (const { name } of Deno.readDir(directory)) there.add(name);
  const foreign: string[] = [];
  for (const name of names) {
    if (!there.has(name)) continue;
    const bytes = await readFileBytes(join(directory, name), {
      what: "the figure",
    });
    if (listed.get(name) !== hash(bytes)) foreign.push(name);
  }
  return foreign;
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

/** What a combination is called in file names. */
interface CombinationName {
  readonly index: number;
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

/**
 * The name of a combination's figure, without an ending: its number, then each
 * parameter, with its key where the value is a number.
 */
export function combinationFileName(
  kind: string,
  { index, parameters }: CombinationName,
): string {
  const parts = Object.entries(parameters).map(([key, value]) => {
    if (typeof value === "string") return trimmed(value).toLowerCase();
    const name = key.split("_").map(trimmed).filter((part) => part !== "")
      .join("_");
    return `${name}-${typeof value === "number" ? nameNumber(value) : value}`;
  });
  return fileName(kind, [String(index).padStart(2, "0"), ...parts]);
}

/** Joins parts to a name, without an ending. */
export function fileName(kind: string, parts: readonly string[]): string {
  const kept = parts.map((part) =>
    part.split("_").map(safePart).join("_").replace(/^[-_]+|[-_]+$/g, "")
  ).filter((part) => part !== "");
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
