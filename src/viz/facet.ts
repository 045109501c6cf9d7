/**
 * Rows and columns of small panels.
 *
 * @module
 */

import type { Spec } from "./figure.ts";

/** A place of a panel; empty texts where nothing tells panels apart. */
export interface PanelPlace {
  readonly row: string;
  readonly column: string;
}

/** What a grid of panels is made of. */
export interface FacetOptions {
  /** Total width in CSS pixels. */
  readonly width: number;
  /** Height of a panel. */
  readonly height: number;
  readonly layer: Spec["layer"];
}

/** Room for the value axis and the rows' titles. */
export const SIDES = 62;
const SPACING = 8;

/** Texts in the order in which they first occur. */
function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/**
 * The part of a specification that lays panels out by the fields `row` and
 * `column` of its data. A field with one value makes no rows or columns.
 *
 * @param places Of all panels, in order.
 *
 * @example
 * ```ts
 * import { facetPanels } from "./src/viz/facet.ts";
 *
 * const places = [{ row: "", column: "n_back 2" }, { row: "", column: "n_back 3" }];
 * facetPanels(places, { width: 661, height: 84, layer: [] }); // facet: { column: … }
 * ```
 */
export function facetPanels(
  places: readonly PanelPlace[],
  { width, height, layer = [] }: FacetOptions,
): Spec {
  const rows = distinct(places.map(({ row }) => row));
  const columns = distinct(places.map(({ column }) => column));
  const panel: Spec = {
    width: Math.floor(
      (width - SIDES - SPACING * (columns.length - 1)) / columns.length,
    ),
    height: rows.length > 1 ? height : Math.round(1.6 * height),
    layer,
  };
  if (rows.length < 2 && columns.length < 2) return panel;
  return {
    facet: {
      ...(rows.length < 2 ? {} : {
        row: {
          field: "row",
          type: "nominal",
          title: null,
          sort: rows,
          header: {
            labelAngle: -90,
            labelOrient: "right",
            labelLimit: 120,
            labelPadding: 6,
          },
        },
      }),
      ...(columns.length < 2 ? {} : {
        column: {
          field: "column",
          type: "nominal",
          title: null,
          sort: columns,
        },
      }),
    },
    spacing: { row: SPACING + 4, column: SPACING },
    spec: panel,
  };
}
