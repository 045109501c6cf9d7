/**
 * Only the blocks of W that hold a connection lie on the device
 * (`src/shaders/blocks/lists.wgsl`), so that cost and memory follow the
 * connections. The kernels find them by lists: by row for the forward pass, by
 * column for the backward pass, and in chunks for the gradient.
 *
 * @module
 */

import gradientText from "../../shaders/blocks/gradient.wgsl" with {
  type: "text",
};
import listsText from "../../shaders/blocks/lists.wgsl" with { type: "text" };
import productText from "../../shaders/blocks/product.wgsl" with {
  type: "text",
};
import { forEachBlockRow } from "../../graph/blocks.ts";
import type { Connections } from "../../graph/connections.ts";
import { hasPort, type Ports } from "../../rnn/parameters.ts";
import { type Layout, roundUp } from "../layout.ts";
import type {
  AdapterLimits,
  StepProduct,
  Topology,
  WeightFormat,
} from "../weight_format.ts";
/** Chunks of the gradient along the first dimension of a dispatch. */
const CHUNKS_ALONG = 32_768;

/** Workgroups along a dimension of a dispatch that every adapter allows. */
const MOST_GROUPS = 65_535;

/** Blocks of 4 × 4 weights, or single connections. */
export function blockFormat(
  common: Layout,
  { name, limits }: {
    readonly name: "blocks" | "connections";
    readonly limits: AdapterLimits;
  },
): WeightFormat {
  const { hidden, inputSize, outputSize } = common;
  // Both slots end with four rows that stay 0, for blocks that hold nothing: of
  // all others, which may be infinite, 0 times them were NaN.
  const layout = {
    ...common,
    slot: hidden + roundUp(inputSize + 1, 4) + 4,
    units: hidden + roundUp(outputSize, 4) + 4,
  };
  const shape = makeBlockShape(layout, name === "blocks" ? 4 : 1);
  const { side, ahead, chunk } = shape;
  return {
    name,
    layout,
    places: listsText,
    constants: {
      BLOCK: side,
      AHEAD: ahead,
      COLUMN_BLOCKS: shape.hiddenBlocks,
      INPUT_BLOCKS: shape.inputBlocks,
      OUTPUT_BLOCKS: shape.outputBlocks,
    },
    forward: stepProduct(layout, {
      shape,
      limits,
      rows: layout.slot,
      backward: 0,
    }),
    backward: stepProduct(layout, {
      shape,
      limits,
      rows: layout.units,
      backward: 1,
    }),
    gradient: {
      text: gradientText,
      constants: { LANES: 32, CHUNK: chunk, CHUNKS_ALONG },
      groups(topologies) {
        const most = Math.max(...topologies.map(({ chunks }) => chunks));
        return [
          Math.min(most, CHUNKS_ALONG),
          Math.ceil(most / CHUNKS_ALONG),
        ];
      },
    },
    words({ connections, blocks }) {
      const recurrent = name === "blocks" ? blocks : connections;
      const places = countAllBlocks(shape, recurrent) * side ** 2;
      return {
        places,
        parameters: places,
        lists: listWords(shape, recurrent),
      };
    },
    topology: (connections: Connections, ports?: Ports) =>
      makeTopology(connections, { shape, ports }),
  };
}

/**
 * All steps in a workgroup where 32 trials' rows, or fewer down to 8, fit its memory
 * and an invocation can take a pair of rows; single connections are for networks that
 * do not fit, and take a dispatch a step.
 */
function stepProduct(
  { vectors }: Layout,
  { shape, limits, rows, backward }: {
    readonly shape: BlockShape;
    readonly limits: AdapterLimits;
    readonly rows: number;
    readonly backward: 0 | 1;
  },
): StepProduct {
  const { side } = shape;
  const pairs = Math.ceil(shape.hiddenBlocks / 2);
  const memory = limits.maxComputeWorkgroupStorageSize!;
  const mostLanes = Math.min(512, limits.maxComputeInvocationsPerWorkgroup!);
  let trialLanes = 1;
  const wanted = Math.min(8, vectors);
  while (trialLanes < wanted) trialLanes *= 2;
  const fits = () =>
    rows * trialLanes * 16 <= memory && pairs * trialLanes <= mostLanes;
  while (trialLanes > 2 && !fits()) trialLanes /= 2;
  const allSteps = side > 1 && fits();
  let lanes = pairs * trialLanes;
  if (!allSteps) {
    trialLanes = 1;
    while (trialLanes < Math.min(32, vectors)) trialLanes *= 2;
    lanes = 64;
    while (pairs * trialLanes > MOST_GROUPS * lanes) lanes *= 2;
  }
  return {
    text: productText,
    constants: {
      LANES: lanes,
      TRIAL_LANES: trialLanes,
      TILED: allSteps ? 1 : 0,
      TILE_ROWS: allSteps ? rows : side,
      BACKWARD: backward,
    },
    groups: () => [Math.ceil(pairs * trialLanes / lanes)],
    allSteps,
    vectors: trialLanes,
  };
}

/** Entries along a side of a block: blocks of 4 × 4, or single connections. */
type BlockSide = 1 | 4;

/** Marks a single connection that is none. */
const EMPTY = 0x80000000;

/** Sizes in blocks. */
interface BlockShape {
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
function makeBlockShape(layout: Layout, side: BlockSide): BlockShape {
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
function countAllBlocks(
  { hiddenBlocks, inputBlocks, layout, side, ahead }: BlockShape,
  recurrent: number,
): number {
  const outputRows = Math.ceil(layout.outputSize / side);
  return recurrent + hiddenBlocks * (inputBlocks + ahead - 1) +
    outputRows * (hiddenBlocks + 1) + 1;
}

/** At most so many words of the lists of a topology. */
function listWords(shape: BlockShape, recurrent: number): number {
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
function makeTopology(
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
