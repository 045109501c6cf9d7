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
 * the row of zeros gets no gradient and so stays 0. One such stands for all the
 * weights that a hidden unit lacks for want of an input port, and one in each
 * output's part for those of the hidden units that the read-out does not see.
 *
 * The transposed list is that of what a hidden unit gets back: its recurrent
 * receivers, then from `backStartReadout` on the outputs, whose rows follow those of
 * the hidden units.
 *
 * @module
 */

import {
  type Connections,
  transposeConnections,
} from "../graph/connections.ts";
import { hasPort, type ModelSize, type Ports } from "../rnn/parameters.ts";
import { mostListed, padded, ROW } from "./plan.ts";

/** Lists the connections of a model. */
export function listRows(
  size: ModelSize,
  { start: recurrentStart, sender: recurrentSender }: Connections,
  ports?: Ports,
) {
  const { hiddenSize: H, inputSize: I, outputSize: O } = size;
  const n = recurrentSender.length;
  const ones = H + I;
  const zeros = ones + 1;
  const seen = Uint32Array.from({ length: H }, (_, unit) => unit)
    .filter((unit) => hasPort(ports, unit, "output"));
  const R = seen.length;
  // Outputs are receivers behind the hidden units, each of all that are seen.
  const all = {
    receivers: H + O,
    senders: H,
    start: new Uint32Array(H + O + 1),
    sender: new Uint32Array(n + O * R),
  };
  all.start.set(recurrentStart);
  all.sender.set(recurrentSender);
  for (let o = 0; o < O; o++) {
    all.start[H + o + 1] = n + (o + 1) * R;
    all.sender.set(seen, n + o * R);
  }

  const start = new Uint32Array(H + O + 1);
  const startInput = new Uint32Array(H);
  const most = new Uint32Array(mostListed(size, n)).fill(zeros * ROW);
  /** Of each connection from a hidden unit, the number in the list. */
  const listed = new Uint32Array(all.sender.length);
  const places = {
    weightIh: new Uint32Array(H * I),
    weightHh: listed.subarray(0, n),
    biasIh: new Uint32Array(H),
    biasHh: new Uint32Array(H),
    weightFc: new Uint32Array(O * H),
    biasFc: new Uint32Array(O),
  };
  let length = 0;
  const add = (row: number) => {
    most[length] = row * ROW;
    return length++;
  };
  for (let i = 0; i < H + O; i++) {
    start[i] = 4 * length;
    for (let k = all.start[i]!; k < all.start[i + 1]!; k++) {
      listed[k] = add(all.sender[k]!);
    }
    if (i < H) {
      length = padded(length);
      startInput[i] = 4 * length;
      const takesInput = hasPort(ports, i, "input");
      if (!takesInput) places.weightIh.fill(add(zeros), i * I, (i + 1) * I);
      for (let j = 0; takesInput && j < I; j++) {
        places.weightIh[i * I + j] = add(H + j);
      }
      places.biasIh[i] = add(ones);
      places.biasHh[i] = add(ones);
    } else {
      const o = i - H;
      if (R < H) places.weightFc.fill(add(zeros), o * H, (o + 1) * H);
      for (let k = 0; k < R; k++) {
        places.weightFc[o * H + seen[k]!] = listed[n + o * R + k]!;
      }
      places.biasFc[o] = add(ones);
    }
    length = padded(length);
  }
  start[H + O] = 4 * length;

  const back = transposeConnections(all);
  const backPlace = new Uint32Array(length).fill(4 * all.sender.length);
  back.position.forEach((k, place) => backPlace[listed[k]!] = 4 * place);
  return {
    /** Connections with padding, a multiple of four. */
    length,
    /** For each tensor the number of each entry's connection in the list. */
    places,
    /** What the products go through; all numbers are places and offsets in bytes. */
    lists: {
      start,
      startInput,
      // Of each sender's row.
      offset: most.subarray(0, length),
      // In the transposed list, and there the offsets of receivers' rows. A unit that is seen has all outputs, and they come last.
      backStart: back.start.map((place) => 4 * place),
      backStartReadout: back.start.slice(1).map((end, unit) =>
        4 * (end - (hasPort(ports, unit, "output") ? O : 0))
      ),
      backOffset: back.sender.map((receiver) => receiver * ROW),
      // Of each connection in the transposed list; behind its end if it is none of it.
      backPlace,
    },
  };
}
