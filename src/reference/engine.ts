/**
 * The reference engine: float64 on the CPU, without any device. It is what the
 * WebGPU engine is tested against, and what trains where there is no adapter.
 *
 * @module
 */

import type { Engine, EnsembleShape } from "../engine/ensemble.ts";
import { countConnections } from "../graph/connections.ts";
import { groupBySize } from "../engine/guard_ensemble.ts";
import { createReferenceEnsemble } from "./ensemble.ts";

/** Options of {@linkcode createReferenceEngine}. */
export interface ReferenceEngineOptions {
  /** Bytes that one ensemble may take, default 1 GiB; a single model may take more. */
  readonly memoryBytes?: number;
}

/**
 * Creates the float64 engine.
 *
 * @example
 * ```ts
 * import { createEnsemble } from "./src/engine/create_ensemble.ts";
 * import { createReferenceEngine } from "./src/reference/engine.ts";
 * import { listConnections } from "./src/graph/connections.ts";
 *
 * const engine = createReferenceEngine();
 * const ensemble = await createEnsemble(engine, {
 *   hiddenSize: 1,
 *   inputSize: 1,
 *   outputSize: 1,
 *   loss: "mse",
 *   runs: [{
 *     label: "a single neuron",
 *     activation: "tanh",
 *     optimizer: "SGD",
 *     learningRate: 0.1,
 *     trainRecurrent: true,
 *     connections: listConnections({ receivers: 1, senders: 1 }),
 *     initial: {
 *       weightIh: Float32Array.of(0.5),
 *       weightHh: Float32Array.of(0.5),
 *       biasIh: Float32Array.of(0),
 *       biasHh: Float32Array.of(0),
 *       weightFc: Float32Array.of(1),
 *       biasFc: Float32Array.of(0),
 *     },
 *     trials: {
 *       trialCount: 2,
 *       steps: 2,
 *       inputSize: 1,
 *       inputs: Float32Array.of(1, 0, 0.5, 0),
 *       targets: Float32Array.of(0, 1, 0, 0.5),
 *       trainBatches: [Uint32Array.of(0)],
 *       validateBatches: [Uint32Array.of(1)],
 *     },
 *   }],
 * });
 * const { validateLoss } = await ensemble.train(10);
 * ```
 */
export function createReferenceEngine(
  { memoryBytes = 2 ** 30 }: ReferenceEngineOptions = {},
): Engine {
  return {
    kind: "reference",
    description: "float64 reference engine, one CPU thread",
    plan: (shape) => ({
      ...groupBySize(shape.steps.map((steps) => modelBytes(shape, steps)), {
        shared: Math.max(
          ...shape.steps.map((steps) => workBytes(shape, steps)),
        ),
        memoryBytes,
      }),
      prepare: () => {},
      createEnsemble: (runs) =>
        Promise.resolve().then(() =>
          createReferenceEnsemble({ ...shape, runs })
        ),
    }),
    destroy: () => {},
  };
}

/** Weights of all three matrices. */
function weightsOf(
  { hiddenSize: H, inputSize: I, outputSize: O, connections }: EnsembleShape,
): number {
  return countConnections(connections) + H * (I + O);
}

/**
 * What a model holds: three float64 copies of its parameters, the sender of each
 * weight, its receiver and number in the transposed list, its trials.
 */
function modelBytes(size: EnsembleShape, steps: number): number {
  const { hiddenSize: H, inputSize: I, outputSize: O, trialCount } = size;
  const weights = weightsOf(size);
  return 3 * 8 * (weights + 2 * H + O) + 3 * 4 * weights +
    4 * trialCount * steps * (I + 1);
}

/** What one batch needs while it is under way: inputs, h, δ, outputs, the gradient and transposed weights. */
function workBytes(size: EnsembleShape, steps: number): number {
  const { hiddenSize: H, inputSize: I, outputSize: O, batchSize } = size;
  return 8 *
    (steps * batchSize * (I + 1 + 2 * (H + O)) + 2 * weightsOf(size));
}
