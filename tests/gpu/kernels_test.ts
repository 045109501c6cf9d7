import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  bindingsOf,
  expandShader,
  type KernelText,
  kernelTexts,
} from "../../src/gpu/kernels.ts";
import { placeBatches } from "../../src/gpu/layout.ts";
import { formatOf } from "../../src/gpu/plan.ts";
import { DEFAULT_LIMITS, FORMATS } from "./example_runs.ts";
import { RULES } from "../reference/example_runs.ts";

const TYPE_BYTES: Readonly<Record<string, number>> = {
  u32: 4,
  f32: 4,
  vec2f: 8,
  vec4f: 16,
};

/** A sum of products and quotients of whole numbers. */
function evaluate(text: string): number {
  const inner = /\(([^()]*)\)/.exec(text);
  if (inner !== null) {
    return evaluate(text.replace(inner[0], String(evaluate(inner[1]!))));
  }
  return text.split("+").map((term) =>
    term.split("*").map((factor) =>
      factor.split("/").map(Number).reduce((a, b) => Math.floor(a / b))
    ).reduce((a, b) => a * b)
  ).reduce((a, b) => a + b);
}

/** Bytes of a kernel's variables in workgroup memory. */
function workgroupBytes(text: string): number {
  const values = new Map<string, number>();
  const numbers = (expression: string) =>
    evaluate(
      expression.replace(/(\d)u\b/g, "$1").replace(
        /[A-Z][A-Z0-9_]*/g,
        (name) => String(values.get(name)),
      ),
    );
  for (const [, name, value] of text.matchAll(/^const (\w+) = (.*);$/gm)) {
    values.set(name!, numbers(value!));
  }
  let bytes = 0;
  for (const [, type] of text.matchAll(/^var<workgroup> \w+: (.*);$/gm)) {
    bytes += sizeOf(type!);
  }
  return bytes;

  /** Bytes of a type; arrays may be nested. */
  function sizeOf(type: string): number {
    const array = /^array<(.*), ([^<>]*)>$/.exec(type);
    return array === null
      ? TYPE_BYTES[type]!
      : sizeOf(array[1]!) * numbers(array[2]!);
  }
}

/** The kernels of all formats, of some sizes, on an adapter that grants no more than all do. */
function allKernels(): KernelText[] {
  const kernels: KernelText[] = [];
  for (const hiddenSize of [1, 29, 220, 440, 880, 4096]) {
    for (const outputSize of [1, 4]) {
      for (const rows of [1, 128, 300]) {
        const size = { hiddenSize, inputSize: 51, outputSize };
        const batches = placeBatches([rows], []);
        for (const name of FORMATS) {
          for (const allSteps of [true, false]) {
            const format = formatOf(name, {
              size,
              batches,
              limits: DEFAULT_LIMITS,
              allSteps,
            });
            kernels.push(...kernelTexts(format, { loss: "nll", ...RULES }));
          }
        }
      }
    }
  }
  return kernels;
}

const KERNELS = allKernels();

describe("the kernels' texts", () => {
  it("write no part of a vector that others may write: WGSL lets such a write take the whole vector", () => {
    for (const { name, code } of KERNELS) {
      for (
        const [, variable] of code.matchAll(
          /var<(?:storage, read_write|workgroup)> (\w+): array<vec/g,
        )
      ) {
        const write = new RegExp(
          `\\b${variable}\\[.*\\](?:\\.[xyzw]|\\[.*\\]) [-+*/]?= `,
          "g",
        );
        const found = code.split("\n").filter((line) => {
          const at = line.search(write);
          // An index may itself have brackets: those of the variable must close before.
          return at >= 0 && isPart(line.slice(at + variable!.length));
        });
        assert.deepEqual(found, [], name);
      }
    }
  });

  it("keep within what every adapter grants: workgroup memory, invocations, buffers", () => {
    for (const kernel of KERNELS) {
      const bytes = workgroupBytes(kernel.code);
      assert.ok(
        bytes <= DEFAULT_LIMITS.maxComputeWorkgroupStorageSize!,
        `${kernel.name}: ${bytes} bytes`,
      );
      // They are counted at all.
      if (kernel.name === "readout") assert.ok(bytes > 100);
      const lanes = Number(/^const LANES = (\d+)u;/m.exec(kernel.code)![1]);
      assert.ok(lanes <= DEFAULT_LIMITS.maxComputeInvocationsPerWorkgroup!);
      assert.ok(bindingsOf(kernel).length <= 8);
    }
  });

  it("take NaN for what it is: no comparison that compilers make ordered", () => {
    for (const { name, code } of KERNELS) {
      assert.doesNotMatch(
        code.replace(/\/\/.*/g, ""),
        /(\b\w+\b) != \1\b/,
        name,
      );
    }
  });
});

/** Whether "[…][…] = …" or "[…].x = …" goes on behind the first bracket's own end. */
function isPart(text: string): boolean {
  let depth = 0;
  for (const [i, character] of [...text].entries()) {
    if (character === "[") depth++;
    if (character === "]" && --depth === 0) {
      return /^[[.]/.test(text.slice(i + 1));
    }
  }
  return false;
}

const TILE = `const ROWS = 1u;
const VECS = 1u;
// for ROW in ROWS
var sum_ROW = ROWS;
  // for VEC in VECS
a(ROW, VEC, a_ROW_VEC);
  // end
// end
done();`;

describe("expandShader()", () => {
  it("unrolls nested blocks and numbers names in them", () => {
    assert.equal(
      expandShader(TILE, { ROWS: 2, VECS: 2 }),
      `const ROWS = 2u;
const VECS = 2u;
var sum_0 = ROWS;
a(0, 0, a_0_0);
a(0, 1, a_0_1);
var sum_1 = ROWS;
a(1, 0, a_1_0);
a(1, 1, a_1_1);
done();`,
    );
  });

  it("takes several names of a block for blocks one in the other", () => {
    const text =
      "const A = 1u;\nconst B = 1u;\n// for X in A, Y in B\nf(X, Y);\n// end\n";
    assert.match(
      expandShader(text, { A: 2, B: 2 }),
      /f\(0, 0\);\nf\(0, 1\);\nf\(1, 0\);\nf\(1, 1\);\n$/,
    );
  });

  it("keeps the defaults of constants that are not given", () => {
    assert.match(
      expandShader(TILE, {}),
      /^const ROWS = 1u;[^]*a\(0, 0, a_0_0\);/,
    );
  });

  it("refuses blocks that don't end, ends without a block and unknown counts", () => {
    assert.throws(
      () => expandShader("const A = 1u;\n// for X in A\nf();", {}),
      /^SyntaxError: .* "\/\/ for X in A" has no partner$/,
    );
    assert.throws(
      () => expandShader("f();\n// end", {}),
      /^SyntaxError: .* "\/\/ end" has no partner$/,
    );
    assert.throws(
      () => expandShader("// for X in A\n// end\n", {}),
      /^SyntaxError: .* A is no constant$/,
    );
  });
});
