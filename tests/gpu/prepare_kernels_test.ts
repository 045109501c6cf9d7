import assert from "node:assert/strict";
import { createEnsemble, shapeOf } from "../../src/engine/create_ensemble.ts";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import { createWebGpuEngine, type WebGpuEngine } from "../../src/gpu/engine.ts";
import { exampleSpec, STORAGE_KINDS } from "./example_runs.ts";

const probe = await createWebGpuEngine();
const missing = probe === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;
probe?.destroy();

const TRAIN = [6, 6, 3];
const VALIDATE = [4];
const SPEC = exampleSpec({
  hiddenSize: 21,
  steps: [5, 3],
  trainBatches: TRAIN,
  validateBatches: VALIDATE,
});

/** Counts the kernels that are compiled from now on. */
function countCompiled({ gpu: { device } }: WebGpuEngine): () => number {
  let count = 0;
  const compile = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    count++;
    return compile(descriptor);
  };
  return () => {
    const counted = count;
    count = 0;
    return counted;
  };
}

describe("prepare() of the WebGPU engine", () => {
  for (const storage of STORAGE_KINDS) {
    itNeeds(
      `compiles all that an ensemble takes, stored as ${storage}, and changes no number`,
      missing,
      async () => {
        const engine = (await createWebGpuEngine({ storage }))!;
        const fresh = (await createWebGpuEngine({ storage }))!;
        try {
          const compiled = countCompiled(engine);
          engine.plan(shapeOf(SPEC)).prepare();
          assert.ok(compiled() >= 6);
          const ensemble = await createEnsemble(engine, SPEC);
          assert.equal(compiled(), 0);
          const found = await ensemble.train(2);
          const other = await createEnsemble(fresh, SPEC);
          assert.deepEqual(found, await other.train(2));
          // Of an ensemble of fewer models only what counts them is another.
          ensemble.destroy();
          const few = { ...SPEC, runs: SPEC.runs.slice(0, 1) };
          const part = await createEnsemble(engine, few);
          assert.ok(compiled() <= 1);
          part.destroy();
        } finally {
          engine.destroy();
          fresh.destroy();
        }
      },
    );
  }
});
