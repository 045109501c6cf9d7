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
  v128,
  type Value,
} from "./assembler.ts";
import { CONSTANTS, ROW } from "./plan.ts";
import type { Rules } from "../engine/ensemble.ts";
import type { Optimizer, WeightUpdate } from "../rnn/optimizers.ts";
import {
  createLanes,
  createRuleArithmetic,
  type Lanes,
  type PerUpdate,
  type Term,
} from "./arithmetic.ts";
import { addGradient, addProducts, type Width } from "./products.ts";

/** Names of the functions; of nonlinearities and optimizers there are those that were asked for. */
type Name =
  | `${"linear" | "gradient"}${Width}`
  | `${"forward" | "backward"}${Width} ${string}`
  | "meanSquaredError"
  | "probe"
  | `update ${string}`
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

/** The module, and by the names of the optimizers the numbers that their kernels are given for each update. */
export type CompiledKernels = ReturnType<typeof compileKernels>;

const { add, sub, mul, ne, splat, extract, relaxedMadd } = f32x4;
const { load, store } = v128;

type Address = Local<"i32">;

/**
 * Writes the module, with fused multiply-add or without, for memory that threads
 * share or not, and compiles it.
 */
export function compileKernels(
  { fused, shared, nonlinearities, optimizers }: Rules & {
    readonly fused: boolean;
    readonly shared: boolean;
  },
) {
  const builder = new ModuleBuilder();
  const lanes = createLanes({ fused });
  for (const width of ["", "16"] as const) {
    addProducts(builder, lanes, width, nonlinearities);
    addGradient(builder, lanes, width);
  }
  addLoss(builder, lanes);
  const perUpdate = new Map(
    optimizers.map((each) => [each.name, addOptimizer(builder, lanes, each)]),
  );
  addMoves(builder, lanes);
  const data = { address: CONSTANTS.address, bytes: lanes.table() };
  const bytes = builder.bytes({ shared, data });
  return { module: new WebAssembly.Module(bytes), perUpdate };
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
  const { probe } = instantiateKernels(new WebAssembly.Module(bytes), memory);
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
function addLoss(module: ModuleBuilder, { constant }: Lanes): void {
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
  local: MakeLocals,
  bytes: Address,
  body: (at: (array: Address) => Value<"i32">) => Statement[],
  step = 16,
): Statement {
  const [place] = local("i32");
  const at = (array: Address) => i32.add(array, place);
  return loop(place, { end: bytes, step }, body(at));
}

/**
 * Adds `update NAME`: an update by that optimizer. Returns the numbers that it is
 * given, in their order.
 *
 * Parameters: weight, gradient, first, second; bytes; numbers.
 */
function addOptimizer(
  module: ModuleBuilder,
  lanes: Lanes,
  optimizer: Optimizer,
): readonly PerUpdate[] {
  const numbers: PerUpdate[] = [];
  module.function(
    `update ${optimizer.name}`,
    ["i32", "i32", "i32", "i32", "i32", "i32"],
    (local, weight, gradient, first, second, bytes, table) => {
      const loaded: Statement[] = [];
      const perUpdate = (number: PerUpdate) => {
        const [vector] = local("v128");
        const place = 4 * (numbers.push(number) - 1);
        loaded.push(vector.set(v128.loadSplat(table, place)));
        return vector;
      };
      const turn = along(local, bytes, (at) => {
        const rule = createRuleArithmetic(local, {
          lanes,
          width: 1,
          perUpdate,
        });
        const given = {
          learningRate: ({ learningRate }: Parameters<PerUpdate>[0]) =>
            learningRate,
          perUpdate: (of) => ({ update }) => of(update),
        } as WeightUpdate<Term>;
        const arrays = { weight, gradient, first, second };
        for (const [name, address] of Object.entries(arrays)) {
          let term: Term | undefined;
          // What is not asked for is not read.
          const get = () => term ??= rule.keep(() => load(at(address)));
          Object.defineProperty(given, name, { get, enumerable: true });
        }
        const after = optimizer.update<Term>(rule.arithmetic, given);
        const written = (["first", "second", "weight"] as const).flatMap(
          (name) => {
            const term = after[name];
            return term === undefined
              ? []
              : [store(at(arrays[name]), rule.at(term, 0))];
          },
        );
        return [...rule.code, ...written];
      });
      return [...loaded, turn];
    },
  );
  return numbers;
}

/**
 * `add`: sum += term. `clear`: zeros. `copy`. `scatter`: to[place[k]] = from[k]
 * with places in bytes.
 *
 * Parameters: sum or to, term or from, place; bytes.
 */
function addMoves(module: ModuleBuilder, { constant }: Lanes): void {
  module.function("add", ["i32", "i32", "i32"], (local, sum, term, bytes) => [
    along(local, bytes, (at) => [
      store(at(sum), add(load(at(sum)), load(at(term)))),
    ]),
  ]);
  module.function("clear", ["i32", "i32"], (local, to, bytes) => [
    along(local, bytes, (at) => [store(at(to), constant(0))]),
  ]);
  module.function("copy", ["i32", "i32", "i32"], (local, to, from, bytes) => [
    along(local, bytes, (at) => [store(at(to), load(at(from)))]),
  ]);
  module.function(
    "scatter",
    ["i32", "i32", "i32", "i32"],
    (local, to, from, place, bytes) => [
      along(local, bytes, (at) => [
        f32.store(i32.add(to, i32.load(at(place))), f32.load(at(from))),
      ], 4),
    ],
  );
}
