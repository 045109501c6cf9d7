import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { describe, it } from "../../src/compat/testing.ts";
import { readCases } from "../../src/doctor/read_cases.ts";
import { replayCase } from "../../src/doctor/replay.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";

const FOLDER = fileURLToPath(new URL("../golden", import.meta.url));
const { cases } = await readCases(FOLDER);

for (const fused of [true, false]) {
  describe(`PyTorch's cases on the WebAssembly engine, ${fused ? "with" : "without"} fused multiply-add`, () => {
    const engine = createWasmEngine({ fused, workers: 2 });
    for (const golden of cases) {
      it(golden.name, async () => {
        const { checks } = await replayCase(golden, engine);
        assert.deepEqual(checks.filter(({ ok }) => !ok), []);
      });
    }
    it("closes", () => engine.destroy());
  });
}
