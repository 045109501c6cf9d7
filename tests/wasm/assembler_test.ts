import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  f32,
  f32x4,
  i32,
  i32x4,
  loop,
  ModuleBuilder,
  type Statement,
  v128,
  type Value,
} from "../../src/wasm/assembler.ts";

/** The code of a function of an address and a vector, as the module has it. */
function codeOf(
  build: (a: Value<"i32">, b: Value<"v128">) => Statement | Value<"f32">,
): string {
  const module = new ModuleBuilder();
  module.function(
    "f",
    ["i32", "v128"],
    (_, a, b) => [build(a, b)],
  );
  // Export "f"; then one function, its size, no locals, and its end.
  const code = /01 66 00 00 0a .. 01 .. 00 (.*) 0b$/;
  return code.exec(hex(module.bytes({ shared: false })))![1]!;
}

function hex(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Four numbers that a function computes from those in the memory. */
function computed(build: () => Value<"v128">, memory: ArrayLike<number>) {
  const module = new ModuleBuilder();
  module.function("f", [], () => [v128.store(i32.const(256), build())]);
  const pages = new WebAssembly.Memory({ initial: 1 });
  new Float32Array(pages.buffer).set(memory);
  const compiled = new WebAssembly.Module(module.bytes({ shared: false }));
  const { exports } = new WebAssembly.Instance(compiled, {
    env: { memory: pages },
  });
  (exports.f as () => void)();
  return [...new Float32Array(pages.buffer, 256, 4)];
}

describe("ModuleBuilder", () => {
  it("writes a module as the specification has it", () => {
    const module = new ModuleBuilder();
    module.function("sum", ["f32", "f32"], (local, a, b) => {
      const [c] = local("f32");
      return [c.set(f32.add(a, b)), c];
    }, "f32");
    const data = { address: 8, bytes: Uint8Array.of(7, 9) };
    const bytes = module.bytes({ shared: false, data });
    assert.equal(
      hex(bytes),
      [
        "00 61 73 6d 01 00 00 00",
        "01 07 01 60 02 7d 7d 01 7d", // type (f32, f32) → f32
        "02 0f 01 03 65 6e 76 06 6d 65 6d 6f 72 79 02 00 01", // env.memory, 1 page
        "03 02 01 00",
        "07 07 01 03 73 75 6d 00 00", // "sum"
        "0a 0f 01 0d 01 01 7d 20 00 20 01 92 21 02 20 02 0b",
        "0b 08 01 00 41 08 0b 02 07 09",
      ].join(" "),
    );
    assert.ok(WebAssembly.validate(bytes));
  });

  it("imports memory that threads share, up to 65,536 pages", () => {
    const module = new ModuleBuilder();
    module.function("nothing", [], () => []);
    const bytes = module.bytes({ shared: true });
    assert.ok(WebAssembly.validate(bytes));
    assert.match(hex(bytes), /6d 65 6d 6f 72 79 02 03 01 80 80 04/);
  });
});

describe("operators", () => {
  it("have the codes of the specification", () => {
    const A = "20 00";
    const B = "20 01";
    const store = `${A} ${B} fd 0b 04 00`;
    const codes: [string, string][] = [
      [codeOf((a, b) => v128.store(a, b)), store],
      [
        codeOf((a, b) => v128.store(a, b, 300)),
        `${A} ${B} fd 0b 04 ac 02`,
      ],
      [
        codeOf((a) => v128.store(a, v128.load(a, 16))),
        `${A} ${A} fd 00 04 10 fd 0b 04 00`,
      ],
      [
        codeOf((a) => v128.store(a, v128.loadSplat(a))),
        `${A} ${A} fd 09 02 00 fd 0b 04 00`,
      ],
      [
        codeOf((a) => f32.store(a, f32.load(a, 8))),
        `${A} ${A} 2a 02 08 38 02 00`,
      ],
      [codeOf((_, b) => f32x4.extract(b, 3)), `${B} fd 1f 03`],
      ...([
        [v128.and, "4e"],
        [v128.andnot, "4f"],
        [v128.or, "50"],
        [v128.xor, "51"],
        [f32x4.ne, "42"],
        [f32x4.lt, "43"],
        [f32x4.le, "45"],
        [f32x4.add, "e4 01"],
        [f32x4.sub, "e5 01"],
        [f32x4.mul, "e6 01"],
        [f32x4.div, "e7 01"],
        [f32x4.pmin, "ea 01"],
        [i32x4.add, "ae 01"],
      ] as const).map(([operator, code]): [string, string] => [
        codeOf((a, b) => v128.store(a, operator(b, b))),
        `${A} ${B} ${B} fd ${code} fd 0b 04 00`,
      ]),
      ...([[f32x4.abs, "e0 01"], [f32x4.sqrt, "e3 01"]] as const).map((
        [operator, code],
      ): [string, string] => [
        codeOf((a, b) => v128.store(a, operator(b))),
        `${A} ${B} fd ${code} fd 0b 04 00`,
      ]),
      ...([
        [v128.bitselect, "52"],
        [f32x4.relaxedMadd, "85 02"],
        [f32x4.relaxedNmadd, "86 02"],
      ] as const).map(([operator, code]): [string, string] => [
        codeOf((a, b) => v128.store(a, operator(b, b, b))),
        `${A} ${B} ${B} ${B} fd ${code} fd 0b 04 00`,
      ]),
      [
        codeOf((a, b) => v128.store(a, i32x4.shl(b, i32.const(23)))),
        `${A} ${B} 41 17 fd ab 01 fd 0b 04 00`,
      ],
      ...([[i32.add, "6a"], [i32.mul, "6c"], [i32.shl, "74"], [
        i32.ltU,
        "49",
      ]] as const).map(([operator, code]): [string, string] => [
        codeOf((a, b) => v128.store(operator(a, i32.load(a, 4)), b)),
        `${A} ${A} 28 02 04 ${code} ${B} fd 0b 04 00`,
      ]),
      ...([
        [0, "00"],
        [63, "3f"],
        [64, "c0 00"],
        [-1, "7f"],
        [-64, "40"],
        [
          -65,
          "bf 7f",
        ],
        [65536, "80 80 04"],
        [2 ** 31 - 1, "ff ff ff ff 07"],
      ] as const).map((
        [number, code],
      ): [string, string] => [
        codeOf((_, b) => v128.store(i32.const(number), b)),
        `41 ${code} ${B} fd 0b 04 00`,
      ]),
    ];
    for (const [found, expected] of codes) assert.equal(found, expected);
  });

  it("compute what they say", () => {
    const numbers = [1, -2, 3, 4, 10, 20, -30, NaN];
    const a = v128.load(i32.const(0));
    const b = v128.load(i32.const(16));
    const of = (value: Value<"v128">) => computed(() => value, numbers);
    assert.deepEqual(of(f32x4.sub(b, a)), [9, 22, -33, NaN]);
    assert.deepEqual(of(f32x4.pmin(a, b)), [1, -2, -30, 4]);
    assert.deepEqual(of(f32x4.relaxedMadd(a, b, a)), [11, -42, -87, NaN]);
    assert.deepEqual(of(f32x4.relaxedNmadd(a, b, a)), [-9, 38, 93, NaN]);
    assert.deepEqual(of(v128.shuffle(a, b, [7, 0, 2, 5])), [NaN, 1, 3, 20]);
    assert.deepEqual(of(v128.bitselect(a, b, f32x4.lt(a, b))), [
      1,
      -2,
      -30,
      NaN,
    ]);
    assert.deepEqual(of(v128.andnot(a, f32x4.lt(a, b))), [0, 0, 3, 4]);
    assert.deepEqual(of(v128.loadSplat(i32.const(4))), [-2, -2, -2, -2]);
  });
});

describe("loop()", () => {
  it("counts up to its end, and does nothing where it begins there", () => {
    for (const [from, turns] of [[0, 5], [4, 3], [10, 0], [12, 0]] as const) {
      const module = new ModuleBuilder();
      module.function("f", ["i32", "i32"], (local, k, end) => {
        const [sum] = local("v128");
        const one = v128.loadSplat(i32.const(0));
        return [
          loop(k, { end: end, step: 2 }, [
            sum.set(f32x4.add(sum, one)),
          ]),
          f32x4.extract(sum, 2),
        ];
      }, "f32");
      const memory = new WebAssembly.Memory({ initial: 1 });
      new Float32Array(memory.buffer)[0] = 1;
      const compiled = new WebAssembly.Module(module.bytes({ shared: false }));
      const { exports } = new WebAssembly.Instance(compiled, {
        env: { memory },
      });
      const f = exports.f as (k: number, end: number) => number;
      assert.equal(f(from, 10), turns);
    }
  });
});
