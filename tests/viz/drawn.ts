/**
 * What the tests see of a figure.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Drawing, Spec } from "../../src/viz/figure.ts";
import { renderSvg } from "../../src/viz/render.ts";

/** Texts of a figure; one of several lines has an element a line. */
export async function textsOf(figure: Drawing): Promise<string[]> {
  const svg = await renderSvg(figure);
  assert.ok(!svg.includes("NaN"), figure.title);
  return [...svg.matchAll(/>([^<>]+)<\/(?:text|tspan)>/g)].map((m) => m[1]!);
}

/** Rows of a table of a figure. */
export function rowsOf({ spec }: Drawing, name: string): Spec[] {
  return (spec.datasets as Record<string, Spec[]>)[name]!;
}
