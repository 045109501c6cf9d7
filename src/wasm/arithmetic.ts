/**
 * How the kernels calculate: constants, multiply-add, tanh, and the rules of
 * optimizers and nonlinearities, which are turned into instructions.
 *
 * @module
 */

import { type Arithmetic, NUMBERS } from "../rnn/arithmetic.ts";
import {
  f32x4,
  i32,
  i32x4,
  type Local,
  type MakeLocals,
  type Statement,
  type V128,
  v128,
} from "./assembler.ts";
import { CONSTANTS } from "./plan.ts";

export type Vector = Local<"v128">;

/**
 * Arithmetic with fused multiply-add, which rounds once, or without, which
 * rounds twice: the bytes of all results depend on it.
 *
 * Constants are vectors at fixed addresses: to load them is one instruction
 * that needs no check of its bounds, while V8 makes a splatted constant anew in
 * each turn of a loop.
 */
export function createLanes({ fused }: { readonly fused: boolean }) {
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

/** What kernels are written in. */
export type Lanes = ReturnType<typeof createLanes>;

/** Numbers that the host computes for each update of a model. */
export type PerUpdate = (
  given: { readonly update: number; readonly learningRate: number },
) => number;

/** A value of a rule: a number, one that the host computes for an update, or vectors side by side. */
export type Term = number | PerUpdate | readonly Vector[];

/** The arithmetic of rules, the code that it has come to, and what puts terms into code. */
export type RuleArithmetic = ReturnType<typeof createRuleArithmetic>;

/**
 * The arithmetic of rules. What is made of numbers alone the host computes, in
 * double precision; all else becomes code, each value with a variable of its own.
 *
 * @param options.width Vectors that are gone through side by side: chains of dependent instructions fill the waits of each other.
 * @param options.perUpdate Where a kernel has a number that the host computes.
 */
export function createRuleArithmetic(
  local: MakeLocals,
  { lanes, width, perUpdate }: {
    readonly lanes: Lanes;
    readonly width: number;
    readonly perUpdate?: (number: PerUpdate) => V128;
  },
) {
  const code: Statement[] = [];
  const { add, sub, mul, div, sqrt, abs, le } = f32x4;

  /** Puts values into new variables. */
  const keep = (of: (n: number) => V128): Vector[] =>
    Array.from({ length: width }, (_, n) => {
      const [variable] = local("v128");
      code.push(variable.set(of(n)));
      return variable;
    });
  /** A term as the n-th of the vectors. */
  const at = (term: Term, n: number): V128 =>
    typeof term === "number"
      ? lanes.constant(term)
      : typeof term === "function"
      ? perUpdate!(term)
      : term[n]!;
  const operator = (
    ofNumbers: (...numbers: number[]) => number,
    ofVectors: (...vectors: V128[]) => V128,
  ) =>
  (...terms: Term[]): Term => {
    if (terms.some((term) => typeof term === "object")) {
      return keep((n) => ofVectors(...terms.map((term) => at(term, n))));
    }
    const computed: PerUpdate = (given) =>
      ofNumbers(
        ...terms.map((term) =>
          typeof term === "function" ? term(given) : term as number
        ),
      );
    return terms.some((term) => typeof term === "function")
      ? computed
      : ofNumbers(...terms as number[]);
  };
  const inPlace =
    (ofNumber: (x: number) => number, codeOf: typeof tanhInPlace) =>
    (a: Term): Term => {
      if (typeof a !== "object") return operator(ofNumber, (x) => x)(a);
      const copy = keep((n) => a[n]!);
      code.push(...codeOf(local, { lanes, vectors: copy }));
      return copy;
    };
  const multiply = operator(NUMBERS.multiply, mul);
  const quotient = operator(NUMBERS.divide, div);
  const chosen = operator(
    (a, b, then, otherwise) => NUMBERS.ifAtMost(a, b, { then, otherwise }),
    (a, b, then, otherwise) => v128.bitselect(then, otherwise, le(a, b)),
  );
  const zeroed = operator(
    (a, b, otherwise) => NUMBERS.ifAtMost(a, b, { then: 0, otherwise }),
    (a, b, otherwise) => v128.andnot(otherwise, le(a, b)),
  );
  const arithmetic: Arithmetic<Term> = {
    add: operator(NUMBERS.add, add),
    subtract: operator(NUMBERS.subtract, sub),
    multiply,
    /** To divide by a number of the update is to multiply by its inverse, which the host computes. */
    divide: (a, b) =>
      typeof a === "object" && typeof b === "function"
        ? multiply(a, (given: Parameters<PerUpdate>[0]) => 1 / b(given))
        : quotient(a, b),
    squareRoot: operator(NUMBERS.squareRoot, sqrt),
    absolute: operator(NUMBERS.absolute, abs),
    tanh: inPlace(NUMBERS.tanh, tanhInPlace),
    exponential: inPlace(NUMBERS.exponential, exponentialInPlace),
    ifAtMost: (a, b, { then, otherwise }) =>
      then === 0 ? zeroed(a, b, otherwise) : chosen(a, b, then, otherwise),
    blend: (average, fresh, { keep }) =>
      arithmetic.add(multiply(keep, average), multiply(1 - keep, fresh)),
  };
  return { arithmetic, code, keep, at };
}

// deno-fmt-ignore
const P = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];
// deno-fmt-ignore
const Q = [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];
const ROUNDER = 1.5 * 2 ** 23;
const LN2 = { short: 0.693359375, rest: -2.12194440e-4 };

