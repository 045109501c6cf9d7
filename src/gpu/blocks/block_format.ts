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
import { type Connections, forEachBlockRow } from "../../graph/connections.ts";
import { hasPort, type ModelSize, type Ports } from "../../rnn/parameters.ts";
import {
  type FormatOptions,
  type Layout,
  makeLayout,
  powerOfTwo,
  roundUp,
  type WeightWords,
} from "../layout.ts";
import type { StepProduct, Topology, WeightFormat } from "../weight_format.ts";

/** Chunks of the gradient along the first dimension of a dispatch. */
const CHUNKS_ALONG = 32_768;

/** Workgroups along a dimension of a dispatch that every adapter allows. */
const MOST_GROUPS = 65_535;

/** Marks a single connection that is none. */
const EMPTY = 0x80000000;

/** Blocks of 4 × 4 weights, or single connections. */
export function blockFormat(
  name: "blocks" | "connections",
  options: FormatOptions,
): WeightFormat {
  const { hiddenSize, inputSize, outputSize } = options.size;
  const hidden = roundUp(hiddenSize, 4);
  // Both slots end with four rows that stay 0, for blocks that hold nothing: of
  // all others, which may be infinite, 0 times them were NaN.
  const layout = makeLayout(options, {
    slot: hidden + roundUp(inputSize + 1, 4) + 4,
    units: hidden + roundUp(outputSize, 4) + 4,
  });
  const shape = blockShape(layout, name === "blocks" ? 4 : 1);
  return {
    name,
    layout,
    places: listsText,
    constants: {
      BLOCK: shape.side,
      AHEAD: shape.ahead,
      COLUMN_BLOCKS: shape.hiddenBlocks,
      INPUT_BLOCKS: shape.inputBlocks,
      OUTPUT_BLOCKS: shape.outputBlocks,
    },
    forward: stepProduct(shape, options, 0),
    backward: stepProduct(shape, options, 1),
    gradient: {
      text: gradientText,
      constants: { LANES: 32, CHUNK: shape.chunk, CHUNKS_ALONG },
      groups: (chunks) => [
        Math.min(chunks, CHUNKS_ALONG),
        Math.ceil(chunks / CHUNKS_ALONG),
      ],
    },
    words: (count) => mostWords(shape, count[name]),
    topology: (connections, ports) => makeTopology(shape, connections, ports),
  };
}

/**
 * All steps in a workgroup where 32 trials' rows, or fewer down to 8, fit its memory
 * and an invocation can take a pair of rows; single connections are for networks that
 * do not fit, and take a dispatch a step.
 */
function stepProduct(
  { side, hiddenBlocks, layout }: BlockShape,
  { limits, allSteps: mayLoop = true }: FormatOptions,
  backward: 0 | 1,
): StepProduct {
  const { vectors, slot, units, ranged } = layout;
  const rows = backward === 1 ? units : slot;
  const pairs = Math.ceil(hiddenBlocks / 2);
  const mostLanes = Math.min(512, limits.maxComputeInvocationsPerWorkgroup!);
  let trialLanes = powerOfTwo(vectors, 8);
  const fits = () =>
    rows * trialLanes * 16 <= limits.maxComputeWorkgroupStorageSize! &&
    pairs * trialLanes <= mostLanes;
  while (trialLanes > 2 && !fits()) trialLanes /= 2;
  const allSteps = mayLoop && !ranged && side > 1 && fits();
  let lanes = pairs * trialLanes;
  if (!allSteps) {
    trialLanes = powerOfTwo(vectors, 32);
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
    unitGroups: Math.ceil(pairs * trialLanes / lanes),
    allSteps,
    vectors: trialLanes,
  };
}

type BlockShape = ReturnType<typeof blockShape>;

/** Counts in blocks of so many entries along a side. */
function blockShape(layout: Layout, side: 1 | 4) {
  // Blocks that the kernels load at once: rows and columns are filled up to a multiple.
  const ahead = side === 1 ? 4 : 2;
  const outputRows = Math.ceil(layout.outputSize / side);
  return {
    layout,
    side,
    ahead,
    /** Blocks of a chunk of the gradient, at most: 32 sums an invocation with 4 × 4, 16 with single ones. */
    chunk: side === 1 ? 16 : 2,
    /** Columns of blocks that are hidden units; as many rows are. */
    hiddenBlocks: layout.hidden / side,
    /** Blocks of inputs and the one, and of outputs, filled up. */
    inputBlocks: roundUp(Math.ceil((layout.inputSize + 1) / side), ahead),
    outputBlocks: roundUp(outputRows, ahead),
    outputRows,
  };
}

