/**
 * How weights are changed by their gradient. An optimizer is one object,
 * written once for all engines; a new one is a line in {@linkcode OPTIMIZERS}.
 *
 * @module
 */

import { type Arithmetic, NUMBERS, powerOf } from "./arithmetic.ts";
import { findNamed } from "../text/words.ts";

/** A weight before an update, and what it is changed by. */
export interface WeightUpdate<V> {
  /** The weight. */
  readonly weight: V;
  /** The gradient of the batch's loss in it. */
  readonly gradient: V;
  /** What the update before has returned of it; 0 at first. */
  readonly first: V;
  /** The same. */
  readonly second: V;
  /** `lr` */
  readonly learningRate: V;
  /** A number that depends on nothing but the number of the update, from 1: computed once an update, in double precision. */
  perUpdate(of: (update: number) => number): V;
}

/**
 * An optimizer: what an update makes of a weight.
 *
 * @example
 * ```ts
 * import type { Optimizer } from "@biornn/biornn";
 *
 * const momentum: Optimizer = {
 *   name: "Momentum",
 *   description: "SGD with momentum 0.9",
 *   source: "https://pytorch.org/docs/stable/generated/torch.optim.SGD.html",
 *   update(a, { weight, gradient, first, learningRate }) {
 *     const velocity = a.add(a.multiply(0.9, first), gradient);
 *     return {
 *       weight: a.subtract(weight, a.multiply(learningRate, velocity)),
 *       first: velocity,
 *     };
 *   },
 * };
 * ```
 */
export interface Optimizer {
  /** As `optimizer` in a config names it. */
  readonly name: string;
  /** What it does, for the manual. */
  readonly description: string;
  /** Where its formulas are from. */
  readonly source: string;
  /** The weight after the update and, of an optimizer that remembers, one or two numbers that the next update gets; these follow from gradients, not from weights. */
  update<V>(
    arithmetic: Arithmetic<V>,
    given: WeightUpdate<V>,
  ): { readonly weight: V; readonly first?: V; readonly second?: V };
}

const PYTORCH = "https://pytorch.org/docs/stable/generated/torch.optim";

/** p = p − η · g */
const sgd: Optimizer = {
  name: "SGD",
  description: "the gradient times the learning rate, without momentum",
  source: `${PYTORCH}.SGD.html`,
  update: (a, { weight, gradient, learningRate }) => ({
    weight: a.subtract(weight, a.multiply(learningRate, gradient)),
  }),
};

/** keep · v + (1 − keep) · g², which overflows where PyTorch's does. */
function squares<V>(
  a: Arithmetic<V>,
  { second, gradient }: WeightUpdate<V>,
  { keep }: { readonly keep: number },
): V {
  const fresh = a.multiply(a.multiply(1 - keep, gradient), gradient);
  return a.add(a.multiply(keep, second), fresh);
}

/** v = 0.99 v + 0.01 g²,  p = p − η · g / (√v + ε) */
const rmsprop: Optimizer = {
  name: "RMSprop",
  description: "the gradient over the root of its mean square, alpha 0.99",
  source: `${PYTORCH}.RMSprop.html`,
  update(a, given) {
    const second = squares(a, given, { keep: 0.99 });
    const change = a.divide(
      a.multiply(given.learningRate, given.gradient),
      a.add(a.squareRoot(second), 1e-8),
    );
    return { weight: a.subtract(given.weight, change), second };
  },
};

/** m = 0.9 m + 0.1 g,  v = 0.999 v + 0.001 g²,  p = p − η / (1 − 0.9ⁿ) · m / (√v / √(1 − 0.999ⁿ) + ε) */
const adam: Optimizer = {
  name: "Adam",
  description:
    "the mean gradient over the root of its mean square, betas 0.9 and 0.999",
  source: `${PYTORCH}.Adam.html`,
  update(a, given) {
    const { weight, gradient, first, learningRate, perUpdate } = given;
    const mean = a.blend(first, gradient, { keep: 0.9 });
    const second = squares(a, given, { keep: 0.999 });
    const rate = a.divide(
      learningRate,
      perUpdate((n) => 1 - powerOf(0.9, n)),
    );
    const root = a.divide(
      a.squareRoot(second),
      perUpdate((n) => Math.sqrt(1 - powerOf(0.999, n))),
    );
    const change = a.divide(a.multiply(rate, mean), a.add(root, 1e-8));
    return { weight: a.subtract(weight, change), first: mean, second };
  },
};

/** Adam's update of p − η · 0.01 · p */
const adamW: Optimizer = {
  name: "AdamW",
  description: "Adam, and weights decay by 0.01 times the learning rate",
  source: `${PYTORCH}.AdamW.html`,
  update(a, given) {
    const kept = a.subtract(1, a.multiply(given.learningRate, 0.01));
    return adam.update(a, { ...given, weight: a.multiply(given.weight, kept) });
  },
};

/** v = v + g²,  p = p − η · g / (√v + ε) */
const adagrad: Optimizer = {
  name: "Adagrad",
  description: "the gradient over the root of the sum of its squares",
  source: `${PYTORCH}.Adagrad.html`,
  update(a, { weight, gradient, second, learningRate }) {
    const sum = a.add(second, a.multiply(gradient, gradient));
    const change = a.divide(
      a.multiply(learningRate, gradient),
      a.add(a.squareRoot(sum), 1e-10),
    );
    return { weight: a.subtract(weight, change), second: sum };
  },
};

/** Optimizers by their names, with PyTorch's default parameters apart from the learning rate. A new one is an object and a line here. */
export const OPTIMIZERS: ReadonlyMap<string, Optimizer> = new Map(
  [adam, rmsprop, sgd, adamW, adagrad].map((each) => [each.name, each]),
);

/**
 * The optimizer of that name, or the one that is given.
 *
 * @throws {RangeError} If there is none of that name; or one that changes weights which do not exist: 0, with a gradient of 0; or one that keeps what depends on the weight: two biases with one gradient have what is kept in common.
 */
export function optimizerOf(given: string | Optimizer): Optimizer {
  const found = findNamed(given, { among: OPTIMIZERS, what: "optimizer" });
  if (typeof given === "string") return found;
  const after = (weight: number, gradient: number) =>
    found.update(NUMBERS, {
      weight,
      gradient,
      first: 0,
      second: 0,
      learningRate: 0.1,
      perUpdate: (of) => of(1),
    });
  const refuse = (problem: string): never => {
    throw new RangeError(`Cannot use the optimizer ${found.name}: ${problem}`);
  };
  const nothing = after(0, 0).weight;
  if (nothing !== 0) {
    refuse(
      `it makes ${nothing} of a weight of 0 without a gradient, which must stay 0`,
    );
  }
  const one = after(1, 1);
  const other = after(2, 1);
  if (one.first !== other.first || one.second !== other.second) {
    refuse(
      "what it keeps depends on the weight, and may depend on the gradient alone",
    );
  }
  return found;
}
