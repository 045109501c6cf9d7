import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { powerOf } from "../../src/rnn/arithmetic.ts";
import { OPTIMIZERS } from "../../src/rnn/optimizers.ts";
import { RULES } from "../reference/example_runs.ts";
import { updateTensor } from "../../src/reference/model.ts";
import {
  compileKernels,
  fusesMultiplyAdd,
  instantiateKernels,
} from "../../src/wasm/kernels.ts";
import { exp, log } from "../../src/wasm/work.ts";
import { LANES } from "../../src/wasm/plan.ts";

const ROW = 4 * LANES;

/** Kernels over a memory of their own, and the rows in it. */
function load(fused: boolean) {
  const memory = new WebAssembly.Memory({ initial: 4 });
  const { module, perUpdate } = compileKernels({
    fused,
    shared: false,
    ...RULES,
  });
  const kernels = instantiateKernels(module, memory);
  const rowAt = (address: number, rows = 1) =>
    new Float32Array(memory.buffer, address, rows * LANES);
  const put = (address: number, values: ArrayLike<number>) =>
    new Float32Array(memory.buffer, address, values.length).set(values);
  const list = (address: number, values: number[]) =>
    new Uint32Array(memory.buffer, address, values.length).set(values);
  return { kernels, perUpdate, rowAt, put, list };
}

/** A weight of 1 from one row to another. */
function activate(
  { kernels, rowAt, put, list }: ReturnType<typeof load>,
  { name, x, hidden }: {
    readonly name: `${"forward" | "backward"} ${string}`;
    readonly x: Float32Array;
    readonly hidden?: Float32Array;
  },
): Float32Array {
  const [IN, OUT, H, FROM, OFFSET, WEIGHT] = [
    4096,
    8192,
    12288,
    16384,
    20480,
    24576,
  ];
  list(FROM, [0, 4]);
  list(OFFSET, [0]);
  put(WEIGHT, [1]);
  const out = new Float32Array(x.length);
  for (let from = 0; from < x.length; from += LANES) {
    rowAt(IN).fill(0).set(x.subarray(from, from + LANES));
    if (hidden !== undefined) put(H, hidden.subarray(from, from + LANES));
    kernels[name]!(OUT, IN, H, FROM, FROM + 4, OFFSET, WEIGHT, 1);
    out.set(rowAt(OUT).subarray(0, Math.min(LANES, x.length - from)), from);
  }
  return out;
}

/** Floats spread over all exponents, both signs, and the special ones. */
function floats(): Float32Array {
  const bits: number[] = [0, 0x7f800000, 0xff800000, 0x7fc00000];
  for (let exponent = 0; exponent < 255; exponent++) {
    const count = exponent > 100 && exponent < 132 ? 500 : 4;
    for (let i = 0; i < count; i++) {
      const magnitude = exponent * 2 ** 23 +
        Math.floor((i + 0.37) / count * 2 ** 23);
      bits.push(magnitude, 2 ** 31 + magnitude);
    }
  }
  return new Float32Array(Uint32Array.from(bits).buffer);
}