/** Columns of blocks whose numbers leave room for the bits of a block's entries. */
export function canNumberBlocks(
  { hiddenSize, inputSize }: ModelSize,
): boolean {
  return (hiddenSize + inputSize + 12) / 4 <= 1 << 16;
}

/** What a topology takes at most with so many blocks among the hidden units. */
function mostWords(
  { hiddenBlocks, inputBlocks, outputBlocks, outputRows, side, ahead, chunk }:
    BlockShape,
  recurrent: number,
): WeightWords {
  const rows = hiddenBlocks + outputRows;
  const blocks = recurrent + hiddenBlocks * (inputBlocks + ahead - 1) +
    outputRows * (hiddenBlocks + 1) + 1;
  // Each row may end with a chunk that is not full.
  const chunks = Math.floor(blocks / chunk) + rows;
  const pairs = 2 * Math.ceil(hiddenBlocks / 2);
  const places = blocks * side ** 2;
  return {
    lists: rows + 1 + blocks + 2 * chunks + pairs,
    back: hiddenBlocks + 1 +
      2 * (recurrent + hiddenBlocks * (outputBlocks + ahead - 1)) + pairs,
    places,
    parameters: places,
  };
}

/** Makes the lists of connections. */
function makeTopology(
  shape: BlockShape,
  connections: Connections,
  ports: Ports | undefined,
): Topology {
  const { layout, side, ahead, chunk } = shape;
  const { hiddenBlocks, inputBlocks, outputBlocks, outputRows } = shape;
  const { hiddenSize, inputSize, outputSize } = layout;
  const { start, sender, receivers } = connections;
  const area = side ** 2;
  const word = (column: number, bits: number) =>
    side === 1
      ? (bits === 0 ? column + EMPTY : column)
      : ((column << 16) | bits) >>> 0;
  /** A bit for each entry that is there of a block that has so many rows and columns. */
  const bitsOf = (
    rows: number,
    columns: number,
    has: (i: number, j: number) => boolean,
  ) => {
    let bits = 0;
    for (let i = 0; i < Math.min(side, rows); i++) {
      for (let j = 0; j < Math.min(side, columns); j++) {
        if (has(i, j)) bits |= 1 << (i * side + j);
      }
    }
    return bits;
  };

  // First the lengths of rows and columns, then where each begins.
  const rows = new Uint32Array(hiddenBlocks + outputRows + 1);
  const columns = new Uint32Array(hiddenBlocks + 1);
  let entries = 0;
  rows.fill(inputBlocks, 1);
  forEachBlockRow(connections, side, (found, row) => {
    rows[row + 1] = roundUp(inputBlocks + found.length, ahead);
    for (const column of found) columns[column + 1]!++;
    entries += found.length * area;
  });
  rows.fill(hiddenBlocks + 1, hiddenBlocks + 1);
  let chunkCount = 0;
  for (let row = 1; row < rows.length; row++) {
    chunkCount += Math.ceil(rows[row]! / chunk);
    rows[row]! += rows[row - 1]!;
  }
  for (let column = 1; column <= hiddenBlocks; column++) {
    columns[column] = columns[column - 1]! +
      roundUp(outputBlocks + columns[column]!, ahead);
  }

  // The last four rows of both slots are 0.
  const zeroBlock = rows.at(-1)!;
  const noRow = layout.units / side - 1;
  const blocks = new Uint32Array(zeroBlock + 1)
    .fill(word(layout.slot / side - 1, 0));
  const inColumns = new Uint32Array(2 * columns.at(-1)!);
  for (let at = 0; at < inColumns.length; at += 2) {
    inColumns[at] = noRow;
    inColumns[at + 1] = zeroBlock;
  }
  const recurrent = new Uint32Array(sender.length);
  const numberOf = new Uint32Array(hiddenBlocks);
  const next = columns.map((first) => first + outputBlocks);
  forEachBlockRow(connections, side, (found, row) => {
    let number = rows[row]!;
    for (let b = 0; b < inputBlocks; b++, number++) {
      const bits = bitsOf(
        receivers - row * side,
        inputSize + 1 - b * side,
        (i, j) =>
          b * side + j === inputSize ||
          hasPort(ports, row * side + i, "input"),
      );
      if (bits !== 0) blocks[number] = word(hiddenBlocks + b, bits);
    }
    for (const column of found) {
      const at = 2 * next[column]!++;
      inColumns[at] = row;
      inColumns[at + 1] = number;
      blocks[number] = word(column, side === 1 ? 1 : 0);
      numberOf[column] = number++;
    }
    const last = Math.min((row + 1) * side, receivers);
    for (let unit = row * side; unit < last; unit++) {
      for (let c = start[unit]!; c < start[unit + 1]!; c++) {
        const from = sender[c]!;
        const block = numberOf[Math.floor(from / side)]!;
        const within = (unit % side) * side + from % side;
        recurrent[c] = block * area + within;
        if (side > 1) blocks[block]! |= 1 << within;
      }
    }
  });
  const readoutBlock = rows[hiddenBlocks]!;
  const one = Math.floor((layout.hidden + inputSize) / side);
  for (let row = 0, number = readoutBlock; row < outputRows; row++) {
    for (let column = 0; column < hiddenBlocks; column++, number++) {
      const bits = bitsOf(
        outputSize - row * side,
        hiddenSize - column * side,
        (_, j) => hasPort(ports, column * side + j, "output"),
      );
      const at = 2 * (columns[column]! + row);
      inColumns[at] = hiddenBlocks + row;
      inColumns[at + 1] = number;
      blocks[number] = word(column, bits);
    }
    // Of the inputs only the one reaches an output.
    const isOne = (_: number, j: number) => j === inputSize % side;
    blocks[number++] = word(
      one,
      bitsOf(outputSize - row * side, side, isOne),
    );
  }

  const chunks = new Uint32Array(2 * chunkCount);
  for (let row = 0, at = 0; row + 1 < rows.length; row++) {
    for (let n = rows[row]!; n < rows[row + 1]!; n += chunk) {
      chunks[at++] = row;
      chunks[at++] = n;
    }
  }
  const forward = joined([rows, blocks, chunks, pairUp(rows, hiddenBlocks)]);
  const backward = joined([columns, inColumns, pairUp(columns, hiddenBlocks)]);
  const places = blocks.length * area;
  return {
    words: {
      lists: forward.whole.length,
      back: backward.whole.length,
      places,
      parameters: places,
    },
    lists: forward.whole,
    back: backward.whole,
    fields: ({ lists, back }) => ({
      rows_at: lists + forward.at[0]!,
      blocks_at: lists + forward.at[1]!,
      chunks_at: lists + forward.at[2]!,
      row_pairs_at: lists + forward.at[3]!,
      columns_at: back + backward.at[0]!,
      back_at: back + backward.at[1]!,
      column_pairs_at: back + backward.at[2]!,
      chunks: chunkCount,
      readout_block: readoutBlock,
    }),
    entries,
    chunks: chunkCount,
    recurrent,
    input(unit, i) {
      const block = rows[Math.floor(unit / side)]! + Math.floor(i / side);
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

/** Parts one after the other, and where each begins. */
function joined(parts: readonly Uint32Array[]) {
  const at: number[] = [];
  let length = 0;
  for (const part of parts) {
    at.push(length);
    length += part.length;
  }
  const whole = new Uint32Array(length);
  for (const [i, part] of parts.entries()) whole.set(part, at[i]);
  return { whole, at };
}

/** The longest of so many parts, which begin there, with the shortest, and so on; what lacks a partner has one beyond the last. */
function pairUp(starts: Uint32Array, count: number): Uint32Array {
  const length = (part: number) => starts[part + 1]! - starts[part]!;
  const ranked = Uint32Array.from({ length: count }, (_, part) => part)
    .sort((a, b) => length(b) - length(a) || a - b);
  const pairs = new Uint32Array(2 * Math.ceil(count / 2)).fill(count);
  for (let i = 0; 2 * i < count; i++) {
    const other = count - 1 - i;
    pairs[2 * i] = ranked[i]!;
    if (other > i) pairs[2 * i + 1] = ranked[other]!;
  }
  return pairs;
}
