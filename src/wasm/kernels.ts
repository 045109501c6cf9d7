/**
 * The kernels as one WebAssembly module, and what goes through arrays element by
 * element: loss, optimizers, sums.
 *
 * @module
 */

import {
  f32,
  f32x4,
  i32,
  type Local,
  loop,
  type MakeLocals,
  ModuleBuilder,
  type Statement,
  type V128,
  v128,
  type Value,
} from "./assembler.ts";
import { CONSTANTS, ROW } from "./memory_layout.ts";
import {
  addGradient,
  addProducts,
  type Arithmetic,
  createArithmetic,
  type Width,
} from "./products.ts";

type Name =
  | `${"linear" | "gradient"}${Width}`
  | `${"forward" | "backward"}${"Relu" | "Tanh"}${Width}`
  | "meanSquaredError"
  | "adam"
  | "rmsprop"
  | "sgd"
  | "add"
  | "clear"
  | "copy"
  | "scatter";

/**
 * The functions of the module. Parameters are addresses in their order, then
 * numbers: what they are is said where the kernels are written.
 */
export type Kernels = Readonly<
  Record<Name, (...parameters: number[]) => number>
>;

const { add, sub, mul, div, sqrt, ne, splat, extract, relaxedMadd } = f32x4;
const { load, store } = v128;

type Address = Local<"i32">;

/** Writes the module: for memory that threads share or not, with fused multiply-add or without. */
export function kernelBytes(
  { fused, shared }: { readonly fused: boolean; readonly shared: boolean },
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const arithmetic = createArithmetic({ fused });
  for (const width of ["", "16"] as const) {
    addProducts(module, arithmetic, width);
    addGradient(module, arithmetic, width);
  }
  addLoss(module, arithmetic);
  addOptimizers(module, arithmetic);
  addMoves(module, arithmetic);
  const { address } = CONSTANTS;
  return module.bytes({ shared, data: { address, bytes: arithmetic.table() } });
}

/**
 * Whether this machine has fused multiply-add and its program uses it: rounded
 * twice, (1 + 2⁻¹³)(1 − 2⁻¹³) − 1 is 0; rounded once, −2⁻²⁶.
 */
export function fusesMultiplyAdd(): boolean {
  const module = new ModuleBuilder();
  module.function("probe", ["f32", "f32", "f32"], (_, a, b, c) => [
    extract(relaxedMadd(splat(a), splat(b), splat(c)), 0),
  ], "f32");
  const bytes = module.bytes({ shared: false });
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const compiled = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
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
  module.function(
    "meanSquaredError",
    ["i32", "i32", "i32", "f32"],
    (local, dy, y, target, scale) => {
      const [wanted, error] = local("v128", "v128");
      const [sum, factor] = local("v128", "v128");
      const step = (at: number) => [
        wanted.set(load(target, at)),
        error.set(sub(load(y, at), wanted)),
        error.set(v128.and(error, ne(wanted, constant(0)))),
        sum.set(add(sum, mul(error, error))),
        store(dy, mul(error, factor), at),
      ];
      const lane = (number: number) => extract(sum, number);
      return [
        factor.set(splat(scale)),
        ...Array.from({ length: ROW / 16 }, (_, v) => step(16 * v)).flat(),
        f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3))),
      ];
    },
    "f32",
  );
}

/** Goes through `bytes` bytes, `step` at a time; `at` gives the address in an array. */
function along(
  { local, bytes, step = 16 }: {
    readonly local: MakeLocals;
    readonly bytes: Address;
    readonly step?: number;
  },
  body: (at: (array: Address) => Value<"i32">) => Statement[],
): Statement {
  const [place] = local("i32");
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
function addOptimizers(module: ModuleBuilder, { constant }: Arithmetic): void {
  const blend = (decay: number, average: V128, fresh: V128) =>
    add(mul(constant(decay), average), fresh);
  const squares = (decay: number, average: V128, g: V128) =>
    blend(decay, average, mul(mul(constant(1 - decay), g), g));
  const quotient = (a: V128, root: V128) => div(a, add(root, constant(1e-8)));

  const move = (weight: Value<"i32">, step: V128) =>
    store(weight, sub(load(weight), step));

  module.function(
    "adam",
    ["i32", "i32", "i32", "i32", "i32", "f32", "f32"],
    (local, weight, gradient, first, second, bytes, rate, inverseRoot) => {
      const [g, m, v] = local("v128", "v128", "v128");
      const root = mul(sqrt(v), splat(inverseRoot));
      const step = quotient(mul(splat(rate), m), root);
      return [along({ local, bytes }, (at) => [
        g.set(load(at(gradient))),
        m.set(blend(0.9, load(at(first)), mul(constant(1 - 0.9), g))),
        v.set(squares(0.999, load(at(second)), g)),
        store(at(first), m),
        store(at(second), v),
        move(at(weight), step),
      ])];
    },
  );
  module.function(
    "rmsprop",
    ["i32", "i32", "i32", "i32", "f32"],
    (local, weight, gradient, second, bytes, rate) => {
      const [g, v] = local("v128", "v128");
      return [along({ local, bytes }, (at) => [
        g.set(load(at(gradient))),
        v.set(squares(0.99, load(at(second)), g)),
        store(at(second), v),
        move(at(weight), quotient(mul(splat(rate), g), sqrt(v))),
      ])];
    },
  );
  module.function(
    "sgd",
    ["i32", "i32", "i32", "f32"],
    (local, weight, gradient, bytes, rate) => [
      along({ local, bytes }, (at) => [
        move(at(weight), mul(splat(rate), load(at(gradient)))),
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
  module.function("add", ["i32", "i32", "i32"], (local, sum, term, bytes) => [
    along({ local, bytes }, (at) => [
      store(at(sum), add(load(at(sum)), load(at(term)))),
    ]),
  ]);
  module.function("clear", ["i32", "i32"], (local, to, bytes) => [
    along({ local, bytes }, (at) => [store(at(to), constant(0))]),
  ]);
  module.function("copy", ["i32", "i32", "i32"], (local, to, from, bytes) => [
    along({ local, bytes }, (at) => [store(at(to), load(at(from)))]),
  ]);
  module.function(
    "scatter",
    ["i32", "i32", "i32", "i32"],
    (local, to, from, place, bytes) => [
      along({ local, bytes, step: 4 }, (at) => [
        f32.store(i32.add(to, i32.load(at(place))), f32.load(at(from))),
      ]),
    ],
  );
}
