/**
 * How large the register tiles of the three products are: what an invocation
 * sums up in variables of its own.
 *
 * @module
 */

import type { KernelName } from "./kernels.ts";
import type { Layout } from "./layout.ts";

/** Tile of a kernel, and so the size of its grid of workgroups. */
export interface Tile {
  /** Batch rows (forward, backward) or vectors of four units (gradient) of an invocation. */
  readonly rows: number;
  /** Vectors of four columns of an invocation for each row. */
  readonly vecs: number;
}

/** The kernels that have tiles. */
export type TiledKernel = "forwardStep" | "backwardStep" | "gradient";

/** Invocations of a workgroup: the width of a software adapter's vectors. */
export const LANES = 8;

/** Vectors that an invocation can sum up before they spill, or take a driver seconds to compile. */
const MOST_SUMS = 112;
const MOST_ROWS = 32;
const MOST_VECS = 7;

/** The tiles of the kernels that have some. */
export function chooseTiles(
  { hidden, width, batchRows }: Layout,
): Record<TiledKernel, Tile> {
  const step = fittingVecs(hidden / 4);
  const rows = Math.min(
    batchRows,
    MOST_ROWS,
    Math.max(1, Math.floor(MOST_SUMS / step / 4) * 4),
  );
  const vecs = fittingVecs(width / 4);
  return {
    forwardStep: { rows, vecs: step },
    backwardStep: { rows, vecs: step },
    gradient: {
      rows: Math.max(1, Math.min(hidden / 4, Math.floor(MOST_SUMS / vecs / 4))),
      vecs,
    },
  };
}

/** Vectors of an invocation, so that the last workgroup is as full as can be. */
function fittingVecs(columns: number): number {
  const tiles = Math.ceil(columns / (LANES * MOST_VECS));
  return Math.ceil(columns / (LANES * tiles));
}

/** Constants of a kernel that say its tile. */
export function tileConstants(
  name: KernelName,
  tiles: Readonly<Record<TiledKernel, Tile>>,
): Record<string, number> {
  if (name === "gradient") {
    return { TILE_UNITS: tiles.gradient.rows, VECS: tiles.gradient.vecs };
  }
  if (name === "forwardStep" || name === "backwardStep") {
    return { ROWS: tiles[name].rows, VECS: tiles[name].vecs };
  }
  return {};
}
