import assert from "node:assert/strict";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import type { EnsembleSize } from "../../src/gpu/model_sizes.ts";
import { chooseStorage } from "../../src/gpu/choose_storage.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createGpuEnsemble } from "../../src/gpu/ensemble.ts";
import { exampleSpec, STORAGE_KINDS } from "./example_runs.ts";

/** WebGPU's default limits, but for the size of all buffers. */
const OPTIONS = {
  limits: {
    maxStorageBufferBindingSize: 2 ** 27,
    maxBufferSize: 2 ** 31,
    maxComputeWorkgroupStorageSize: 2 ** 14,
    maxComputeInvocationsPerWorkgroup: 256,
  },
  software: false,
  memoryBytes: 2 ** 31,
};
const TRIALS = {
  inputSize: 2,
  outputSize: 1,
  loss: "mse",
  steps: [7],
  trialCount: 500,
  batchSize: 128,
} as const;
const MARMOSET: EnsembleSize = {
  ...TRIALS,
  hiddenSize: 220,
  connections: 23_000,
  blocks: 1920,
};
const MOUSE: EnsembleSize = {
  ...TRIALS,
  hiddenSize: 76,
  connections: 4200,
  blocks: 348,
};
const HUMAN: EnsembleSize = {
  ...TRIALS,
  hiddenSize: 228,
  connections: 8_200,
  blocks: 690,
};
const LARGE: EnsembleSize = {
  ...TRIALS,
  hiddenSize: 20_000,
  connections: 2_000_000,
  blocks: 1_980_000,
};

