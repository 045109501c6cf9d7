/**
 * From the scores of batches to the losses and accuracies of epochs.
 *
 * @module
 */

import type { EpochHistory, LossName } from "./ensemble.ts";

/** How a batch did. */
export interface BatchScore {
  readonly loss: number;
  /** In %; not looked at where the loss is "mse". */
  readonly accuracy?: number | undefined;
}

/** What a history covers. */
export interface HistorySize {
  readonly loss: LossName;
  readonly models: number;
  readonly epochs: number;
  readonly trainBatches: number;
  readonly validateBatches: number;
}

/** Which batch of which epoch. */
export interface BatchOfEpoch {
  readonly model: number;
  readonly epoch: number;
  readonly training: boolean;
  /** Number among the training or the validation batches. */
  readonly batch: number;
}

/**
 * The history of some epochs: means are taken over the batches in their order,
 * in double precision.
 *
 * @param scoreOf How a batch did.
 */
export function createHistory(
  { loss, models, epochs, trainBatches, validateBatches }: HistorySize,
  scoreOf: (place: BatchOfEpoch) => BatchScore,
): EpochHistory {
  const part = (training: boolean, batches: number) => {
    const losses = new Float64Array(models * epochs);
    const accuracies = new Float64Array(models * epochs);
    const batchLoss = new Float64Array(models * epochs * batches);
    for (let model = 0; model < models; model++) {
      for (let epoch = 0; epoch < epochs; epoch++) {
        const at = model * epochs + epoch;
        for (let batch = 0; batch < batches; batch++) {
          const score = scoreOf({ model, epoch, training, batch });
          batchLoss[at * batches + batch] = score.loss;
          losses[at]! += score.loss;
          accuracies[at]! += score.accuracy ?? 0;
        }
        losses[at]! /= batches;
        accuracies[at]! /= batches;
      }
    }
    return { losses, accuracies, batchLoss };
  };
  const train = part(true, trainBatches);
  const validate = part(false, validateBatches);
  return {
    models,
    epochs,
    trainLoss: train.losses,
    validateLoss: validate.losses,
    ...(loss === "nll" && {
      trainAccuracy: train.accuracies,
      validateAccuracy: validate.accuracies,
    }),
    trainBatchLoss: train.batchLoss,
    validateBatchLoss: validate.batchLoss,
  };
}

/** One history of several in a row, at least one. */
export function joinHistories(parts: readonly EpochHistory[]): EpochHistory {
  const [first] = parts as [EpochHistory];
  const { models } = first;
  const epochs = parts.reduce((sum, part) => sum + part.epochs, 0);
  const join = (of: (part: EpochHistory) => Float64Array): Float64Array => {
    const pieces = [];
    for (let model = 0; model < models; model++) {
      for (const part of parts) {
        const length = of(part).length / models;
        pieces.push(of(part).subarray(model * length, (model + 1) * length));
      }
    }
    const joined = new Float64Array(
      pieces.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const piece of pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  };
  return {
    models,
    epochs,
    trainLoss: join((part) => part.trainLoss),
    validateLoss: join((part) => part.validateLoss),
    ...(first.trainAccuracy !== undefined && {
      trainAccuracy: join((part) => part.trainAccuracy!),
      validateAccuracy: join((part) => part.validateAccuracy!),
    }),
    trainBatchLoss: join((part) => part.trainBatchLoss),
    validateBatchLoss: join((part) => part.validateBatchLoss),
  };
}
