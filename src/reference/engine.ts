/**
 * The reference engine: float64 on the CPU, one model after the other, plain
 * rather than fast. It is what the other engines are tested against.
 *
 * @module
 */

import {
  type BatchScore,
  createHistory,
  groupBySize,
  guardEnsemble,
} from "../engine/engine_parts.ts";
import { checkSpec } from "../engine/create_ensemble.ts";
import type {
  Engine,
  Ensemble,
  EnsembleShape,
  EnsembleSpec,
  Rules,
} from "../engine/ensemble.ts";
import { countConnections } from "../graph/connections.ts";
import { createModel } from "./model.ts";

/**
 * Creates the float64 engine.
 *
 * @param options `memoryBytes` that one ensemble may take, default 1 GiB; a single model may take more.
 *
 * @example
 * ```ts
 * import { createReferenceEngine } from "./src/reference/engine.ts";
 *
 * createReferenceEngine().description; // "float64 reference engine, one CPU thread"
 * ```
 */
export function createReferenceEngine(
  { memoryBytes = 2 ** 30 }: { readonly memoryBytes?: number } = {},
): Engine {
  return {
    kind: "reference",
    description: "float64 reference engine, one CPU thread",
    plan(shape) {
      const sizes = shape.steps.map((steps) => bytesOf(shape, steps));
      return {
        ...groupBySize(sizes.map(({ model }) => model), {
          shared: Math.max(...sizes.map(({ batch }) => batch)),
          memoryBytes,
        }),
        way: "",
        prepare() {},
        createEnsemble: async (runs) =>
          await createReferenceEnsemble({ ...shape, runs }),
      };
    },
    destroy() {},
  };
}

/** Bytes of a model whose trials have so many steps, and of a batch under way. */
function bytesOf(
  { hiddenSize: H, inputSize: I, outputSize: O, ...shape }: EnsembleShape,
  steps: number,
): { model: number; batch: number } {
  const { connections, others = [], trialCount, batchSize } = shape;
  const weights = H * (I + O) +
    Math.max(...[connections, ...others].map(countConnections));
  return {
    // Three float64 copies of its parameters, the sender of each weight, its
    // receiver and number in the transposed list, its trials.
    model: 3 * 8 * (weights + 2 * H + O) + 3 * 4 * weights +
      4 * trialCount * steps * (I + 1),
    // Inputs, h, δ, outputs, the gradient and transposed weights.
    batch: 8 * (steps * batchSize * (I + 1 + 2 * (H + O)) + 2 * weights),
  };
}

/** Milliseconds after which training lets other work of the program run: signals, progress, timers. */
const TURN = 50;

/** Milliseconds between two reports of epochs. */
const TELL = 500;

/**
 * Makes the runs ready to train.
 *
 * @throws {RangeError} If the description does not agree with itself.
 */
function createReferenceEnsemble(spec: EnsembleSpec & Rules): Ensemble {
  checkSpec(spec);
  const models = spec.runs.map((run) => createModel(run, spec));
  return guardEnsemble(spec, {
    async train(epochs, { signal, onEpochs }) {
      /** Scores of each epoch that is not told yet, a list a model. */
      let untold: BatchScore[][][] = [];
      let turn = performance.now();
      let told = turn;
      for (let epoch = 1; epoch <= epochs && !signal?.aborted; epoch++) {
        const scores: BatchScore[][] = [];
        for (const model of models) {
          scores.push(model.trainEpoch());
          if (performance.now() - turn < TURN) continue;
          await new Promise((resolve) => setTimeout(resolve, 0));
          turn = performance.now();
        }
        untold.push(scores);
        const isLast = epoch === epochs || signal?.aborted;
        if (!isLast && performance.now() - told < TELL) continue;
        onEpochs(createHistory(spec, {
          epochs: untold.length,
          scoreOf: ({ model, epoch, batch }) => untold[epoch]![model]![batch]!,
        }));
        untold = [];
        told = performance.now();
      }
    },
    states: (wanted) => wanted.map((model) => models[model]!.state()),
    probe: (model, batch) => models[model]!.probe(batch),
    destroy() {},
  });
}
