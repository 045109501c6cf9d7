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
import { guardEnsemble } from "../engine/guard_ensemble.ts";
import { createModel, type Epoch } from "./model.ts";

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
    state: (model) => models[model]!.state(),
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
