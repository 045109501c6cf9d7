/**
 * Sizes of the block layout, in which only the parts of the matrix lie on the
 * device that hold a connection. The shaders' side is in
 * `src/shaders/block_layout.wgsl`, which says how the parts lie.
 *
 * @module
 */

import { type BufferName, type LayoutSize, roundUp } from "../buffers.ts";

/** Entries along a side of a block: blocks of 4 × 4, or single connections. */
export type BlockSide = 1 | 4;

/** The padded sizes, in numbers (not bytes). */
export interface BlockLayout extends LayoutSize {
  readonly side: BlockSide;
  /** H in whole blocks. */
  readonly hidden: number;
  /** Rows of a state slot: H, then the inputs and the one, in whole blocks each. */
  readonly slot: number;
  /** O in whole blocks. */
  readonly outputRows: number;
  /** Columns of blocks that are hidden units; as many rows are. */
  readonly hiddenBlocks: number;
  /** Columns of blocks that are inputs and the one. */
  readonly inputBlocks: number;
  /** Rows of blocks that are outputs. */
  readonly outputBlocks: number;
  /** Trials of a batch in whole vectors of four. */
  readonly trials: number;
}

/** Pads the sizes of an ensemble to whole blocks. */
export function makeBlockLayout(
  size: LayoutSize,
  side: BlockSide,
): BlockLayout {
  const hiddenBlocks = Math.ceil(size.hiddenSize / side);
  const inputBlocks = Math.ceil((size.inputSize + 1) / side);
  const outputBlocks = Math.ceil(size.outputSize / side);
  return {
    ...size,
    side,
    hiddenBlocks,
    inputBlocks,
    outputBlocks,
    hidden: hiddenBlocks * side,
    slot: (hiddenBlocks + inputBlocks) * side,
    outputRows: outputBlocks * side,
    trials: roundUp(size.batchRows, 4),
  };
}

/**
 * All blocks of a model with so many among its hidden units: those of the
 * inputs and biases, and of the read-out, are always there.
 */
export function countAllBlocks(
  { hiddenBlocks, inputBlocks, outputBlocks }: BlockLayout,
  recurrent: number,
): number {
  return recurrent + hiddenBlocks * inputBlocks +
    outputBlocks * (hiddenBlocks + 1);
}

/** Blocks of a chunk of the gradient, at most. */
export function chunkBlocks(
  side: BlockSide,
  { software }: { readonly software: boolean },
): number {
  if (software) return side === 1 ? 24 : 4;
  return side === 1 ? 16 : 2;
}

/** 32-bit numbers that one model of T steps and so many trials takes of each buffer; lists come on top. */
export function blockModelWords(
  layout: BlockLayout,
  options: {
    readonly steps: number;
    readonly trialCount: number;
    /** Blocks among the hidden units. */
    readonly recurrent: number;
  },
): Record<Exclude<BufferName, "lists" | "turned">, number> {
  const { steps, trialCount, recurrent } = options;
  const { side, hidden, slot, outputRows, trials } = layout;
  const entries = countAllBlocks(layout, recurrent) * side ** 2;
  return {
    // Vectors of four begin a model's part.
    parameters: roundUp(entries + 2 * hidden, 4),
    firstMoment: roundUp(entries, 4),
    secondMoment: roundUp(entries, 4),
    biases: 0,
    trained: 0,
    gradient: roundUp(entries, 4),
    state: (steps + 1) * slot * trials,
    delta: steps * (hidden + outputRows) * trials,
    outputDelta: 0,
    outputs: steps * outputRows * trials,
    inputs: trialCount * steps * layout.inputSize,
    targets: trialCount * steps,
  };
}
