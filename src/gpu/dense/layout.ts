/**
 * Sizes of the layout in whole matrices: strides and offsets, the one place that
 * knows them on the host. The shaders' side is in `src/shaders/layout.wgsl`.
 *
 * A model's parameters are one matrix, a row a unit: H recurrent units (padded to
 * a multiple of four), then the outputs. Its columns are what a unit adds up:
 *
 * ```text
 *              H hidden units   I inputs   1
 *   H units  [     W_hh       |   W_ih   | b_ih + b_hh ]
 *   O outputs[     W_fc       |    0     |    b_fc     ]
 * ```
 *
 * @module
 */

import { type BufferName, type LayoutSize, roundUp } from "../buffers.ts";

/** The padded sizes, in numbers (not bytes). */
export interface Layout extends LayoutSize {
  /** H padded to a multiple of 4. */
  readonly hidden: number;
  /** Length of a state row [h | x | 1], padded to a multiple of 4. */
  readonly width: number;
  /** The part of a state row that is not padding. */
  readonly used: number;
  /** Rows of the parameter matrix. */
  readonly units: number;
  /** Rows of the gradient that are held at once. */
  readonly panelUnits: number;
  /** 32-bit words of the mask of one parameter row. */
  readonly maskWords: number;
}

/**
 * Up to so many units the gradient is held whole. In larger networks it would be
 * a fourth of all memory, so it is made, and used up, in panels of some rows.
 */
const MOST_WHOLE_UNITS = 256;
const PANELS = 8;

/** First rows of the panels of the gradient; the last is that of the outputs where there are several. */
export function panelStarts(
  { hidden, units, panelUnits }: Layout,
): readonly number[] {
  if (panelUnits >= units) return [0];
  const starts = [];
  for (let start = 0; start < hidden; start += panelUnits) starts.push(start);
  return [...starts, hidden];
}

/** Pads the sizes of an ensemble. */
export function makeLayout(size: LayoutSize): Layout {
  const hidden = roundUp(size.hiddenSize, 4);
  const used = hidden + size.inputSize + 1;
  const width = roundUp(used, 4);
  const units = hidden + size.outputSize;
  return {
    ...size,
    hidden,
    width,
    used,
    units,
    panelUnits: hidden <= MOST_WHOLE_UNITS
      ? units
      : roundUp(hidden / PANELS, 4),
    maskWords: Math.ceil(width / 32),
  };
}

/** 32-bit numbers that one model of T steps and so many trials takes of each buffer. */
export function modelWords(
  layout: Layout,
  options: {
    readonly steps: number;
    readonly trialCount: number;
    /** Whether a second, turned copy of the recurrent parameters is kept. */
    readonly turned: boolean;
  },
): Record<BufferName, number> {
  const { steps, trialCount, turned } = options;
  const { hidden, width, units, batchRows } = layout;
  const matrix = units * width;
  return {
    parameters: matrix,
    biases: 2 * hidden,
    trained: units * layout.maskWords,
    gradient: layout.panelUnits * width,
    firstMoment: matrix,
    secondMoment: matrix,
    state: (steps + 1) * batchRows * width,
    delta: steps * batchRows * hidden,
    outputDelta: steps * batchRows * 4,
    outputs: steps * batchRows * 4,
    inputs: trialCount * steps * layout.inputSize,
    targets: trialCount * steps,
    lists: 0,
    turned: turned ? width * hidden : 0,
  };
}
