import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { createEnsemble, shapeOf } from "../../src/engine/create_ensemble.ts";
import type { EnsembleShape } from "../../src/engine/ensemble.ts";
import { createWebGpuEngine, type WebGpuEngine } from "../../src/gpu/engine.ts";
import {
  MODEL_BUFFERS,
  modelWords,
  planBatches,
  rangesOf,
} from "../../src/gpu/layout.ts";
import { planOnGpu, type PlanOptions } from "../../src/gpu/plan.ts";
import {
  type Connections,
  countConnections,
} from "../../src/graph/connections.ts";
import { engine, missing } from "./adapter.ts";
import {
  createInWay,
  DEFAULT_LIMITS,
  exampleSpec,
  FORMATS,
} from "./example_runs.ts";
import { randomConnections } from "./random_connections.ts";
import { RULES } from "../reference/example_runs.ts";

const OPTIONS: PlanOptions = { limits: DEFAULT_LIMITS, memoryBytes: 2 ** 31 };
const TRIALS = {
  inputSize: 2,
  outputSize: 1,
  loss: "mse",
  steps: [7],
  trialCount: 500,
  trainCount: 400,
  batchSize: 128,
} as const;

/** Blocks of 4 × 4 in which all are connected, of each row the first so many. */
function blocky(units: number, blocks: number): Connections {
  const each = 4 * blocks;
  return {
    receivers: units,
    senders: units,
    start: Uint32Array.from({ length: units + 1 }, (_, i) => i * each),
    sender: Uint32Array.from({ length: units * each }, (_, i) => i % each),
  };
}

/** Connections that lie alone, so many of each unit. */
function scattered(units: number, each: number): Connections {
  const apart = Math.floor(units / each);
  return {
    receivers: units,
    senders: units,
    start: Uint32Array.from({ length: units + 1 }, (_, i) => i * each),
    sender: Uint32Array.from(
      { length: units * each },
      (_, i) => i % each * apart + Math.floor(i / each / 4) % apart,
    ),
  };
}

/** About so many connections at random places; some units have many more than others, as neurons do. */
function randomDegrees(units: number, count: number): Connections {
  let state = 1;
  const random = () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 | 0;
    return (state >>> 0) / 2 ** 32;
  };
  const start = new Uint32Array(units + 1);
  const lists = Array.from({ length: units }, (_, unit) => {
    // The mean of −log u is 1.
    const degree = Math.round(-Math.log(1 - random()) * count / units);
    const all = Uint32Array.from(
      { length: degree },
      () => Math.floor(random() * units),
    ).sort();
    const list = all.filter((sender, i) => sender !== all[i - 1]);
    start[unit + 1] = start[unit]! + list.length;
    return list;
  });
  const sender = new Uint32Array(start[units]!);
  for (const [unit, list] of lists.entries()) sender.set(list, start[unit]);
  return { receivers: units, senders: units, start, sender };
}

function shape(
  connections: Connections,
  change: Partial<EnsembleShape> = {},
): EnsembleShape {
  return {
    ...TRIALS,
    ...RULES,
    hiddenSize: connections.receivers,
    connections,
    ...change,
  };
}

const DENSE = blocky(220, 53);
const SPARSE = blocky(228, 12);
const LARGE = scattered(20_000, 100);

function plan(of: EnsembleShape, options: Partial<PlanOptions> = {}) {
  const { formatFor, ...rest } = planOnGpu(of, { ...OPTIONS, ...options });
  return { ...rest, format: formatFor(planBatches(of)).name };
}

