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

// deno-fmt-ignore
const P = [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1];
// deno-fmt-ignore
const Q = [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1];
const ROUNDER = 1.5 * 2 ** 23;
const LN2 = { short: 0.693359375, rest: -2.12194440e-4 };

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
  const { madd, nmadd, constant } = lanes;
  const { add, sub, mul, div, sqrt, abs, le, lt, ne, pmax, pmin } = f32x4;
  const { bitselect, andnot, or, xor } = v128;

  /** Puts values into new variables. */
  const keep = (of: (n: number) => V128): Vector[] =>
    Array.from({ length: width }, (_, n) => {
      const [variable] = local("v128");
      code.push(variable.set(of(n)));
      return variable;
    });
  /** A term as the n-th of the vectors. */
  const at = (term: Term, n: number): V128 => {
    if (typeof term === "number") return constant(term);
    return typeof term === "function" ? perUpdate!(term) : term[n]!;
  };
  /** An operation on all of the vectors. */
  const each = (of: (...vectors: V128[]) => V128, ...terms: Term[]) =>
    keep((n) => of(...terms.map((term) => at(term, n))));
  /** The polynomial of those coefficients, the highest power first. */
  const horner = ([first, ...rest]: readonly number[], x: Term) =>
    rest.reduce(
      (sum, coefficient) => each(madd, sum, x, coefficient),
      keep(() => constant(first!)),
    );

  /**
   * eˣ for x from −87 to 88, within 1.5 units in the last place.
   *
   * eˣ = 2^k · e^r, where k is x / ln 2 rounded and r = x − k · ln 2 in two steps
   * (ln 2 as a sum of a short and a small number, so that the first is exact), and
   * e^r = 1 + r + r² · Q(r), Q of degree 5. To add 1.5 · 2²³ rounds to a whole
   * number, which then lies in the lowest bits; shifted by 23 it is added to the
   * exponent of e^r. Coefficients: Cephes mathematical library, tanhf and expf,
   * https://www.netlib.org/cephes/.
   */
  function powerOfE(x: Term): Vector[] {
    const k = each(add, each(mul, x, Math.LOG2E), ROUNDER);
    const whole = each(sub, k, ROUNDER);
    const r = each(nmadd, whole, LN2.rest, each(nmadd, whole, LN2.short, x));
    const power = horner(Q, r);
    const sum = each(madd, each(mul, r, r), power, each(add, r, 1));
    return each(
      (sum, k) => i32x4.add(sum, i32x4.shl(k, i32.const(23))),
      sum,
      k,
    );
  }

  /** eˣ as if x were between −87 and 88; NaN stays NaN. */
  function exponential(x: Term): Vector[] {
    const power = powerOfE(each(pmax, -87, each(pmin, 88, x)));
    return each((x, power) => bitselect(x, power, ne(x, x)), x, power);
  }

  /**
   * tanh(x), within 1.5 units in the last place over all floats, odd, |tanh| ≤ 1;
   * NaN stays NaN, ±∞ gives ±1.
   *
   * With a = |x|, both branches are computed and one is chosen by lane:
   *
   *     a < 0.625:  x + x · x² · P(x²)            P of degree 4
   *     else:       ±(1 − 2 / (e^(2a) + 1))       2a cut at 20, where the result is 1
   */
  function tanh(x: Term): Vector[] {
    const a = each(abs, x);
    const square = each(mul, x, x);
    const series = horner(P, square);
    const small = each(madd, each(mul, series, square), x, x);
    const cut = each(pmin, 10, a);
    const power = powerOfE(each(add, cut, cut));
    const large = each(sub, 1, each(div, 2, each(add, power, 1)));
    // x and |x| differ in the sign alone.
    const signed = each((large, x, a) => or(large, xor(x, a)), large, x, a);
    const found = each(bitselect, small, signed, each(lt, a, 0.625));
    return each((x, found) => bitselect(x, found, ne(x, x)), x, found);
  }

  const operator = (
    ofNumbers: (...numbers: number[]) => number,
    ofVectors: (...terms: Term[]) => Vector[],
  ) =>
  (...terms: Term[]): Term => {
    if (terms.some((term) => typeof term === "object")) {
      return ofVectors(...terms);
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
  const instruction = (
    ofNumbers: (...numbers: number[]) => number,
    ofVectors: (...vectors: V128[]) => V128,
  ) => operator(ofNumbers, (...terms) => each(ofVectors, ...terms));
  const multiply = instruction(NUMBERS.multiply, mul);
  const quotient = instruction(NUMBERS.divide, div);
  const chosen = instruction(
    (a, b, then, otherwise) => NUMBERS.ifAtMost(a, b, { then, otherwise }),
    (a, b, then, otherwise) => bitselect(then, otherwise, le(a, b)),
  );
  const zeroed = instruction(
    (a, b, otherwise) => NUMBERS.ifAtMost(a, b, { then: 0, otherwise }),
    (a, b, otherwise) => andnot(otherwise, le(a, b)),
  );
  const arithmetic: Arithmetic<Term> = {
    add: instruction(NUMBERS.add, add),
    subtract: instruction(NUMBERS.subtract, sub),
    multiply,
    /** To divide by a number of the update is to multiply by its inverse, which the host computes. */
    divide: (a, b) =>
      typeof a === "object" && typeof b === "function"
        ? multiply(a, (given: Parameters<PerUpdate>[0]) => 1 / b(given))
        : quotient(a, b),
    squareRoot: instruction(NUMBERS.squareRoot, sqrt),
    absolute: instruction(NUMBERS.absolute, abs),
    tanh: operator(NUMBERS.tanh, tanh),
    exponential: operator(NUMBERS.exponential, exponential),
    ifAtMost: (a, b, { then, otherwise }) =>
      then === 0 ? zeroed(a, b, otherwise) : chosen(a, b, then, otherwise),
    blend: (average, fresh, { keep }) =>
      arithmetic.add(multiply(keep, average), multiply(1 - keep, fresh)),
  };
  return { arithmetic, code, keep, at };
}
