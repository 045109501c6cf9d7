/**
 * Connections seen as blocks of a matrix: neurons of a region lie side by side,
 * so that whole blocks of W_hh are empty where regions are not connected.
 *
 * @module
 */

import { type Connections, countConnections } from "./connections.ts";

/**
 * How many of the blocks of `side` × `side` weights hold a connection.
 */
export function countBlocks(connections: Connections, side: number): number {
  if (side === 1) return countConnections(connections);
  let count = 0;
  forEachBlockRow(connections, side, (columns) => count += columns.length);
  return count;
}

/**
 * Calls `visit` with the columns of the blocks, rising, that each row of blocks
 * holds. The array is used again for the next row.
 */
export function forEachBlockRow(
  { receivers, senders, start, sender }: Connections,
  side: number,
  visit: (columns: Uint32Array, row: number) => void,
): void {
  const rows = Math.ceil(receivers / side);
  const seen = new Int32Array(Math.ceil(senders / side)).fill(-1);
  const found = new Uint32Array(seen.length);
  for (let row = 0; row < rows; row++) {
    let count = 0;
    const last = Math.min((row + 1) * side, receivers);
    for (let c = start[row * side]!; c < start[last]!; c++) {
      const column = Math.floor(sender[c]! / side);
      if (seen[column] === row) continue;
      seen[column] = row;
      found[count++] = column;
    }
    visit(found.subarray(0, count).sort(), row);
  }
}
