/**
 * What a neuron makes of the sum of its inputs. A nonlinearity is one object,
 * written once for all engines; a new one is a line in
 * {@linkcode NONLINEARITIES}.
 *
 * @module
 */

import type { Arithmetic } from "./arithmetic.ts";
import { findNamed } from "../text/words.ts";

/**
 * A nonlinearity h = act(x). The way back is told from h alone, as the sums x
 * are not kept. NaN stays NaN, whatever it does: engines see to that.
 *
 * @example
 * ```ts
 * import type { Nonlinearity } from "@biornn/biornn";
 *
 * const softsign: Nonlinearity = {
 *   name: "softsign",
 *   description: "x / (1 + |x|)",
 *   source: "https://pytorch.org/docs/stable/generated/torch.nn.Softsign.html",
 *   value: (a, x) => a.divide(x, a.add(1, a.absolute(x))),
 *   backward(a, { gradient, output }) {
 *     const root = a.subtract(1, a.absolute(output)); // act'(x) = (1 − |h|)²
 *     return a.multiply(gradient, a.multiply(root, root));
 *   },
 * };
 * ```
 */
export interface Nonlinearity {
  /** As `nonlinearity` in a config names it. */
  readonly name: string;
  /** What it computes, for the manual. */
  readonly description: string;
  /** Where it is from. */
  readonly source: string;
  /** h = act(x) */
  value<V>(arithmetic: Arithmetic<V>, x: V): V;
  /** The gradient in x: that in h times act'(x), from h. */
  backward<V>(
    arithmetic: Arithmetic<V>,
    given: { readonly gradient: V; readonly output: V },
  ): V;
}

const PYTORCH = "https://pytorch.org/docs/stable/generated/torch.nn";

const tanh: Nonlinearity = {
  name: "tanh",
  description: "the hyperbolic tangent, between −1 and 1",
  source: `${PYTORCH}.Tanh.html`,
  value: (a, x) => a.tanh(x),
  backward: (a, { gradient, output: h }) =>
    a.multiply(gradient, a.subtract(1, a.multiply(h, h))),
};

/** As in PyTorch, a neuron that is off passes 0 on, be the gradient infinite. */
const relu: Nonlinearity = {
  name: "relu",
  description: "max(x, 0)",
  source: `${PYTORCH}.ReLU.html`,
  value: (a, x) => a.ifAtMost(x, 0, { then: 0, otherwise: x }),
  backward: (a, { gradient, output }) =>
    a.ifAtMost(output, 0, { then: 0, otherwise: gradient }),
};

const leakyRelu: Nonlinearity = {
  name: "leaky_relu",
  description: "x where it is above 0, else 0.01 x",
  source: `${PYTORCH}.LeakyReLU.html`,
  value: (a, x) =>
    a.ifAtMost(x, 0, { then: a.multiply(0.01, x), otherwise: x }),
  backward(a, { gradient, output }) {
    const then = a.multiply(0.01, gradient);
    return a.ifAtMost(output, 0, { then, otherwise: gradient });
  },
};

/** Not by (1 + tanh(x / 2)) / 2: of a neuron that is off it leaves no true digit, and its slope is as small. */
const sigmoid: Nonlinearity = {
  name: "sigmoid",
  description: "1 / (1 + e⁻ˣ), between 0 and 1",
  source: `${PYTORCH}.Sigmoid.html`,
  value: (a, x) => a.divide(1, a.add(1, a.exponential(a.multiply(-1, x)))),
  backward: (a, { gradient, output: h }) =>
    a.multiply(gradient, a.multiply(h, a.subtract(1, h))),
};

/** Nonlinearities by their names. A new one is an object and a line here. */
export const NONLINEARITIES: ReadonlyMap<string, Nonlinearity> = new Map(
  [relu, tanh, leakyRelu, sigmoid].map((each) => [each.name, each]),
);

/**
 * The nonlinearity of that name, or the one that is given.
 *
 * @throws {RangeError} If there is none of that name.
 */
export function nonlinearityOf(given: string | Nonlinearity): Nonlinearity {
  return findNamed(given, { among: NONLINEARITIES, what: "nonlinearity" });
}