for (const fused of [true, false]) {
  describe(`kernels ${fused ? "with" : "without"} fused multiply-add`, () => {
    const machine = load(fused);
    const { kernels, perUpdate, rowAt, put, list } = machine;

    it("have a tanh within 1.5 units in the last place, at most 1, odd, true to NaN", () => {
      const x = floats();
      const y = activate(machine, { name: "forward tanh", x });
      const mirrored = activate(machine, {
        name: "forward tanh",
        x: x.map((value) => -value),
      });
      let worst = 0;
      for (const [i, value] of x.entries()) {
        if (Number.isNaN(value)) assert.ok(Number.isNaN(y[i]));
        else {
          const exact = Math.tanh(value);
          const unit = 2 **
            (Math.floor(Math.log2(Math.max(Math.abs(exact), 2 ** -126))) - 23);
          worst = Math.max(worst, Math.abs(y[i]! - exact) / unit);
          assert.ok(Math.abs(y[i]!) <= 1);
          assert.ok(mirrored[i] === -y[i]!);
        }
      }
      assert.ok(worst <= 1.5, `${worst}`);
      assert.equal(y[1], 1);
      assert.equal(y[2], -1);
    });

    it("have a sigmoid within 3 units in the last place, of neurons that are off too", () => {
      const x = floats();
      const y = activate(machine, { name: "forward sigmoid", x });
      let worst = 0;
      for (const [i, value] of x.entries()) {
        if (Number.isNaN(value)) assert.ok(Number.isNaN(y[i]));
        else {
          const exact = 1 / (1 + Math.exp(-Math.max(value, -88)));
          const unit = 2 **
            (Math.floor(Math.log2(Math.max(exact, 2 ** -126))) - 23);
          worst = Math.max(worst, Math.abs(y[i]! - exact) / unit);
          assert.ok(y[i]! >= 0 && y[i]! <= 1);
        }
      }
      assert.ok(worst <= 3, `${worst}`);
    });

    it("have PyTorch's relu and slopes, NaN and infinities too", () => {
      const x = Float32Array.of(NaN, Infinity, -Infinity, -0, 1e-40, -1e-40, 2);
      assert.deepEqual(
        activate(machine, { name: "forward relu", x }),
        Float32Array.of(NaN, Infinity, 0, 0, 1e-40, 0, 2),
      );
      const hidden = Float32Array.of(NaN, Infinity, 0, -0, 1e-40, 1, 1);
      const back = Float32Array.of(3, 3, 3, NaN, 3, NaN, Infinity);
      assert.deepEqual(
        activate(machine, { name: "backward relu", x: back, hidden }),
        Float32Array.of(3, 3, 0, 0, 3, NaN, Infinity),
      );
      const steep = Float32Array.of(NaN, 1, -1, 0.5, 0, 0, 0);
      assert.deepEqual(
        activate(machine, { name: "backward tanh", x: back, hidden: steep }),
        Float32Array.of(NaN, 0, 0, NaN, 3, NaN, Infinity),
      );
    });

    it("multiply along lists of connections, and take gradients of them", () => {
      const [IN, OUT, FROM, OFFSET, WEIGHT, GRADIENT] = [
        4096,
        12288,
        16384,
        20480,
        24576,
        28672,
      ];
      const senders = [3, 1, 0, 2, 2, 0, 1, 3];
      const value = (i: number) => Math.sin(1 + i);
      put(IN, Array.from({ length: 4 * LANES }, (_, i) => value(i)));
      put(WEIGHT, senders.map((_, k) => value(100 + k)));
      list(OFFSET, senders.map((row) => row * ROW));
      list(FROM, [0, 16, 32]);
      put(GRADIENT, new Array(8).fill(0.5));
      kernels.linear(OUT, IN, IN, FROM, FROM + 4, OFFSET, WEIGHT, 2);
      kernels.gradient(GRADIENT, OUT, IN, FROM, FROM + 4, OFFSET, 2);
      const input = rowAt(IN, 4);
      const out = rowAt(OUT, 2);
      for (const receiver of [0, 1]) {
        const own = [0, 1, 2, 3].map((k) => 4 * receiver + k);
        for (let b = 0; b < LANES; b++) {
          const sum = own.reduce(
            (total, k) =>
              total + value(100 + k) * input[senders[k]! * LANES + b]!,
            0,
          );
          assert.ok(Math.abs(out[receiver * LANES + b]! - sum) < 1e-6);
        }
        for (const k of own) {
          let sum = 0.5;
          for (let b = 0; b < LANES; b++) {
            sum += out[receiver * LANES + b]! * input[senders[k]! * LANES + b]!;
          }
          assert.ok(Math.abs(rowAt(GRADIENT)[k]! - sum) < 1e-5);
        }
      }
    });

    it("score only what has a target, whatever the outputs are", () => {
      const [DY, Y, TARGET] = [4096, 8192, 12288];
      rowAt(Y).fill(NaN).set([3, 5, -1]);
      rowAt(TARGET).fill(0).set([1, 0, 1]);
      assert.equal(kernels.meanSquaredError(DY, Y, TARGET, 0.5), 8);
      assert.deepEqual([...rowAt(DY).subarray(0, 5)], [1, 0, -1, 0, 0]);
      rowAt(TARGET)[3] = 1;
      assert.ok(Number.isNaN(kernels.meanSquaredError(DY, Y, TARGET, 0.5)));
    });

    it("update weights, and overflow where PyTorch does", () => {
      const [W, G, M, V, NUMBERS] = [4096, 8192, 12288, 16384, 20480];
      const weights = [0.5, -1, 0, 2, 1, 1, 1, 1];
      const gradients = [0.1, -3, 0, 1e-8, 1e21, 1e-25, Infinity, NaN];
      for (const { name } of OPTIMIZERS.values()) {
        put(W, weights);
        put(G, gradients);
        rowAt(M).fill(0);
        rowAt(V).fill(0);
        const expected = Float64Array.from(weights);
        const moments = [new Float64Array(8), new Float64Array(8)] as const;
        for (const update of [1, 2]) {
          updateTensor(expected, {
            optimizer: name,
            learningRate: 0.01,
            update,
            gradient: Float64Array.from(gradients),
            firstMoment: moments[0],
            secondMoment: moments[1],
          });
          const given = { update, learningRate: 0.01 };
          put(NUMBERS, perUpdate.get(name)!.map((of) => of(given)));
          kernels[`update ${name}`]!(W, G, M, V, 32, NUMBERS);
        }
        const found = [...rowAt(W).subarray(0, 8)];
        for (const i of [0, 1, 2, 3]) {
          assert.ok(Math.abs(found[i]! - expected[i]!) < 1e-6, name);
        }
        // The square of 1e21 is infinite in single precision: no change but decay.
        const kept = name === "AdamW" ? 0.9998 : 1;
        assert.ok(
          name === "SGD"
            ? found[4] === Math.fround(-2e19)
            : Math.abs(found[4]! - kept) < 1e-6,
        );
        assert.ok(Math.abs(found[5]! - kept) < 1e-6);
        assert.equal(found[6], name === "SGD" ? -Infinity : NaN);
        assert.ok(Number.isNaN(found[7]));
      }
    });

    it("move numbers", () => {
      const [A, B, PLACE] = [4096, 8192, 12288];
      put(A, [1, 2, 3, 4, 5]);
      put(B, [10, 20, 30, 40, 50]);
      kernels.add(A, B, 16);
      assert.deepEqual([...rowAt(A).subarray(0, 5)], [11, 22, 33, 44, 5]);
      list(PLACE, [12, 0, 8, 4]);
      kernels.scatter(B, A, PLACE, 16);
      assert.deepEqual([...rowAt(B).subarray(0, 5)], [22, 44, 33, 11, 50]);
      kernels.copy(A, B, 32);
      kernels.clear(B, 16);
      assert.deepEqual([...rowAt(A).subarray(3, 5)], [11, 50]);
      assert.deepEqual([...rowAt(B).subarray(3, 5)], [0, 50]);
    });
  });
}

