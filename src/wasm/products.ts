/**
 * The three products that training is made of, over lists of connections.
 *
 * A signal over the 32 trials of a chunk is a **row** of 128 bytes, eight
 * vectors. The rows of one time step lie one behind the other: a *state*. A
 * receiver i has the connections k between two places of the list; connection k
 * has a weight and the offset of its sender's row in the state. All places are
 * in bytes, 4 for each connection.
 *
 * A row's eight sums stay in registers while its connections are gone through:
 * 8 sums, a weight and a temporary of 16 registers. More receivers or
 * connections at a time make V8 spill the bounds that it checks loads against.
 *
 * @module
 */

import {
  f32x4,
  i32,
  i32x4,
  type Local,
  loop,
  type MakeLocals,
  type ModuleBuilder,
  type Statement,
  type V128,
  v128,
} from "./assembler.ts";
import { CONSTANTS, LANES, ROW } from "./memory_layout.ts";

/** Chunks of up to 16 trials take half the time. */
export type Width = "" | "16";

type Vector = Local<"v128">;
type Address = Local<"i32">;

/**
 * Arithmetic with fused multiply-add, which rounds once, or without, which
 * rounds twice: the bytes of all results depend on it.
 *
 * Constants are vectors at fixed addresses: to load them is one instruction
 * that needs no check of its bounds, while V8 makes a splatted constant anew in
 * each turn of a loop.
 */
export function createArithmetic({ fused }: { readonly fused: boolean }) {
  const numbers: number[] = [];
  const { add, sub, mul, relaxedMadd, relaxedNmadd } = f32x4;
  const madd: typeof relaxedMadd = (a, b, c) => add(mul(a, b), c);
  const nmadd: typeof relaxedNmadd = (a, b, c) => sub(c, mul(a, b));
  return {
    /** a · b + c */
    madd: fused ? relaxedMadd : madd,
    /** c − a · b */
    nmadd: fused ? relaxedNmadd : nmadd,
    /** A number in all four lanes. */
    constant(number: number): V128 {
      let place = numbers.indexOf(number);
      if (place < 0) place = numbers.push(number) - 1;
      if (place >= CONSTANTS.count) {
        throw new RangeError(`Cannot keep more than ${place} constants`);
      }
      return v128.load(i32.const(0), CONSTANTS.address + 16 * place);
    },
    /** All constants so far, to be put at {@linkcode CONSTANTS}. */
    table(): Uint8Array {
      const lanes = numbers.flatMap((x) => [x, x, x, x]);
      return new Uint8Array(Float32Array.from(lanes).buffer);
    },
  };
}

export type Arithmetic = ReturnType<typeof createArithmetic>;

function advance(place: Address, bytes: number): Statement {
  return place.set(i32.add(place, i32.const(bytes)));
}

/** Variables for the vectors of a row, or of its first half, whose kernels have the suffix "16". */
function rowOf(local: MakeLocals, suffix: Width): Vector[] {
  const length = LANES / (suffix === "16" ? 8 : 4);
  return Array.from({ length }, () => local("v128")[0]);
}

/**
 * Adds the products
 *
 *     out[i] = finish(Σ_k weight[k] · input[offset[k]])    k = from[i]…to[i] − 1
 *
 * under five names: `linear` stores the sum (read-out); `forwardRelu` and
 * `forwardTanh` the nonlinearity of it; `backwardRelu` and `backwardTanh`
 * multiply it by the slope at h, which is `hidden[i]`: 1 where h > 0, and 1 − h².
 * NaN goes through all of them.
 *
 * Parameters, all addresses but the last: out, input (a state), hidden (a
 * state), from, to, offset, weight (of the whole list), receivers (number).
 */
