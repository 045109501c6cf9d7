/**
 * The two products that training needs of a matrix whose entries are listed. A
 * product costs as much as there are connections, whatever the size of the
 * matrix.
 *
 * Signals are matrices [rows, units], row-major; a row is one trial at one time
 * step.
 *
 * @module
 */

import type { Connections } from "../graph/connections.ts";

/** What {@linkcode addProduct} multiplies. */
export interface Product {
  readonly connections: Connections;
  /** [n], in the order of the connections. */
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
 * output[r, i] += Σ_j W[i, j] · input[r + shift, j] for the rows from…to − 1.
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
  const { receivers: R, senders: S, start, sender } = connections;
  let row = from;
  for (; row + 8 <= to; row += 8) {
    const first = (row + shift) * S;
    for (let i = 0; i < R; i++) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
      const end = start[i + 1]!;
      for (let k = start[i]!; k < end; k++) {
        const w = weights[k]!;
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
        sum += weights[k]! * input[first + sender[k]!]!;
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
 * @param gradient [n], in the order of the connections.
 */
export function addOuterProduct(
  gradient: Float64Array,
  { connections, delta, input, from, to, shift = 0 }: OuterProduct,
): void {
  const { receivers: R, senders: S, start, sender } = connections;
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
        gradient[k]! += d0 * input[x]! + d1 * input[x + S]! +
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
        gradient[k]! += d * input[first + sender[k]!]!;
      }
    }
  }
}
