import assert from "node:assert/strict";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import index from "../../src/doctor/cases/index.json" with { type: "json" };
import { ownCases } from "../../src/doctor/golden_case.ts";
import { replayCase } from "../../src/doctor/replay.ts";
import type { Engine } from "../../src/engine/ensemble.ts";
import { sha256Hex } from "../../src/files/bytes.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { FORMATS } from "../gpu/example_runs.ts";

const cases = ownCases();

describe("PyTorch's cases on the reference engine", () => {
  it("are all there, to the byte", async () => {
    assert.equal(cases.length, 31);
    assert.deepEqual(
      cases.map(({ name }) => `${name}.json`).sort(),
      index.map(({ file }) => file).sort(),
    );
    for (const { file, sha256 } of index) {
      const url = new URL(`../../src/doctor/cases/${file}`, import.meta.url);
      assert.equal(await sha256Hex(await Deno.readFile(url)), sha256, file);
    }
  });

  it("hold numbers that are none where PyTorch diverges, in single precision", () => {
    const failing = cases.filter(({ expected: { float32, float64 } }) => {
      const losses = (of: typeof float32) =>
        Object.values(of.losses).flatMap((values) => Array.from(values));
      assert.ok(losses(float64).every(Number.isFinite));
      return !losses(float32).every(Number.isFinite);
    });
    assert.deepEqual(failing.map(({ name }) => name), [
      "train_diverging_relu_adam",
      "train_diverging_relu_rmsprop",
      "train_diverging_relu_sgd",
      "train_diverging_tanh_sgd",
    ]);
  });

  const engine = createReferenceEngine();
  for (const golden of cases) {
    it(`${golden.name}: within 1e-12`, async () => {
      const { checks } = await replayCase(golden, engine);
      assert.equal(checks.length, 9);
      assert.deepEqual(
        checks.filter(({ name, error, limit }) =>
          !(error <= (name === "accuracies" ? 1e-9 : 1e-12)) || limit > 1e-9
        ),
        [],
      );
    });
  }
});

/** Replays all cases, and closes the engine. */
async function replayAll(engine: Engine): Promise<void> {
  const off: string[] = [];
  try {
    for (const golden of cases) {
      const { checks } = await replayCase(golden, engine);
      for (const { name, error, ok, where } of checks) {
        // What biornn promises, whatever the table of tolerances says.
        const most = { losses: 1e-4, gradients: 1e-5, "frozen weights": 0 };
        const kept = error <= (most[name as keyof typeof most] ?? Infinity);
        if (!ok || !kept) {
          off.push(`${golden.name}: ${name} ${error} at ${where}`);
        }
      }
    }
  } finally {
    engine.destroy();
  }
  assert.deepEqual(off, []);
}

// Opened here and again in each test: a device left open would be a leak in theirs.
const seen = await createWebGpuEngine();
const adapter = seen?.description;
seen?.destroy();
const missing = adapter === undefined ? "no WebGPU adapter" : undefined;

describe(`PyTorch's cases on ${adapter ?? "WebGPU"}`, () => {
  for (const format of FORMATS) {
    itNeeds(`${format}: all are within tolerance`, missing, async () => {
      await replayAll((await createWebGpuEngine({ format }))!);
    });
  }
});

describe("PyTorch's cases on WebAssembly", () => {
  for (const fused of [true, false]) {
    it(`${fused ? "fused" : "separate"}: all are within tolerance`, async () => {
      await replayAll(createWasmEngine({ fused, workers: 2 }));
    });
  }
});
