/**
 * The kernels as one WebAssembly module, and what goes through arrays element by
 * element: loss, optimizers, sums.
 *
 * @module
 */

import {
  f32,
  f32x4,
  type FunctionBuilder,
  i32,
  type Local,
  loop,
  ModuleBuilder,
  type Statement,
  v128,
  type Value,
} from "./assembler.ts";
import {
  type Arithmetic,
  CONSTANTS,
  createArithmetic,
  VECTORS,
} from "./arithmetic.ts";
import { addGradient, addProducts } from "./products.ts";

/**
 * The functions of the module. Parameters are addresses in their order, then
 * numbers: what they are is said where the kernels are written.
 */
export type Kernels = Readonly<
  Record<
    | "linear"
    | "forwardRelu"
    | "forwardTanh"
    | "backwardRelu"
    | "backwardTanh"
    | "gradient"
    | "meanSquaredError"
    | "adam"
    | "rmsprop"
    | "sgd"
    | "add"
    | "clear"
    | "copy"
    | "scatter",
    (...parameters: number[]) => number
  >
>;

/** Writes the module: for memory that threads share or not, with fused multiply-add or without. */
export function kernelBytes(
  { fused, shared }: { readonly fused: boolean; readonly shared: boolean },
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const arithmetic = createArithmetic({ fused });
  addProducts(module, arithmetic);
  addGradient(module, arithmetic);
  addLoss(module, arithmetic);
  addOptimizers(module, arithmetic);
  addMoves(module, arithmetic);
  return module.bytes({
    shared,
    data: { address: CONSTANTS.address, bytes: arithmetic.table() },
  });
}

/**
 * Whether this machine has fused multiply-add and its program uses it: rounded
 * twice, (1 + 2⁻¹³)(1 − 2⁻¹³) − 1 is 0; rounded once, −2⁻²⁶.
 */
export function fusesMultiplyAdd(): boolean {
  const module = new ModuleBuilder();
  module.function("probe", ["f32", "f32", "f32"], (_, a, b, c) => {
    const { splat, relaxedMadd, extract } = f32x4;
    return [
      extract(relaxedMadd(splat(a), splat(b), splat(c)), 0),
    ];
  }, "f32");
  const bytes = module.bytes({ shared: false });
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory },
  });
  const probe = exports.probe as (a: number, b: number, c: number) => number;
  return probe(1 + 2 ** -13, 1 - 2 ** -13, -1) !== 0;
}

/** The kernels over a memory. */
export function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return exports as unknown as Kernels;
}

/**
 * `meanSquaredError`, for the row of an output:
 *
 *     dy = scale · (y − target) where target ≠ 0, else 0
 *
 * and returns the sum of the squares of y − target there. Where the target is 0
 * nothing is scored, whatever y is: a NaN there must not reach the loss.
 *
 * Parameters: dy, y, target; scale.
 */
function addLoss(module: ModuleBuilder, { constant }: Arithmetic): void {
  const { add, mul, sub, ne, splat, extract } = f32x4;
  module.function(
    "meanSquaredError",
    ["i32", "i32", "i32", "f32"],
    (f, dy, y, target, scale) => {
      const wanted = f.local("v128");
      const error = f.local("v128");
      const sum = f.local("v128");
      const factor = f.local("v128");
      return [
        factor.set(splat(scale)),
        ...Array.from({ length: VECTORS }, (_, v) => [
          wanted.set(v128.load(target, 16 * v)),
          error.set(
            v128.and(
              sub(v128.load(y, 16 * v), wanted),
              ne(wanted, constant(0)),
            ),
          ),
          sum.set(add(sum, mul(error, error))),
          v128.store(dy, mul(error, factor), 16 * v),
        ]).flat(),
        f32.add(
          f32.add(extract(sum, 0), extract(sum, 1)),
          f32.add(extract(sum, 2), extract(sum, 3)),
        ),
      ];
    },
    "f32",
  );
}

/** Goes through `bytes` bytes, `step` at a time; `at` gives the address in an array. */
function along(
  f: FunctionBuilder,
  { bytes, step }: { readonly bytes: Local<"i32">; readonly step: number },
  body: (at: (array: Local<"i32">) => Value<"i32">) => Statement[],
): Statement {
  const place = f.local("i32");
  return loop(
    place,
    { end: bytes, step },
    body((array) => i32.add(array, place)),
  );
}

