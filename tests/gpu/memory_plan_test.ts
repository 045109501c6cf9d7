import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { planMemory } from "../../src/gpu/memory_plan.ts";
import type { StorageKind } from "../../src/gpu/storage.ts";
import { countBlocks, expectedBlocks } from "../../src/graph/blocks.ts";
import { STORAGE_KINDS } from "./example_runs.ts";
import { randomConnections } from "./random_connections.ts";

const GPU = { software: false };
const LIMITS = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeInvocationsPerWorkgroup: 256,
};
const SIZE = {
  hiddenSize: 220,
  inputSize: 2,
  outputSize: 1,
  loss: "mse",
  connections: 30_000,
  blocks: 1900,
  steps: [7, 7, 11, 21],
  trialCount: 1000,
  batchSize: 128,
} as const;

describe("planMemory()", () => {
  it("keeps all models together where they fit", () => {
    const plan = planMemory(SIZE, { ...GPU, limits: LIMITS });
    assert.deepEqual(plan.groups, [[0, 1, 2, 3]]);
    assert.match(plan.reason, /fit in one/);
  });

  it("cuts by the binding limit, the memory and the workgroups, and says which", () => {
    const steps = Array.from({ length: 100 }, () => 21);
    const by = (limits: Partial<typeof LIMITS>, memoryBytes?: number) =>
      planMemory({ ...SIZE, steps }, {
        ...GPU,
        limits: { ...LIMITS, ...limits },
        ...(memoryBytes !== undefined && { memoryBytes }),
      });
    const binding = by({});
    assert.ok(binding.groups.length > 1);
    assert.match(binding.reason, /maxStorageBufferBindingSize of 128 MiB/);
    assert.match(by({ maxBufferSize: 2 ** 25 }).reason, /maxBufferSize/);
    const memory = by({}, 2 ** 26);
    assert.ok(memory.bytes.every((bytes) => bytes <= 2 ** 26));
    assert.match(memory.reason, /64 MiB for an ensemble/);
    const few = by({ maxComputeWorkgroupsPerDimension: 3 });
    assert.ok(few.groups.every((group) => group.length <= 3));
  });

  it("refuses a model that cannot fit, naming limit and size", () => {
    assert.throws(
      () =>
        planMemory({
          ...SIZE,
          hiddenSize: 20_000,
          connections: 2e8,
          blocks: 2.5e7,
        }, { ...GPU, limits: LIMITS }),
      (error: Error) =>
        error instanceof RangeError &&
        /H = 20000, T = 21/.test(error.message) &&
        /takes \d+ MiB/.test(error.message) &&
        /maxStorageBufferBindingSize is 128 MiB/.test(error.message),
    );
    assert.throws(
      () => planMemory(SIZE, { ...GPU, limits: LIMITS, memoryBytes: 2 ** 20 }),
      /the memory for an ensemble is 1.0 MiB/,
    );
  });

  it("lets no buffer grow beyond what 32-bit offsets count", () => {
    const plan = planMemory({
      ...SIZE,
      steps: Array.from({ length: 20_000 }, () => 21),
    }, {
      ...GPU,
      limits: {
        ...LIMITS,
        maxStorageBufferBindingSize: 2 ** 40,
        maxBufferSize: 2 ** 40,
      },
      memoryBytes: 2 ** 40,
    });
    assert.ok(plan.groups.length > 1);
    assert.equal(
      plan.reason,
      "limited by the reach of 32-bit offsets of 16384 MiB (state)",
    );
  });

  it("says how many entries of W_hh the kernels multiply", () => {
    const entriesOf = (storage: StorageKind) =>
      planMemory(SIZE, { ...GPU, limits: LIMITS, storage }).entries;
    assert.deepEqual(STORAGE_KINDS.map(entriesOf), [
      220 ** 2,
      16 * 1900,
      30_000,
    ]);
  });

  it("makes room for random topologies that have more blocks than expected", () => {
    const size = {
      ...SIZE,
      steps: [7],
      connections: 6000,
      blocks: expectedBlocks(6000, { units: 220, side: 4 }),
    };
    const bytesOf = (blocks: number, ownTopologies: boolean) =>
      planMemory({ ...size, blocks, ownTopologies }, {
        ...GPU,
        limits: LIMITS,
        storage: "blocks",
      }).bytes[0]!;
    const planned = bytesOf(size.blocks, true);
    for (let seed = 0; seed < 200; seed++) {
      const connections = randomConnections(220, { count: 6000, seed });
      assert.ok(bytesOf(countBlocks(connections, 4), false) <= planned);
    }
  });

  it("takes at most 1.25 times what the algorithm needs", () => {
    for (
      const size of [
        { hiddenSize: 29, connections: 400, blocks: 50 },
        { hiddenSize: 116 },
        { hiddenSize: 220 },
        { hiddenSize: 228, connections: 8_000, blocks: 690 },
        {
          hiddenSize: 20_000,
          connections: 2_000_000,
          blocks: 1_990_000,
          steps: [7],
        },
        { hiddenSize: 220, inputSize: 51, outputSize: 3, steps: [12] },
        { hiddenSize: 220, inputSize: 785, outputSize: 3, steps: [8] },
        { hiddenSize: 512, connections: 2e5, blocks: 15_000 },
        { hiddenSize: 1000, connections: 5e5, blocks: 60_000 },
        { hiddenSize: 4000, connections: 8e6, blocks: 900_000 },
      ]
    ) {
      const { bytes, neededBytes } = planMemory({ ...SIZE, ...size }, {
        ...GPU,
        limits: { ...LIMITS, maxStorageBufferBindingSize: 2 ** 28 },
      });
      const ratio = (bytes[0] as number) / (neededBytes[0] as number);
      assert.ok(ratio <= 1.25, `${ratio} times for H = ${size.hiddenSize}`);
    }
  });

  it("puts every run into one group, in order, whatever the sizes", () => {
    fc.assert(fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), {
        minLength: 1,
        maxLength: 30,
      }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 22, max: 28 }),
      (steps, hiddenSize, exponent) => {
        let plan;
        try {
          plan = planMemory({ ...SIZE, steps, hiddenSize }, {
            ...GPU,
            limits: { ...LIMITS, maxStorageBufferBindingSize: 2 ** exponent },
          });
        } catch (error) {
          assert.ok(error instanceof RangeError);
          return;
        }
        assert.deepEqual(plan.groups.flat(), steps.map((_, i) => i));
        assert.equal(plan.bytes.length, plan.groups.length);
        plan.bytes.forEach((bytes, i) =>
          assert.ok(bytes >= (plan.neededBytes[i] as number))
        );
      },
    ));
  });
});
