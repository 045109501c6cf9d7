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
  type FunctionBuilder,
  i32,
  type Local,
  loop,
  type ModuleBuilder,
  type Statement,
  v128,
} from "./assembler.ts";
import { type Arithmetic, ROW, VECTORS } from "./arithmetic.ts";
import { tanhInPlace } from "./tanh.ts";

/** What a product does with the sums of a receiver before it stores them at `out`. */
type Finish = (
  builder: FunctionBuilder,
  row: {
    readonly sums: readonly Local<"v128">[];
    readonly out: Local<"i32">;
    readonly hidden: Local<"i32">;
  },
) => Statement[];

const vectors = <T>(of: (vector: number) => T): T[] =>
  Array.from({ length: VECTORS }, (_, vector) => of(vector));

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
): void {
  const { madd, constant } = arithmetic;
  const { lt, le, mul, sub } = f32x4;
  const zero = constant(0);
  const store = (out: Local<"i32">, sums: readonly Local<"v128">[]) =>
    sums.map((sum, v) => v128.store(out, sum, 16 * v));

  function addProduct(name: string, finish: Finish): void {
    module.function(
      name,
      ["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"],
      (f, out, input, hidden, from, to, offset, weight, receivers) => {
        const k = f.local("i32");
        const end = f.local("i32");
        const sender = f.local("i32");
        const last = f.local("i32");
        const sums = f.locals("v128", VECTORS);
        const w = f.local("v128");
        const step = (place: Local<"i32">, bytes: number) =>
          place.set(i32.add(place, i32.const(bytes)));
        return [
          last.set(i32.add(out, i32.mul(receivers, i32.const(ROW)))),
          loop(out, { end: last, step: ROW }, [
            ...sums.map((sum) => sum.set(zero)),
            k.set(i32.load(from)),
            end.set(i32.load(to)),
            loop(k, { end: end, step: 4 }, [
              w.set(v128.loadSplat(i32.add(weight, k))),
              sender.set(
                i32.add(input, i32.load(i32.add(offset, k))),
              ),
              ...sums.map((sum, v) =>
                sum.set(madd(w, v128.load(sender, 16 * v), sum))
              ),
            ]),
            ...finish(f, { sums, out, hidden }),
            step(from, 4),
            step(to, 4),
            step(hidden, ROW),
          ]),
        ];
      },
    );
  }

  addProduct("linear", (_, { sums, out }) => store(out, sums));
  addProduct("forwardRelu", (_, { sums, out }) => [
    // Not what is > 0: NaN has to stay.
    ...sums.map((sum) => sum.set(v128.andnot(sum, lt(sum, zero)))),
    ...store(out, sums),
  ]);
  addProduct("forwardTanh", (f, { sums, out }) => {
    const tanh = tanhInPlace(f, arithmetic);
    const pairs = vectors((v) => sums.slice(v, v + 2)).filter((_, v) =>
      v % 2 === 0
    );
    return [...pairs.flatMap(tanh), ...store(out, sums)];
  });
  addProduct("backwardRelu", (_, { sums, out, hidden }) => [
    ...sums.map((sum, v) => {
      const dead = le(v128.load(hidden, 16 * v), zero);
      return sum.set(v128.andnot(sum, dead));
    }),
    ...store(out, sums),
  ]);
  addProduct("backwardTanh", (f, { sums, out, hidden }) => {
    const h = f.local("v128");
    return [
      ...sums.flatMap((sum, v) => [
        h.set(v128.load(hidden, 16 * v)),
        sum.set(mul(sum, sub(constant(1), mul(h, h)))),
      ]),
      ...store(out, sums),
    ];
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
): void {
  const { add, mul } = f32x4;
  module.function(
    "gradient",
    ["i32", "i32", "i32", "i32", "i32", "i32", "i32"],
    (f, gradient, delta, input, from, to, offset, receivers) => {
      const k = f.local("i32");
      const end = f.local("i32");
      const sender = f.local("i32");
      const last = f.local("i32");
      const deltas = f.locals("v128", VECTORS);
      const even = f.local("v128");
      const odd = f.local("v128");
      const a = f.local("v128");
      const b = f.local("v128");
      const c = f.local("v128");
      /** The products of the n-th of four connections, in four sums. */
      const dot = (n: number, into: Local<"v128">): Statement[] => [
        sender.set(
          i32.add(input, i32.load(i32.add(offset, k), 4 * n)),
        ),
        ...deltas.map((d, v) => {
          const sum = v % 2 === 0 ? even : odd;
          const row = v128.load(sender, 16 * v);
          return sum.set(v < 2 ? mul(d, row) : madd(d, row, sum));
        }),
        into.set(add(even, odd)),
      ];
      /** x0 + x2, x1 + x3, y0 + y2, y1 + y3 */
      const halves = (x: Local<"v128">, y: Local<"v128">) =>
        add(
          v128.shuffle(x, y, [0, 1, 4, 5]),
          v128.shuffle(x, y, [2, 3, 6, 7]),
        );
      const place = i32.add(gradient, k);
      return [
        last.set(i32.add(from, i32.shl(receivers, i32.const(2)))),
        loop(from, { end: last, step: 4 }, [
          ...deltas.map((d, v) => d.set(v128.load(delta, 16 * v))),
          k.set(i32.load(from)),
          end.set(i32.load(to)),
          loop(k, { end: end, step: 16 }, [
            ...dot(0, a),
            ...dot(1, b),
            a.set(halves(a, b)),
            ...dot(2, b),
            ...dot(3, c),
            b.set(halves(b, c)),
            v128.store(
              place,
              add(
                v128.load(place),
                add(
                  v128.shuffle(a, b, [0, 2, 4, 6]),
                  v128.shuffle(a, b, [1, 3, 5, 7]),
                ),
              ),
            ),
          ]),
          to.set(i32.add(to, i32.const(4))),
          delta.set(i32.add(delta, i32.const(ROW))),
        ]),
      ];
    },
  );
}
