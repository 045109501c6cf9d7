import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { createBlockDispatches } from "../../src/gpu/blocks/block_dispatches.ts";
import { createBlockStorage } from "../../src/gpu/blocks/block_storage.ts";
import {
  KERNEL_SOURCES,
  type KernelName,
  kernelText,
} from "../../src/gpu/kernels.ts";
import { exampleSpec } from "./example_runs.ts";

/** The least that every adapter has. */
const WORKGROUP_BYTES = 16384;

const TYPE_BYTES: Readonly<Record<string, number>> = {
  u32: 4,
  f32: 4,
  vec2f: 8,
  vec4f: 16,
};

/** A sum of products of whole numbers. */
function evaluate(text: string): number {
  const inner = /\(([^()]*)\)/.exec(text);
  if (inner !== null) {
    return evaluate(text.replace(inner[0], String(evaluate(inner[1]!))));
  }
  return text.split("+").map((term) =>
    term.split("*").map(Number).reduce((a, b) => a * b)
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
  for (
    const [, type, count] of text.matchAll(
      /^var<workgroup> \w+: array<(\w+), (.*)>;$/gm,
    )
  ) {
    bytes += TYPE_BYTES[type!]! * numbers(count!);
  }
  return bytes;
}

describe("the kernels' texts", () => {
  it("write no part of a vector that others may write: WGSL lets such a write take the whole vector", () => {
    for (const name of Object.keys(KERNEL_SOURCES) as KernelName[]) {
      const text = kernelText(name, {});
      for (
        const [, variable] of text.matchAll(
          /var<(?:storage, read_write|workgroup)> (\w+): array<vec/g,
        )
      ) {
        const write = new RegExp(
          `\\b${variable}\\[.*\\](?:\\.[xyzw]|\\[.*\\]) [-+*/]?= `,
          "g",
        );
        const found = text.split("\n").filter((line) => {
          const at = line.search(write);
          // An index may itself have brackets: those of the variable must close before.
          return at >= 0 && isPart(line.slice(at + variable!.length));
        });
        assert.deepEqual(found, [], name);
      }
    }
  });

  it("on blocks keep within the workgroup memory that every adapter has", () => {
    for (const classes of [2, 3, 4]) {
      for (const rows of [1, 128, 300]) {
        const spec = exampleSpec({
          hiddenSize: 10,
          loss: "nll",
          classes,
          trainBatches: [rows],
        });
        for (const kind of ["blocks", "connections"] as const) {
          for (const software of [true, false]) {
            const storage = createBlockStorage({ ...spec, batchRows: rows }, {
              runs: spec.runs,
              trialCount: rows + 4,
              kind,
              software,
            });
            const dispatches = createBlockDispatches(storage, { software });
            for (const name of dispatches.kernels) {
              const bytes = workgroupBytes(kernelText(name, {
                ...storage.constants,
                ...dispatches.constants(name),
              }));
              assert.ok(bytes <= WORKGROUP_BYTES, `${name}: ${bytes} bytes`);
              // They are counted at all.
              if (name === "blockReadout") assert.ok(bytes > 100);
            }
          }
        }
      }
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