describe("planOnGpu()", () => {
  it("keeps weights in the way that suits the network, and says why", () => {
    const dense = plan(shape(DENSE));
    assert.equal(dense.format, "dense");
    assert.equal(
      dense.reason,
      "whole matrices, as 96 % of their blocks of 4 × 4 hold a connection; all models fit in one ensemble",
    );
    const sparse = plan(shape(SPARSE));
    assert.equal(sparse.format, "blocks");
    assert.match(
      sparse.reason,
      /^blocks of 4 × 4 weights, as 21 % of them hold a connection; /,
    );
    const large = plan(shape(LARGE));
    assert.equal(large.format, "connections");
    assert.match(
      large.reason,
      /^single connections, as 0\.5 % of all possible exist; /,
    );
  });

  it("takes another way where the cheapest does not fit, and says so", () => {
    // Moments of whole matrices take 290 MB.
    const size = shape(blocky(6000, 1200));
    assert.throws(() => plan(size, { format: "dense" }), /buffer "moments"/);
    assert.match(
      plan(size, {
        limits: {
          ...DEFAULT_LIMITS,
          maxBufferSize: 2 ** 31,
          maxStorageBufferBindingSize: 2.7e8,
        },
      }).reason,
      /, as whole matrices are too much for the device; /,
    );
  });

  it("takes the way asked for, if it fits", () => {
    for (const format of FORMATS) {
      for (const connections of [DENSE, SPARSE]) {
        const found = plan(shape(connections), { format });
        assert.equal(found.format, format);
        assert.match(found.reason, /, as asked for; /);
      }
    }
    assert.throws(
      () => plan(shape(LARGE), { format: "dense" }),
      /^RangeError: Cannot train a model of H = 20000, T = 7 on this adapter: its buffer "moments" takes \d+ MiB, and maxStorageBufferBindingSize is 128 MiB$/,
    );
    assert.throws(
      () => plan(shape(scattered(300_000, 1)), { format: "blocks" }),
      /^RangeError: Cannot store the weights of 300000 units as blocks: /,
    );
  });

  it("keeps the states of a large network in stretches of time steps", () => {
    const long = shape(LARGE, { steps: [21, 40, 3] });
    const { reason, groups } = plan(long);
    assert.equal(
      reason,
      "single connections, as 0.5 % of all possible exist; states in stretches of 12 time steps, as all take more than the maxStorageBufferBindingSize of 128 MiB; one model at a time",
    );
    assert.deepEqual(groups, [[0], [1], [2]]);
    // Where less is at stake, or more can be bound, models train together.
    const limits = { ...DEFAULT_LIMITS, maxStorageBufferBindingSize: 2 ** 30 };
    for (
      const { reason, groups } of [
        plan({ ...long, batchSize: 16 }),
        plan(long, { limits: { ...limits, maxBufferSize: 2 ** 30 } }),
      ]
    ) {
      assert.doesNotMatch(reason, /stretches/);
      assert.deepEqual(groups, [[0, 1, 2]]);
    }
    assert.throws(
      () => plan(shape(LARGE, { batchSize: 1000, trainCount: 1000 })),
      /: its states before and after one time step take 15\d MiB, and maxStorageBufferBindingSize is 128 MiB; smaller batches \(\[run\] batch_size\) take less$/,
    );
  });

  it("has room for every synapse of a fly's brain in what every adapter grants", () => {
    const fly = shape(randomDegrees(139_255, 15_100_000), {
      steps: [21],
      batchSize: 32,
    });
    const { formatFor, bytes, reason } = planOnGpu(fly, OPTIONS);
    assert.match(reason, /^single connections, as 0\.078 % .* 6 time steps, /);
    assert.ok(bytes[0]! < 2 ** 31, `${bytes[0]} bytes`);
    const { layout, words } = formatFor(planBatches(fly));
    const model = modelWords(layout, {
      steps: 21,
      weights: words({
        connections: countConnections(fly.connections),
        blocks: 0,
      }),
    });
    for (const name of MODEL_BUFFERS) {
      if (name === "state" || name === "delta") continue;
      assert.ok(
        4 * model[name] <= 2 ** 27,
        `${name}: ${4 * model[name]} bytes`,
      );
    }
    const ranges = rangesOf(layout, 21);
    assert.equal(ranges[0]!.first, 0);
    assert.equal(ranges.at(-1)!.last, 21);
    for (const [i, { first, last }] of ranges.entries()) {
      // What comes next begins with the slot that this ends with.
      if (i > 0) assert.equal(first, ranges[i - 1]!.last);
      const rows = (last - first + 1) * Math.max(layout.slot, layout.units);
      assert.ok(16 * layout.vectors * rows <= 2 ** 27);
    }
  });

  it("names the least that it would take where nothing fits", () => {
    assert.throws(
      () => plan(shape(SPARSE), { memoryBytes: 2 ** 20 }),
      /^RangeError: Cannot train a model of H = 228, T = 7: it takes [1-9]\.\d MiB, and the memory for an ensemble is 1\.0 MiB; smaller batches \(\[run\] batch_size\) take less$/,
    );
  });

  it("chooses by the experiment's longest trials, whichever runs train together", () => {
    const size = shape(randomConnections(1000, { count: 300_000, seed: 1 }));
    const formatOf = (steps: readonly number[], mostSteps: number) =>
      plan({ ...size, steps, mostSteps }, { memoryBytes: 32e6 }).format;
    const alone = formatOf([15], 15);
    assert.notEqual(formatOf([3], 3), alone);
    for (const steps of [[3], [3, 7], [15, 3]]) {
      assert.equal(formatOf(steps, 15), alone);
    }
  });

  it("cuts by the binding limit, the memory and the workgroups, and says which", () => {
    const steps = Array.from({ length: 100 }, () => 21);
    const by = (
      limits: Record<string, number>,
      options: Partial<PlanOptions> = {},
    ) =>
      plan(shape(DENSE, { steps }), {
        limits: { ...DEFAULT_LIMITS, ...limits },
        ...options,
      });
    const binding = by({});
    assert.ok(binding.groups.length > 1);
    assert.match(binding.reason, /maxStorageBufferBindingSize of 128 MiB/);
    assert.match(by({ maxBufferSize: 2 ** 25 }).reason, /maxBufferSize/);
    const memory = by({}, { memoryBytes: 2 ** 26 });
    assert.ok(memory.bytes.every((bytes) => bytes <= 2 ** 26));
    assert.match(memory.reason, /64 MiB for an ensemble/);
    const few = by({ maxComputeWorkgroupsPerDimension: 3 });
    assert.ok(few.groups.every((group) => group.length <= 3));
    const huge = plan(
      shape(DENSE, { steps: Array.from({ length: 20_000 }, () => 21) }),
      {
        limits: {
          ...DEFAULT_LIMITS,
          maxStorageBufferBindingSize: 2 ** 40,
          maxBufferSize: 2 ** 40,
        },
        memoryBytes: 2 ** 40,
      },
    );
    assert.match(
      huge.reason,
      /; limited by the reach of 32-bit offsets of 16384 MiB \(state\)$/,
    );
  });

  it("puts every run into one group, in order, whatever the sizes", () => {
    fc.assert(fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), {
        minLength: 1,
        maxLength: 30,
      }),
      fc.integer({ min: 2, max: 300 }),
      fc.integer({ min: 22, max: 28 }),
      (steps, units, exponent) => {
        let found;
        try {
          found = plan(shape(scattered(units, 1), { steps }), {
            limits: {
              ...DEFAULT_LIMITS,
              maxStorageBufferBindingSize: 2 ** exponent,
            },
          });
        } catch (error) {
          assert.ok(error instanceof RangeError);
          return;
        }
        assert.deepEqual(found.groups.flat(), steps.map((_, i) => i));
        assert.equal(found.bytes.length, found.groups.length);
      },
    ));
  });
});

