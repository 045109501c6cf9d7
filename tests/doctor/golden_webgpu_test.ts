import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import { readCases } from "../../src/doctor/read_cases.ts";
import { replayCase } from "../../src/doctor/replay.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { STORAGE_KINDS } from "../gpu/example_runs.ts";

const FOLDER = fileURLToPath(new URL("../golden", import.meta.url));
const { cases } = await readCases(FOLDER);

// Opened here and again in each test: a device left open would be a leak in theirs.
const seen = await createWebGpuEngine();
const adapter = seen?.description;
seen?.destroy();
const missing = adapter === undefined ? "no WebGPU adapter" : undefined;

describe(`PyTorch's cases on ${adapter ?? "WebGPU"}`, () => {
  for (const golden of cases) {
    for (const storage of STORAGE_KINDS) {
      itNeeds(
        `${golden.name}, ${storage}: within tolerance`,
        missing,
        async () => {
          const engine = (await createWebGpuEngine({ storage }))!;
          try {
            const { checks } = await replayCase(golden, engine);
            assert.deepEqual(checks.filter(({ ok }) => !ok), []);
            // What biornn promises, whatever the table of tolerances says.
            for (const { name, error } of checks) {
              if (name === "losses") assert.ok(error <= 1e-4);
              if (name === "gradients") assert.ok(error <= 1e-5);
              if (name === "frozen weights") assert.equal(error, 0);
            }
          } finally {
            engine.destroy();
          }
        },
      );
    }
  }
});
