/**
 * How the three products of a training step are cut into register tiles: what
 * an invocation sums up in variables of its own. A rule, not a measurement, so
 * that a device always adds the same numbers in the same order.
 *
 * @module
 */

import { PLAIN_LANES } from "../dispatches.ts";
import type { KernelName } from "../kernels.ts";
import type { Layout } from "./layout.ts";
import type { BatchPlace } from "../pack_trials.ts";
import type { SequenceTile } from "./sequence_tile.ts";

/** How a kernel's product is tiled. */
export interface Tile {
  /** Invocations of a workgroup. */
  readonly lanes: number;
  /** How many of them lie along the columns; the others along the rows. */
  readonly columnLanes: number;
  /** Rows of an invocation: of the batch (forward, backward) or units / 4 (gradient). */
  readonly rows: number;
  /** Vectors of four columns of an invocation. */
  readonly vecs: number;
}

/** The kernels that have tiles. */
export type TiledKernel = "forwardStep" | "backwardStep" | "gradient";

/** Tiles of all kernels that have some. */
export type Tiles = Readonly<Record<TiledKernel, Tile>>;

/** What kind of adapter the tiles are for. */
export interface TileOptions {
  /** True where a CPU does the work. */
  readonly software: boolean;
  /** The batches of an epoch. */
  readonly batches: readonly Pick<BatchPlace, "size" | "training">[];
}

/**
 * What an adapter can do. `sums`: vectors an invocation can sum up, in a time
 * step's products and in that of the gradient; a software adapter keeps them in
 * its first-level cache, and takes long to compile more (a step's are four terms
 * each). `loadCost`: what loading a vector costs beside one multiply-add
 * of two vectors. Measured with Mesa's llvmpipe, where a load takes about 100
 * cycles; on a GPU a plausible round number.
 */
const ADAPTERS = {
  software: { lanes: 8, sums: { step: 84, gradient: 112 }, loadCost: 27 },
  hardware: { lanes: 64, sums: { step: 16, gradient: 16 }, loadCost: 4 },
} as const;

/** The tiles for models of that size and batches of those sizes. */
export function chooseTiles(
  { hidden, width, panelUnits }: Layout,
  { software, batches }: TileOptions,
): Tiles {
  const adapter = ADAPTERS[software ? "software" : "hardware"];
  const { lanes, loadCost, sums } = adapter;
  const step = (rows: readonly number[]) =>
    chooseTile({ rows, columns: hidden / 4 }, {
      lanes,
      sums: sums.step,
      // A row and a vector of columns are four terms of a sum, each in one load.
      cost: (rows, vecs) => loadCost * (rows + 4 * vecs) + 4 * rows * vecs,
    });
  const size = { rows: [Math.ceil(panelUnits / 4)], columns: width / 4 };
  return {
    forwardStep: step(batches.map(({ size }) => size)),
    backwardStep: step(
      batches.filter(({ training }) => training).map(({ size }) => size),
    ),
    gradient: chooseTile(size, {
      lanes,
      sums: sums.gradient / 4,
      cost: (rows, vecs) => loadCost * (rows + vecs) + 4 * rows * vecs,
    }),
  };
}

/**
 * The tile that makes products of so many rows (several, as batches differ)
 * and vectors of columns cheapest; of equals the one with most lanes along the
 * columns.
 */
function chooseTile(
  size: { readonly rows: readonly number[]; readonly columns: number },
  options: {
    readonly lanes: number;
    readonly sums: number;
    readonly cost: (rows: number, vecs: number) => number;
  },
): Tile {
  const { lanes, sums, cost } = options;
  const { columns } = size;
  let best: Tile = { lanes, columnLanes: lanes, rows: 1, vecs: 1 };
  let least = Infinity;
  for (let columnLanes = lanes; columnLanes >= 1; columnLanes /= 2) {
    for (let vecs = 1; vecs <= sums; vecs++) {
      for (let rows = 1; rows * vecs <= sums; rows++) {
        const tile = { lanes, columnLanes, rows, vecs };
        let groups = 0;
        for (const each of size.rows) {
          const [x, y] = tileGrid(tile, { rows: each, columns });
          groups += x * y;
        }
        const total = groups * cost(rows, vecs);
        if (total < least) {
          least = total;
          best = tile;
        }
      }
    }
  }
  return best;
}

/** Workgroups along columns and rows. */
export function tileGrid(
  { lanes, columnLanes, rows, vecs }: Tile,
  size: { readonly rows: number; readonly columns: number },
): [number, number] {
  return [
    Math.ceil(size.columns / (columnLanes * vecs)),
    Math.ceil(size.rows / (lanes / columnLanes * rows)),
  ];
}

/** Constants of a kernel that say its tile. */
export function tileConstants(
  name: KernelName,
  options: {
    readonly tiles: Tiles;
    readonly sequence: SequenceTile | undefined;
  },
): Record<string, number> {
  const { tiles, sequence } = options;
  if (name === "forwardSequence" || name === "backwardSequence") {
    const { lanes, rows, tileRows } = sequence!;
    return { LANES: lanes, ROWS: rows, TILE_ROWS: tileRows };
  }
  if (
    name === "forwardStep" || name === "backwardStep" || name === "gradient"
  ) {
    const { lanes, columnLanes, rows, vecs } = tiles[name];
    return {
      LANES: lanes,
      COLUMN_LANES: columnLanes,
      ROWS: rows,
      VECS: vecs,
    };
  }
  return { LANES: PLAIN_LANES };
}
