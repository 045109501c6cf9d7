import assert from "node:assert/strict";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import type { EnsembleSpec } from "../../src/engine/ensemble.ts";
import type { NetworkFacts } from "../../src/gpu/create_storage.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createGpuEnsemble } from "../../src/gpu/ensemble.ts";
import { BUFFER_NAMES } from "../../src/gpu/buffers.ts";
import { planMemory } from "../../src/gpu/memory_plan.ts";
import { countBlocks, expectedBlocks } from "../../src/graph/blocks.ts";
import { exampleSpec, STORAGE_KINDS } from "./example_runs.ts";
import { randomConnections } from "./random_connections.ts";

const engine = await createWebGpuEngine();
const missing = engine === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;

const UNITS = 62;
const COUNT = 250;
const STEPS = [5, 9, 3, 9];

/** Runs with as many connections each, of one topology or of their own. */
function makeSpec(own: boolean): {
  readonly spec: EnsembleSpec;
  readonly facts: NetworkFacts;
} {
  const spec = exampleSpec({
    hiddenSize: UNITS,
    inputSize: 3,
    loss: "nll",
    steps: STEPS,
    trainBatches: [20, 7],
    validateBatches: [11],
  });
  const shared = randomConnections(UNITS, { count: COUNT, seed: 1 });
  const runs = spec.runs.map((run, i) => ({
    ...run,
    connections: own
      ? randomConnections(UNITS, { count: COUNT, seed: i + 2 })
      : shared,
    initial: { ...run.initial, weightHh: new Float32Array(COUNT).fill(0.1) },
  }));
  const facts = {
    connections: COUNT,
    blocks: own
      ? expectedBlocks(COUNT, { units: UNITS, side: 4 })
      : countBlocks(shared, 4),
    ownTopologies: own,
  };
  return { spec: { ...spec, runs }, facts };
}

describe("the memory plan", () => {
  for (const kind of STORAGE_KINDS) {
    for (const software of [true, false]) {
      for (const own of [false, true]) {
        itNeeds(
          `plans the bytes that the buffers take: ${kind}, ${
            own ? "topologies of their own" : "one topology"
          }, ${software ? "a software adapter" : "a GPU"}`,
          missing,
          async () => {
            const { spec, facts } = makeSpec(own);
            const plan = planMemory({
              ...spec,
              ...facts,
              steps: STEPS,
              trialCount: 38,
              batchSize: 20,
            }, { limits: engine!.adapter.limits, software, storage: kind });
            const ensemble = await createGpuEnsemble(engine!.gpu, {
              ...spec,
              network: facts,
            }, { storage: kind, software });
            const { buffers, storage } = ensemble;
            ensemble.destroy();
            assert.equal(storage.kind, kind);
            const created = BUFFER_NAMES.reduce(
              (sum, name) => sum + buffers[name].size,
              0,
            );
            // Each buffer has whole vectors of four, and one at least.
            const rounding = 16 * BUFFER_NAMES.length;
            // Of lists, the chunks that are not full; of random topologies, as
            // many blocks as there may be.
            const spare = kind === "dense"
              ? 0
              : kind === "blocks" && own
              ? 0.12 * created
              : 8 * UNITS * (own ? STEPS.length : 1);
            const [planned] = plan.bytes as [number];
            assert.ok(planned >= created - rounding, `${planned}, ${created}`);
            assert.ok(planned <= created + spare, `${planned}, ${created}`);
            const entries = STEPS.map((_, place) => storage.entries(place));
            if (kind === "blocks" && own) {
              entries.forEach((count) =>
                assert.ok(Math.abs(count / plan.entries - 1) < 0.12)
              );
            } else {
              assert.deepEqual(new Set(entries), new Set([plan.entries]));
            }
          },
        );
      }
    }
  }
});
