/**
 * Small random models and trials for the tests of the engines.
 *
 * @module
 */

import { NONLINEARITIES } from "../../src/rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../../src/rnn/optimizers.ts";
import type { EnsembleSpec, ModelRun } from "../../src/engine/ensemble.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  connectedValues,
  listConnections,
} from "../../src/graph/connections.ts";
import {
  closePorts,
  makeParameters,
  parameterShapes,
} from "../../src/rnn/parameters.ts";

/** All nonlinearities and optimizers that there are. */
export const RULES = {
  nonlinearities: [...NONLINEARITIES.values()],
  optimizers: [...OPTIMIZERS.values()],
};

/** What an example is like; all else is drawn. */
export interface ExampleOptions {
  readonly seed?: number;
  readonly hiddenSize?: number;
  readonly inputSize?: number;
  readonly steps?: number;
  readonly loss?: "mse" | "nll";
  readonly trainTrials?: number;
  readonly validateTrials?: number;
  readonly batchSize?: number;
  /** Share of W_hh that exists. */
  readonly density?: number;
  readonly run?: Partial<ModelRun>;
}

/** Numbers lo, lo + 1, … hi − 1 in batches. */
function batches(lo: number, hi: number, size: number): Uint32Array[] {
  const list: Uint32Array[] = [];
  for (let from = lo; from < hi; from += size) {
    const length = Math.min(size, hi - from);
    list.push(Uint32Array.from({ length }, (_, i) => from + i));
  }
  return list;
}

/** An ensemble of one run; every second time step is scored. */
export function exampleSpec(
  {
    seed = 1,
    hiddenSize = 7,
    inputSize = 2,
    steps = 4,
    loss = "mse",
    trainTrials = 13,
    validateTrials = 5,
    batchSize = 5,
    density = 0.6,
    run = {},
  }: ExampleOptions = {},
): EnsembleSpec {
  const stream = createStream({ seed, purpose: "trials" });
  const uniform = (length: number, scale: number) =>
    Float32Array.from({ length }, () => scale * (2 * stream.uniform() - 1));
  const outputSize = loss === "mse" ? 1 : 3;
  const size = { hiddenSize, inputSize, outputSize };
  const trialCount = trainTrials + validateTrials;
  const mask = Uint8Array.from(
    { length: hiddenSize ** 2 },
    () => stream.uniform() < density ? 1 : 0,
  );
  const connections = listConnections(
    { receivers: hiddenSize, senders: hiddenSize },
    mask,
  );
  // W_hh is drawn whole, so that all else is the same for any density.
  const shapes = parameterShapes(size, mask.length);
  const tensors = makeParameters((name) =>
    uniform(shapes[name].reduce((a, b) => a * b), 1.5 / Math.sqrt(hiddenSize))
  );
  return {
    ...size,
    loss,
    runs: [{
      label: `example ${seed}`,
      activation: "tanh",
      optimizer: "Adam",
      learningRate: 0.01,
      trainRecurrent: true,
      connections,
      initial: {
        ...tensors,
        weightHh: connectedValues(connections, tensors.weightHh),
      },
      trials: {
        trialCount,
        steps,
        inputSize,
        inputs: uniform(trialCount * steps * inputSize, 1),
        targets: Float32Array.from(
          { length: trialCount * steps },
          (_, i) =>
            i % steps % 2 !== (steps - 1) % 2
              ? 0
              : loss === "mse"
              ? 0.1 + stream.uniform()
              : 1 + stream.integer(2),
        ),
        trainBatches: batches(0, trainTrials, batchSize),
        validateBatches: batches(trainTrials, trialCount, batchSize),
      },
      ...run,
    }],
  };
}

/**
 * The runs with ports at some of their neurons, by turns: the input, the read-out,
 * both, neither; the first neuron has both, so that there is always something to learn.
 */
export function withPorts(spec: EnsembleSpec): EnsembleSpec {
  const ports = Uint8Array.from(
    { length: spec.hiddenSize },
    (_, neuron) => (neuron + 3) % 4,
  );
  ports[0] = 3;
  return {
    ...spec,
    runs: spec.runs.map((run) => {
      const initial = {
        ...run.initial,
        weightIh: run.initial.weightIh.slice(),
        weightFc: run.initial.weightFc.slice(),
      };
      closePorts(initial, ports);
      return { ...run, ports, initial };
    }),
  };
}
