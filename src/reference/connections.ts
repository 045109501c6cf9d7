/**
 * The weights of a matrix that exist, listed by row, and the two products that
 * training needs of them. A product costs as much as there are connections,
 * whatever the size of the matrix.
 *
 * Signals are matrices [rows, units], row-major; a row is one trial at one time
 * step.
 *
 * @module
 */

/** Which entries of a row-major matrix exist; n of them. */
export interface Connections {
  /** Receiving units, the rows of the matrix. */
  readonly receivers: number;
  /** Sending units, the columns. */
  readonly senders: number;
  /** [receivers + 1]: receiver i has the connections start[i]…start[i + 1] − 1. */
  readonly start: Uint32Array;
  /** [n]: the sender of each connection. */
  readonly sender: Uint32Array;
  /** [n]: where its weight lies in the matrix. */
  readonly position: Uint32Array;
}

/** Size of a matrix. */
export interface MatrixSize {
  readonly receivers: number;
  readonly senders: number;
}

/**
 * The connections of a matrix that is [receivers, senders] large.
 *
 * @param mask Same size, 1 where there is a connection; without it all are there.
 *
 * @example
 * ```ts
 * import { listConnections } from "./src/reference/connections.ts";
 *
 * const mask = Uint8Array.of(0, 1, 1, 0);
 * listConnections({ receivers: 2, senders: 2 }, mask).position; // [1, 2]
 * ```
 */
export function listConnections(
  { receivers, senders }: MatrixSize,
  mask?: Uint8Array,
): Connections {
  const count = mask === undefined
    ? receivers * senders
    : mask.reduce((sum, bit) => sum + (bit === 0 ? 0 : 1), 0);
  const start = new Uint32Array(receivers + 1);
  const sender = new Uint32Array(count);
  const position = new Uint32Array(count);
  let n = 0;
  for (let i = 0; i < receivers; i++) {
    for (let j = 0; j < senders; j++) {
      const at = i * senders + j;
      if (mask !== undefined && mask[at] === 0) continue;
      sender[n] = j;
      position[n++] = at;
    }
    start[i + 1] = n;
  }
  return { receivers, senders, start, sender, position };
}

/** The same weights seen from the other side: what a sender gets back. */
export function transposeConnections(
  { receivers, senders, start, sender, position }: Connections,
): Connections {
  const newStart = new Uint32Array(senders + 1);
  for (const j of sender) newStart[j + 1]!++;
  for (let j = 0; j < senders; j++) newStart[j + 1]! += newStart[j]!;
  const next = newStart.slice(0, senders);
  const newSender = new Uint32Array(sender.length);
  const newPosition = new Uint32Array(sender.length);
  for (let i = 0; i < receivers; i++) {
    for (let k = start[i]!; k < start[i + 1]!; k++) {
      const n = next[sender[k]!]!++;
      newSender[n] = i;
      newPosition[n] = position[k]!;
    }
  }
  return {
    receivers: senders,
    senders: receivers,
    start: newStart,
    sender: newSender,
    position: newPosition,
  };
}

/** What {@linkcode addProduct} multiplies. */
export interface Product {
  readonly connections: Connections;
  /** The matrix. */
  readonly weights: Float64Array;
  /** [rows, senders] */
  readonly input: Float64Array;
  /** First row of the output. */
  readonly from: number;
  /** The row after the last. */
  readonly to: number;
  /** Output row r gets input row r + shift; default 0. */
  readonly shift?: number;
}

/**
 * output[r, i] += Σ_j weights[i, j] · input[r + shift, j] for the rows from…to − 1.
 *
 * Eight rows at a time share each weight that is loaded: 4 GFLOP/s against 1
 * one by one (V8 uses no vector instructions).
 *
 * @param output [rows, receivers]
 */
export function addProduct(
  output: Float64Array,
  { connections, weights, input, from, to, shift = 0 }: Product,
): void {
  const { receivers: R, senders: S, start, sender, position } = connections;
  let row = from;
  for (; row + 8 <= to; row += 8) {
    const first = (row + shift) * S;
    for (let i = 0; i < R; i++) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
      const end = start[i + 1]!;
      for (let k = start[i]!; k < end; k++) {
        const w = weights[position[k]!]!;
        const at = first + sender[k]!;
        s0 += w * input[at]!;
        s1 += w * input[at + S]!;
        s2 += w * input[at + 2 * S]!;
        s3 += w * input[at + 3 * S]!;
        s4 += w * input[at + 4 * S]!;
        s5 += w * input[at + 5 * S]!;
        s6 += w * input[at + 6 * S]!;
        s7 += w * input[at + 7 * S]!;
      }
      const out = row * R + i;
      output[out]! += s0;
      output[out + R]! += s1;
      output[out + 2 * R]! += s2;
      output[out + 3 * R]! += s3;
      output[out + 4 * R]! += s4;
      output[out + 5 * R]! += s5;
      output[out + 6 * R]! += s6;
      output[out + 7 * R]! += s7;
    }
  }
  for (; row < to; row++) {
    const first = (row + shift) * S;
    for (let i = 0; i < R; i++) {
      let sum = 0;
      for (let k = start[i]!; k < start[i + 1]!; k++) {
        sum += weights[position[k]!]! * input[first + sender[k]!]!;
      }
      output[row * R + i]! += sum;
    }
  }
}

/** What {@linkcode addOuterProduct} multiplies. */
export interface OuterProduct {
  readonly connections: Connections;
  /** [rows, receivers] */
  readonly delta: Float64Array;
  /** [rows, senders] */
  readonly input: Float64Array;
  /** First row of delta. */
  readonly from: number;
  /** The row after the last. */
  readonly to: number;
  /** Row r of delta meets input row r + shift; default 0. */
  readonly shift?: number;
}

/**
 * gradient[i, j] += Σ_r delta[r, i] · input[r + shift, j] over the rows from…to − 1,
 * for the connections alone.
 *
 * @param gradient The matrix, [receivers, senders].
 */
export function addOuterProduct(
  gradient: Float64Array,
  { connections, delta, input, from, to, shift = 0 }: OuterProduct,
): void {
  const { receivers: R, senders: S, start, sender, position } = connections;
  let row = from;
  for (; row + 8 <= to; row += 8) {
    const first = (row + shift) * S;
    for (let i = 0; i < R; i++) {
      const at = row * R + i;
      const d0 = delta[at]!, d1 = delta[at + R]!;
      const d2 = delta[at + 2 * R]!, d3 = delta[at + 3 * R]!;
      const d4 = delta[at + 4 * R]!, d5 = delta[at + 5 * R]!;
      const d6 = delta[at + 6 * R]!, d7 = delta[at + 7 * R]!;
      const end = start[i + 1]!;
      for (let k = start[i]!; k < end; k++) {
        const x = first + sender[k]!;
        gradient[position[k]!]! += d0 * input[x]! + d1 * input[x + S]! +
          d2 * input[x + 2 * S]! + d3 * input[x + 3 * S]! +
          d4 * input[x + 4 * S]! + d5 * input[x + 5 * S]! +
          d6 * input[x + 6 * S]! + d7 * input[x + 7 * S]!;
      }
    }
  }
  for (; row < to; row++) {
    const first = (row + shift) * S;
    for (let i = 0; i < R; i++) {
      const d = delta[row * R + i]!;
      for (let k = start[i]!; k < start[i + 1]!; k++) {
        gradient[position[k]!]! += d * input[first + sender[k]!]!;
      }
    }
  }
}
