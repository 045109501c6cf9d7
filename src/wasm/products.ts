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

import type { Nonlinearity } from "../rnn/nonlinearities.ts";
import {
  createRuleArithmetic,
  type Lanes,
  type RuleArithmetic,
  type Term,
  type Vector,
} from "./arithmetic.ts";
import {
  f32x4,
  i32,
  type Local,
  loop,
  type MakeLocals,
  type ModuleBuilder,
  type Statement,
  type V128,
  v128,
} from "./assembler.ts";
import { LANES, ROW } from "./plan.ts";

/** Chunks of up to 16 trials take half the time. */
export type Width = "" | "16";

type Address = Local<"i32">;

function advance(place: Address, bytes: number): Statement {
  return place.set(i32.add(place, i32.const(bytes)));
}

/** Variables for the vectors of a row, or of its first half. */
function rowOf(local: MakeLocals, width: Width): Vector[] {
  const length = LANES / (width === "16" ? 8 : 4);
  return Array.from({ length }, () => local("v128")[0]);
}

/**
 * Adds the products
 *
 *     out[i] = finish(Σ_k weight[k] · input[offset[k]])    k = from[i]…to[i] − 1
 *
 * under their names, which have the width: `linear` stores the sum (read-out); `forward NAME` the
 * nonlinearity of that name of it; `backward NAME` takes it for the gradient
 * behind the nonlinearity and stores that before it, by h, which is `hidden[i]`.
 * NaN goes through all of them.
 *
 * Parameters, all addresses but the last: out, input (a state), hidden (a
 * state), from, to, offset, weight (of the whole list), receivers (number).
 */
export function addProducts(
  module: ModuleBuilder,
  lanes: Lanes,
  width: Width,
  nonlinearities: readonly Nonlinearity[],
): void {
  const { madd, constant } = lanes;
  const zero = constant(0);

  /** `finish` turns two vectors of the sums of a receiver into what is stored. */
  function addProduct(
    name: string,
    finish: (
      rule: RuleArithmetic,
      sums: readonly Vector[],
      hidden: (n: number) => V128,
    ) => Term,
  ): void {
    module.function(
      name,
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
            ...sums.flatMap((_, v) => {
              if (v % 2 === 1) return [];
              const rule = createRuleArithmetic(local, { lanes, width: 2 });
              const finished = finish(
                rule,
                sums.slice(v, v + 2),
                (n) => v128.load(hidden, 16 * (v + n)),
              );
              const stored = [0, 1].map((n) =>
                v128.store(out, rule.at(finished, n), 16 * (v + n))
              );
              return [...rule.code, ...stored];
            }),
            advance(from, 4),
            advance(to, 4),
            advance(hidden, ROW),
          ]),
        ];
      },
    );
  }

  addProduct(`linear${width}`, (_, sums) => sums);
  for (const act of nonlinearities) {
    addProduct(
      `forward${width} ${act.name}`,
      ({ arithmetic }, sums) => act.value(arithmetic, sums),
    );
    addProduct(
      `backward${width} ${act.name}`,
      ({ arithmetic, keep }, sums, hidden) =>
        act.backward(arithmetic, { gradient: sums, output: keep(hidden) }),
    );
  }
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
  { madd }: Lanes,
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
