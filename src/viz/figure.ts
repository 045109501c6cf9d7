/**
 * What a figure is: a Vega-Lite specification with its name and its caption,
 * and what makes every text in it such that it can be drawn.
 *
 * @module
 */

import { printable } from "../text/words.ts";
import { type LegendRoom, themeConfig } from "./theme.ts";

/** A JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A Vega-Lite specification, or a part of one. */
export interface Spec {
  /** A member. */
  readonly [key: string]: Json;
}

/**
 * Name of layers that answer the mouse alone. They have a mark a number, and
 * are left out of still pictures.
 */
export const HOVER = "hover";

/** A figure that has no name yet. */
export interface Drawing {
  /** The part of the report that it belongs to. */
  readonly section: "overview" | "summary" | "loss" | "accuracy" | "networks";
  /** A line for the report's list of figures. */
  readonly title: string;
  /** What is seen, in sentences; also what a screen reader says. */
  readonly caption: string;
  /** Total width in CSS pixels. */
  readonly width: number;
  /** The whole specification, its data included. */
  readonly spec: Spec;
}

/** One figure. */
export interface Figure extends Drawing {
  /** File name without its ending; letters, digits, `.`, `-` and `_`. */
  readonly name: string;
}

/** The type of Vega-Lite in JupyterLab, whose renderer knows what we use of version 6. */
const VEGA_LITE = "application/vnd.vegalite.v5+json";

/**
 * A figure of what is said of it and what is drawn, which Deno's Jupyter kernel
 * shows.
 *
 * @param facts `legends`: the room that legends of labels have.
 * @param own All but what every figure has.
 */
export function makeFigure(
  { legends, ...facts }: Omit<Drawing, "spec"> & {
    readonly legends?: LegendRoom;
  },
  own: Spec,
): Drawing {
  const { title, caption } = facts;
  const spec: Spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: caption,
    config: themeConfig(legends) as Spec,
    ...own,
  };
  const display = { [VEGA_LITE]: spec, "text/plain": `${title}: ${caption}` };
  return { ...facts, spec, [Symbol.for("Jupyter.display")]: () => display };
}

/** Longest label that is drawn whole: a legend's entry in one column of a journal. */
const LONGEST_LABEL = 42;

/**
 * Labels as figures have them: long ones without their middle, but such that
 * no two become the same.
 *
 * @param most Signs that fit.
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

/**
 * A specification in which every text can be drawn, but for those inside
 * expressions.
 *
 * @param options `still`: whether layers named {@linkcode HOVER} are left out; default false.
 */
export function drawable(
  spec: Spec,
  { still = false }: { readonly still?: boolean } = {},
): Spec {
  const walk = (value: Json): Json => {
    if (typeof value === "string") {
      // Addresses of pictures are long, and hold nothing that needs care.
      return value.startsWith("data:") ? value : drawableText(value);
    }
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const copy: Record<string, Json> = {};
    for (const [key, part] of Object.entries(value)) {
      copy[key] = walk(
        still && key === "layer"
          ? (part as Spec[]).filter(({ name }) => name !== HOVER)
          : part,
      );
    }
    return copy;
  };
  return walk(spec) as Spec;
}
