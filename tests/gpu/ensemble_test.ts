import assert from "node:assert/strict";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import type {
  Ensemble,
  EnsembleSpec,
  ModelState,
} from "../../src/engine/ensemble.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import {
  createGpuEnsemble,
  type GpuEnsemble,
  type GpuEnsembleOptions,
} from "../../src/gpu/ensemble.ts";
import { readBack } from "../../src/gpu/read_back.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { countConnections, denseMask } from "../../src/rnn/connections.ts";
import {
  type FloatArray,
  PARAMETER_NAMES,
  type Parameters,
} from "../../src/rnn/parameters.ts";
import { type ExampleSize, exampleSpec } from "./example_runs.ts";

const engine = await createWebGpuEngine();
const missing = engine === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;
const suite = `the WebGPU engine on ${engine?.description ?? "no adapter"}`;

/** ‖found − expected‖ / ‖expected‖ */
function relativeError(found: FloatArray, expected: FloatArray): number {
  assert.equal(found.length, expected.length);
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size);
}

function assertClose(
  found: FloatArray,
  expected: FloatArray,
  { limit, what }: { readonly limit: number; readonly what: string },
): void {
  const error = relativeError(found, expected);
  assert.ok(error <= limit, `${what} is off by ${error}, allowed ${limit}`);
}

function assertParametersClose(
  found: Parameters,
  expected: Parameters,
  { limit, what }: { readonly limit: number; readonly what: string },
): void {
  for (const name of PARAMETER_NAMES) {
    assertClose(found[name], expected[name], {
      limit,
      what: `${what} ${name}`,
    });
  }
}

async function create(
  spec: EnsembleSpec,
  options: GpuEnsembleOptions = {},
): Promise<GpuEnsemble> {
  return await createGpuEnsemble(engine!.gpu, spec, options);
}

/** Fills what the kernels must not read before they wrote it with NaN. */
function poison({ buffers, storage }: GpuEnsemble): void {
  const { queue } = engine!.gpu.device;
  const nans = (words: number) => new Float32Array(words).fill(NaN);
  for (
    const name of [
      "delta",
      "gradient",
      "outputs",
      "outputDelta",
      "stepSums",
    ] as const
  ) {
    queue.writeBuffer(buffers[name], 0, nans(buffers[name].size / 4));
  }
  if (storage.kind !== "dense") {
    // All of the first model's states but h_0, which stays 0.
    const { hidden, slot, trials } = storage.layout;
    const rest = storage.words(0).state / trials - hidden;
    const first = 4 * hidden * trials;
    queue.writeBuffer(buffers.state, first, nans(rest * trials));
    assert.ok(rest >= slot);
    return;
  }
  // The hidden part of every state row but those of step 0, which stay 0.
  const { batchRows, width, hidden } = storage.layout;
  const rows = Math.floor(buffers.state.size / 4 / width);
  const row = nans(hidden);
  for (let r = batchRows; r < 2 * batchRows && r < rows; r++) {
    queue.writeBuffer(buffers.state, r * width * 4, row);
  }
}

const SIZES: Record<string, ExampleSize> = {
  "one unit": {
    hiddenSize: 1,
    steps: [1, 3],
    trainBatches: [1],
    validateBatches: [2],
  },
  "37 units": { hiddenSize: 37, steps: [5, 9, 1, 6] },
  "37 units, three classes": { hiddenSize: 37, loss: "nll", steps: [6, 4, 8] },
  "51 inputs": { hiddenSize: 20, inputSize: 51, loss: "nll", steps: [4, 4] },
  "785 inputs": { hiddenSize: 9, inputSize: 785, loss: "nll", steps: [3] },
  "116 units, a batch of 128 and a ragged one": {
    hiddenSize: 116,
    steps: [7],
    trainBatches: [128, 37],
    validateBatches: [70, 1],
  },
  "530 units, the gradient in panels": {
    hiddenSize: 530,
    steps: [2, 3],
    trainBatches: [3, 2],
    density: 0.1,
  },
  "a single time step": { hiddenSize: 12, steps: [1], loss: "nll" },
  "no connection at all": { hiddenSize: 10, density: 0 },
};

/** The ways in which the kernels are put together, and sizes that each is tried with. */
const WAYS: readonly {
  readonly name: string;
  readonly options: GpuEnsembleOptions;
  readonly sizes: readonly string[];
}[] = [
  { name: "as chosen", options: {}, sizes: Object.keys(SIZES) },
  {
    name: "all steps at once",
    options: { software: false, variant: "sequence" },
    sizes: Object.keys(SIZES),
  },
  {
    name: "a GPU's tiles",
    options: { software: false, variant: "steps" },
    sizes: ["37 units", "116 units, a batch of 128 and a ragged one"],
  },
  {
    name: "blocks",
    options: { storage: "blocks" },
    sizes: Object.keys(SIZES),
  },
  {
    name: "blocks with a GPU's tiles",
    options: { storage: "blocks", software: false },
    sizes: Object.keys(SIZES),
  },
  {
    name: "single connections",
    options: { storage: "connections" },
    sizes: Object.keys(SIZES),
  },
  {
    name: "single connections with a GPU's tiles",
    options: { storage: "connections", software: false },
    sizes: Object.keys(SIZES),
  },
];

