import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { ownCases } from "../../src/doctor/cases.ts";
import { replayCase } from "../../src/doctor/replay.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";

for (const fused of [true, false]) {
  describe(
    `PyTorch's cases on the WebAssembly engine, ${
      fused ? "with" : "without"
    } fused multiply-add`,
    () => {
      const engine = createWasmEngine({ fused, workers: 2 });
      for (const golden of ownCases()) {
        it(golden.name, async () => {
          const { checks } = await replayCase(golden, engine);
          assert.deepEqual(checks.filter(({ ok }) => !ok), []);
        });
      }

      it("closes", () => engine.destroy());
    },
  );
}