/** A variable of each name for each of the vectors, and the code that is put for all of them, one after the other. */
function sideBySide<Name extends string>(
  local: MakeLocals,
  vectors: readonly Vector[],
  { lanes: { madd, constant }, names }: {
    readonly lanes: Lanes;
    readonly names: readonly Name[];
  },
) {
  type Names = Record<Name | "x", Vector>;
  const all = vectors.map((x) => ({
    ...Object.fromEntries(names.map((name) => [name, local("v128")[0]])),
    x,
  } as Names));
  const code: Statement[] = [];
  const set = (name: Name | "x", of: (v: Names) => V128) => {
    for (const each of all) code.push(each[name].set(of(each)));
  };
  /** The polynomial of those coefficients, the highest power first. */
  const horner = (
    to: Name,
    by: Name | "x",
    [c0, ...rest]: readonly number[],
  ) => {
    set(to, () => constant(c0!));
    for (const c of rest) set(to, (v) => madd(v[to], v[by], constant(c)));
  };
  return { all, code, set, horner };
}

/** What code is put in place of. */
interface InPlace {
  readonly lanes: Lanes;
  readonly vectors: readonly Vector[];
}

/**
 * Code that puts eˣ in place of x, for x from −87 to 88, within 1.5 units in the last place.
 *
 * eˣ = 2^k · e^r, where k is x / ln 2 rounded and r = x − k · ln 2 in two steps
 * (ln 2 as a sum of a short and a small number, so that the first is exact), and
 * e^r = 1 + r + r² · Q(r), Q of degree 5. To add 1.5 · 2²³ rounds to a whole
 * number, which then lies in the lowest bits; shifted by 23 it is added to the
 * exponent of e^r. Coefficients: Cephes mathematical library, tanhf and expf,
 * https://www.netlib.org/cephes/.
 */
function powerOfEInPlace(
  local: MakeLocals,
  { lanes, vectors }: InPlace,
): Statement[] {
  const { nmadd, madd, constant } = lanes;
  const { add, sub, mul } = f32x4;
  const names = ["k", "whole", "power"] as const;
  const { code, set, horner } = sideBySide(local, vectors, { lanes, names });
  set("k", ({ x }) => add(mul(x, constant(Math.LOG2E)), constant(ROUNDER)));
  set("whole", ({ k }) => sub(k, constant(ROUNDER)));
  set("x", ({ x, whole }) => nmadd(whole, constant(LN2.short), x));
  set("x", ({ x, whole }) => nmadd(whole, constant(LN2.rest), x));
  horner("power", "x", Q);
  set("power", ({ power, x }) => madd(mul(x, x), power, add(x, constant(1))));
  set("k", ({ k }) => i32x4.shl(k, i32.const(23)));
  set("x", ({ power, k }) => i32x4.add(power, k));
  return code;
}

/** Code that puts eˣ in place of x, as if x were between −87 and 88; NaN stays NaN. */
function exponentialInPlace(
  local: MakeLocals,
  { lanes, vectors }: InPlace,
): Statement[] {
  const { ne, pmax, pmin } = f32x4;
  const names = ["power"] as const;
  const { all, code, set } = sideBySide(local, vectors, { lanes, names });
  const { constant } = lanes;
  set("power", ({ x }) => pmax(constant(-87), pmin(constant(88), x)));
  const powers = all.map(({ power }) => power);
  code.push(...powerOfEInPlace(local, { lanes, vectors: powers }));
  set("x", ({ x, power }) => v128.bitselect(x, power, ne(x, x)));
  return code;
}

/**
 * Code that puts tanh(x) in place of x: within 1.5 units in the
 * last place over all floats, odd, |tanh| ≤ 1; NaN stays NaN, ±∞ gives ±1.
 *
 * With a = |x|, both branches are computed and one is chosen by lane:
 *
 *     a < 0.625:  x + x · x² · P(x²)            P of degree 4
 *     else:       ±(1 − 2 / (e^(2a) + 1))       2a cut at 20, where the result is 1
 */
function tanhInPlace(
  local: MakeLocals,
  { lanes, vectors }: InPlace,
): Statement[] {
  const { madd, constant } = lanes;
  const { abs, add, sub, mul, div, pmin, lt, ne } = f32x4;
  const names = ["a", "square", "small", "large"] as const;
  const { all, code, set, horner } = sideBySide(local, vectors, {
    lanes,
    names,
  });
  const one = constant(1);
  set("a", ({ x }) => abs(x));
  set("square", ({ x }) => mul(x, x));
  horner("small", "square", P);
  set("small", ({ small, square, x }) => madd(mul(small, square), x, x));
  set("large", ({ a }) => pmin(constant(10), a));
  set("large", ({ large }) => add(large, large));
  const powers = all.map(({ large }) => large);
  code.push(...powerOfEInPlace(local, { lanes, vectors: powers }));
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
}
