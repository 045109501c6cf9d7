/**
 * Names of figure files that every file system takes, and texts that every
 * figure can draw.
 *
 * @module
 */

import { printable } from "../text/words.ts";
import type { Json, Spec } from "./figure.ts";

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
export interface CombinationName {
  readonly index: number;
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
}

/**
 * The name of a combination's figure, without an ending: its number, then each
 * parameter, with its key where the value is a number.
 *
 * @example
 * ```ts
 * import { combinationFileName } from "./src/viz/names.ts";
 *
 * combinationFileName("loss", {
 *   index: 4,
 *   parameters: { lr: 1e-6, nonlinearity: "relu", pattern_length: 3 },
 * }); // "loss_04_lr-1e-06_relu_pattern_length-3"
 * ```
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

/**
 * Joins parts to a name, without an ending.
 *
 * @example
 * ```ts
 * import { fileName } from "./src/viz/names.ts";
 *
 * fileName("networks", ["50 % random"]); // "networks_50-random"
 * ```
 */
export function fileName(kind: string, parts: readonly string[]): string {
  const kept = parts.map((part) =>
    part.split("_").map(safePart).join("_").replace(/^[-_]+|[-_]+$/g, "")
  ).filter((part) => part !== "");
  return [kind, ...kept].join("_").slice(0, LONGEST).replace(/[-_.]+$/, "");
}

/**
 * Makes names different that would be one file, on systems that don't tell
 * capital letters apart too.
 *
 * @example
 * ```ts
 * import { uniqueNames } from "./src/viz/names.ts";
 *
 * uniqueNames(["networks_a", "networks_A"]); // ["networks_a", "networks_A_2"]
 * ```
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

/** Longest label that is drawn whole: a legend's entry in one column of a journal. */
const LONGEST_LABEL = 42;

/**
 * Labels as figures have them: long ones without their middle, but such that
 * no two become the same.
 *
 * @param most Signs that fit.
 *
 * @example
 * ```ts
 * import { drawnLabels } from "./src/viz/names.ts";
 *
 * drawnLabels(["bio", "rand"]); // the same
 * ```
 */
export function drawnLabels(
  labels: readonly string[],
  most = LONGEST_LABEL,
): string[] {
  for (let room = most; room < 1000; room += 20) {
    const short = labels.map((label) =>
      withoutMiddle(drawableText(label), room)
    );
    if (new Set(short).size === labels.length) return short;
  }
  return labels.map(drawableText);
}

/** The beginning and the end of a text; where names differ is most often there. */
function withoutMiddle(text: string, most: number): string {
  const signs = [...text];
  if (signs.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${signs.slice(0, most - 1 - end).join("")}…${
    signs.slice(-end).join("")
  }`;
}

/**
 * A text that can be drawn: control characters, which no XML file may hold,
 * stand as their codes, and a text such as `constructor`, which Vega would
 * take for a property that every object has, ends in a blank.
 */
export function drawableText(text: string): string {
  const printed = printable(text);
  return printed in {} ? `${printed}\u00a0` : printed;
}

/** Addresses of pictures are long, and hold nothing that needs care. */
const ADDRESS = "data:";

/** A specification in which every text can be drawn, but for those inside expressions. */
export function drawable(spec: Spec): Spec {
  const known = new Map<string, string>();
  const clean = (text: string): string => {
    let found = known.get(text);
    if (found === undefined) {
      found = text.startsWith(ADDRESS) ? text : drawableText(text);
      known.set(text, found);
    }
    return found;
  };
  const walk = (value: Json): Json => {
    if (typeof value === "string") return clean(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const copy: Record<string, Json> = {};
    for (const key in value) copy[key] = walk((value as Spec)[key]!);
    return copy;
  };
  return walk(spec) as Spec;
}
