/**
 * What a figure is: a Vega-Lite specification with its name and its caption.
 *
 * @module
 */

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

/** Version 6 of Vega-Lite, which Vega's online editor opens. */
export const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";

/**
 * Name of layers that answer the mouse alone. They have a mark a number, and
 * are left out of still pictures.
 */
export const HOVER = "hover";

/** One figure. */
export interface Figure {
  /** File name without its ending; letters, digits, `.`, `-` and `_`. */
  readonly name: string;
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

/** The specification without its layers named {@linkcode HOVER}. */
export function withoutHover(spec: Spec): Spec {
  return strip(spec) as Spec;
}

/** Where parts that may be layers stand in a specification. */
const PARTS = new Set(["layer", "spec", "hconcat", "vconcat", "concat"]);

function strip(part: Json): Json {
  if (Array.isArray(part)) {
    return part.filter((one) => (one as Spec | null)?.name !== HOVER).map(
      strip,
    );
  }
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [
      key,
      PARTS.has(key) ? strip(value) : value,
    ]),
  );
}
