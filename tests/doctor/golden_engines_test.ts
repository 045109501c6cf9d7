import assert from "node:assert/strict";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { ownCases } from "../../src/doctor/cases.ts";
import { replayCase } from "../../src/doctor/replay.ts";
import type { Engine } from "../../src/engine/ensemble.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { FORMATS } from "../gpu/example_runs.ts";

/** Replays all cases, and closes the engine. */
async function replayAll(engine: Engine): Promise<void> {
  const off: string[] = [];
  try {
    for (const golden of ownCases()) {
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