export function addProducts(
  module: ModuleBuilder,
  arithmetic: Arithmetic,
  width: Width,
): void {
  const { madd, constant } = arithmetic;
  const { lt, le, mul, sub } = f32x4;
  const zero = constant(0);

  /** `finish` puts what is stored in place of the sums of a receiver. */
  function addProduct(
    name: string,
    finish: (local: MakeLocals, sums: Vector[], hidden: Address) => Statement[],
  ): void {
    module.function(
      name + width,
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      (local, out, input, hidden, from, to, offset, weight, receivers) => {
        const [k, end, sender, last] = local("i32", "i32", "i32", "i32");
        const [w] = local("v128");
        const sums = rowOf(local, width);
        const place = i32.load(i32.add(offset, k));
        return [
          last.set(i32.add(out, i32.mul(receivers, i32.const(ROW)))),
          loop(out, { end: last, step: ROW }, [
            ...sums.map((sum) => sum.set(zero)),
            k.set(i32.load(from)),
            end.set(i32.load(to)),
            loop(k, { end, step: 4 }, [
              w.set(v128.loadSplat(i32.add(weight, k))),
              sender.set(i32.add(input, place)),
              ...sums.map((sum, v) =>
                sum.set(madd(w, v128.load(sender, 16 * v), sum))
              ),
            ]),
            ...finish(local, sums, hidden),
            ...sums.map((sum, v) => v128.store(out, sum, 16 * v)),
            advance(from, 4),
            advance(to, 4),
            advance(hidden, ROW),
          ]),
        ];
      },
    );
  }

  addProduct("linear", () => []);
  // Not what is > 0: NaN has to stay.
  addProduct(
    "forwardRelu",
    (_, sums) => sums.map((sum) => sum.set(v128.andnot(sum, lt(sum, zero)))),
  );
  addProduct("forwardTanh", (local, sums) => {
    const tanh = tanhInPlace(local, arithmetic);
    return sums.flatMap((_, v) => v % 2 ? [] : tanh(sums.slice(v, v + 2)));
  });
  addProduct("backwardRelu", (_, sums, hidden) =>
    sums.map((sum, v) => {
      const dead = le(v128.load(hidden, 16 * v), zero);
      return sum.set(v128.andnot(sum, dead));
    }));
  addProduct("backwardTanh", (local, sums, hidden) => {
    const [h] = local("v128");
    return sums.flatMap((sum, v) => [
      h.set(v128.load(hidden, 16 * v)),
      sum.set(mul(sum, sub(constant(1), mul(h, h)))),
    ]);
  });
}

/**
 * Adds `gradient`:
 *
 *     gradient[k] += Σ_b delta[i][b] · input[offset[k]][b]    k = from[i]…to[i] − 1
 *
 * δ's eight vectors stay in registers. Each connection's products are summed in
 * two vectors; four connections are folded into one vector by shuffles, so every
 * receiver's part of the list is a multiple of four connections long.
 *
 * Parameters: gradient (of the whole list), delta (a state), input (a state),
 * from, to, offset, receivers (number).
 */
export function addGradient(
  module: ModuleBuilder,
  { madd }: Arithmetic,
  width: Width,
): void {
  const { add, mul } = f32x4;
  module.function(
    "gradient" + width,
    ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    (local, gradient, delta, input, from, to, offset, receivers) => {
      const [k, end, sender, last] = local("i32", "i32", "i32", "i32");
      const [even, odd] = local("v128", "v128");
      const [a, b, c] = local("v128", "v128", "v128");
      const deltas = rowOf(local, width);
      const place = i32.add(gradient, k);
      /** The products of the n-th of four connections, in four sums. */
      const dot = (n: number, into: Vector): Statement[] => [
        sender.set(i32.add(input, i32.load(i32.add(offset, k), 4 * n))),
        ...deltas.map((d, v) => {
          const sum = v % 2 === 0 ? even : odd;
          const row = v128.load(sender, 16 * v);
          return sum.set(v < 2 ? mul(d, row) : madd(d, row, sum));
        }),
        into.set(add(even, odd)),
      ];
      /** Sums of the lanes that stand opposite each other in x and y. */
      const fold = (x: Vector, y: Vector, low: number[], high: number[]) =>
        add(v128.shuffle(x, y, low), v128.shuffle(x, y, high));
      const halves = (x: Vector, y: Vector) =>
        fold(x, y, [0, 1, 4, 5], [2, 3, 6, 7]);
      return [
        last.set(i32.add(from, i32.shl(receivers, i32.const(2)))),
        loop(from, { end: last, step: 4 }, [
          ...deltas.map((d, v) => d.set(v128.load(delta, 16 * v))),
          k.set(i32.load(from)),
          end.set(i32.load(to)),
          loop(k, { end, step: 16 }, [
            ...dot(0, a),
            ...dot(1, b),
            a.set(halves(a, b)),
            ...dot(2, b),
            ...dot(3, c),
            b.set(halves(b, c)),
            c.set(fold(a, b, [0, 2, 4, 6], [1, 3, 5, 7])),
            v128.store(place, add(v128.load(place), c)),
          ]),
          advance(to, 4),
          advance(delta, ROW),
        ]),
      ];
    },
  );
}

