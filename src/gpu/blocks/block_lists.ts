/**
 * Lists of the blocks of a matrix that hold a connection, as the kernels read
 * them (`src/shaders/blocks/lists.wgsl`): by row for the forward pass, by column
 * for the backward pass, and in chunks for the gradient.
 *
 * @module
 */

import { forEachBlockRow } from "../../graph/blocks.ts";
import type { Connections } from "../../graph/connections.ts";
import { hasPort, type Ports } from "../../rnn/parameters.ts";
import { type Layout, roundUp } from "../layout.ts";
import type { Topology } from "../weight_format.ts";

/** Entries along a side of a block: blocks of 4 × 4, or single connections. */
export type BlockSide = 1 | 4;

/** Marks a single connection that is none. */
const EMPTY = 0x80000000;

/** Sizes in blocks. */
export interface BlockShape {
  readonly layout: Layout;
  readonly side: BlockSide;
  /** Blocks that the kernels load at once: rows and columns are filled up to a multiple. */
  readonly ahead: number;
  /** Blocks of a chunk of the gradient, at most: 32 sums an invocation with 4 × 4, 16 with single ones. */
  readonly chunk: number;
  /** Columns of blocks that are hidden units; as many rows are. */
  readonly hiddenBlocks: number;
  /** Blocks of inputs and the one, and of outputs, filled up. */
  readonly inputBlocks: number;
  readonly outputBlocks: number;
}

/** Counts in blocks. */
export function makeBlockShape(layout: Layout, side: BlockSide): BlockShape {
  const ahead = side === 1 ? 4 : 2;
  return {
    layout,
    side,
    ahead,
    chunk: side === 1 ? 16 : 2,
    hiddenBlocks: layout.hidden / side,
    inputBlocks: roundUp(Math.ceil((layout.inputSize + 1) / side), ahead),
    outputBlocks: roundUp(Math.ceil(layout.outputSize / side), ahead),
  };
}

/** Columns of blocks whose numbers leave room for the bits of a block's entries. */
export function canNumberBlocks({ slot }: Layout): boolean {
  return slot / 4 <= 1 << 16;
}

/** At most so many blocks, filled up, with so many among the hidden units. */
export function countAllBlocks(
  { hiddenBlocks, inputBlocks, layout, side, ahead }: BlockShape,
  recurrent: number,
): number {
  const outputRows = Math.ceil(layout.outputSize / side);
  return recurrent + hiddenBlocks * (inputBlocks + ahead - 1) +
    outputRows * (hiddenBlocks + 1) + 1;
}

/** At most so many words of the lists of a topology. */
export function listWords(shape: BlockShape, recurrent: number): number {
  const { hiddenBlocks, outputBlocks, layout, side, ahead, chunk } = shape;
  const rows = hiddenBlocks + Math.ceil(layout.outputSize / side);
  const blocks = countAllBlocks(shape, recurrent);
  const back = recurrent + hiddenBlocks * (outputBlocks + ahead - 1);
  // Each row may end with a chunk that is not full.
  const chunks = Math.floor(blocks / chunk) + rows;
  const pairs = 2 * Math.ceil(hiddenBlocks / 2);
  return rows + 1 + hiddenBlocks + 1 + blocks + 2 * back + 2 * chunks +
    2 * pairs;
}