describe("the plan of the WebGPU engine", () => {
  for (const format of FORMATS) {
    for (const own of [false, true]) {
      itNeeds(
        `plans the bytes that the buffers take: ${format}, ${
          own ? "topologies of their own" : "one topology"
        }`,
        missing,
        async () => {
          const spec = exampleSpec({
            hiddenSize: 62,
            inputSize: 3,
            loss: "nll",
            steps: [5, 9, 3, 9],
            trainBatches: [20, 7],
            validateBatches: [11],
            density: 0.08,
            oneTopology: !own,
          });
          const { bytes } = planOnGpu(shapeOf(spec), {
            limits: engine!.adapter.limits,
            memoryBytes: 2 ** 31,
            format,
          });
          const ensemble = await createInWay(engine!.gpu, spec, { format });
          const { buffers } = ensemble.made;
          ensemble.destroy();
          const names = [...MODEL_BUFFERS, "gradient", "outputs"];
          const created = names.reduce(
            (sum, name) => sum + buffers[name]!.size,
            0,
          );
          // Whole vectors of four; blocks leave room for rows that are filled up.
          const [planned] = bytes as [number];
          assert.ok(planned >= created - 16 * names.length);
          assert.ok(planned <= 1.15 * created, `${planned}, ${created}`);
        },
      );
    }
    itNeeds(
      `compiles all that an ensemble takes beforehand, as ${format}, and changes no number`,
      missing,
      async () => {
        const spec = exampleSpec({ hiddenSize: 21, steps: [5, 3] });
        const prepared = (await createWebGpuEngine({ format }))!;
        try {
          const compiled = countCompiled(prepared);
          const plan = prepared.plan({ ...shapeOf(spec), trainCount: 15 });
          plan.prepare();
          assert.equal(compiled(), 6);
          // Whatever models are in it.
          for (const runs of [spec.runs, spec.runs.slice(0, 1)]) {
            const ensemble = await plan.createEnsemble(runs);
            const found = await ensemble.train(2);
            ensemble.destroy();
            const other = await createInWay(engine!.gpu, { ...spec, runs }, {
              format,
            });
            assert.deepEqual(found, await other.train(2));
            other.destroy();
          }
        } finally {
          prepared.destroy();
        }
      },
    );
  }

  itNeeds(
    "keeps the weights of one experiment in one way, whichever models train together",
    missing,
    async () => {
      const sparse = exampleSpec({ hiddenSize: 60, density: 0.005 }).runs[0]!;
      const full = exampleSpec({ hiddenSize: 60, density: 0.9 }).runs[0]!;
      const spec = exampleSpec({ hiddenSize: 60 });
      for (const { connections } of [sparse, full]) {
        const plan = engine!.plan({
          ...shapeOf({ ...spec, runs: [full] }),
          connections,
          ownTopologies: true,
        });
        for (const runs of [[sparse], [full], [full, sparse]]) {
          const ensemble = await plan.createEnsemble(runs);
          ensemble.destroy();
          assert.equal(
            ensemble.format.name === "dense",
            connections === full.connections,
          );
        }
      }
    },
  );

  itNeeds("says when runs do not fit together", missing, async () => {
    const small = (await createWebGpuEngine({ memoryBytes: 60_000 }))!;
    const spec = exampleSpec({ hiddenSize: 8, steps: [5, 5, 5, 5, 5, 5] });
    await assert.rejects(
      createEnsemble(small, spec),
      /Cannot train 6 models together: .* for an ensemble/,
    );
    small.destroy();
  });
});

/** Counts the kernels that are compiled from now on. */
function countCompiled({ gpu: { device } }: WebGpuEngine): () => number {
  let count = 0;
  const compile = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => {
    count++;
    return compile(descriptor);
  };
  return () => count;
}
