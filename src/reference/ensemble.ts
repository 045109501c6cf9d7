/**
 * Many models that train one after the other, an epoch at a time.
 *
 * @module
 */

import type {
  Ensemble,
  EnsembleSpec,
  EpochHistory,
  TrainingOptions,
} from "../engine/ensemble.ts";
import { checkSpec } from "../engine/create_ensemble.ts";
import { createHistory } from "../engine/history.ts";
import { createModel, type Epoch, type Model } from "./model.ts";

/** Time after which training lets other work of the program run: signals, progress, timers. */
const TURN_MILLISECONDS = 50;

/** Time between two reports of epochs. */
const TELL_MILLISECONDS = 500;

/**
 * Makes the runs ready to train.
 *
 * @throws {RangeError} If the description does not agree with itself.
 */
export function createReferenceEnsemble(spec: EnsembleSpec): Ensemble {
  checkSpec(spec);
  let models: Model[] | undefined = spec.runs.map((run) =>
    createModel(run, spec)
  );

  function living(): Model[] {
    if (models === undefined) {
      throw new TypeError("Cannot use an ensemble after its destroy()");
    }
    return models;
  }

  function modelOf(number: number): Model {
    const model = living()[number];
    if (model === undefined) {
      throw new RangeError(
        `Cannot find model ${number}: the ensemble has ${living().length}`,
      );
    }
    return model;
  }

  async function train(
    epochs: number,
    { signal, onEpochs }: TrainingOptions = {},
  ): Promise<EpochHistory> {
    if (!Number.isInteger(epochs) || epochs < 0) {
      throw new RangeError(
        `Cannot train: epochs must be a whole number, found ${epochs}`,
      );
    }
    const done: Epoch[][] = living().map(() => []);
    let turn = performance.now();
    let told = 0;
    let lastTold = turn;
    for (let epoch = 0; epoch < epochs && !signal?.aborted; epoch++) {
      for (const [i, model] of living().entries()) {
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

  return {
    models: spec.runs.length,
    train,
    state: (model) =>
      Promise.resolve().then(() =>
        (model === undefined ? living() : [modelOf(model)])
          .map((each) => each.state())
      ),
    probe: (model, batch) =>
      Promise.resolve().then(() => modelOf(model).probe(batch)),
    destroy: () => {
      models = undefined;
    },
  };
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
