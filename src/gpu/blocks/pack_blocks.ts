/**
 * Parameters between the six tensors of a model and the blocks that the kernels
 * work on (see `block_layout.ts`).
 *
 * @module
 */

import type { Parameters } from "../../rnn/parameters.ts";
import type { BlockLayout } from "./block_layout.ts";
import type { BlockLists } from "./block_lists.ts";

/** Where a model's weights lie among its blocks. */
export interface BlockPlaces {
  readonly layout: BlockLayout;
  readonly lists: BlockLists;
}

/**
 * The entries of a model's blocks, [blocks, side, side]; those of the biases'
 * column hold b_ih + b_hh.
 */
export function packBlocks(
  parameters: Parameters,
  { layout, lists }: BlockPlaces,
): Float32Array<ArrayBuffer> {
  const { weightIh, weightHh, biasIh, biasHh, weightFc, biasFc } = parameters;
  const { hiddenSize, inputSize, outputSize, side } = layout;
  const entries = new Float32Array(lists.blocks * side ** 2);
  const { place } = lists;
  for (let n = 0; n < place.length; n++) entries[place[n]!] = weightHh[n]!;
  for (let unit = 0; unit < hiddenSize; unit++) {
    for (let i = 0; i < inputSize; i++) {
      entries[inputPlace(unit, i, { layout, lists })] = weightIh[
        unit * inputSize + i
      ]!;
    }
    // Rounded like the kernel's own sum of two singles.
    entries[inputPlace(unit, inputSize, { layout, lists })] =
      Math.fround(biasIh[unit]!) + Math.fround(biasHh[unit]!);
  }
  for (let o = 0; o < outputSize; o++) {
    for (let unit = 0; unit < hiddenSize; unit++) {
      entries[outputPlace(o, unit, { layout, lists })] = weightFc[
        o * hiddenSize + unit
      ]!;
    }
    entries[outputBiasPlace(o, { layout, lists })] = biasFc[o]!;
  }
  return entries;
}

/** b_ih and b_hh of a model as pairs, [hidden, 2]. */
export function pairBiases(
  { biasIh, biasHh }: Parameters,
  { hidden, hiddenSize }: BlockLayout,
): Float32Array<ArrayBuffer> {
  const pairs = new Float32Array(2 * hidden);
  for (let unit = 0; unit < hiddenSize; unit++) {
    pairs[2 * unit] = biasIh[unit]!;
    pairs[2 * unit + 1] = biasHh[unit]!;
  }
  return pairs;
}

/**
 * The six tensors out of the blocks' entries. Without `biases`, [hidden, 2],
 * both biases are the blocks' own, as is right for gradients and moments.
 */
export function unpackBlocks(
  entries: Float32Array,
  { layout, lists, biases }: BlockPlaces & { readonly biases?: Float32Array },
): Parameters<Float32Array> {
  const { hiddenSize, inputSize, outputSize } = layout;
  const places = { layout, lists };
  const bias = (second: 0 | 1) =>
    Float32Array.from(
      { length: hiddenSize },
      (_, unit) =>
        biases === undefined
          ? entries[inputPlace(unit, inputSize, places)]!
          : biases[2 * unit + second]!,
    );
  return {
    weightIh: Float32Array.from(
      { length: hiddenSize * inputSize },
      (_, at) =>
        entries[
          inputPlace(Math.floor(at / inputSize), at % inputSize, places)
        ]!,
    ),
    weightHh: Float32Array.from(lists.place, (place) => entries[place]!),
    biasIh: bias(0),
    biasHh: bias(1),
    weightFc: Float32Array.from(
      { length: outputSize * hiddenSize },
      (_, at) =>
        entries[
          outputPlace(Math.floor(at / hiddenSize), at % hiddenSize, places)
        ]!,
    ),
    biasFc: Float32Array.from(
      { length: outputSize },
      (_, o) => entries[outputBiasPlace(o, places)]!,
    ),
  };
}

/** Place of the weight from input i, or from the one where i = I, to a hidden unit. */
function inputPlace(
  unit: number,
  i: number,
  { layout: { side }, lists: { inputBlock } }: BlockPlaces,
): number {
  const block = inputBlock[Math.floor(unit / side)]! + Math.floor(i / side);
  return block * side ** 2 + unit % side * side + i % side;
}

/** Place of the weight from a hidden unit to output o. */
function outputPlace(
  o: number,
  unit: number,
  { layout: { side, hiddenBlocks }, lists: { readoutBlock } }: BlockPlaces,
): number {
  const block = readoutBlock + Math.floor(o / side) * (hiddenBlocks + 1) +
    Math.floor(unit / side);
  return block * side ** 2 + o % side * side + unit % side;
}

/** Place of output o's bias: in the last block of its row. */
function outputBiasPlace(
  o: number,
  { layout: { side, hiddenBlocks, inputSize }, lists: { readoutBlock } }:
    BlockPlaces,
): number {
  const block = readoutBlock + Math.floor(o / side) * (hiddenBlocks + 1) +
    hiddenBlocks;
  return block * side ** 2 + o % side * side + inputSize % side;
}
