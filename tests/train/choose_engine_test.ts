import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { DeviceError } from "../../src/engine/ensemble.ts";
import { InputError } from "../../src/files/input_error.ts";
import {
  chooseEngine,
  type DeviceChoice,
  readDeviceChoice,
} from "../../src/train/choose_engine.ts";

/** An adapter as a driver may have it, whose device is refused. */
function adapter(description: string): GPUAdapter {
  return {
    info: { vendor: "", architecture: "", device: "", description },
    limits: {},
    features: new Set(),
    requestDevice: () => Promise.reject(new Error("out of device memory")),
  } as unknown as GPUAdapter;
}

/** The engine that is chosen where `requestAdapter()` does so, and the lines told. */
async function chosen(
  device: DeviceChoice,
  requestAdapter: () => Promise<GPUAdapter | null>,
): Promise<{ kind: string; description: string; lines: string[] }> {
  const lines: string[] = [];
  const own = Object.getOwnPropertyDescriptor(navigator, "gpu");
  Object.defineProperty(navigator, "gpu", {
    value: { requestAdapter },
    configurable: true,
  });
  try {
    const warn = (line: string) => lines.push(line);
    const engine = await chooseEngine(device, { warn, workers: 1 });
    const { kind, description } = engine;
    engine.destroy();
    return { kind, description, lines };
  } finally {
    Reflect.deleteProperty(navigator, "gpu");
    if (own !== undefined) Object.defineProperty(navigator, "gpu", own);
  }
}

describe("chooseEngine()", () => {
  const none = () => Promise.resolve(null);
  const refused = () => Promise.resolve(adapter("NVIDIA H200"));
  const broken = () => Promise.reject(new Error("the driver is too old"));

  it("trains on the CPU where there is no GPU, or none that can be opened, and says why", async () => {
    for (
      const [request, why] of [
        [none, "this machine has no GPU that WebGPU can use"],
        [refused, "NVIDIA H200.*: out of device memory"],
        [broken, "the driver is too old"],
      ] as const
    ) {
      const { kind, lines } = await chosen("auto", request);
      assert.equal(kind, "wasm");
      assert.equal(lines.length, 1);
      const sentence = new RegExp(`^note: training on the CPU, as .*${why}`);
      assert.match(lines[0]!, sentence);
    }
  });

  it("takes what was asked for without a word, or says that there is none", async () => {
    for (
      const [device, kind] of [["cpu", "wasm"], [
        "reference",
        "reference",
      ]] as const
    ) {
      const found = await chosen(device, refused);
      assert.deepEqual([found.kind, found.lines], [kind, []]);
    }
    await assert.rejects(
      chosen("gpu", none),
      (error) =>
        error instanceof InputError &&
        /this machine has no WebGPU adapter; /.test(error.message),
    );
    for (const request of [refused, broken]) {
      await assert.rejects(chosen("gpu", request), DeviceError);
    }
  });

  it("tells in the engine's name whether multiply-add is fused", async () => {
    const engine = await chooseEngine("cpu", { warn() {}, fused: false });
    assert.match(engine.description, /separate multiply-add$/);
    engine.destroy();
  });
});

describe("readDeviceChoice()", () => {
  it("knows four names", () => {
    assert.equal(readDeviceChoice(undefined), "auto");
    for (const name of ["auto", "gpu", "cpu", "reference"] as const) {
      assert.equal(readDeviceChoice(name), name);
    }
    assert.throws(
      () => readDeviceChoice("wasm"),
      /Cannot use --device wasm: allowed are auto, gpu, cpu and reference/,
    );
  });
});
