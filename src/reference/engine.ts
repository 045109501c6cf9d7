/**
 * The reference engine: float64 on the CPU, without any device. It is what the
 * WebGPU engine is tested against, and what trains where there is no adapter.
 *
 * @module
 */

import type { Engine, EnsembleSize, MemoryPlan } from "../engine/ensemble.ts";
import { createReferenceEnsemble } from "./ensemble.ts";

/** Options of {@linkcode createReferenceEngine}. */
export interface ReferenceEngineOptions {
  /** Bytes that one ensemble may take, default 1 GiB; a single model may take more. */
  readonly memoryBytes?: number;
}

/** Positions in a matrix are 32-bit numbers. */
const LARGEST_HIDDEN_SIZE = 65535;

/**
 * Creates the float64 engine.
 *
 * @example
 * ```ts
 * import { createReferenceEngine } from "./src/reference/engine.ts";
 *
 * const engine = createReferenceEngine();
 * const ensemble = await engine.createEnsemble({
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
 *     mask: Uint8Array.of(1),
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
    createEnsemble: (spec) =>
      Promise.resolve().then(() => createReferenceEnsemble(spec)),
    plan: (size) => planMemory(size, memoryBytes),
    destroy: () => {},
  };
}

function planMemory(size: EnsembleSize, memoryBytes: number): MemoryPlan {
  if (size.hiddenSize > LARGEST_HIDDEN_SIZE) {
    throw new RangeError(
      `Cannot train a model of H = ${size.hiddenSize}: the reference engine takes ${LARGEST_HIDDEN_SIZE} neurons at most`,
    );
  }
  const groups: number[][] = [];
  const bytes: number[] = [];
  const work = Math.max(...size.steps.map((steps) => workBytes(size, steps)));
  for (const [run, steps] of size.steps.entries()) {
    const own = modelBytes(size, steps);
    const used = bytes.at(-1);
    if (used === undefined || used + own > memoryBytes) {
      groups.push([run]);
      bytes.push(work + own);
    } else {
      groups.at(-1)!.push(run);
      bytes[bytes.length - 1]! += own;
    }
  }
  return {
    groups,
    bytes,
    neededBytes: bytes,
    reason: groups.length === 1
      ? "all models fit in one ensemble"
      : `limited to ${Math.round(memoryBytes / 2 ** 20)} MiB an ensemble`,
  };
}

/** What a model holds: three float64 copies of its parameters, two lists of its connections, its trials. */
function modelBytes(
  { hiddenSize: H, inputSize: I, outputSize: O, trialCount }: EnsembleSize,
  steps: number,
): number {
  const connections = H * (H + I + O);
  return 3 * 8 * (connections + 2 * H + O) + 2 * 8 * connections +
    4 * trialCount * steps * (I + 1);
}

/** What one batch needs while it is under way: inputs, h, δ, outputs and the gradient. */
function workBytes(
  { hiddenSize: H, inputSize: I, outputSize: O, batchSize }: EnsembleSize,
  steps: number,
): number {
  return 8 * (steps * batchSize * (I + 1 + 2 * (H + O)) + H * (H + I + O));
}