/**
 * A step of the optimizers, in PyTorch's order of operations, so that what
 * overflows there does here:
 *
 *     Adam:     m = β₁ m + (1 − β₁) g      v = β₂ v + (1 − β₂) g · g
 *               w = w − rate · m / (√v · inverseRoot + ε)
 *     RMSprop:  v = α v + (1 − α) g · g    w = w − rate · g / (√v + ε)
 *     SGD:      w = w − rate · g
 *
 * with Adam's rate = η / (1 − β₁ⁿ) and inverseRoot = 1 / √(1 − β₂ⁿ) from the host.
 *
 * Parameters: w, g, m (Adam), v (not SGD); bytes, rate, inverseRoot (Adam).
 */
function addOptimizers(
  module: ModuleBuilder,
  { constant }: Arithmetic,
): void {
  const { add, sub, mul, div, sqrt, splat } = f32x4;
  const epsilon = constant(1e-8);
  const blend = (
    decay: number,
    average: Value<"v128">,
    fresh: Value<"v128">,
  ) => add(mul(constant(decay), average), fresh);
  const squares = (decay: number, v: Value<"v128">, g: Local<"v128">) =>
    blend(decay, v, mul(mul(constant(1 - decay), g), g));

  module.function(
    "adam",
    ["i32", "i32", "i32", "i32", "i32", "f32", "f32"],
    (f, weight, gradient, first, second, bytes, rate, inverseRoot) => {
      const g = f.local("v128");
      const m = f.local("v128");
      const v = f.local("v128");
      return [
        along(f, { bytes, step: 16 }, (at) => [
          g.set(v128.load(at(gradient))),
          m.set(
            blend(0.9, v128.load(at(first)), mul(constant(1 - 0.9), g)),
          ),
          v.set(squares(0.999, v128.load(at(second)), g)),
          v128.store(at(first), m),
          v128.store(at(second), v),
          v128.store(
            at(weight),
            sub(
              v128.load(at(weight)),
              div(
                mul(splat(rate), m),
                add(mul(sqrt(v), splat(inverseRoot)), epsilon),
              ),
            ),
          ),
        ]),
      ];
    },
  );
  module.function(
    "rmsprop",
    ["i32", "i32", "i32", "i32", "f32"],
    (f, weight, gradient, second, bytes, rate) => {
      const g = f.local("v128");
      const v = f.local("v128");
      return [
        along(f, { bytes, step: 16 }, (at) => [
          g.set(v128.load(at(gradient))),
          v.set(squares(0.99, v128.load(at(second)), g)),
          v128.store(at(second), v),
          v128.store(
            at(weight),
            sub(
              v128.load(at(weight)),
              div(
                mul(splat(rate), g),
                add(sqrt(v), epsilon),
              ),
            ),
          ),
        ]),
      ];
    },
  );
  module.function(
    "sgd",
    ["i32", "i32", "i32", "f32"],
    (f, weight, gradient, bytes, rate) => [
      along(f, { bytes, step: 16 }, (at) => [
        v128.store(
          at(weight),
          sub(
            v128.load(at(weight)),
            mul(splat(rate), v128.load(at(gradient))),
          ),
        ),
      ]),
    ],
  );
}

/**
 * `add`: sum += term. `clear`: zeros. `copy`. `scatter`: to[place[k]] = from[k]
 * with places in bytes.
 *
 * Parameters: sum or to, term or from, place; bytes.
 */
function addMoves(module: ModuleBuilder, { constant }: Arithmetic): void {
  module.function("add", ["i32", "i32", "i32"], (f, sum, term, bytes) => [
    along(f, { bytes, step: 16 }, (at) => [
      v128.store(
        at(sum),
        f32x4.add(v128.load(at(sum)), v128.load(at(term))),
      ),
    ]),
  ]);
  module.function("clear", ["i32", "i32"], (f, array, bytes) => [
    along(f, { bytes, step: 16 }, (at) => [v128.store(at(array), constant(0))]),
  ]);
  module.function("copy", ["i32", "i32", "i32"], (f, to, from, bytes) => [
    along(f, { bytes, step: 16 }, (at) => [
      v128.store(at(to), v128.load(at(from))),
    ]),
  ]);
  module.function(
    "scatter",
    ["i32", "i32", "i32", "i32"],
    (f, to, from, place, bytes) => [
      along(f, { bytes, step: 4 }, (at) => [
        f32.store(i32.add(to, i32.load(at(place))), f32.load(at(from))),
      ]),
    ],
  );
}
