import assert from "node:assert/strict";
import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import type { EnsembleSpec } from "../../src/engine/ensemble.ts";
import { createStream } from "../../src/random/stream.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { initialParameters } from "../../src/rnn/initialise.ts";
import { closePorts, type FloatArray } from "../../src/rnn/parameters.ts";
import { engine, missing } from "./adapter.ts";
import { assertClose, assertParametersClose } from "./closeness.ts";
import {
  createInWay,
  type ExampleSize,
  exampleSpec,
  WAYS,
} from "./example_runs.ts";
import { withPorts } from "../reference/example_runs.ts";
import { poisonBuffers } from "./poison_buffers.ts";

const suite = `numbers of the WebGPU engine on ${
  engine?.description ?? "no adapter"
}`;

const SIZES: Record<string, ExampleSize & { readonly ports?: boolean }> = {
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
  "8 units, batches that end within a vector of trials": {
    hiddenSize: 8,
    steps: [4, 4],
    trainBatches: [128, 37, 41],
    validateBatches: [5],
  },
  "batches of 1 to 5": {
    hiddenSize: 5,
    steps: [3, 1, 2, 4],
    trainBatches: [1, 2, 3, 4, 5],
    validateBatches: [5, 1],
  },
  "a batch of 300": {
    hiddenSize: 6,
    loss: "nll",
    classes: 4,
    steps: [3, 2],
    trainBatches: [300, 2],
    validateBatches: [150],
  },
  "all connections of 3 units, one input": {
    hiddenSize: 3,
    inputSize: 1,
    density: 1,
    steps: [3, 5],
  },
  "4 units, 3 inputs, few connections": {
    hiddenSize: 4,
    inputSize: 3,
    density: 0.2,
    steps: [4, 2, 3],
  },
  "one topology of all runs": {
    hiddenSize: 23,
    density: 0.2,
    oneTopology: true,
    steps: [4, 6, 5, 3, 4],
  },
  "530 units, more than a tile": {
    hiddenSize: 530,
    steps: [2, 3],
    trainBatches: [3, 2],
    density: 0.1,
  },
  "a single time step": { hiddenSize: 12, steps: [1], loss: "nll" },
  "no connection at all": { hiddenSize: 10, density: 0 },
  "37 units, ports at some": { hiddenSize: 37, ports: true, steps: [5, 9, 4] },
  "5 units, ports at some, 51 inputs, three classes": {
    hiddenSize: 5,
    inputSize: 51,
    ports: true,
    loss: "nll",
    steps: [3, 2],
  },
};

/** Enough of them for ways that share most of their kernels with another. */
const FEW = [
  "one unit",
  "37 units",
  "116 units, a batch of 128 and a ragged one",
  "batches of 1 to 5",
  "37 units, ports at some",
];

/** One model whose units lie in a ring, each connected to the next. */
function ringSpec(
  { units, trials }: { readonly units: number; readonly trials: number },
): EnsembleSpec {
  const size = { hiddenSize: units, inputSize: 2, outputSize: 1 };
  const connections = {
    receivers: units,
    senders: units,
    start: Uint32Array.from({ length: units + 1 }, (_, i) => i),
    sender: Uint32Array.from(
      { length: units },
      (_, i) => (i + units - 1) % units,
    ),
  };
  const small = exampleSpec({
    hiddenSize: 2,
    steps: [2],
    trainBatches: [trials],
    validateBatches: [1],
  });
  const initial = initialParameters(size, {
    initialisation: "default",
    connections,
    stream: createStream({ seed: 1, purpose: "weights" }),
  });
  const run = small.runs[0]!;
  return { ...small, ...size, runs: [{ ...run, connections, initial }] };
}

describe(suite, () => {
  itNeeds(
    "adds up long read-outs to their end, which software adapters may not",
    missing,
    async () => {
      // Four vectors of trials an invocation, 9,000 units each: 72,000 turns with those over outputs.
      const spec = ringSpec({ units: 9000, trials: 128 });
      const gpu = await createInWay(engine!.gpu, spec);
      const oracle = await createEnsemble(createReferenceEngine(), spec);
      const found = await gpu.probe(0, 0);
      const expected = await oracle.probe(0, 0);
      gpu.destroy();
      oracle.destroy();
      assert.ok(Math.abs(found.loss / expected.loss - 1) < 1e-5);
      assertClose(found.output, expected.output, {
        limit: 1e-5,
        what: "output",
      });
    },
  );

  for (const way of WAYS) {
    const isRare = way.allSteps === false || way.limits !== undefined;
    for (const name of isRare ? FEW : Object.keys(SIZES)) {
      itNeeds(
        `gives the float64 gradients, losses and weights, ${way.name}: ${name}`,
        missing,
        async () => {
          const device = engine!.gpu;
          const { ports = false, ...size } = SIZES[name]!;
          const example = exampleSpec(size);
          const spec = ports ? withPorts(example) : example;
          const gpu = await createInWay(device, spec, way);
          const oracle = await createEnsemble(createReferenceEngine(), spec);
          try {
            poisonBuffers(device, gpu);
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
            poisonBuffers(device, gpu);
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
              const { epoch, updates } = expectedStates[model]!;
              assert.deepEqual([state.epoch, state.updates], [epoch, updates]);
              for (
                const tensors of [
                  state.parameters,
                  state.firstMoment,
                  state.secondMoment,
                ]
              ) assert.equal(closePorts(tensors, spec.runs[model]!.ports), 0);
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

  for (const way of WAYS) {
    {
      itNeeds(
        `knows no trials but those of the batch, ${way.name}`,
        missing,
        async () => {
          // The input keeps the first unit at 0; without it, it overflows.
          const spec = exampleSpec({
            hiddenSize: 3,
            density: 1,
            steps: [5, 5],
            trainBatches: [3],
          });
          const run = spec.runs[1]!;
          assert.equal(run.activation, "relu");
          const { weightHh, weightIh, biasIh } = run.initial;
          weightHh[0] = 1e15;
          weightIh.set([-4, 0]);
          biasIh[0] = 2;
          run.trials.inputs.fill(1);
          const gpu = await createInWay(engine!.gpu, spec, way);
          const oracle = await createEnsemble(createReferenceEngine(), spec);
          const found = await gpu.probe(1, 0);
          const expected = await oracle.probe(1, 0);
          gpu.destroy();
          oracle.destroy();
          assertClose(found.hiddenLast, expected.hiddenLast, {
            limit: 2e-6,
            what: "h_T",
          });
          assertParametersClose(found.gradient, expected.gradient, {
            limit: 1e-5,
            what: "gradient",
          });
        },
      );
    }
  }
});
