/**
 * All weights of a model as one list of connections, the form that the products
 * go through.
 *
 * A *state* holds a row for each hidden unit (H), each input (I), a row of ones
 * for the biases and a row of zeros for padding. Receivers 0…H − 1 are the hidden
 * units; each has its recurrent senders, then from `startInput` on the inputs
 * and the row of ones twice (b_ih, b_hh). Receivers H…H + O − 1 are the outputs,
 * with all hidden units and the row of ones (b_fc). Each of these parts is padded
 * to a multiple of four connections, for the gradient's sake: a connection from
 * the row of zeros gets no gradient and so stays 0.
 *
 * The transposed list is that of what a hidden unit gets back: its recurrent
 * receivers, then from `startReadout` on the outputs, whose rows follow those of
 * the hidden units.
 *
 * @module
 */

import type { Connections } from "../graph/connections.ts";
import type { ModelSize, Parameters } from "../rnn/parameters.ts";
import { ROW } from "./arithmetic.ts";

/** The list of a model's connections; places and offsets in bytes. */
export interface ConnectionRows {
  /** Connections with padding, a multiple of four. */
  readonly length: number;
  /** [H + O + 1] */
  readonly start: Uint32Array;
  /** [H + O] */
  readonly startInput: Uint32Array;
  /** [length]: of each sender's row. */
  readonly offset: Uint32Array;
  /** [H + 1], in the transposed list. */
  readonly backStart: Uint32Array;
  /** [H] */
  readonly backStartReadout: Uint32Array;
  /** [n + O · H]: of each receiver's row. */
  readonly backOffset: Uint32Array;
  /** [length]: where each connection stands in the transposed list; behind its end for those that it lacks. */
  readonly backPlace: Uint32Array;
  /** For each tensor the number of each entry's connection in the list. */
  readonly places: Readonly<Record<keyof Parameters, Uint32Array>>;
}

/** Rows of a state. */
export function stateRows(
  { hiddenSize, inputSize }: Pick<ModelSize, "hiddenSize" | "inputSize">,
): number {
  return hiddenSize + inputSize + 2;
}

/** Rows of what is propagated back: δ and dy. */
export function deltaRows({ hiddenSize, outputSize }: ModelSize): number {
  return hiddenSize + outputSize;
}

/** How long the list will be, with padding; or, of any connections of that number, how long at most. */
export function countListed(
  { hiddenSize: H, inputSize: I, outputSize: O }: ModelSize,
  { start, sender }: Connections,
  { most }: { readonly most: boolean },
): number {
  let recurrent = sender.length + 3 * H;
  if (!most) {
    recurrent = 0;
    for (let i = 0; i < H; i++) recurrent += padded(start[i + 1]! - start[i]!);
  }
  return recurrent + H * padded(I + 2) + O * padded(H + 1);
}

function padded(connections: number): number {
  return Math.ceil(connections / 4) * 4;
}

/** Lists the connections of a model. */
export function listRows(
  size: ModelSize,
  connections: Connections,
): ConnectionRows {
  const { hiddenSize: H, inputSize: I, outputSize: O } = size;
  const { start: recurrentStart, sender } = connections;
  const ones = H + I;
  const zeros = ones + 1;
  const length = countListed(size, connections, { most: false });
  const start = new Uint32Array(H + O + 1);
  const startInput = new Uint32Array(H + O);
  const offset = new Uint32Array(length).fill(zeros * ROW);
  const places = {
    weightIh: new Uint32Array(H * I),
    weightHh: new Uint32Array(sender.length),
    biasIh: new Uint32Array(H),
    biasHh: new Uint32Array(H),
    weightFc: new Uint32Array(O * H),
    biasFc: new Uint32Array(O),
  };
  let n = 0;
  const add = (row: number) => {
    offset[n] = row * ROW;
    return n++;
  };
  for (let i = 0; i < H; i++) {
    start[i] = 4 * n;
    for (let k = recurrentStart[i]!; k < recurrentStart[i + 1]!; k++) {
      places.weightHh[k] = add(sender[k]!);
    }
    n = padded(n);
    startInput[i] = 4 * n;
    for (let j = 0; j < I; j++) places.weightIh[i * I + j] = add(H + j);
    places.biasIh[i] = add(ones);
    places.biasHh[i] = add(ones);
    n = padded(n);
  }
  for (let o = 0; o < O; o++) {
    start[H + o] = startInput[H + o] = 4 * n;
    for (let j = 0; j < H; j++) places.weightFc[o * H + j] = add(j);
    places.biasFc[o] = add(ones);
    n = padded(n);
  }
  start[H + O] = 4 * n;
  return {
    length,
    start,
    startInput,
    offset,
    places,
    ...transposed({ length, start, offset }, { hiddenSize: H, outputSize: O }),
  };
}

function transposed(
  { length, start, offset }: Pick<
    ConnectionRows,
    "length" | "start" | "offset"
  >,
  { hiddenSize: H, outputSize: O }: Pick<
    ModelSize,
    "hiddenSize" | "outputSize"
  >,
) {
  const hidden = H * ROW;
  const counts = new Uint32Array(H + 1);
  for (const row of offset) if (row < hidden) counts[row / ROW + 1]!++;
  for (let j = 0; j < H; j++) counts[j + 1]! += counts[j]!;
  const next = counts.slice(0, H);
  const total = counts[H]!;
  const backOffset = new Uint32Array(total);
  const backPlace = new Uint32Array(length).fill(4 * total);
  const backStartReadout = new Uint32Array(H);
  // Receivers in rising order: the outputs come last with every sender.
  for (let i = 0; i < H + O; i++) {
    if (i === H) backStartReadout.set(next.map((n) => 4 * n));
    for (let n = start[i]! / 4; n < start[i + 1]! / 4; n++) {
      if (offset[n]! >= hidden) continue;
      const place = next[offset[n]! / ROW]!++;
      backOffset[place] = i * ROW;
      backPlace[n] = 4 * place;
    }
  }
  return {
    backStart: counts.map((n) => 4 * n),
    backStartReadout,
    backOffset,
    backPlace,
  };
}