describe("chooseStorage()", () => {
  for (const software of [true, false]) {
    const choose = (size: EnsembleSize) =>
      chooseStorage(size, { ...OPTIONS, software });
    const adapter = software ? "a software adapter" : "a GPU";

    it(`takes whole matrices where most blocks hold a connection, on ${adapter}`, () => {
      assert.deepEqual(choose(MOUSE), {
        kind: "dense",
        reason:
          "whole matrices, as 96 % of their blocks of 4 × 4 hold a connection",
      });
      // Whose tiles gain less from what they load often than they lose by the rest.
      assert.equal(choose(MARMOSET).kind, software ? "dense" : "blocks");
    });

    it(`takes blocks where a fifth of them hold a connection, on ${adapter}`, () => {
      assert.deepEqual(choose(HUMAN), {
        kind: "blocks",
        reason: "blocks of 4 × 4 weights, as 21 % of them hold a connection",
      });
    });

    it(`takes single connections for 20,000 neurons with 2 million, within 128 MiB a binding, on ${adapter}`, () => {
      assert.deepEqual(choose(LARGE), {
        kind: "connections",
        reason: "single connections, as 0.5 % of all possible exist",
      });
    });
  }

  it("takes another way where the cheapest does not fit, and says so", () => {
    // 144 MB as matrices; 108 MB are the lists of connections.
    const size = {
      ...TRIALS,
      hiddenSize: 6000,
      connections: 9_000_000,
      blocks: 2_250_000,
    };
    const software = { ...OPTIONS, software: true };
    assert.deepEqual(chooseStorage(size, software), {
      kind: "connections",
      reason:
        "single connections, as whole matrices are too much for the device",
    });
    const limits = {
      maxStorageBufferBindingSize: 2 ** 28,
      maxBufferSize: 2 ** 31,
    };
    assert.equal(chooseStorage(size, { ...software, limits }).kind, "dense");
  });

  it("keeps the loops of a software adapter below their limit", () => {
    const long = { ...MARMOSET, steps: [301] };
    assert.equal(chooseStorage(long, OPTIONS).kind, "blocks");
    const software = { ...OPTIONS, software: true };
    assert.match(
      chooseStorage(long, software).reason,
      /^blocks .*, as whole matrices are too much for the device$/,
    );
    assert.equal(
      chooseStorage({ ...long, batchSize: 64 }, software).kind,
      "dense",
    );
    assert.throws(
      () => chooseStorage(long, { ...software, kind: "dense" }),
      /^RangeError: Cannot train a model of H = 220, T = 301 with batches of 128 on a software adapter: its loops end after 65535 turns, and up to \d+ are needed; use smaller batches \(\[run\] batch_size\), or --device cpu$/,
    );
  });

  it("takes the way asked for, if it fits", () => {
    for (const kind of STORAGE_KINDS) {
      for (const size of [MARMOSET, HUMAN]) {
        const choice = chooseStorage(size, { ...OPTIONS, kind });
        assert.equal(choice.kind, kind);
        assert.match(choice.reason, /, as asked for$/);
      }
    }
    assert.throws(
      () => chooseStorage(LARGE, { ...OPTIONS, kind: "dense" }),
      /^RangeError: Cannot train a model of H = 20000, T = 7 on this adapter: its buffer "parameters" takes \d+ MiB, and maxStorageBufferBindingSize is 128 MiB$/,
    );
    assert.throws(
      () =>
        chooseStorage({ ...LARGE, hiddenSize: 300_000 }, {
          ...OPTIONS,
          kind: "blocks",
        }),
      /^RangeError: Cannot store the weights of 300000 units as blocks: /,
    );
  });

  it("says what makes the states of a large network fit", () => {
    const long = { ...LARGE, steps: [21] };
    assert.throws(
      () => chooseStorage(long, OPTIONS),
      /its buffer "state" takes 21\d MiB, and maxStorageBufferBindingSize is 128 MiB; smaller batches \(\[run\] batch_size\) take less$/,
    );
    const { kind } = chooseStorage({ ...long, batchSize: 64 }, OPTIONS);
    assert.equal(kind, "connections");
  });

  it("names the least that it would take where nothing fits", () => {
    assert.throws(
      () => chooseStorage(HUMAN, { ...OPTIONS, memoryBytes: 2 ** 20 }),
      /^RangeError: Cannot train a model of H = 228, T = 7: it takes [1-9]\.\d MiB, and the memory for an ensemble is 1\.0 MiB$/,
    );
  });

  it("chooses by the experiment's longest trials, whichever runs train together", () => {
    // Where memory is scarce, T decides which ways fit.
    const size = {
      ...TRIALS,
      hiddenSize: 1000,
      connections: 300_000,
      blocks: 62_000,
    };
    const kindOf = (steps: readonly number[], mostSteps?: number) =>
      chooseStorage({
        ...size,
        steps,
        ...(mostSteps !== undefined && { mostSteps }),
      }, { ...OPTIONS, software: true, memoryBytes: 27e6 }).kind;
    assert.equal(kindOf([3]), "dense");
    assert.equal(kindOf([15]), "connections");
    for (const steps of [[3], [3, 7], [15, 3]]) {
      assert.equal(kindOf(steps, 15), "connections");
    }
  });
});

const engine = await createWebGpuEngine();
const missing = engine === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;

describe("ensembles of one experiment", () => {
  itNeeds(
    "lie on the device in one way, whichever models are in them",
    missing,
    async () => {
      const sparse = exampleSpec({ hiddenSize: 60, density: 0.005 }).runs[0]!;
      const full = exampleSpec({ hiddenSize: 60, density: 0.9 }).runs[0]!;
      const spec = exampleSpec({ hiddenSize: 60 });
      const kindOf = async (
        runs: (typeof full)[],
        network?: { connections: number; blocks: number },
      ) => {
        const ensemble = await createGpuEnsemble(engine!.gpu, {
          ...spec,
          runs,
          ...(network !== undefined && { network }),
        });
        ensemble.destroy();
        return ensemble.storage.kind;
      };
      // Left to themselves, the two would differ.
      assert.notEqual(await kindOf([sparse]), "dense");
      assert.equal(await kindOf([full]), "dense");
      for (const blocks of [20, 225]) {
        const network = { connections: 5 * blocks, blocks };
        const kinds = new Set([
          await kindOf([sparse], network),
          await kindOf([full], network),
          await kindOf([full, sparse], network),
        ]);
        assert.equal(kinds.size, 1);
        assert.equal(kinds.has("dense"), blocks === 225);
      }
    },
  );
});
