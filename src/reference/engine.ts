/**
 * The reference engine: float64 on the CPU, one model after the other, plain
 * rather than fast. It is what the other engines are tested against.
 *
 * @module
 */

import { checkSpec } from "../engine/create_ensemble.ts";
import type {
  Engine,
  Ensemble,
  EnsembleShape,
  EnsembleSpec,
  EpochHistory,
  Rules,
  TrainingOptions,
} from "../engine/ensemble.ts";
import { createHistory, groupBySize, guardEnsemble } from "../engine/common.ts";
import { createModel, type Epoch } from "./model.ts";
import { countConnections } from "../graph/connections.ts";

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
 * import { createReferenceEngine } from "./src/reference/engine.ts";
 *
 * createReferenceEngine().description; // "float64 reference engine, one CPU thread"
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
      way: "",
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
  { hiddenSize: H, inputSize: I, outputSize: O, ...shape }: EnsembleShape,
): number {
  const { connections, others = [] } = shape;
  return Math.max(...[connections, ...others].map(countConnections)) +
    H * (I + O);
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

/** Time after which training lets other work of the program run: signals, progress, timers. */
const TURN_MILLISECONDS = 50;

/** Time between two reports of epochs. */
const TELL_MILLISECONDS = 500;

/**
 * Makes the runs ready to train.
 *
 * @throws {RangeError} If the description does not agree with itself.
 */
function createReferenceEnsemble(spec: EnsembleSpec & Rules): Ensemble {
  checkSpec(spec);
  const models = spec.runs.map((run) => createModel(run, spec));

  async function train(
    epochs: number,
    { signal, onEpochs }: TrainingOptions,
  ): Promise<EpochHistory> {
    const done: Epoch[][] = models.map(() => []);
    let turn = performance.now();
    let told = 0;
    let lastTold = turn;
    for (let epoch = 0; epoch < epochs && !signal?.aborted; epoch++) {
      for (const [i, model] of models.entries()) {
        done[i]!.push(model.trainEpoch());
        if (performance.now() - turn < TURN_MILLISECONDS) continue;
        await new Promise((resolve) => setTimeout(resolve, 0));
        turn = performance.now();
      }
      if (
        onEpochs !== undefined &&
        (epoch + 1 === epochs || signal?.aborted ||
          performance.now() - lastTold >= TELL_MILLISECONDS)
      ) {
        onEpochs(historyOf(done.map((each) => each.slice(told)), spec));
        told = epoch + 1;
        lastTold = performance.now();
      }
    }
    return historyOf(done, spec);
  }

  return guardEnsemble(spec.runs, {
    train,
    states: (wanted) => wanted.map((model) => models[model]!.state()),
    probe: (model, batch) => models[model]!.probe(batch),
    destroy: () => {},
  });
}

/** Lays out the epochs of all models as the contract has them. */
function historyOf(
  models: readonly (readonly Epoch[])[],
  { loss, runs }: EnsembleSpec,
): EpochHistory {
  const { trainBatches, validateBatches } = runs[0]!.trials;
  return createHistory({
    loss,
    models: models.length,
    epochs: models[0]!.length,
    trainBatches: trainBatches.length,
    validateBatches: validateBatches.length,
  }, ({ model, epoch, training, batch }) => {
    const { train, validate } = models[model]![epoch]!;
    return (training ? train : validate)[batch]!;
  });
}
