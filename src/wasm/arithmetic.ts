/**
 * What all kernels compute with: rows of trials, constants, multiply-add.
 *
 * @module
 */

import { f32x4, i32, v128, type Value } from "./assembler.ts";

/** Trials side by side in a row; a batch is cut into chunks of so many. */
export const LANES = 32;

/** Vectors of four floats in a row. */
export const VECTORS = LANES / 4;

/** Bytes of a row. */
export const ROW = 4 * LANES;

/** Where the constants lie in memory, and room for how many. */
export const CONSTANTS = { address: 1024, count: 64 } as const;

type Vector = Value<"v128">;

/** Arithmetic of the kernels, in one of two ways. */
export interface Arithmetic {
  /** a · b + c */
  madd(a: Vector, b: Vector, c: Vector): Vector;
  /** c − a · b */
  nmadd(a: Vector, b: Vector, c: Vector): Vector;
  /** A number in all four lanes. */
  constant(number: number): Vector;
  /** All constants so far, to be put at {@linkcode CONSTANTS}. */
  table(): Uint8Array;
}

/**
 * Arithmetic with fused multiply-add, which rounds once, or without, which
 * rounds twice: the bytes of all results depend on it.
 *
 * Constants are vectors at fixed addresses: to load them is one instruction
 * that needs no check of its bounds, while V8 makes a splatted constant anew in
 * each turn of a loop.
 */
export function createArithmetic(
  { fused }: { readonly fused: boolean },
): Arithmetic {
  const numbers: number[] = [];
  const { add, sub, mul, relaxedMadd, relaxedNmadd } = f32x4;
  return {
    madd: fused ? relaxedMadd : (a, b, c) => add(mul(a, b), c),
    nmadd: fused ? relaxedNmadd : (a, b, c) => sub(c, mul(a, b)),
    constant(number) {
      let place = numbers.indexOf(number);
      if (place < 0) place = numbers.push(number) - 1;
      if (place >= CONSTANTS.count) {
        throw new RangeError(`Cannot keep more than ${place} constants`);
      }
      return v128.load(i32.const(0), CONSTANTS.address + 16 * place);
    },
    table: () => {
      const lanes = numbers.flatMap((x) => [x, x, x, x]);
      return new Uint8Array(Float32Array.from(lanes).buffer);
    },
  };
}
