/**
 * The arithmetic that optimizers and nonlinearities are written in, once for
 * all engines: the float64 engine computes with numbers, WebGPU is given a text
 * in WGSL, WebAssembly the instructions.
 *
 * @module
 */

/**
 * What can be done with values. An engine decides what a value is, so that no
 * other operators and no `if` can be used on them.
 *
 * @example
 * ```ts
 * import { NUMBERS } from "@biornn/biornn";
 *
 * NUMBERS.multiply(2, NUMBERS.squareRoot(9)); // 6
 * ```
 */
export interface Arithmetic<V> {
  /** a + b */
  add(a: V | number, b: V | number): V;
  /** a − b */
  subtract(a: V | number, b: V | number): V;
  /** a · b */
  multiply(a: V | number, b: V | number): V;
  /** a / b */
  divide(a: V | number, b: V | number): V;
  /** √a */
  squareRoot(a: V): V;
  /** |a| */
  absolute(a: V): V;
  /** tanh a, within two units in the last place */
  tanh(a: V): V;
  /** e^a, within two units in the last place; in single precision between e^−87 and e^88 */
  exponential(a: V): V;
  /** `then` where a ≤ b; `otherwise` elsewhere, and where one of both is NaN. */
  ifAtMost(
    a: V | number,
    b: V | number,
    choice: { readonly then: V | number; readonly otherwise: V | number },
  ): V;
  /** keep · average + (1 − keep) · fresh, as each engine rounds it. */
  blend(
    average: V,
    fresh: V,
    { keep }: { readonly keep: number },
  ): V;
}

/** The arithmetic of numbers: what the float64 engine uses, and tests of one's own. */
export const NUMBERS: Arithmetic<number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  squareRoot: Math.sqrt,
  absolute: Math.abs,
  tanh: Math.tanh,
  exponential: Math.exp,
  ifAtMost: (a, b, { then, otherwise }) => a <= b ? then : otherwise,
  blend: (average, fresh, { keep }) => keep * average + (1 - keep) * fresh,
};

/**
 * baseⁿ by squaring, from multiplications alone: the same on every machine,
 * which JavaScript's `**` need not be.
 *
 * @example
 * ```ts
 * import { powerOf } from "@biornn/biornn";
 *
 * powerOf(0.5, 3); // 0.125
 * ```
 */
export function powerOf(base: number, n: number): number {
  let power = 1;
  let square = n < 0 ? 1 / base : base;
  for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power *= square;
    square *= square;
  }
  return power;
}