describe(suite, () => {
  for (const way of WAYS) {
    for (const name of way.sizes) {
      itNeeds(
        `gives the float64 gradients, losses and weights, ${way.name}: ${name}`,
        missing,
        async () => {
          const spec = exampleSpec(SIZES[name]!);
          const gpu = await create(spec, way.options);
          const oracle = await createReferenceEngine().createEnsemble(spec);
          try {
            poison(gpu);
            for (let model = 0; model < spec.runs.length; model++) {
              for (
                let b = 0;
                b < spec.runs[0]!.trials.trainBatches.length;
                b++
              ) {
                const found = await gpu.probe(model, b);
                const expected = await oracle.probe(model, b);
                const what = (part: string) => ({
                  limit: 2e-6,
                  what: `${part} of model ${model}`,
                });
                assertClose(
                  [found.loss] as unknown as FloatArray,
                  [expected.loss] as unknown as FloatArray,
                  what("loss"),
                );
                assert.equal(found.accuracy, expected.accuracy);
                assertClose(found.output, expected.output, what("output"));
                assertClose(found.hiddenLast, expected.hiddenLast, what("h_T"));
                assertParametersClose(found.gradient, expected.gradient, {
                  limit: 1e-5,
                  what: `gradient of model ${model}`,
                });
              }
            }
            poison(gpu);
            const found = await gpu.train(3);
            const expected = await oracle.train(3);
            for (
              const key of [
                "trainLoss",
                "validateLoss",
                "trainBatchLoss",
                "validateBatchLoss",
              ] as const
            ) {
              found[key].forEach((value, i) =>
                assert.ok(
                  Math.abs(value - expected[key][i]!) <=
                    1e-4 * Math.abs(expected[key][i]!),
                  `${key} ${i}: ${value}, expected ${expected[key][i]}`,
                )
              );
            }
            assert.deepEqual(found.trainAccuracy, expected.trainAccuracy);
            assert.deepEqual(found.validateAccuracy, expected.validateAccuracy);
            const states = await gpu.state();
            const expectedStates = await oracle.state();
            for (const [model, state] of states.entries()) {
              const { epoch, step } = expectedStates[model]!;
              assert.deepEqual([state.epoch, state.step], [epoch, step]);
              assertParametersClose(
                state.parameters,
                expectedStates[model]!.parameters,
                {
                  limit: 2e-4,
                  what: `weights of model ${model}`,
                },
              );
            }
          } finally {
            gpu.destroy();
            oracle.destroy();
          }
        },
      );
    }
  }

  itNeeds(
    "leaves weights off the mask and frozen ones untouched, bit by bit",
    missing,
    async () => {
      const spec = exampleSpec({ hiddenSize: 23, steps: [4, 5, 6, 4, 5] });
      const gpu = await create(spec);
      await gpu.train(4);
      const states = await gpu.state();
      // The first of those with the most steps is the first on the device.
      if (gpu.storage.kind !== "dense") return;
      const { units, width, hiddenSize } = gpu.storage.layout;
      const matrices = await readBack(
        engine!.gpu,
        [gpu.buffers.parameters, gpu.buffers.firstMoment].map((buffer) => ({
          buffer,
          firstWord: 0,
          words: units * width,
        })),
      );
      gpu.destroy();
      const mask = denseMask(spec.runs[2]!.connections);
      for (const matrix of matrices) {
        for (const [i, bit] of mask.entries()) {
          const row = Math.floor(i / hiddenSize);
          const value = matrix[row * width + i % hiddenSize];
          if (bit === 0) assert.ok(Object.is(value, 0));
        }
      }
      for (const [model, { parameters }] of states.entries()) {
        const run = spec.runs[model]!;
        const moved = parameters.weightHh.filter((weight, i) =>
          weight !== run.initial.weightHh[i]
        ).length;
        const free = countConnections(run.connections);
        if (run.trainRecurrent) {
          assert.ok(moved > 0.3 * free);
        } else assert.equal(moved, 0);
      }
    },
  );

  itNeeds(
    "gives the same bytes twice, and however the models are grouped",
    missing,
    async () => {
      const spec = exampleSpec({
        hiddenSize: 21,
        steps: [5, 9, 3, 9, 4],
        loss: "nll",
      });
      const train = async (runs: EnsembleSpec["runs"]) => {
        const gpu = await create({ ...spec, runs });
        const history = await gpu.train(3);
        const states = await gpu.state();
        gpu.destroy();
        return { history, states };
      };
      const whole = await train(spec.runs);
      assert.deepEqual(await train(spec.runs), whole);
      for (const [i, run] of spec.runs.entries()) {
        const alone = await train([run]);
        assert.deepEqual(alone.states[0], whole.states[i]);
        assert.deepEqual(
          alone.history.trainBatchLoss,
          whole.history.trainBatchLoss.slice(i * 9, (i + 1) * 9),
        );
      }
    },
  );

  itNeeds(
    "goes on from a state as if it had never stopped",
    missing,
    async () => {
      const spec = exampleSpec({ hiddenSize: 18, steps: [5, 4, 6] });
      const straight = await create(spec);
      const first = await straight.train(2);
      const middle = await straight.state();
      const second = await straight.train(3);
      const end = await straight.state();
      straight.destroy();
      assert.equal(first.epochs, 2);
      const resumed = await create({
        ...spec,
        runs: spec.runs.map((run, i) => ({ ...run, state: middle[i]! })),
      });
      assert.deepEqual(await resumed.train(3), second);
      assert.deepEqual(await resumed.state(), end);
      assert.deepEqual(await resumed.state(1), [end[1]]);
      resumed.destroy();
    },
  );

  itNeeds(
    "keeps a model that diverges to itself and shows it in its losses",
    missing,
    async () => {
      const spec = exampleSpec({ hiddenSize: 16, steps: [6, 6, 6] });
      const diverging = {
        ...spec,
        runs: spec.runs.map((run, i) =>
          i === 1 ? { ...run, learningRate: 1e30 } : run
        ),
      };
      const results: [Float64Array, ModelState[]][] = [];
      for (const each of [spec, diverging]) {
        const gpu = await create(each);
        const { trainLoss } = await gpu.train(3);
        results.push([trainLoss, await gpu.state()]);
        gpu.destroy();
      }
      const [[losses, states], [lossesBeside, statesBeside]] = results as [
        [Float64Array, ModelState[]],
        [Float64Array, ModelState[]],
      ];
      assert.ok(!Number.isFinite(lossesBeside[5]));
      for (const model of [0, 2]) {
        assert.deepEqual(statesBeside[model], states[model]);
        assert.deepEqual(
          lossesBeside.slice(3 * model, 3 * model + 3),
          losses.slice(3 * model, 3 * model + 3),
        );
      }
    },
  );

  itNeeds(
    "stops at the end of an epoch when it is told to",
    missing,
    async () => {
      const gpu: Ensemble = await create(
        exampleSpec({ hiddenSize: 60, steps: [9, 9, 9] }),
      );
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 100);
      const history = await gpu.train(1e6, { signal: controller.signal });
      assert.ok(history.epochs >= 1 && history.epochs < 1e6);
      assert.ok(history.trainLoss.every((loss) => loss > 0));
      const [state] = await gpu.state(0);
      assert.equal(state!.epoch, history.epochs);
      assert.equal(
        (await gpu.train(5, { signal: controller.signal })).epochs,
        0,
      );
      gpu.destroy();
    },
  );

  itNeeds("learns to tell classes apart", missing, async () => {
    const gpu = await create(
      exampleSpec({ hiddenSize: 30, steps: [4], loss: "nll" }),
    );
    const { trainLoss, trainAccuracy } = await gpu.train(60);
    gpu.destroy();
    assert.ok(trainLoss[59]! < 0.2 * trainLoss[0]!);
    assert.equal(trainAccuracy![59], 100);
  });

  itNeeds("refuses wrong use with a sentence", missing, async () => {
    const spec = exampleSpec({ hiddenSize: 5, steps: [3, 3] });
    await assert.rejects(create({ ...spec, runs: [] }), RangeError);
    const other = exampleSpec({ hiddenSize: 5, trainBatches: [2, 2] }).runs[0]!;
    await assert.rejects(
      create({ ...spec, runs: [spec.runs[0]!, other] }),
      /batches/,
    );
    const [run] = spec.runs;
    const { start } = run!.connections;
    const short = {
      ...run!,
      connections: { ...run!.connections, start: start.subarray(1) },
    };
    await assert.rejects(
      create({ ...spec, runs: [short] }),
      /Cannot train iteration 0: its list of connections is unsound: there are 5 starts of receivers, not 6/,
    );
    const gpu = await create(spec);
    await assert.rejects(gpu.probe(2, 0), RangeError);
    await assert.rejects(gpu.probe(0, 3), RangeError);
    await assert.rejects(gpu.train(1.5), RangeError);
    gpu.destroy();
    await assert.rejects(gpu.train(1), /after its destroy/);
  });

  itNeeds(
    "fails with the error that the device reported",
    missing,
    async () => {
      const other = await createWebGpuEngine();
      const gpu = await other!.createEnsemble(exampleSpec({ hiddenSize: 4 }));
      other!.gpu.device.createBuffer({
        label: "too much of everything",
        size: 16,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE,
      });
      await assert.rejects(gpu.train(1), /WebGPU error on .*/);
      await assert.rejects(
        other!.createEnsemble(exampleSpec({ hiddenSize: 4 })),
        /WebGPU error on .*/,
      );
      other!.destroy();
    },
  );

  itNeeds("plans groups that it can create", missing, () => {
    const plan = engine!.plan({
      hiddenSize: 220,
      inputSize: 2,
      outputSize: 1,
      loss: "mse",
      connections: 30_000,
      blocks: 1900,
      steps: Array.from({ length: 400 }, () => 21),
      trialCount: 200,
      batchSize: 128,
    });
    assert.equal(plan.groups.flat().length, 400);
  });
});