describe("fusesMultiplyAdd()", () => {
  it("says what the kernels then do", () => {
    const { kernels, put, list, rowAt } = load(true);
    const [IN, OUT, FROM, OFFSET, WEIGHT] = [4096, 8192, 12288, 16384, 20480];
    put(IN, [
      ...new Array(LANES).fill(-1),
      ...new Array(LANES).fill(1 - 2 ** -13),
    ]);
    put(WEIGHT, [1, 1 + 2 ** -13]);
    list(FROM, [0, 8]);
    list(OFFSET, [0, ROW]);
    kernels.linear(OUT, IN, IN, FROM, FROM + 4, OFFSET, WEIGHT, 1);
    assert.equal(rowAt(OUT)[0], fusesMultiplyAdd() ? -(2 ** -26) : 0);
  });
});

describe("exp(), log() and powerOf()", () => {
  it("are exact to a few units of double precision, true to NaN", () => {
    for (let i = 0; i < 2000; i++) {
      const x = -700 * (i / 2000) ** 3;
      assert.ok(Math.abs(exp(x) / Math.exp(x) - 1) < 4e-16, `${x}`);
      const y = 1 + 100 * (i / 2000) ** 3;
      assert.ok(Math.abs(log(y) - Math.log(y)) <= 1e-15 * Math.log(y) + 1e-18);
    }
    assert.equal(exp(0), 1);
    assert.equal(exp(-Infinity), 0);
    assert.ok(Number.isNaN(exp(NaN)) && Number.isNaN(log(NaN)));
    assert.ok(Math.abs(powerOf(0.999, 12345) / 0.999 ** 12345 - 1) < 1e-12);
    assert.equal(powerOf(2, -3), 0.125);
  });
});
