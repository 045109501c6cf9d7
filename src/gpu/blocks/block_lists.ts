/**
 * Lists of the blocks of a matrix that hold a connection, as the kernels read
 * them: by row for the forward pass, by column for the backward pass, and in
 * chunks for the gradient.
 *
 * @module
 */

import type { Connections } from "../../graph/connections.ts";
import { countBlocks, forEachBlockRow } from "../../graph/blocks.ts";
import {
  type BlockLayout,
  type BlockSide,
  countAllBlocks,
} from "./block_layout.ts";

/** Parts of a topology's lists, in words. */
export interface ListParts {
  /** [row blocks + 1]: first block of each row. */
  readonly rows: number;
  /** [hidden column blocks + 1]: first entry of each column in `back`. */
  readonly columns: number;
  /** [blocks]: column of each and, with a side of 4, a bit an entry. */
  readonly blocks: number;
  /** [.., 2]: row and number of the blocks among hidden units, by column. */
  readonly back: number;
  /** [chunks, 2]: row and first block of each chunk. */
  readonly chunks: number;
}

/** Lists of one topology. */
export interface BlockLists {
  readonly words: Uint32Array<ArrayBuffer>;
  /** Where each part begins in `words`. */
  readonly at: ListParts;
  /** Blocks among hidden units. */
  readonly recurrentBlocks: number;
  /** All blocks. */
  readonly blocks: number;
  readonly chunks: number;
  /** The first block of the read-out. */
  readonly readoutBlock: number;
  /** First block of the inputs of each hidden row. */
  readonly inputBlock: Uint32Array;
  /** [n]: where each connection's weight lies among the blocks' entries. */
  readonly place: Uint32Array;
}

/** Columns of blocks whose numbers leave room for the bits of a block's entries. */
const MOST_BLOCK_COLUMNS = 1 << 16;

/** Whether a word of the lists holds the number of each column of blocks. */
export function canNumberBlocks(
  { side, hiddenBlocks, inputBlocks }: BlockLayout,
): boolean {
  return side === 1 || hiddenBlocks + inputBlocks <= MOST_BLOCK_COLUMNS;
}

/** Makes the lists; `chunk` is the most blocks of a chunk. */
export function makeBlockLists(
  connections: Connections,
  { layout, chunk }: { readonly layout: BlockLayout; readonly chunk: number },
): BlockLists {
  const { side, hiddenBlocks, inputBlocks, outputBlocks, inputSize } = layout;
  const { start, sender } = connections;
  const recurrentBlocks = countBlocks(connections, side);
  const rowBlocks = hiddenBlocks + outputBlocks;
  const blocks = countAllBlocks(layout, recurrentBlocks);
  const rows = new Uint32Array(rowBlocks + 1);
  const list = new Uint32Array(blocks);
  const place = new Uint32Array(sender.length);
  const inputBlock = new Uint32Array(hiddenBlocks);
  /** Receivers of a column, counted to begin with. */
  const columns = new Uint32Array(hiddenBlocks + 1);
  const numberOf = new Uint32Array(hiddenBlocks);
  const word = (column: number, bits: number) =>
    side === 1 ? column : ((column << 16) | bits) >>> 0;

  let number = 0;
  forEachBlockRow(connections, side, (found, row) => {
    rows[row] = number;
    for (const column of found) {
      numberOf[column] = number;
      columns[column + 1]!++;
      list[number++] = word(column, 0);
    }
    const last = Math.min((row + 1) * side, connections.receivers);
    for (let unit = row * side; unit < last; unit++) {
      for (let c = start[unit]!; c < start[unit + 1]!; c++) {
        const from = sender[c]!;
        const block = numberOf[Math.floor(from / side)]!;
        const within = (unit % side) * side + from % side;
        place[c] = block * side ** 2 + within;
        if (side > 1) list[block]! |= 1 << within;
      }
    }
    inputBlock[row] = number;
    for (let b = 0; b < inputBlocks; b++) {
      const bits = bitsOf(side, {
        rows: connections.receivers - row * side,
        columns: inputSize + 1 - b * side,
      });
      list[number++] = word(hiddenBlocks + b, bits);
    }
  });
  const readoutBlock = number;
  for (let row = 0; row < outputBlocks; row++) {
    rows[hiddenBlocks + row] = number;
    const outputs = layout.outputSize - row * side;
    for (let column = 0; column < hiddenBlocks; column++) {
      const bits = bitsOf(side, {
        rows: outputs,
        columns: connections.senders - column * side,
      });
      list[number++] = word(column, bits);
    }
    // Of the inputs only the one that multiplies the biases reaches an output.
    const one = Math.floor(inputSize / side);
    const bits = bitsOf(side, { rows: outputs, columns: side }) &
      columnBits(side, inputSize % side);
    list[number++] = word(hiddenBlocks + one, bits);
  }
  rows[rowBlocks] = number;

  for (let c = 0; c < hiddenBlocks; c++) columns[c + 1]! += columns[c]!;
  const back = new Uint32Array(2 * recurrentBlocks);
  const next = columns.slice(0, hiddenBlocks);
  for (let row = 0; row < hiddenBlocks; row++) {
    for (let n = rows[row]!; n < inputBlock[row]!; n++) {
      const entry = next[side === 1 ? list[n]! : list[n]! >>> 16]!++;
      back[2 * entry] = row;
      back[2 * entry + 1] = n;
    }
  }

  const chunkList: number[] = [];
  for (let row = 0; row < rowBlocks; row++) {
    for (let n = rows[row]!; n < rows[row + 1]!; n += chunk) {
      chunkList.push(row, n);
    }
  }

  const parts = [rows, columns, list, back, Uint32Array.from(chunkList)];
  const at: number[] = [];
  let length = 0;
  for (const part of parts) {
    at.push(length);
    length += part.length;
  }
  const words = new Uint32Array(length);
  for (const [i, part] of parts.entries()) words.set(part, at[i]);
  const [rowsAt, columnsAt, blocksAt, backAt, chunksAt] = at;
  return {
    words,
    at: {
      rows: rowsAt!,
      columns: columnsAt!,
      blocks: blocksAt!,
      back: backAt!,
      chunks: chunksAt!,
    },
    recurrentBlocks,
    blocks,
    chunks: chunkList.length / 2,
    readoutBlock,
    inputBlock,
    place,
  };
}

/** Most words of the lists of a topology with so many blocks among its hidden units. */
export function listWords(
  layout: BlockLayout,
  { recurrent, chunk }: { readonly recurrent: number; readonly chunk: number },
): number {
  const { hiddenBlocks, outputBlocks } = layout;
  const rowBlocks = hiddenBlocks + outputBlocks;
  const blocks = countAllBlocks(layout, recurrent);
  // Each row may end with a chunk that is not full.
  const chunks = Math.floor(blocks / chunk) + rowBlocks;
  return rowBlocks + 1 + hiddenBlocks + 1 + blocks + 2 * recurrent + 2 * chunks;
}

/** A bit for each entry of a block that has so many rows and columns. */
function bitsOf(
  side: BlockSide,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): number {
  let bits = 0;
  for (let i = 0; i < Math.min(side, rows); i++) {
    for (let j = 0; j < Math.min(side, columns); j++) {
      bits |= 1 << (i * side + j);
    }
  }
  return bits;
}

/** The bits of one column of a block. */
function columnBits(side: BlockSide, column: number): number {
  let bits = 0;
  for (let i = 0; i < side; i++) bits |= 1 << (i * side + column);
  return bits;
}