// deno-fmt-ignore
const P = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];
// deno-fmt-ignore
const Q = [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];
const ROUNDER = 1.5 * 2 ** 23;
const LN2 = { short: 0.693359375, rest: -2.12194440e-4 };

/**
 * Prepares code that puts tanh(x) in place of x: within 1.5 units in the
 * last place over all floats, odd, |tanh| ≤ 1; NaN stays NaN, ±∞ gives ±1.
 *
 * With a = |x|, both branches are computed and one is chosen by lane:
 *
 *     a < 0.625:  x + x · x² · P(x²)            P of degree 4
 *     else:       ±(1 − 2 / (e^(2a) + 1))       2a cut at 20, where the result is 1
 *
 * e^z = 2^k · e^r, where k is z / ln 2 rounded and r = z − k · ln 2 in two steps
 * (ln 2 as a sum of a short and a small number, so that the first is exact), and
 * e^r = 1 + r + r² · Q(r), Q of degree 5. To add 1.5 · 2²³ rounds to a whole
 * number, which then lies in the lowest bits; shifted by 23 it is added to the
 * exponent of e^r. Coefficients: Cephes mathematical library, tanhf and expf,
 * https://www.netlib.org/cephes/.
 *
 * Two vectors at a time: two chains of dependent instructions fill the waits of
 * each other.
 */
function tanhInPlace(
  local: MakeLocals,
  { madd, nmadd, constant }: Arithmetic,
): (pair: readonly Vector[]) => Statement[] {
  const { abs, add, sub, mul, div, pmin, lt, ne } = f32x4;
  const names = ["x", "a", "square", "small", "z", "k", "large"] as const;
  type Lanes = Record<typeof names[number], Vector>;
  const scratch = [0, 1].map(() =>
    Object.fromEntries(names.map((name) => [name, local("v128")[0]])) as Lanes
  );
  const one = constant(1);
  const rounder = constant(ROUNDER);
  return (pair) => {
    const both = pair.map((x, n) => ({ ...scratch[n]!, x }));
    const code: Statement[] = [];
    const set = (name: keyof Lanes, of: (v: Lanes) => V128) => {
      for (const lanes of both) code.push(lanes[name].set(of(lanes)));
    };
    const horner = (
      to: keyof Lanes,
      by: keyof Lanes,
      [c0, ...rest]: number[],
    ) => {
      set(to, () => constant(c0!));
      for (const c of rest) set(to, (v) => madd(v[to], v[by], constant(c)));
    };
    set("a", ({ x }) => abs(x));
    set("square", ({ x }) => mul(x, x));
    horner("small", "square", P);
    set("small", ({ small, square, x }) => madd(mul(small, square), x, x));
    set("z", ({ a }) => pmin(constant(10), a));
    set("z", ({ z }) => add(z, z));
    set("k", ({ z }) => add(mul(z, constant(Math.LOG2E)), rounder));
    // From here on `square` is k as a float, and z becomes r.
    set("square", ({ k }) => sub(k, rounder));
    set("z", ({ z, square }) => nmadd(square, constant(LN2.short), z));
    set("z", ({ z, square }) => nmadd(square, constant(LN2.rest), z));
    horner("large", "z", Q);
    set("large", ({ large, z }) => madd(mul(z, z), large, add(z, one)));
    set("k", ({ k }) => i32x4.shl(k, i32.const(23)));
    set("large", ({ large, k }) => i32x4.add(large, k));
    set("large", ({ large }) => sub(one, div(constant(2), add(large, one))));
    // x and |x| differ in the sign alone.
    set("large", ({ large, x, a }) => v128.or(large, v128.xor(x, a)));
    set(
      "small",
      ({ small, large, a }) =>
        v128.bitselect(small, large, lt(a, constant(0.625))),
    );
    set("x", ({ x, small }) => v128.bitselect(x, small, ne(x, x)));
    return code;
  };
}