/** Makes the lists of connections. */
export function makeTopology(
  connections: Connections,
  { shape, ports }: {
    readonly shape: BlockShape;
    readonly ports: Ports | undefined;
  },
): Topology {
  const { layout, side, ahead, chunk, hiddenBlocks, inputBlocks } = shape;
  const { hiddenSize, inputSize, outputSize } = layout;
  const { start, sender, receivers } = connections;
  const area = side ** 2;
  const outputRows = Math.ceil(outputSize / side);
  const list: number[] = [];
  const rows: number[] = [];
  /** By column, the rows and numbers of its blocks. */
  const columns: number[][] = Array.from({ length: hiddenBlocks }, () => []);
  const word = (column: number, bits: number) =>
    side === 1
      ? (bits === 0 ? column + EMPTY : column)
      : ((column << 16) | bits) >>> 0;
  const one = Math.floor((layout.hidden + inputSize) / side);
  // The last four rows of both slots are 0.
  const nothing = word(layout.slot / side - 1, 0);
  const noRow = layout.units / side - 1;
  const fillUp = (length: number) => {
    while (length++ % ahead > 0) list.push(nothing);
  };

  const recurrent = new Uint32Array(sender.length);
  const numberOf = new Uint32Array(hiddenBlocks);
  let entries = 0;
  forEachBlockRow(connections, side, (found, row) => {
    const begin = list.length;
    rows.push(begin);
    for (let b = 0; b < inputBlocks; b++) {
      const bits = bitsOf(side, {
        rows: receivers - row * side,
        columns: inputSize + 1 - b * side,
        has: (i, j) =>
          b * side + j === inputSize ||
          hasPort(ports, row * side + i, "input"),
      });
      list.push(bits === 0 ? nothing : word(hiddenBlocks + b, bits));
    }
    for (const column of found) {
      numberOf[column] = list.length;
      list.push(word(column, side === 1 ? 1 : 0));
    }
    entries += found.length * area;
    const last = Math.min((row + 1) * side, receivers);
    for (let unit = row * side; unit < last; unit++) {
      for (let c = start[unit]!; c < start[unit + 1]!; c++) {
        const from = sender[c]!;
        const block = numberOf[Math.floor(from / side)]!;
        const within = (unit % side) * side + from % side;
        recurrent[c] = block * area + within;
        if (side > 1) list[block] = (list[block]! | (1 << within)) >>> 0;
      }
    }
    fillUp(list.length - begin);
  });
  // Padding to a multiple of 4 units may leave rows without a connection's row.
  for (let row = rows.length; row < hiddenBlocks; row++) {
    rows.push(list.length);
    for (let b = 0; b < inputBlocks; b++) list.push(nothing);
  }
  const readoutBlock = list.length;
  for (let row = 0; row < outputRows; row++) {
    rows.push(list.length);
    for (let column = 0; column < hiddenBlocks; column++) {
      const bits = bitsOf(side, {
        rows: outputSize - row * side,
        columns: hiddenSize - column * side,
        has: (_, j) => hasPort(ports, column * side + j, "output"),
      });
      columns[column]!.push(hiddenBlocks + row, list.length);
      list.push(word(column, bits));
    }
    // Of the inputs only the one reaches an output.
    const bits =
      bitsOf(side, { rows: outputSize - row * side, columns: side }) &
      columnBits(side, inputSize % side);
    list.push(word(one, bits));
  }
  rows.push(list.length);
  const zeroBlock = list.length;
  list.push(nothing);
  const pad = (column: number[], length: number) => {
    while (column.length < 2 * length) column.push(noRow, zeroBlock);
  };
  for (const column of columns) pad(column, shape.outputBlocks);
  for (let row = 0; row < hiddenBlocks; row++) {
    for (let n = rows[row]! + inputBlocks; n < rows[row + 1]!; n++) {
      const found = list[n]!;
      const isEmpty = side === 1 ? found >= EMPTY : (found & 0xffff) === 0;
      if (!isEmpty) columns[side === 1 ? found : found >>> 16]!.push(row, n);
    }
  }
  for (const column of columns) pad(column, roundUp(column.length / 2, ahead));

  const chunks: number[] = [];
  for (let row = 0; row + 1 < rows.length; row++) {
    for (let n = rows[row]!; n < rows[row + 1]!; n += chunk) {
      chunks.push(row, n);
    }
  }
  const columnStarts = [0];
  for (const column of columns) {
    columnStarts.push(columnStarts.at(-1)! + column.length / 2);
  }
  const parts = [
    rows,
    columnStarts,
    list,
    columns.flat(),
    chunks,
    pairUp(rows, hiddenBlocks),
    pairUp(columnStarts, hiddenBlocks),
  ];
  const at: number[] = [];
  let length = 0;
  for (const part of parts) {
    at.push(length);
    length += part.length;
  }
  const lists = new Uint32Array(length);
  for (const [i, part] of parts.entries()) lists.set(part, at[i]);
  const places = list.length * area;
  const rowStarts = Uint32Array.from(rows);
  return {
    words: { lists: length, places, parameters: places },
    lists,
    fields: (base) => ({
      rows_at: base + at[0]!,
      columns_at: base + at[1]!,
      blocks_at: base + at[2]!,
      back_at: base + at[3]!,
      chunks_at: base + at[4]!,
      row_pairs_at: base + at[5]!,
      column_pairs_at: base + at[6]!,
      chunks: chunks.length / 2,
      readout_block: readoutBlock,
    }),
    entries,
    chunks: chunks.length / 2,
    recurrent,
    input(unit, i) {
      const block = rowStarts[Math.floor(unit / side)]! + Math.floor(i / side);
      return block * area + unit % side * side + i % side;
    },
    output(o, unit) {
      const isOne = unit === hiddenSize;
      const block = readoutBlock + Math.floor(o / side) * (hiddenBlocks + 1) +
        (isOne ? hiddenBlocks : Math.floor(unit / side));
      return block * area + o % side * side +
        (isOne ? inputSize : unit) % side;
    },
  };
}

/** The longest of so many parts, which begin there, with the shortest, and so on; what lacks a partner has one beyond the last. */
function pairUp(starts: readonly number[], count: number): number[] {
  const length = (part: number) => starts[part + 1]! - starts[part]!;
  const ranked = Array.from({ length: count }, (_, part) => part)
    .sort((a, b) => length(b) - length(a) || a - b);
  const pairs = Math.ceil(count / 2);
  return Array.from({ length: pairs }, (_, i) => {
    const other = count - 1 - i;
    return [ranked[i]!, other > i ? ranked[other]! : count];
  }).flat();
}

/** A bit for each entry of a block that has so many rows and columns, or for those of them that exist. */
function bitsOf(
  side: BlockSide,
  { rows, columns, has = () => true }: {
    readonly rows: number;
    readonly columns: number;
    readonly has?: (i: number, j: number) => boolean;
  },
): number {
  let bits = 0;
  for (let i = 0; i < Math.min(side, rows); i++) {
    for (let j = 0; j < Math.min(side, columns); j++) {
      if (has(i, j)) bits |= 1 << (i * side + j);
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
