import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  KERNEL_SOURCES,
  type KernelName,
  kernelText,
  LAYOUT_SOURCE,
} from "../../src/gpu/kernels.ts";
import {
  BATCH_FIELDS,
  MODEL_FIELDS,
  structBytes,
  TIME_FIELDS,
  writeStruct,
} from "../../src/gpu/structs.ts";

/** Fields of a struct of the shaders, as they are declared. */
function declaredFields(name: string): [string, string][] {
  const body = new RegExp(`struct ${name} \\{([^}]*)\\}`).exec(LAYOUT_SOURCE);
  return [...(body?.[1] ?? "").matchAll(/(\w+): (\w+),/g)].map((match) => [
    match[1] as string,
    match[2] as string,
  ]);
}

describe("structs of host and shaders", () => {
  for (
    const [name, fields] of [
      ["Model", MODEL_FIELDS],
      ["Batch", BATCH_FIELDS],
      ["Time", TIME_FIELDS],
    ] as const
  ) {
    it(`${name} has the same fields, types and order on both sides`, () => {
      assert.deepEqual(declaredFields(name), Object.entries(fields));
    });
  }

  it("writeStruct() writes each field at 4 bytes from the last", () => {
    const view = new DataView(new ArrayBuffer(structBytes(BATCH_FIELDS) + 8));
    writeStruct(view, {
      fields: BATCH_FIELDS,
      offset: 8,
      values: {
        start: 1,
        size: 2,
        number: 3,
        history_slot: 4,
        adam_step_scale: 0.5,
        adam_root_scale: 0.25,
        probe: 7,
        first_model: 8,
      },
    });
    assert.deepEqual(
      [...new Uint32Array(view.buffer, 8, 4)],
      [1, 2, 3, 4],
    );
    assert.deepEqual([...new Float32Array(view.buffer, 24, 2)], [0.5, 0.25]);
  });
});

describe("bindings of host and shaders", () => {
  for (const name of Object.keys(KERNEL_SOURCES) as KernelName[]) {
    it(`${name} binds what its text declares`, () => {
      const declared = [
        ...kernelText(name, {}).matchAll(
          /@group\(0\) @binding\((\d+)\) var<storage, (read|read_write)> (\w+):/g,
        ),
      ].map(([, binding, access, variable]) => [
        Number(binding),
        access === "read" ? "read" : "write",
        (variable as string).replace(
          /_(\w)/g,
          (_, letter: string) => letter.toUpperCase(),
        ),
      ]);
      assert.deepEqual(
        declared,
        KERNEL_SOURCES[name].bindings.map(([buffer, access], i) => [
          i,
          access,
          buffer,
        ]),
      );
    });
  }
});
